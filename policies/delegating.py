"""Asking somebody else to decide: in one's stead where one hands over, beside oneself otherwise.

Only whom the frozen policy names for this very request can be asked: who decides already, who would join by a later
step of its ladder, deputies, and those whom the asker's own group lists as ``delegates``. Whoever is asked so decides
for the asker's groups from now on, as a step of the ladder would have had it, and fills no other place. The quorum
stays; nobody can hand over what then too few could approve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from policies.authority import check_fresh, check_may_approve
from policies.delegation import Delegation, last_of
from policies.effects import Refresh, TellDelegation
from policies.errors import Conflict, Invalid, NotAllowed, Unavailable
from policies.events import Delegated, Outcome
from policies.joining import join_early
from policies.people import Person, Reviewers
from policies.request import Request
from policies.satisfiable import behind_question, lets_go, steps_needed
from policies.settling import entry

MOST = 10
"""How often somebody can be asked about one request."""
LONGEST_NOTE = 300


def delegate(request: Request, event: Delegated, now: datetime) -> Outcome:
    """``request`` with whom ``event.person`` asked. Raises a ``Refused`` with words for them."""
    person, to = event.person, event.to
    for one in (person, to):
        check_fresh(one, now)
    check_may_approve(request, person)
    note = (event.note or "").strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"A note has at most {LONGEST_NOTE} characters; nothing was changed.")
    _check_asker(request, event)
    _check_asked(request, person, to)
    named_by, speaks_for = _source(request, person, to)
    made = Delegation(
        by=person.id,
        by_name=person.name,
        to=to.id,
        to_name=to.name,
        at=now,
        named_by=named_by,
        speaks_for=speaks_for,
        hands_over=event.hands_over,
        note=note or None,
    )
    told = TellDelegation(request_id=request.id, number=len(request.delegations))
    return Outcome(
        request=replace(request, delegations=(*request.delegations, made)),
        effects=(Refresh(request_id=request.id), told),
        entries=(entry(request, "delegated", person.id, now, to=to.id, hands_over=event.hands_over),),
    )


def _check_asker(request: Request, event: Delegated) -> None:
    if len(request.delegations) >= MOST:
        raise Conflict(f"Others were asked {MOST} times about this already: decide it, or talk with them.")
    if event.hands_over and _approved(request, event.person):
        raise Conflict("You approved this already, so there is nothing to hand over; ask without stepping back.")
    last = last_of(request.delegations, event.person.id)
    if last is not None and (last.by, last.to, last.hands_over) == (event.person.id, event.to.id, event.hands_over):
        raise Conflict(f"You asked {event.to.name} already.")


def _check_asked(request: Request, person: Person, to: Person) -> None:
    if to.id == person.id:
        raise NotAllowed("Choose somebody else than yourself.")
    if request.serves(to):
        raise NotAllowed(f"It was asked on behalf of {to.name}, so they can't decide it; choose somebody else.")
    if _approved(request, to):
        raise Conflict(f"{to.name} approved this already; choose somebody who hasn't.")


def _approved(request: Request, person: Person) -> bool:
    return any(review.by == person.id for review in request.approvals)


def _source(request: Request, person: Person, to: Person) -> tuple[Reviewers, tuple[str, ...]]:
    """The group that names ``to``, and for which groups they decide since ``person`` asks them."""
    already = next((group for group in request.reviewers if group.include(to)), None)
    if already is not None:
        return already, ()
    found = next((group for group in _could_come(request, person) if group.include(to)), None)
    if found is None:
        raise NotAllowed(f"The policy doesn't name {to.name} for this request. {whom_to_ask(request, person)}")
    return found, request.groups_of(person)


def _could_come(request: Request, person: Person) -> Iterator[Reviewers]:
    """The groups whose people don't decide yet and may be asked by ``person``."""
    yield from request.may_join
    for group in request.reviewers:
        if group.delegates is not None and group.include(person):
            yield group.delegates


def whom_to_ask(request: Request, person: Person) -> str:
    """Among whom ``person`` may choose, by the groups' names."""
    groups = (*request.reviewers, *_could_come(request, person))
    names = list(dict.fromkeys(group.name for group in groups if not group.empty))
    return f"You can ask people of {', '.join(names)}." if names else "There is nobody else whom you could ask."


def with_enough_left(changed: Outcome, people: Sequence[Person] | None, now: datetime) -> Outcome:
    """``changed``, in which somebody handed over, where ``people`` (all who may come) can still approve the request.

    Further groups of the ladder join at once where it takes them. Raises ``NotAllowed`` where nobody ever could, and
    ``Unavailable`` where it isn't known (``people`` is None).
    """
    gate = behind_question(changed.request)
    if lets_go(gate):
        return changed
    if people is None:
        raise Unavailable(
            "Slack can't say just now whether enough others could approve it; ask without stepping back, or try later."
        )
    steps = steps_needed(gate, people)
    if steps is None:
        raise NotAllowed("Without you too few are left who could approve this. Ask without stepping back.")
    if not steps or changed.request.asking:
        return changed
    return changed.then(join_early(changed.request, steps, now))
