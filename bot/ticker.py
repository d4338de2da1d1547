"""The clock's hand: a beat that lets whatever is due happen.

Deadlines are indexed columns, never scheduler jobs: APScheduler 3 drops jobs that fire more than a second late. A tick
that was lost, late or doubled changes nothing, because each change is decided from the row and the time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.beat import Beat
from bot.gateway import Gateway
from bot.logs import get_logger
from bot.metrics import Metrics
from policies.errors import SignoffError

log = get_logger("signoff.ticker")

EACH = 1.0
"""Seconds between two ticks."""

LATE = timedelta(seconds=1)
"""How much later than it should a tick may come before it is counted as late."""


class Ticker:
    """Calls ``gateway.advance`` each second. ``now`` never runs back, whatever the wall clock does."""

    def __init__(
        self,
        gateway: Gateway,
        clock: Callable[[], datetime],
        *,
        each: float = EACH,
        jump: Callable[[], float] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._each = each
        self._jump = jump
        self._jumped = 0.0
        self._metrics = metrics or Metrics()
        self._last: datetime | None = None
        self._beat = Beat(self.tick, each)

    def start(self) -> None:
        """Start ticking on the running event loop; the first tick comes at once."""
        self._beat.start()

    def stop(self) -> None:
        """Stop ticking; a tick under way may be cut short, the next one repeats it."""
        self._beat.stop()

    async def tick(self) -> None:
        """One look at what is due. A store that can't answer now is asked again by the next tick."""
        self._watch_the_machines_clock()
        now = self._clock()
        if self._last is not None and now - self._last > timedelta(seconds=self._each) + LATE:
            self._metrics.tick_late()
        self._last = now
        try:
            changed = await self._gateway.advance(now)
        except SignoffError as error:
            log.warning("tick failed", why=error.words)
            return
        if changed:
            log.info("deadlines reached", requests=changed)

    def _watch_the_machines_clock(self) -> None:
        """Say once when the machine's clock was set: deadlines go on by steady time, cards show the time they know."""
        jumped = round(self._jump()) if self._jump is not None else 0
        if abs(jumped - self._jumped) > 1:
            log.warning("the machine's clock was set; restart serve to follow it", seconds=jumped)
            self._jumped = jumped
