"""What a policy says of silence: calendars, ladders in their hours, reminders that come again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from policies.calendar import Calendar, Hours
from policies.checkpoint import Act, Ladder
from policies.differences import differences
from policies.errors import Faulty
from policies.loader import load
from policies.policy import Policy, scaled
from policies.shapes import json_schema

GOOD = """version: 1
reviewers: {support: {users: [U0ANA]}, seniors: {users: [U0SAM]}}
default: {checkpoint: hard, reviewers: support}
"""
OFFICE = 'office: {zone: Europe/Berlin, hours: "09:00-17:00", holidays: [2026-12-25, "2026-12-26"]}'
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 16:00 in Berlin


def policy(ladder: str, *calendars: str) -> Policy:
    times = "".join(f"  {calendar}\n" for calendar in calendars or (OFFICE,))
    return load(f"{GOOD}calendars:\n{times}ladders:\n  l: {ladder}\n", source="p.yml")


def faults(ladder: str, *calendars: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        policy(ladder, *calendars)
    return [str(fault) for fault in caught.value.faults]


def minutes(ladder: Ladder) -> list[float]:
    return [step.after / timedelta(minutes=1) for step in ladder.steps]


def test_a_calendar_takes_dates_with_and_without_quotes_and_weekdays_for_granted() -> None:
    assert policy("[{after: 1h, then: expire}]").calendars["office"] == Calendar(
        name="office",
        zone="Europe/Berlin",
        days=(0, 1, 2, 3, 4),
        hours=(Hours(opens=540, closes=1020),),
        holidays=(date(2026, 12, 25), date(2026, 12, 26)),
    )


def test_a_calendar_may_have_several_hours_in_any_order() -> None:
    lunch = 'lunch: {zone: UTC, days: [sun, mon], hours: ["13:30-24:00", "09:00-12:30"]}'
    found = policy("[{after: 1h, then: expire}]", lunch).calendars["lunch"]
    assert (found.days, [str(hours) for hours in found.hours]) == ((0, 6), ["09:00-12:30", "13:30-24:00"])


def test_a_ladder_in_the_hours_of_a_calendar_counts_open_time_only() -> None:
    ladder = policy("{hours: office, steps: [{after: 30m, remind: true}, {after: 2h, then: expire}]}").ladders["l"]
    assert ladder.falls_due(ladder.steps[0], FRIDAY) == FRIDAY + timedelta(minutes=30)
    assert ladder.ends_at(FRIDAY) == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_a_demonstration_does_not_wait_for_an_office_to_open() -> None:
    fast = scaled(policy("{hours: office, steps: [{after: 2h, then: expire}]}"), 0.5).ladders["l"]
    assert fast.ends_at(FRIDAY) == FRIDAY + timedelta(hours=1)


def test_a_reminder_comes_again_until_just_before_the_next_step() -> None:
    ladder = policy("[{after: 10m, remind: true, every: 30m}, {after: 100m, add: seniors}, {after: 2h, then: expire}]")
    assert minutes(ladder.ladders["l"]) == [10, 40, 70, 100, 120]
    assert [step.act for step in ladder.ladders["l"].steps[:4]] == [Act.REMIND, Act.REMIND, Act.REMIND, Act.ADD]


def test_a_reminder_whose_next_turn_never_comes_is_one_reminder() -> None:
    once = policy("[{after: 10m, remind: true, every: 2h}, {after: 2h, then: expire}]")
    assert minutes(once.ladders["l"]) == [10, 120]
    assert [str(each) for each in once.warnings] == ["p.yml:7:41: The next step comes within 2h, so this reminds once."]


def test_as_many_steps_as_are_possible_are_possible() -> None:
    ladder = policy("[{after: 1m, remind: true, every: 1m}, {after: 100m, then: expire}]").ladders["l"]
    assert len(ladder.steps) == 100
    assert "has 101 steps" in faults("[{after: 1m, remind: true, every: 1m}, {after: 101m, then: expire}]")[0]


@pytest.mark.parametrize(
    ("ladder", "words"),
    [
        ("[{after: 1m, add: seniors, every: 1m}, {after: 1h, then: expire}]", "7:33: Only a reminder comes again"),
        ("[{after: 1s, remind: true, every: 1s}, {after: 366d, then: expire}]", "7:40: With its reminders this ladder"),
        ("[{after: 1s, remind: true, evry: 1s}, {after: 1h, then: expire}]", "7:33: There is no key 'evry' here"),
        ("{hours: ofice, steps: [{after: 1h, then: expire}]}", "7:14: There is no calendar called 'ofice'; did you"),
        ("{hour: office, steps: [{after: 1h, then: expire}]}", "7:7: There is no key 'hour' here; did you mean hours?"),
        ("{hours: office, steps: [{after: 1h, remind: true}]}", "7:30: Every ladder ends"),
        ("{hours: office, steps: [{after: 3w, then: expire}, 5]}", "7:57: Write keys and values here."),
        ("{hours: office, steps: [{after: 100d, then: expire}]}", "7:3: In the hours of office this ladder may take"),
        ("{hours: office}", "7:6: steps is missing"),
        ("7", "7:6: Write a list here"),
    ],
)
def test_a_ladder_that_cannot_be_meant_is_a_fault_at_its_place(ladder: str, words: str) -> None:
    assert any(fault.startswith(f"p.yml:{words}") for fault in faults(ladder)), faults(ladder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Europe/Berlin", "Europe/Berln", "5:18: 'Europe/Berln' is no time zone; did you mean Europe/Berlin?"),
        ("Europe/Berlin", "Europe", "5:18: 'Europe' is no time zone"),
        ("Europe/Berlin", "../../etc/passwd", "5:18: '../../etc/passwd' is no time zone"),
        ("Europe/Berlin", "3", "5:18: Write a time zone such as Europe/Berlin."),
        ("zone: Europe/Berlin, ", "", "5:11: zone is missing"),
        ("hours:", "days: [mon, Tuesday], hours:", "5:45: 'Tuesday' is no day; did you mean tue?"),
        ("hours:", "days: [mon, day], hours:", "5:45: 'day' is no day; write mon, tue, wed, thu, fri, sat, sun."),
        ("hours:", "days: [], hours:", "5:3: This calendar may never open"),
        ('"09:00-17:00"', '"17:00-09:00"', "5:40: 17:00-09:00 runs backwards; hours over midnight are two ranges"),
        ('"09:00-17:00"', '"09:00-24:30"', "5:40: 09:00-24:30 is longer than the day"),
        ('"09:00-17:00"', '"9-17"', '5:40: Write hours such as "09:00-17:00", in quotes.'),
        ('"09:00-17:00"', "[]", "5:3: This calendar may never open"),
        ('"09:00-17:00"', '["09:00-12:00", "11:00-13:00"]', "5:40: 09:00-12:00 and 11:00-13:00 overlap"),
        ("2026-12-25", "2026-02-30", "5:66: '2026-02-30' is no date; write it as 2026-12-25."),
        ("2026-12-25", "christmas", "5:66: 'christmas' is no date"),
        ("holidays:", "hollidays:", "5:55: There is no key 'hollidays' here; did you mean holidays?"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_a_fault_at_its_place(old: str, new: str, words: str) -> None:
    found = faults("[{after: 1h, then: expire}]", OFFICE.replace(old, new, 1))
    assert len(found) == 1, found
    assert found[0].startswith(f"p.yml:{words}")


def test_whoever_writes_a_day_where_a_day_is_shorter_is_told_so() -> None:
    told = policy("{hours: office, steps: [{after: 1d, then: expire}]}").warnings
    assert [str(each) for each in told] == [
        "p.yml:7:38: Only open time counts: 1d takes 3 days of office; one of its days is 8 hours."
    ]
    assert policy("{hours: office, steps: [{after: 8h, then: expire}]}").warnings == ()


def test_a_step_that_adds_nobody_is_pointed_at_behind_reminders_that_come_again() -> None:
    steps = "[{after: 1m, remind: true, every: 1m}, {after: 9m, add: none}, {after: 1h, then: expire}]"
    text = GOOD.replace("seniors: {users: [U0SAM]}", "none: {}") + f"ladders:\n  l: {steps}\n"
    told = [str(each) for each in load(text, source="p.yml").warnings]
    assert "p.yml:5:45: This step adds none, a group that names nobody." in told


def test_a_changed_calendar_is_told_once_as_its_own_change() -> None:
    ladder = "{hours: office, steps: [{after: 1h, then: expire}]}"
    later = policy(ladder, OFFICE.replace("17:00", "18:00"))
    assert differences(policy(ladder), later) == {"changed": ["calendar office"]}


def test_editors_get_a_schema_of_calendars() -> None:
    shape = json_schema()["$defs"]["CalendarShape"]["properties"]
    assert shape["days"]["items"]["enum"] == shape["days"]["default"] + ["sat", "sun"]
