"""Working time: when an office is open, and when so much of its open time has passed.

A moment is open where the clock on the office's wall stands within its hours, on one of its days that is no holiday.
Where daylight saving time turns that clock, the hour that is left out counts for nothing and the one that comes twice
counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as a policy names them, in the order of ``date.weekday``."""

LONGEST_WAIT = timedelta(days=366)
"""No deadline lies further ahead than this, however little the office is open."""

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_MIDNIGHT = 24 * 60

Span = tuple[datetime, datetime]
"""From a moment until before another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """From ``opens`` until before ``closes`` on the office's clock, in minutes since midnight: 0 <= opens < closes."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.opens, self.closes))


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """When an office is open. ``zone`` is a name of the IANA database, ``days`` are weekdays from 0 for Monday.

    ``hours`` follow each other without meeting. A holiday is closed all day.
    """

    name: str
    zone: str
    days: tuple[int, ...]
    hours: tuple[Hours, ...]
    holidays: tuple[date, ...] = ()

    @property
    def day(self) -> timedelta:
        """How long the office is open on one of its days."""
        return sum((hours.closes - hours.opens for hours in self.hours), 0) * _MINUTE

    @property
    def least_in_a_year(self) -> timedelta:
        """What the office is open at the least in any 366 days: 52 weeks without the most holidays of a year."""
        closed = sorted(day for day in set(self.holidays) if day.weekday() in self.days)
        most = max((sum(day <= other < day + LONGEST_WAIT for other in closed) for day in closed), default=0)
        return max(timedelta(0), (52 * len(self.days) - most - 1) * self.day)

    def later(self, start: datetime, work: timedelta) -> datetime:
        """When ``work`` of open time has passed since ``start`` (UTC); at most ``LONGEST_WAIT`` later.

        The work of a whole day ends when the office closes, not when it opens again.
        """
        last = start + LONGEST_WAIT
        for opens, closes in self._open_from(start, last):
            if closes - opens >= work:
                return min(opens + work, last)
            work -= closes - opens
        return last

    def _works(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def _open_from(self, start: datetime, last: datetime) -> Iterator[Span]:
        """The open spans after ``start``, in order of time."""
        zone, since = ZoneInfo(self.zone), start
        while since < last:
            until = since + _DAY
            for piece in _steady(zone, since, until):
                yield from self._within(zone, piece)
            since = until

    def _within(self, zone: ZoneInfo, piece: Span) -> Iterator[Span]:
        """The open spans of a piece during which the clock isn't turned."""
        since, until = piece
        there = since.astimezone(zone)
        offset = there.utcoffset() or timedelta(0)
        midnight = datetime(there.year, there.month, there.day, tzinfo=UTC) - offset
        while midnight < until:
            if self._works((midnight + offset).date()):
                for hours in self.hours:
                    opens = max(since, midnight + hours.opens * _MINUTE)
                    closes = min(until, midnight + hours.closes * _MINUTE)
                    if opens < closes:
                        yield opens, closes
            midnight += _DAY


def _steady(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Span]:
    """``since`` to ``until`` (a day at most) in pieces during which the clock of ``zone`` isn't turned."""
    before = since.astimezone(zone).utcoffset()
    if before == until.astimezone(zone).utcoffset():
        yield since, until
        return
    first, turned = since, until
    while turned - first > timedelta(seconds=1):
        middle = first + (turned - first) / 2
        first, turned = (middle, turned) if middle.astimezone(zone).utcoffset() == before else (first, middle)
    turned = turned.replace(microsecond=0)
    yield since, turned
    yield turned, until
