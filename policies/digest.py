"""The digest: when each reader's morning is, and what stands in it. One a working day and reader, or none.

A morning is named by its date on the reader's own clock. What was done for a date is never done again, whatever clocks
and time zones do meanwhile; a morning that nobody was there for is made up for until noon, and then it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policies.checkpoint import Kind
from policies.inbox import Inbox, Numbers, concerns
from policies.people import Person
from policies.request import Request, State

DAY = timedelta(days=1)
LATEST = time(12, 0)
"""Until when a morning's digest may come late."""
LATENESS = timedelta(hours=1)
"""How late one may come whose time is not in the morning."""
MOST: Mapping[str, int] = {"waiting": 5, "escalated": 3, "questions": 2, "when_you_can": 3, "audits": 2, "expired": 2}
"""The parts in their order, and how many requests each lists: with titles and buttons these fit into one message."""
OPEN = ("waiting", "escalated", "questions", "when_you_can")
"""The parts that wait for the reader's decision."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """When digests come: ``at`` on the reader's clock, on these weekdays (0 for Monday) but not on ``holidays``."""

    at: time = time(9, 0)
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    holidays: tuple[date, ...] = ()

    def morning(self, day: date, zone: ZoneInfo) -> datetime:
        """When the digest of ``day`` is due (UTC)."""
        return datetime.combine(day, self.at, zone).astimezone(UTC)

    def over(self, day: date, zone: ZoneInfo) -> datetime:
        """From when on (UTC) the digest of ``day`` comes no more."""
        noon = datetime.combine(day, LATEST, zone).astimezone(UTC)
        return max(noon, self.morning(day, zone) + LATENESS)

    def next(self, zone: ZoneInfo, last: date | None, now: datetime) -> tuple[date, datetime]:
        """The day of the next digest after that of ``last``, and when it is due (UTC); in the past where it is late.

        Without ``last`` the reader is new: then a morning that has begun is no longer theirs.
        """
        day = now.astimezone(zone).date()
        if last is None or last > day + DAY:  # no zone is more than a day ahead: a clock stood wrong then
            day += DAY if now >= self.morning(day, zone) else timedelta(0)
        else:
            day = max(day, last + DAY)
            day += DAY if now >= self.over(day, zone) else timedelta(0)
        while not self._works(day):
            day += DAY
        return day, self.morning(day, zone)

    def before(self, day: date, zone: ZoneInfo) -> datetime:
        """When the digest before that of ``day`` was due (UTC): what ended since then hasn't been told."""
        earlier = day - DAY
        while not self._works(earlier):
            earlier -= DAY
        return self.morning(earlier, zone)

    def _works(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays


USUAL = Rhythm()
"""Where the policy says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some requests under one title (``name``, one of ``MOST``), and how many ``more`` there are in Home."""

    name: str
    requests: tuple[Request, ...]
    more: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What one reader's digest shows."""

    parts: tuple[Part, ...]
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def requests(self) -> tuple[Request, ...]:
        """All that it lists."""
        return tuple(request for part in self.parts for request in part.requests)

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Those listed that still wait for the reader."""
        return tuple(one for part in self.parts if part.name in OPEN for one in part.requests if not one.settled)

    @property
    def more_waiting(self) -> int:
        """How many more waited in the morning, without being listed."""
        return sum(part.more for part in self.parts if part.name in OPEN)


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """When ``day`` ends there (UTC)."""
    return datetime.combine(day + DAY, time(), zone).astimezone(UTC)


def zone_of(name: str | None) -> ZoneInfo:
    """The time zone of that name; UTC where Slack told none, or one that nobody knows."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def page(person: Person, inbox: Inbox, expired: Iterable[Request]) -> Page | None:
    """What there is to say to ``person``; None for nothing. ``expired`` is what ended since the digest before."""
    ended = (one for one in expired if one.state is State.EXPIRED and concerns(one, person))
    found: dict[str, tuple[Request, ...]] = {
        "waiting": tuple(one for one in inbox.waiting if not can_wait(one)),
        "escalated": inbox.escalated,
        "questions": inbox.questions,
        "when_you_can": tuple(one for one in inbox.waiting if can_wait(one)),
        "audits": inbox.audits,
        "expired": tuple(ended),
    }
    parts = (
        Part(name=name, requests=found[name][:most], more=max(0, len(found[name]) - most))
        for name, most in MOST.items()
        if found[name]
    )
    made = Page(parts=tuple(parts), numbers=inbox.numbers)
    return made if made.parts else None


def can_wait(request: Request) -> bool:
    """Does the agent go on with other work meanwhile, so that no card was posted?"""
    return request.checkpoint.kind is Kind.INBOX
