"""Time never runs back and never jumps, whatever is done to the machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import time_machine

from bot.clock import JUMP, SteadyClock


def test_it_tells_the_time_in_utc() -> None:
    now = SteadyClock()()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=1)


def test_setting_the_machines_clock_moves_no_deadline() -> None:
    clock = SteadyClock()
    before = clock()
    for days in (-1, 1):
        with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True):
            assert timedelta(0) <= clock() - before < timedelta(seconds=5)


def test_a_jump_of_the_machines_clock_is_noticed_and_its_drift_is_not() -> None:
    clock = SteadyClock()
    assert clock.jump() == 0.0
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True):
        assert abs(clock.jump() - 3600) < JUMP
    with time_machine.travel(datetime.now(UTC) - timedelta(hours=1), tick=True):
        assert abs(clock.jump() + 3600) < JUMP


def test_it_never_runs_back() -> None:
    clock = SteadyClock()
    times = [clock() for _ in range(1000)]
    assert times == sorted(times)
    time.sleep(0.01)
    assert clock() > times[-1]
