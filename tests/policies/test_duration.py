"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.duration import LONGEST, SHORTEST, in_words, parse_duration
from policies.errors import Invalid


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("366d", 31_622_400)],
)
def test_a_duration_reads_as_it_is_written(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "-5m", "10 m", "1.5h", "0s", "367d", "9999999w", "1h\n", "10M", "\u0661\u0660m", "1" * 400 + "s"],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(Invalid, match=r"90s|1s to 366d"):
        parse_duration(text)


@given(st.integers(int(SHORTEST.total_seconds()), int(LONGEST.total_seconds())))
def test_words_say_the_whole_duration(seconds: int) -> None:
    numbers = iter(in_words(timedelta(seconds=seconds)).split())
    short = "".join(f"{number}{unit[0]}" for number, unit in zip(numbers, numbers, strict=True))
    assert parse_duration(short) == timedelta(seconds=seconds)


def test_words_are_for_people() -> None:
    assert in_words(timedelta(hours=1, minutes=30, seconds=1)) == "1 hour 30 minutes 1 second"
    assert in_words(timedelta(0)) == "0 seconds"
