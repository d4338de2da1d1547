"""When each reader's morning is, never two on one day, and what stands in a digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.checkpoint import Kind
from policies.digest import USUAL, Page, Part, Rhythm, midnight_after, page, zone_of
from policies.errors import Faulty
from policies.inbox import Inbox, Numbers
from policies.loader import load
from policies.request import State
from tests.slack.samples import ask, checkpoint, person

ANA, FRED = person("U0ANA"), replace(person("U0ANA"), id="U0FRED", email=None)
LONDON, TOKYO, APIA, HAWAII = map(ZoneInfo, ("Europe/London", "Asia/Tokyo", "Pacific/Apia", "Pacific/Honolulu"))
MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 20)
ZONES = st.sampled_from([LONDON, TOKYO, APIA, HAWAII, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York")])
DAILY = Rhythm(days=(0, 1, 2, 3, 4, 5, 6))


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("last", "now", "day", "late"),
    [
        (None, at(MONDAY, 8), MONDAY, False),
        (None, at(MONDAY, 9), MONDAY + timedelta(days=1), False),  # whoever is new gets no morning that has begun
        (FRIDAY, at(MONDAY, 8), MONDAY, False),
        (FRIDAY, at(MONDAY, 9), MONDAY, True),
        (FRIDAY, at(MONDAY, 11, 59), MONDAY, True),
        (FRIDAY, at(MONDAY, 12), MONDAY + timedelta(days=1), False),
        (FRIDAY, at(FRIDAY, 10), MONDAY, False),
        (MONDAY, at(MONDAY, 9, 1), MONDAY + timedelta(days=1), False),
        (MONDAY, at(FRIDAY, 9, 1), MONDAY, False),  # a clock was three days ahead: from Friday on it is right again
        (FRIDAY, at(FRIDAY + timedelta(days=1), 9, 1), MONDAY, False),
    ],
)
def test_a_morning_comes_on_working_days_and_late_only_until_noon(
    last: date | None, now: datetime, day: date, late: bool
) -> None:
    found, due = USUAL.next(LONDON, last, now)
    assert (found, due) == (day, at(day, 9))
    assert (due <= now) is late


def test_each_zone_has_its_own_morning_daylight_saving_time_included() -> None:
    assert USUAL.next(TOKYO, None, at(MONDAY, 0, 1, TOKYO))[1] == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    summer, winter = date(2026, 10, 23), date(2026, 10, 26)
    assert (at(summer, 9).hour, at(winter, 9).hour) == (8, 9)
    assert USUAL.next(LONDON, summer, at(summer, 10))[1] == at(winter, 9)
    assert midnight_after(MONDAY, HAWAII) == datetime(2026, 11, 24, 10, tzinfo=UTC)
    gap = Rhythm(at=time(2, 30), days=DAILY.days)  # on 29 March 2026 Berlin has no 2:30
    day, due = gap.next(ZoneInfo("Europe/Berlin"), None, datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
    assert (day, due) == (date(2026, 3, 29), datetime(2026, 3, 29, 1, 30, tzinfo=UTC))


def test_an_afternoons_digest_is_late_for_an_hour_and_holidays_have_none() -> None:
    afternoon = replace(USUAL, at=time(14, 0))
    assert afternoon.over(MONDAY, LONDON) == at(MONDAY, 15)
    feast = replace(USUAL, holidays=(MONDAY,))
    assert feast.next(LONDON, FRIDAY, at(MONDAY, 9))[0] == MONDAY + timedelta(days=1)
    assert feast.before(MONDAY + timedelta(days=1), LONDON) == at(FRIDAY, 9)


def test_nobody_knows_where_a_zone_is_so_it_is_utc() -> None:
    assert zone_of(None) == zone_of("") == zone_of("Mars/Olympus") == zone_of("../../etc/passwd") == ZoneInfo("UTC")
    assert zone_of("Asia/Tokyo") == TOKYO


@given(
    looks=st.lists(st.tuples(ZONES, st.integers(0, 60 * 24 * 9)), min_size=1, max_size=40),
    rhythm=st.sampled_from([USUAL, DAILY, replace(DAILY, at=time(23, 30)), replace(DAILY, at=time(0, 0))]),
)
def test_no_day_has_two_digests_however_clocks_and_zones_jump(
    looks: list[tuple[ZoneInfo, int]], rhythm: Rhythm
) -> None:
    """A look at any time, in any zone, forwards or back: what was sent for a date isn't sent for it again."""
    sent: list[date] = []
    last = None
    for zone, minutes in looks:
        now = datetime(2026, 3, 26, tzinfo=UTC) + timedelta(minutes=minutes)
        if last is not None and last > now.astimezone(zone).date() + timedelta(days=1):
            continue  # days back: the one case in which a clock that stood wrong is believed no more
        day, due = rhythm.next(zone, last, now)
        assert day > (last or date.min)
        if due <= now:
            assert now.astimezone(zone).date() == day
            assert now < rhythm.over(day, zone)
            sent.append(day)
            last = day
        elif last is None:
            last = day - timedelta(days=1)
    assert sent == sorted(set(sent))


