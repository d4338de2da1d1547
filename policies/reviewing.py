"""What people do to a request: approve, modify, reject, stop, say whether it ran."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from policies.answering import refuse_while_open
from policies.arguments import digest
from policies.attention import shown_at, told
from policies.authority import check_fresh, check_may_approve, check_may_stop, check_phrase
from policies.checkpoint import Act, Kind, Ladder
from policies.effects import Announce, AttachAgain, Effect, Refresh, TellServed
from policies.errors import Conflict, Invalid, NotAllowed, Stale
from policies.events import Attested, AuditMarked, Edit, Outcome, Reviewed, Stopped
from policies.joining import with_their_deputies
from policies.preview import followed, redrawn
from policies.quorum import is_met
from policies.request import ExecutionState, Request, State
from policies.review import Review, Verdict
from policies.settling import entry, execute, settle


def review(request: Request, event: Reviewed, now: datetime) -> Outcome:
    check_fresh(event.person, now)
    if event.revision != request.revision:
        raise Stale(f"This is revision {request.revision} by now; look at it again before you decide.")
    if event.verdict is Verdict.REJECT:
        check_may_stop(request, event.person)
        return _reject(request, event, now)
    check_may_approve(request, event.person)
    refuse_while_open(request)
    if event.verdict is Verdict.APPROVE:
        return _approve(request, event, now)
    if event.verdict is Verdict.MODIFY and event.edit is not None:
        return _modify(request, event, event.edit, now)
    raise Invalid(f"A verdict must be approve, modify with arguments, or reject, not {event.verdict.value}.")


def _approve(request: Request, event: Reviewed, now: datetime) -> Outcome:
    check_phrase(request.checkpoint, event.phrase)
    reviewed = _record(request, event, now)
    return reviewed.then(_settle_at_quorum(reviewed.request, now))


def _modify(request: Request, event: Reviewed, edit: Edit, now: datetime) -> Outcome:
    if edit.checkpoint.kind is Kind.DENY:
        raise NotAllowed(f"The policy refuses the call with these arguments: {edit.checkpoint.reason}")
    call = replace(request.call, arguments=edit.arguments)
    revision = request.revision + 1
    revised = replace(
        _tightened(request, edit),
        call=call,
        former=request.call.arguments,
        preview=followed(redrawn(request.preview, edit.drafts), edit.arguments),
        revision=revision,
        digest=digest(tool=call.tool, arguments=call.arguments, revision=revision, requester=request.requester.id),
    )
    check_may_approve(revised, event.person)
    check_phrase(revised.checkpoint, event.phrase)
    written = entry(request, "revised", event.person.id, now, revision=revision, digest=revised.digest)
    reviewed = _record(revised, replace(event, revision=revision), now)
    moved: tuple[Effect, ...] = (AttachAgain(request_id=request.id, revision=revision),)
    if revised.checkpoint.reviewers != request.checkpoint.reviewers:
        moved = (Announce(request_id=request.id), *moved)
    outcome = Outcome(request=revised, effects=moved, entries=(written,)).then(reviewed)
    return outcome.then(_settle_at_quorum(outcome.request, now))


def _tightened(request: Request, edit: Edit) -> Request:
    """``request`` behind the stricter kind of its own gate and the edit's, with what the other one asks beyond it.

    Among equal kinds the edit's people decide: they are whom the policy names for the call that would run. Whoever
    joined by another ladder doesn't. A ladder that ends in expiry runs on, its steps counted once; one that would
    proceed gives way to the edit's.
    """
    standing, edited = request.checkpoint, edit.checkpoint
    stays = standing.kind.strictness > edited.kind.strictness
    winner = replace(
        standing if stays else edited,
        quorum=max(standing.quorum, edited.quorum),
        self_approval=standing.self_approval and (edited.self_approval or edited.kind is Kind.ALLOW),
        required_by=standing.required_by or edited.required_by,
        batch=standing.batch and edited.batch,
    )
    if winner.kind is Kind.MANUAL:
        winner = replace(winner, phrase=edited.phrase or _still_typed(standing.phrase, edit))
    if stays or edited.ladder == standing.ladder:
        return with_their_deputies(replace(request, checkpoint=replace(winner, ladder=standing.ladder)))
    if request.waits_for_delivery:
        return with_their_deputies(replace(request, checkpoint=winner, steps_done=0, joined=()))
    ladder = _joined_by_nobody(standing.ladder)
    return with_their_deputies(replace(request, checkpoint=replace(winner, ladder=ladder), joined=()))


def _still_typed(phrase: str | None, edit: Edit) -> str:
    """What the standing rule had people type, where it is a value of the edited call too; else the plain word."""
    return phrase if phrase is not None and phrase in map(str, edit.arguments.values()) else "CONFIRM"


def _joined_by_nobody(ladder: Ladder) -> Ladder:
    """``ladder`` with reminders in the place of the groups that would join."""
    steps = (replace(step, act=Act.REMIND, add=None) if step.act is Act.ADD else step for step in ladder.steps)
    return replace(ladder, steps=tuple(steps))


def _record(request: Request, event: Reviewed, now: datetime) -> Outcome:
    review = Review(
        by=event.person.id,
        name=event.person.name,
        verdict=event.verdict,
        at=now,
        revision=event.revision,
        note=event.note,
        groups=request.groups_of(event.person),
        standing=event.person.standing,
        shown_at=shown_at(request, event.person),
        opened_at=event.sight.opened_at,
        asked_at=event.sight.asked_at,
    )
    written = entry(
        request,
        "reviewed",
        review.by,
        now,
        verdict=review.verdict.value,
        revision=review.revision,
        digest=request.digest,
        **told(review),
    )
    return Outcome(
        request=replace(request, reviews=(*request.reviews, review)),
        effects=(Refresh(request_id=request.id),),
        entries=(written,),
    )


def _settle_at_quorum(request: Request, now: datetime) -> Outcome:
    if not is_met(request):
        return Outcome(request=request)
    approvals = request.approvals
    note = next((review.note for review in reversed(approvals) if review.note), None)
    return settle(request, State.APPROVED, tuple(review.by for review in approvals), now, note)


def _reject(request: Request, event: Reviewed, now: datetime) -> Outcome:
    recorded = _record(request, event, now)
    return recorded.then(settle(recorded.request, State.REJECTED, (event.person.id,), now, event.note))


def stop_pending(request: Request, event: Stopped, now: datetime) -> Outcome:
    check_fresh(event.person, now)
    check_may_stop(request, event.person)
    rejected = Reviewed(person=event.person, verdict=Verdict.REJECT, revision=request.revision, note=event.note)
    return _reject(request, rejected, now)


def stop_unclaimed(request: Request, event: Stopped, now: datetime) -> Outcome:
    check_fresh(event.person, now)
    check_may_stop(request, event.person)
    return execute(request, ExecutionState.REVOKED, event.person.id, now, note=event.note)


def attest(request: Request, event: Attested, now: datetime) -> Outcome:
    check_fresh(event.person, now)
    check_may_approve(request, event.person)  # whoever it serves might wish it otherwise
    words = "said that it ran" if event.ran else "said that it didn't run"
    state = ExecutionState.SUCCEEDED if event.ran else ExecutionState.FAILED
    return execute(request, state, event.person.id, now, note=f"{event.person.name} {words}")


def mark_audit(request: Request, event: AuditMarked, now: datetime) -> Outcome:
    check_fresh(event.person, now)
    check_may_stop(request, event.person)
    if event.mark == "seen" and request.serves(event.person) and not request.checkpoint.self_approval:
        raise NotAllowed("It was asked on your behalf, so somebody else has to look at it; you may object.")
    check_unseen(request)
    if event.mark not in ("seen", "objected"):
        raise Invalid(f"What went ahead is marked as seen or objected, not as {event.mark}.")
    person = event.person
    tells = event.mark == "objected" and not request.serves(person)
    return Outcome(
        request=replace(request, audit=event.mark, audit_by=person.name, audit_note=event.note),
        effects=(Refresh(request_id=request.id), *((TellServed(request_id=request.id),) if tells else ())),
        entries=(entry(request, "audited", event.person.id, now, mark=event.mark),),
    )


def check_unseen(request: Request) -> None:
    """Refuse to mark what nobody needs to look at, or somebody has."""
    if request.audit != "open":
        raise Conflict("There is nothing left to look through here: somebody has already marked it.")
