"""Making, using and revoking grants. Whatever isn't plainly like the approved call is asked about as ever.

Never granted in advance: what takes a typed phrase, several approvals or other kinds of silence, what a regulation
demands, what the policy forbids to grant, and what the catalogue calls irreversible with a high impact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from policies.arguments import canonical_digest
from policies.authority import check_fresh, check_may_approve
from policies.checkpoint import Checkpoint, GrantBound, Kind
from policies.effects import Effect, Entry, TellOfGrant
from policies.errors import Conflict, Invalid, NotAllowed
from policies.events import Granted, Outcome, Reviewed
from policies.grant import Grant, Standing, Terms, counts, fits, leaves, spans
from policies.people import Person
from policies.people import Standing as Account
from policies.request import Request, State
from policies.review import Verdict
from policies.reviewing import review
from policies.settling import settle

MOST_LEAVES = 20
"""A call with more values than this is looked at each time: nobody reads such a pattern."""


def grantable(gate: Checkpoint) -> GrantBound | None:
    """How far calls behind this gate may be approved in advance; None where they never are."""
    alone = gate.kind is Kind.HARD and gate.quorum == 1 and not gate.shares and not gate.required_by
    return gate.grants if alone else None


def why_never(request: Request) -> str | None:
    """Why calls like this one can't be approved in advance, as a sentence; None where they can."""
    gate = request.checkpoint
    if request.asking:
        return "A question about this call is still open: answer it first."
    if gate.kind is not Kind.HARD or gate.quorum > 1 or gate.shares:
        return "Only a call that waits for one approval can be approved together with calls like it."
    if gate.required_by:
        return f"{gate.required_by} requires that each of these calls is looked at."
    if gate.grants is None:
        return "The policy wants each of these calls looked at."
    if any(draft.argument is None for draft in request.preview):
        return "The agent shows a draft beside this call, and each draft is looked at."
    if request.modified:
        return "This call was changed since the agent asked; approve it alone."
    if len(leaves(request.call.arguments)) > MOST_LEAVES:
        return f"This call has more than {MOST_LEAVES} values, too many to say what a call like it is."
    return None


def grant(request: Request, event: Granted, now: datetime) -> Outcome:
    """Approve ``request``, and make the grant with it."""
    never = why_never(request)
    if never is not None:
        raise NotAllowed(never)
    _check_terms(request, event.terms)
    verdict = Reviewed(person=event.person, verdict=Verdict.APPROVE, revision=event.revision, sight=event.sight)
    approved = review(request, verdict, now)
    _check_outlasts(request, event.person)
    made = _made(request, event, now)
    detail = {"request": request.id, "uses": made.most, "until": made.expires_at.isoformat(), "pattern": _digest(made)}
    return approved.then(
        Outcome(
            request=approved.request,
            effects=(TellOfGrant(request_id=request.id, grant_id=made.id, what="made"),),
            entries=(Entry(what="granted", actor=made.by, at=now, subject=made.id, detail=detail),),
            grant=made,
        )
    )


def _check_terms(request: Request, terms: Terms) -> None:
    bound = request.checkpoint.grants
    if bound is None or terms.lasts not in spans(bound) or terms.most not in counts(bound):
        raise Invalid("The policy doesn't let a grant reach that far; choose from the lists.")
    if not set(terms.loose) <= {leaf.pointer for leaf in leaves(request.call.arguments) if leaf.may_differ}:
        raise Invalid("There is no such argument that may differ; open the form again.")


def _check_outlasts(request: Request, person: Person) -> None:
    """Refuse whoever was only called to this one request, by its ladder or as a deputy: the next may need nobody."""
    if not any(group.include(person) for group in request.checkpoint.groups):
        raise NotAllowed(
            "You were called to this request in the place of others, so you can't approve calls like it in advance."
            " Use Approve for this one."
        )


def _made(request: Request, event: Granted, now: datetime) -> Grant:
    return Grant(
        id=event.grant_id,
        workspace_id=request.workspace_id,
        request_id=request.id,
        requester=request.requester,
        tool=request.call.tool,
        arguments=request.call.arguments,
        loose=event.terms.loose,
        checkpoint=request.checkpoint,
        policy_digest=request.policy_digest,
        by=event.person.id,
        by_name=event.person.name,
        created_at=now,
        expires_at=now + event.terms.lasts,
        most=event.terms.most,
    )


def _digest(made: Grant) -> str:
    pattern: Mapping[str, Any] = {"tool": made.tool, "arguments": dict(made.arguments), "loose": list(made.loose)}
    return canonical_digest(pattern)


def covers(standing: Grant, request: Request) -> bool:
    """Is the new ``request`` one that the grant was made for? Whether its granter may still approve is asked apart.

    The whole checkpoint must be the granted call's: a further rule that matches, such as one that reads how sure the
    agent says it is, is a reason to ask.
    """
    return (
        not request.settled
        and why_never(request) is None
        and request.requester == standing.requester
        and request.call.tool == standing.tool
        and request.policy_digest == standing.policy_digest
        and request.checkpoint == standing.checkpoint
        and fits(standing, request.call.arguments)
    )


def go_ahead(opened: Outcome, standing: Grant, granter: Person, now: datetime) -> Outcome:
    """``opened``, approved at once as the next use of a grant that covers it.

    Raises a ``Refused`` where the granter, as Slack knows them now, couldn't approve this very request.
    """
    check_fresh(granter, now)
    check_may_approve(opened.request, granter)
    number = standing.used + 1
    note = f"Under {standing.by_name}'s grant, {number} of {standing.most}"
    settled = settle(opened.request, State.APPROVED, (f"grant:{standing.id}",), now, note, show=False)
    told = TellOfGrant(
        request_id=standing.request_id,
        grant_id=standing.id,
        what="used",
        number=number,
        used_by=opened.request.id,
    )
    return replace(opened, effects=()).then(replace(settled, effects=(told,)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """A revoked grant, what the world is owed, and what the journal keeps."""

    grant: Grant
    effects: tuple[Effect, ...]
    entries: tuple[Entry, ...]


def revoke(standing: Grant, by: str, now: datetime) -> Ending:
    """End a grant. ``by`` is a user id, ``operator`` or ``policy``. Raises ``Conflict`` where it is over already."""
    state = standing.standing(now)
    if state is not Standing.ACTIVE:
        raise Conflict(f"This grant is {state.value} already; it lets nothing through.", code="grant_ended")
    detail = {"used": standing.used, "uses": standing.most}
    return Ending(
        grant=replace(standing, revoked_at=now, revoked_by=by),
        effects=(TellOfGrant(request_id=standing.request_id, grant_id=standing.id, what="ended"),),
        entries=(Entry(what="revoked", actor=by, at=now, subject=standing.id, detail=detail),),
    )


def check_may_revoke(standing: Grant, person: Person, now: datetime) -> None:
    """Refuse whoever may neither approve such calls nor made the grant, nor answers for the agent."""
    check_fresh(person, now)
    if not may_see(standing, person):
        raise NotAllowed("You are not among the reviewers of these calls, so the grant stands as it was.")


def may_see(standing: Grant, person: Person) -> bool:
    """Does the grant concern this person: a reviewer of such calls, its granter, or who answers for the agent?"""
    if any(group.include(person) for group in standing.checkpoint.groups):
        return True
    owner = standing.requester.owner
    concerned = person.id == standing.by or (owner is not None and person.is_called(owner))
    return concerned and person.standing is Account.MEMBER
