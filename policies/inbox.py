"""What one person finds where work waits: what they may decide, what is theirs, what to look at, what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from policies.authority import check_may_answer, check_may_approve, check_may_stop
from policies.errors import Refused
from policies.people import Person
from policies.request import Request, State

RECENT = 20
"""How many decided requests a person is shown."""
NUMBERS_REACH = timedelta(days=30)
"""How far back a person's own numbers reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """One request that a person decided: how it ended, when it was asked and settled (UTC), at which revision."""

    verdict: str
    asked_at: datetime
    decided_at: datetime
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What a person decided lately: how many, how many of them approved as proposed, the median time it took.

    As proposed: at the first revision, so that neither an edit nor an answer to a question came before.
    """

    decided: int = 0
    unchanged: int = 0
    typical: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbox:
    """One person's work, each request in one section.

    ``questions`` are open ones that the person may answer. In ``escalated`` the person decides only since a ladder's
    step or a deputy's turn, and nobody asked them by name. ``given`` has their approval and waits for somebody else's.
    ``mine`` was asked on the person's behalf. These come with the nearest end first. ``audits`` went ahead on silence
    and nobody has looked yet, ``recent`` is decided, newest first. ``teams`` are the person's own groups among those
    that decide what is pending. ``more`` says that not everything that waits was looked at.
    """

    waiting: tuple[Request, ...] = ()
    escalated: tuple[Request, ...] = ()
    questions: tuple[Request, ...] = ()
    given: tuple[Request, ...] = ()
    mine: tuple[Request, ...] = ()
    audits: tuple[Request, ...] = ()
    recent: tuple[Request, ...] = ()
    numbers: Numbers = Numbers()
    teams: tuple[str, ...] = ()
    more: bool = False

    @property
    def wanted(self) -> tuple[Request, ...]:
        """What waits for a word of this person."""
        return (*self.waiting, *self.escalated, *self.questions)

    @property
    def open(self) -> tuple[Request, ...]:
        """Everything that somebody should still do something about."""
        return (*self.wanted, *self.given, *self.mine, *self.audits)

    @property
    def shown(self) -> tuple[Request, ...]:
        """All of it."""
        return (*self.open, *self.recent)


def sort_out(
    person: Person,
    *,
    pending: Iterable[Request],
    unseen: Iterable[Request],
    decided: Iterable[Request],
    numbers: Numbers,
    more: bool = False,
) -> Inbox:
    """What of all these is the person's to see, in its sections."""
    by_end = sorted(pending, key=_end)
    questions = [request for request in by_end if request.asking and admits(check_may_answer, request, person)]
    able = [request for request in by_end if not request.asking and admits(check_may_approve, request, person)]
    given = tuple(request for request in able if any(review.by == person.id for review in request.approvals))
    able = [request for request in able if request not in given]
    first = [request for request in able if asked_from_the_start(request, person) or asked_by_name(request, person)]
    audits = tuple(request for request in unseen if admits(check_may_stop, request, person))
    listed = {request.id for request in (*able, *given, *questions, *audits)}
    teams = (group.name for request in by_end for group in request.reviewers if group.include(person))
    return Inbox(
        waiting=tuple(first),
        escalated=tuple(request for request in able if request not in first),
        questions=tuple(questions),
        given=given,
        mine=tuple(request for request in by_end if request.id not in listed and request.serves(person)),
        audits=audits,
        recent=tuple(one for one in decided if one.id not in listed and concerns(one, person))[:RECENT],
        numbers=numbers,
        teams=tuple(sorted(set(teams))),
        more=more,
    )


def asked_from_the_start(request: Request, person: Person) -> bool:
    """Does the request's own gate name the person, rather than a step of its ladder or a group they stand in for?"""
    return any(group.include(person) for group in request.checkpoint.groups)


def asked_by_name(request: Request, person: Person) -> bool:
    """Did a reviewer ask this very person to decide?"""
    return any(one.to == person.id for one in request.delegated)


def concerns(request: Request, person: Person) -> bool:
    """Did the person review it, or could they have, or does it serve them?"""
    return any(review.by == person.id for review in request.reviews) or admits(check_may_stop, request, person)


def numbers_of(tallies: Iterable[Tally]) -> Numbers:
    """What ``tallies`` come to."""
    found = list(tallies)
    if not found:
        return Numbers()
    spans = [max((one.decided_at - one.asked_at).total_seconds(), 0.0) for one in found]
    unchanged = sum(one.verdict == State.APPROVED.value and one.revision == 1 for one in found)
    return Numbers(decided=len(found), unchanged=unchanged, typical=timedelta(seconds=median(spans)))


def admits(check: Callable[[Request, Person], None], request: Request, person: Person) -> bool:
    """Does ``check`` let this person through?"""
    try:
        check(request, person)
    except Refused:
        return False
    return True


def _end(request: Request) -> tuple[float, str]:
    return (request.deadline_at.timestamp() if request.deadline_at else float("inf"), request.id)
