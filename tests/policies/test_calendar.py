"""Working time, against an oracle that walks it minute by minute and looks at the clock on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.calendar import LONGEST_WAIT, Calendar, Hours

MINUTE = timedelta(minutes=1)
NINE_TO_FIVE = Hours(opens=540, closes=1020)
TURNING = (  # the days around which some zone's clock is turned, one of them at midnight, one by half an hour
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Asia/Kathmandu", date(2026, 5, 1)),
    ("UTC", date(2026, 2, 28)),
)


def office(zone: str = "Europe/Berlin", **fields: object) -> Calendar:
    told = {"name": "office", "zone": zone, "days": (0, 1, 2, 3, 4), "hours": (NINE_TO_FIVE,), **fields}
    return Calendar(**told)  # type: ignore[arg-type]


def walked(calendar: Calendar, start: datetime, minutes: int) -> datetime:
    """The oracle: one minute after the other, each looked up on the wall's clock; ``start`` is a whole minute."""
    zone, at, left = ZoneInfo(calendar.zone), start, minutes
    while at < start + LONGEST_WAIT:
        there = at.astimezone(zone)
        on = there.weekday() in calendar.days and there.date() not in calendar.holidays
        clock = there.hour * 60 + there.minute
        if on and any(hours.opens <= clock < hours.closes for hours in calendar.hours):
            left -= 1
        at += MINUTE
        if not left:
            return at
    return start + LONGEST_WAIT


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Hours, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 1440), min_size=2, max_size=6)))
    return tuple(Hours(opens=one, closes=two) for one, two in zip(edges[::2], edges[1::2], strict=False))


@given(
    turning=st.sampled_from(TURNING),
    days=st.sets(st.integers(0, 6), min_size=3).map(lambda found: tuple(sorted(found))),
    hours=ranges(),
    closed=st.sets(st.integers(-1, 4)),
    before=st.integers(0, 3 * 1440),
    minutes=st.integers(1, 900),
)
def test_so_much_work_is_done_when_the_oracle_says_so(
    turning: tuple[str, date],
    days: tuple[int, ...],
    hours: tuple[Hours, ...],
    closed: set[int],
    before: int,
    minutes: int,
) -> None:
    zone, day = turning
    holidays = tuple(sorted(day + timedelta(days=number) for number in closed))
    calendar = office(zone, days=days, hours=hours, holidays=holidays)
    open_for = min(minutes, sum(each.closes - each.opens for each in hours) * 3)  # the oracle is slow
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) - before * MINUTE
    assert calendar.later(start, open_for * MINUTE) == walked(calendar, start, open_for)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    one=st.timedeltas(timedelta(seconds=1), timedelta(hours=60)),
    two=st.timedeltas(timedelta(seconds=1), timedelta(hours=60)),
)
def test_work_in_two_parts_is_done_when_the_whole_is(start: datetime, one: timedelta, two: timedelta) -> None:
    calendar = office(holidays=(date(2026, 12, 25),))
    assert calendar.later(calendar.later(start, one), two) == calendar.later(start, one + two)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20T15:00", 2, "2026-11-23T09:00"),  # Friday 16:00 in Berlin, to Monday 10:00
        ("2026-11-20T15:00", 1, "2026-11-20T16:00"),  # a day's work ends when the office closes
        ("2026-11-21T12:00", 1, "2026-11-23T09:00"),  # from a Saturday
        ("2026-12-24T15:00", 2, "2026-12-28T09:00"),  # over a holiday and a weekend
        ("2026-03-27T15:00", 2, "2026-03-30T08:00"),  # over the night in which the clock is turned
        ("2026-10-23T14:00", 2, "2026-10-26T09:00"),
    ],
)
def test_office_hours_as_people_count_them(start: str, hours: int, end: str) -> None:
    calendar = office(holidays=(date(2026, 12, 25),))
    begun = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert calendar.later(begun, timedelta(hours=hours)) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_nothing_lies_further_ahead_than_a_year_however_little_the_office_is_open() -> None:
    calendar = office(days=(0,), hours=(Hours(opens=0, closes=1),))
    start = datetime(2026, 11, 23, tzinfo=UTC)
    assert calendar.later(start, timedelta(hours=5)) == start + LONGEST_WAIT


@given(
    start=st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1), timezones=st.just(UTC)),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    closed=st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=60),
)
def test_what_fits_the_least_that_a_year_is_open_is_done_within_it(
    start: datetime, days: tuple[int, ...], closed: set[date]
) -> None:
    calendar = office(days=days, holidays=tuple(sorted(closed)))
    if least := calendar.least_in_a_year:
        assert calendar.later(start, least) < start + LONGEST_WAIT
