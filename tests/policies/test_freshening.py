"""The time left on what goes ahead on silence: drawn anew at half and for the last minute, and never oftener."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.checkpoint import Act, Kind
from policies.effects import Refresh
from policies.escalation import elapse
from policies.events import Delivered, Elapsed, Inquired, Replied
from policies.freshening import LAST, LEAST, drawn_anew
from policies.lifecycle import apply
from policies.request import Request, State
from tests.policies.test_escalation import FRIDAY, MINUTE, ana, ladder_of, waiting


def soft(minutes: int, kind: Kind = Kind.SOFT) -> Request:
    """What goes ahead after so many minutes; its card is there."""
    request = waiting(ladder_of((minutes, Act.PROCEED)))
    gated = replace(request, checkpoint=replace(request.checkpoint, kind=kind))
    return apply(gated, Delivered(), FRIDAY).request


@pytest.mark.parametrize(
    ("seconds", "left"), [(10, []), (40, [20]), (90, [45]), (120, [60]), (300, [150, 60]), (86_400, [43_200, 60])]
)
def test_half_and_the_last_minute_as_far_as_they_lie_apart_from_the_end(seconds: int, left: list[int]) -> None:
    assert [each.total_seconds() for each in drawn_anew(timedelta(seconds=seconds))] == left


@given(seconds=st.integers(1, 10_000_000))
def test_never_oftener_than_twice_nor_right_before_the_end(seconds: int) -> None:
    found = drawn_anew(timedelta(seconds=seconds))
    assert len(found) <= 2
    assert all(LEAST <= left <= max(LAST, timedelta(seconds=seconds) / 2) for left in found)


def test_the_cards_are_drawn_anew_at_their_moments_and_it_still_goes_ahead_at_its_end() -> None:
    request, seen = soft(10), []
    while request.next_action_at is not None and not request.settled:
        now = request.next_action_at
        outcome = apply(request, Elapsed(), now)
        seen.append(((now - FRIDAY) / MINUTE, outcome.effects, len(outcome.entries)))
        request = outcome.request
    refresh = (Refresh(request_id="req_1"),)
    assert seen == [(5, refresh, 0), (9, refresh, 0), (10, refresh, 1)]
    assert (request.state, request.decision and request.decision.at) == (State.APPROVED, FRIDAY + 10 * MINUTE)


def test_a_pause_moves_these_moments_with_the_end() -> None:
    request = apply(soft(10), Inquired(person=ana(FRIDAY), inquiry_id="i", text="Why?"), FRIDAY).request
    told = apply(request, Replied(inquiry_id="i", text="So."), FRIDAY + 4 * MINUTE).request
    assert (told.next_action_at, told.deadline_at) == (FRIDAY + 9 * MINUTE, FRIDAY + 14 * MINUTE)


def test_what_only_waits_or_nobody_has_seen_is_not_drawn_anew() -> None:
    assert waiting(ladder_of((10, Act.EXPIRE))).fresh_at is None
    assert soft(10, Kind.INBOX).fresh_at is None
    unseen = replace(soft(10), delivered_at=None)
    assert (unseen.fresh_at, unseen.next_action_at) == (None, FRIDAY + 10 * MINUTE)


def test_after_a_stop_of_the_gateway_it_ends_as_it_would_have() -> None:
    assert elapse(soft(10), FRIDAY + 60 * MINUTE).request.state is State.APPROVED
