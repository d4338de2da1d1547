"""Calls made to deceive, a sample of them; ``python -m tests.slack.hostile`` looks at as many as one likes."""

from __future__ import annotations

from tests.slack.hostile import look_at


def test_no_hostile_call_breaks_a_promise() -> None:
    found = look_at(500, seed=1)
    assert min(found["refused"], found["cut"], found["shown"]) > 10
