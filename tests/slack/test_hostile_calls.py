"""Calls made to deceive, a sample of them; ``python -m tests.slack.hostile`` looks at as many as one likes."""

from __future__ import annotations

import random

import pytest

from tests.slack.hostile import PLACES, look_at
from tests.slack.hostile_laws import Place, check

ARGUMENTS = {"to": "ana", "note": "<!channel>", "amount": 5}


def test_no_hostile_call_breaks_a_promise() -> None:
    found = look_at(300, seed=1, elsewhere=0.0)
    assert min(found["refused"], found["cut"], found["shown"]) > 5


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.__name__))
def test_no_hostile_words_break_a_promise_in_another_place(place: Place) -> None:
    for number in range(3):
        for shown in place(random.Random(f"{place.__name__}-{number}"), ARGUMENTS):
            check(shown)
