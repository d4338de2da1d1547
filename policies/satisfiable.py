"""Can a request be approved at all by the people whom Slack knows now, and what becomes of one that can't?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from policies.authority import check_may_answer, check_may_approve
from policies.checkpoint import Act, Kind
from policies.errors import NotAllowed
from policies.events import Outcome
from policies.joining import join_early
from policies.people import Person
from policies.quorum import count
from policies.request import Request, State
from policies.settling import settle


def admit(opened: Outcome, steps: int | None, now: datetime) -> Outcome:
    """``opened`` as it goes on with what ``steps_needed`` found: seniors join at once, or it is refused at once.

    While a question is open they join when it is answered: the gate has not begun.
    """
    if steps is None:
        return refuse(opened, nobody_left(opened.request), now)
    question = opened.request.question
    if steps and question is not None and opened.request.asking:
        return replace(opened, request=replace(opened.request, question=replace(question, early=steps)))
    return opened.then(join_early(opened.request, steps, now)) if steps else opened


def behind_question(request: Request) -> Request:
    """The request as if its question were answered and had changed nothing: who could decide then?"""
    return replace(request, question=None)


def lets_go(request: Request) -> bool:
    """Does the call go on without anybody's approval, at once or by silence, once no question is open?"""
    gate = behind_question(request)
    return gate.bare or gate.checkpoint.kind is Kind.ALLOW or gate.waits_for_delivery


def may_be_answered(request: Request, people: Sequence[Person]) -> bool:
    """Could one of ``people`` answer the open question?"""
    return any(_admits(check_may_answer, request, person) for person in people)


def nobody_to_answer() -> str:
    """Why a question can't be asked, for whoever asked it."""
    return (
        "There is nobody who could answer the question: neither the policy's reviewers nor whoever it is for are active"
        " members of the workspace. Whoever runs Signoff can name more people in the policy."
    )


def refuse(opened: Outcome, note: str, now: datetime) -> Outcome:
    """``opened`` refused at once by the policy."""
    return replace(opened, effects=()).then(settle(opened.request, State.REJECTED, ("policy",), now, note, show=False))


def nobody_left(request: Request) -> str:
    """Why nobody can approve the request, for whoever asked."""
    gate, add = request.checkpoint, "Whoever runs Signoff can name more people in the policy."
    if all(group.empty for group in gate.groups):
        return f"There is nobody who may decide this: the policy names no reviewers. {add}"
    shares = [(place.count, place.group.name) for place in gate.shares] or [(gate.quorum, gate.reviewers.name)]
    asked = ", ".join(f"{number} of {name}" for number, name in shares)
    return (
        f"There is nobody who may decide this: it takes approvals by {asked}, and too few of these people are active"
        f" members of the workspace other than the person it is for. {add}"
    )


def steps_needed(request: Request, people: Sequence[Person]) -> int | None:
    """How many further steps of the ladder it takes until ``people`` can fill the quorum; None where they never can.

    0: those who may decide now can. Only standing members count, and nobody whom the request excludes.
    """
    for steps, standing in _stages(request):
        if can_fill(standing, people):
            return steps
    return None


def can_fill(request: Request, people: Sequence[Person]) -> bool:
    """Can ``people`` give all the approvals that the request needs, by those groups that may decide now?"""
    return reach(request, people) >= request.checkpoint.quorum


def reach(request: Request, people: Sequence[Person]) -> int:
    """How many of the approvals that the request needs ``people`` could give, by those groups that may decide now."""
    voices = [
        request.voice(request.groups_of(person))
        for person in {person.id: person for person in people}.values()
        if may_fill(request, person)
    ]
    return count(request.checkpoint, {group.name for group in request.joined}, voices)


def may_fill(request: Request, person: Person) -> bool:
    """May this person approve the request, as far as it goes by who they are?"""
    return _admits(check_may_approve, request, person)


def _admits(check: Callable[[Request, Person], None], request: Request, person: Person) -> bool:
    try:
        check(request, person)
    except NotAllowed:
        return False
    return True


def _stages(request: Request) -> Iterator[tuple[int, Request]]:
    """The request as it stands, and after each further group that joins."""
    yield 0, request
    for taken, step in enumerate(request.checkpoint.ladder.steps[request.steps_done :], start=1):
        if step.act is Act.ADD and step.add is not None:
            request = replace(request, joined=(*request.joined, step.add))
            yield taken, request
