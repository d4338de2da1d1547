"""Time that never runs back: the wall clock, read once, carried on by the clock that counts from the machine's boot."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

JUMP = 5.0
"""Seconds by which wall and steady time may differ before it is called a jump."""


def _since_boot() -> float:
    """Seconds since boot, sleep included where the system tells (Linux); not touched by setting the clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


class SteadyClock:
    """Call it for the time in UTC. Setting the machine's clock meanwhile neither fires nor delays a deadline."""

    def __init__(self) -> None:
        self._wall = time.time()
        self._boot = _since_boot()

    def __call__(self) -> datetime:
        """Now, in UTC."""
        elapsed = _since_boot() - self._boot
        return datetime.fromtimestamp(self._wall, UTC) + timedelta(seconds=elapsed)

    def jump(self) -> float:
        """By how many seconds the wall clock was set since the start; 0.0 below ``JUMP``."""
        difference = time.time() - self().timestamp()
        return difference if abs(difference) > JUMP else 0.0
