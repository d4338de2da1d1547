"""What one person finds where work waits: what they may decide, what is theirs, what to look at, what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from policies.attention import after_hours
from policies.authority import check_may_answer, check_may_approve, check_may_stop
from policies.errors import Refused
from policies.people import Person
from policies.request import Request
from policies.review import Verdict

RECENT = 20
"""How many decided requests a person is shown."""
NUMBERS_REACH = timedelta(days=30)
"""How far back a person's own numbers reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """One decision of a person's on one revision: since when they could see it, when they opened the whole of it (None:
    never) and decided (UTC), and whether they were asked back first, since they approved too fast."""

    verdict: Verdict
    revision: int
    shown_at: datetime | None
    opened_at: datetime | None
    decided_at: datetime
    asked_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What a person decided lately, and how: nobody else is shown it.

    ``unchanged`` were approved as proposed: at the first revision, so that neither an edit nor an answer to a question
    came before. ``typical`` is the median time from the card to the decision. Of those ``opened`` whole, ``to_open`` is
    the median time from the card to that, ``to_decide`` from there to the decision. ``asked_back`` were approved too
    fast at first; ``after_hours`` is None where the person's time zone isn't known.
    """

    decided: int = 0
    unchanged: int = 0
    edited: int = 0
    rejected: int = 0
    typical: timedelta | None = None
    opened: int = 0
    to_open: timedelta | None = None
    to_decide: timedelta | None = None
    asked_back: int = 0
    after_hours: int | None = None


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


def numbers_of(tallies: Iterable[Tally], zone: str | None = None) -> Numbers:
    """What ``tallies`` of a person who lives in the time ``zone`` come to."""
    found = list(tallies)
    late = [after_hours(one.decided_at, zone) for one in found]
    verdicts = Counter(one.verdict for one in found)
    opened = [one for one in found if one.opened_at is not None and one.opened_at <= one.decided_at]
    return Numbers(
        decided=len(found),
        unchanged=sum(one.verdict is Verdict.APPROVE and one.revision == 1 for one in found),
        edited=verdicts[Verdict.MODIFY],
        rejected=verdicts[Verdict.REJECT],
        typical=_median((one.shown_at, one.decided_at) for one in found),
        opened=len(opened),
        to_open=_median((one.shown_at, one.opened_at) for one in opened),
        to_decide=_median((one.opened_at, one.decided_at) for one in opened),
        asked_back=sum(one.asked_back for one in found),
        after_hours=None if None in late else sum(map(bool, late)),
    )


def _median(spans: Iterable[tuple[datetime | None, datetime | None]]) -> timedelta | None:
    """The median of what is known; a clock that was set back makes none of them negative."""
    known = [max((end - start).total_seconds(), 0.0) for start, end in spans if start and end]
    return timedelta(seconds=median(known)) if known else None


def admits(check: Callable[[Request, Person], None], request: Request, person: Person) -> bool:
    """Does ``check`` let this person through?"""
    try:
        check(request, person)
    except Refused:
        return False
    return True


def _end(request: Request) -> tuple[float, str]:
    return (request.deadline_at.timestamp() if request.deadline_at else float("inf"), request.id)
