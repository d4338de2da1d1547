"""Who is out of office, as people's own status says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.absence import absence

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STAMP = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("emoji", "text"),
    [
        (":palm_tree:", "Vacationing"),
        (":face_with_thermometer:", "Out sick"),
        (":no_entry:", ""),
        (":airplane:", ""),
        (":baby::skin-tone-3:", ""),
        (":desert_island:", "somewhere"),
        ("", "Out of office"),
        ("", "OOO"),
        ("", "out of the office today"),
        (":memo:", "On leave, ask Fred"),
        ("", "sick"),
        ("", "Urlaub bis Montag"),
        ("", "abwesend"),
        ("", "public holiday"),
    ],
)
def test_a_status_of_somebody_who_is_away_is_understood(emoji: str, text: str) -> None:
    found = absence(emoji, text, 0, NOW)
    assert found is not None
    assert found.until is None


@pytest.mark.parametrize(
    ("emoji", "text"),
    [
        ("", ""),
        (":house_with_garden:", "Working remotely"),
        (":spiral_calendar_pad:", "In a meeting"),
        (":bus:", "Commuting"),
        (":headphones:", "Focussing"),
        (":palm_tree:", "back from vacation"),
        ("", "foodoo"),
        ("", "Seasick songs by Pulp"),
        (":palm", "palm_tree"),
    ],
)
def test_anything_else_is_not(emoji: str, text: str) -> None:
    assert absence(emoji, text, 0, NOW) is None


def test_an_absence_ends_with_its_status() -> None:
    monday = NOW + timedelta(days=7)
    found = absence(":palm_tree:", "", int(monday.timestamp()), NOW)
    assert found is not None
    assert (found.until, found.lasts(NOW), found.lasts(monday)) == (monday, True, False)
    assert absence(":palm_tree:", "", STAMP, NOW) is None
    assert absence(":palm_tree:", "", STAMP - 1, NOW) is None


@given(st.text(max_size=40), st.text(max_size=200), st.integers(-(2**70), 2**70))
def test_whatever_people_write_is_read(emoji: str, text: str, expiration: int) -> None:
    found = absence(emoji, text, expiration, NOW)
    assert found is None or found.until is None or found.until > NOW