def test_a_digest_lists_each_request_once_in_its_part_and_counts_the_rest() -> None:
    patient = ask(gate=checkpoint(Kind.INBOX))
    many = tuple(ask() for _ in range(7))
    over = replace(ask(), state=State.EXPIRED)
    inbox = Inbox(waiting=(patient, *many), escalated=(ask(),), audits=(), numbers=Numbers(decided=3))
    made = page(ANA, inbox, (over, replace(over, state=State.REJECTED)))
    assert made is not None
    assert [(part.name, len(part.requests), part.more) for part in made.parts] == [
        ("waiting", 5, 2),
        ("escalated", 1, 0),
        ("when_you_can", 1, 0),
        ("expired", 1, 0),
    ]
    assert (len(made.waiting), made.more_waiting, made.numbers.decided) == (7, 2, 3)


def test_nothing_to_say_is_no_digest_and_what_ended_elsewhere_is_nobody_elses_news() -> None:
    over = replace(ask(), state=State.EXPIRED)
    assert page(ANA, Inbox(recent=(ask(),), mine=(ask(),), numbers=Numbers(decided=9)), ()) is None
    assert page(FRED, Inbox(), (over,)) is None
    assert page(ANA, Inbox(), (over,)) is not None


def test_what_is_decided_no_longer_counts_as_waiting() -> None:
    done = replace(ask(), state=State.APPROVED)
    shown = Page(parts=(Part(name="waiting", requests=(done, ask()), more=1), Part(name="audits", requests=(ask(),))))
    assert (len(shown.waiting), shown.more_waiting) == (1, 1)


POLICY = """\
version: 1
reviewers: {a: {users: [U0ANA]}}
calendars: {office: {zone: Europe/Berlin, hours: "09:00-17:00", days: [mon, tue], holidays: [2026-12-25]}}
default: {reviewers: a}
"""


@pytest.mark.parametrize(
    ("said", "mornings"),
    [
        ("", USUAL),
        ("digest: off", None),
        ("digest: false", None),
        ("digest: {at: '08:30', days: [sun, mon, mon]}", Rhythm(at=time(8, 30), days=(0, 6))),
        ("digest: {calendar: office}", Rhythm(days=(0, 1), holidays=(date(2026, 12, 25),))),
        ("digest: {calendar: office, days: [fri]}", Rhythm(days=(4,), holidays=(date(2026, 12, 25),))),
    ],
)
def test_the_policy_says_when(said: str, mornings: Rhythm | None) -> None:
    assert load(f"{POLICY}{said}\n", source="p.yml").mornings == mornings


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("digest: on", 'p.yml:5:9: Write digest: off, or {at: "09:00", days: [mon, tue, wed, thu, fri]}.'),
        ("digest: {at: 9}", 'p.yml:5:14: Write a time of day such as "09:00", in quotes.'),
        ("digest: {at: '24:00'}", 'p.yml:5:14: Write a time of day such as "09:00", in quotes.'),
        ("digest: {calender: office}", "p.yml:5:10: There is no key 'calender' here; did you mean calendar?"),
        ("digest: {calendar: offce}", "p.yml:5:20: There is no calendar called 'offce'; did you mean office?"),
        ("digest: {days: [monday]}", "p.yml:5:17: 'monday' is no day; did you mean mon?"),
    ],
)
def test_a_digest_that_does_not_fit_is_a_fault_at_its_place(said: str, fault: str) -> None:
    with pytest.raises(Faulty) as raised:
        load(f"{POLICY}{said}\n", source="p.yml")
    assert [str(each) for each in raised.value.faults] == [fault]
