"""Who stands in for people who are out of office, when a request is opened and when an edit or an answer moves it.

Somebody away who decides all the same counts; they are only not waited for. A deputy fills the places of the group for
which it stands in, and no others. Where no deputy helps, the ladder's next groups join early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from policies.checkpoint import Act
from policies.effects import Refresh, Summon
from policies.errors import NotAllowed
from policies.events import Outcome
from policies.people import Absence, Person, Reviewers, StandIn, deputies
from policies.request import Request, State
from policies.satisfiable import admit, can_fill, may_fill, nobody_left, reach, steps_needed
from policies.settling import entry


def admit_those_here(opened: Outcome, people: Sequence[Person], now: datetime) -> Outcome:
    """``opened`` as it goes on with ``people``, all those who may come to decide: as it is where those who are here can
    fill the quorum; else with deputies, then with further groups of the ladder; refused where nobody ever could."""
    here = tuple(person for person in people if person.away is None)
    stood = with_deputies(opened, people, now)
    if can_fill(stood.request, here):
        return stood
    early = steps_needed(stood.request, here)
    if early is None:
        return admit(stood, steps_needed(stood.request, people), now)
    joined = admit(stood, early, now)
    return replace(joined, request=_explained(stood.request, joined.request, people))


def readmit(changed: Outcome, people: Sequence[Person], now: datetime) -> Outcome:
    """``changed``, a request edited or answered, as ``admit_those_here`` has it go on.

    Raises ``NotAllowed`` where nobody could approve the call then: it stays as it was.
    """
    found = admit_those_here(changed, people, now)
    if found.request.state is State.REJECTED:
        cause = "these changes" if changed.request.edited else "this answer"
        raise NotAllowed(f"With {cause} nobody could approve it. {nobody_left(changed.request)}")
    return found


def with_deputies(opened: Outcome, people: Sequence[Person], now: datetime) -> Outcome:
    """``opened`` with the deputies that it takes for those of ``people`` who are here to fill the quorum, as far as
    deputies help."""
    here = tuple(person for person in people if person.away is None)
    outcome = opened
    for group in opened.request.reviewers:
        for deputy in deputies(group):
            if can_fill(outcome.request, here):
                return outcome
            absence = _absence(outcome.request, group, people)
            one = StandIn(of=group.name, group=deputy, until=absence.until if absence else None, away=bool(absence))
            if reach(_standing(outcome.request, one), here) > reach(outcome.request, here):
                outcome = outcome.then(_stand_in(outcome.request, one, now))
    return outcome


def _standing(request: Request, one: StandIn) -> Request:
    return replace(request, stand_ins=(*request.stand_ins, one))


def _stand_in(request: Request, one: StandIn, now: datetime) -> Outcome:
    return Outcome(
        request=_standing(request, one),
        effects=(Summon(request_id=request.id, group=one.group.name), Refresh(request_id=request.id)),
        entries=(entry(request, "step", "policy", now, act="deputy", group=one.group.name, of=one.of),),
    )


def _explained(before: Request, after: Request, people: Sequence[Person]) -> Request:
    """``after``, with whom the groups were asked for that joined early, where that is since people are away."""
    added = after.joined[len(before.joined) :]
    for group in before.reviewers:
        absence = _absence(before, group, people)
        if absence and added:
            one = StandIn(of=group.name, group=added[0], until=absence.until, by_ladder=True)
            return _standing(after, one)
    return after


def _absence(request: Request, group: Reviewers, people: Sequence[Person]) -> Absence | None:
    """How long the group can't fill its places since people are away; None where that isn't why."""
    able = [person for person in people if group.include(person) and may_fill(request, person)]
    missing = _needed(request, group) - sum(person.away is None for person in able)
    away = [person.away for person in able if person.away is not None]
    if missing < 1 or not away:
        return None
    known = sorted(absence.until for absence in away if absence.until is not None)
    return Absence(until=known[missing - 1] if missing <= len(known) else None)


def _needed(request: Request, group: Reviewers) -> int:
    """How many approvals are waited for from the group: those of its places, or all."""
    gate = request.checkpoint
    return next((place.count for place in gate.places if place.group.name == group.name), 0) or gate.quorum


def asked_in_turn(request: Request) -> Iterator[tuple[Reviewers, ...]]:
    """Everybody who may come to decide, in the order in which they are asked: who may now, whom they asked, deputies,
    the ladder's.
    """
    yield request.reviewers
    if asked := tuple(dict.fromkeys(one.to for one in request.delegated)):
        yield (Reviewers(name="asked", users=asked),)
    for group in request.reviewers:
        yield from ((deputy,) for deputy in deputies(group))
    for step in request.checkpoint.ladder.steps[request.steps_done :]:
        if step.act is Act.ADD and step.add is not None:
            yield (step.add,)
