"""Asking back: who can't have read what they approve, once, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.attention import (
    AT_A_GLANCE,
    ENOUGH,
    SAME_PRESS,
    Haste,
    Sight,
    after_hours,
    asks_back,
    asks_back_together,
    shown_at,
    time_had,
    too_fast,
)
from policies.events import Delegated, Delivered, Elapsed, Reviewed
from policies.lifecycle import apply
from policies.request import Request
from policies.review import Verdict
from tests.slack.samples import NOW, after, ask, person

SECOND = timedelta(seconds=1)
ANA, SAM = person("U0ANA"), person("U0SAM")
LONG = {"order_id": "HG-1042", "letter": "Dear Ms Tran, we are sorry. " * 40}

characters = st.integers(0, 100_000)
spans = st.timedeltas(timedelta(0), timedelta(minutes=2))


@given(characters, spans, spans)
def test_whoever_takes_longer_is_never_asked_sooner(length: int, had: timedelta, more: timedelta) -> None:
    assert too_fast(length, had) or not too_fast(length, had + more)


@given(characters, characters, spans)
def test_a_longer_call_is_never_asked_about_less(length: int, more: int, had: timedelta) -> None:
    assert too_fast(length + more, had) or not too_fast(length, had)


@given(characters, st.lists(st.tuples(spans, spans), min_size=2, max_size=6))
def test_one_person_is_asked_about_one_revision_once(length: int, presses: list[tuple[timedelta, timedelta]]) -> None:
    now, sight, asked = NOW, Sight(), 0
    for pause, had in presses:
        now += SAME_PRESS + pause  # a double click is one press
        if asks_back(length, had, sight, now):
            asked, sight = asked + 1, replace(sight, asked_at=now)
    assert asked <= 1


@given(st.lists(st.tuples(characters, spans), min_size=1, max_size=5), spans)
def test_several_at_once_are_asked_about_once_and_never_sooner_for_more_time(
    parts: list[tuple[int, timedelta]], more: timedelta
) -> None:
    def told(longer: timedelta, sight: Sight) -> Haste | None:
        each = [(Haste(characters=length, had=had + longer), sight) for length, had in parts]
        return asks_back_together(each, NOW)

    asked = told(timedelta(0), Sight())
    assert asked is not None or told(more, Sight()) is None
    assert told(timedelta(0), Sight(asked_at=NOW - SAME_PRESS)) is None
    alone = [length for length, had in parts if too_fast(length, had)]
    assert asked is not None or not alone


def test_what_is_short_alone_may_be_long_together() -> None:
    parts = [(Haste(characters=AT_A_GLANCE, had=seconds * SECOND), Sight()) for seconds in (1, 8, 3)]
    assert asks_back_together(parts, NOW) == Haste(characters=3 * AT_A_GLANCE, had=8 * SECOND)
    assert asks_back_together(parts[:1], NOW) is None


@pytest.mark.parametrize(
    ("length", "had", "expected"),
    [
        (4_000, 1.2 * SECOND, True),
        (AT_A_GLANCE, timedelta(0), False),
        (AT_A_GLANCE + 1, 6 * SECOND, True),
        (AT_A_GLANCE + 1, 7 * SECOND, False),
        (100_000, ENOUGH - SECOND, True),
        (100_000, ENOUGH, False),
    ],
)
def test_nobody_is_asked_who_had_a_quarter_of_the_usual_time_or_half_a_minute(
    length: int, had: timedelta, expected: bool
) -> None:
    assert too_fast(length, had) is expected


def test_a_double_click_does_not_answer_the_question_and_a_second_press_does() -> None:
    asked = Sight(asked_at=NOW)
    assert asks_back(4_000, SECOND, asked, NOW + SECOND)
    assert not asks_back(4_000, SECOND, asked, NOW + SAME_PRESS)


def test_the_time_begins_with_the_card_the_edit_or_the_step_that_asked_this_person() -> None:
    request = after(ask(LONG), Delivered(), at=NOW + SECOND)
    assert shown_at(request, ANA) == NOW + SECOND
    assert shown_at(ask(LONG), ANA) == NOW
    later = after(request, Elapsed(), at=NOW + timedelta(minutes=31))
    assert (shown_at(later, ANA), shown_at(later, SAM)) == (NOW + SECOND, NOW + timedelta(minutes=30))
    handed = Delegated(person=ANA, to=SAM, hands_over=True)
    delegated = after(request, handed, at=NOW + 30 * SECOND)
    assert shown_at(delegated, SAM) == NOW + 30 * SECOND
    edited = replace(request, reviews=(_review(request, Verdict.MODIFY, NOW + 9 * SECOND),))
    assert shown_at(edited, ANA) == NOW + 9 * SECOND


def test_what_the_card_cuts_is_read_from_its_opening_and_each_decision_begins_anew() -> None:
    request, now = after(ask(LONG), Delivered()), NOW + 60 * SECOND
    opened = Sight(opened_at=now - 2 * SECOND)
    assert time_had(request, ANA, Sight(), now, cut=False) == 60 * SECOND
    assert time_had(request, ANA, opened, now, cut=False) == 60 * SECOND
    assert time_had(request, ANA, opened, now, cut=True) == 2 * SECOND
    assert time_had(request, ANA, Sight(), now, cut=True) == timedelta(0)
    busy = replace(opened, decided_at=now - SECOND)
    assert time_had(request, ANA, busy, now, cut=True) == time_had(request, ANA, busy, now, cut=False) == SECOND
    assert time_had(request, ANA, Sight(decided_at=NOW - SECOND), now, cut=False) == 60 * SECOND


def _review(request: Request, verdict: Verdict, at: datetime) -> object:
    event = Reviewed(person=person("U0ANA", at), verdict=Verdict.REJECT, revision=1)
    return replace(apply(request, event, at).request.reviews[-1], verdict=verdict)


def test_the_journal_says_how_long_somebody_had_and_that_they_were_asked_back() -> None:
    request, now = after(ask(LONG), Delivered()), NOW + 5 * SECOND
    sight = Sight(opened_at=NOW + 4 * SECOND, asked_at=NOW + 3 * SECOND)
    event = Reviewed(person=person("U0ANA", now), verdict=Verdict.APPROVE, revision=1, sight=sight)
    detail = apply(request, event, now).entries[0].detail
    assert (detail["shown_ms"], detail["opened_ms"], detail["asked_back"]) == (5_000, 1_000, True)
    plain = apply(request, replace(event, verdict=Verdict.REJECT, sight=Sight()), now).entries[0].detail
    assert plain["shown_ms"] == 5_000
    assert not {"opened_ms", "asked_back"} & set(plain)


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (datetime(2026, 11, 23, 18, 59, tzinfo=UTC), "Europe/London", False),
        (datetime(2026, 11, 23, 19, 0, tzinfo=UTC), "Europe/London", True),
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), "Europe/London", True),
        (datetime(2026, 11, 23, 18, 59, tzinfo=UTC), "Europe/Berlin", True),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), "Europe/London", True),
        (NOW, None, None),
        (NOW, "Nowhere/Else", None),
        (NOW, "../etc/passwd", None),
    ],
)
def test_after_hours_is_told_by_the_persons_own_clock(at: datetime, zone: str | None, expected: bool | None) -> None:
    assert after_hours(at, zone) is expected
