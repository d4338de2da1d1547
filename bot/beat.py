"""A beat: something that is done again and again, each so many seconds of real time.

It is an APScheduler interval job. APScheduler reckons by the machine's clock: set back by an hour its job would sleep
for that hour, set ahead by years it would count through all the runs it missed. So the next run is always one span from
now, and the event loop, whose clock nobody sets, makes the job due where its next run went out of reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger


class _Again(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """One span after the run that is due now; those that were missed are not owed."""

    def __init__(self, span: timedelta) -> None:
        self._span = span

    def __str__(self) -> str:
        return f"each {self._span.total_seconds():g} s"

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When to run next, by the machine's clock."""
        return now + self._span


class Beat:
    """Calls ``act`` each ``each`` seconds, never twice at a time; the first time ``at_once`` or after the first span.

    What ``act`` raises is logged by APScheduler, and the beat goes on.
    """

    def __init__(self, act: Callable[[], Awaitable[None]], each: float, *, at_once: bool = True) -> None:
        self._act = act
        self._span = timedelta(seconds=each)
        self._at_once = at_once
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._watch: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin on the running event loop."""
        first = datetime.now().astimezone() + (timedelta() if self._at_once else self._span)
        self._job = self._scheduler.add_job(
            self._once, _Again(self._span), max_instances=1, next_run_time=first, misfire_grace_time=None
        )
        self._scheduler.start()
        self._look_after()

    def stop(self) -> None:
        """No more beats; one under way may be cut short."""
        if self._watch is not None:
            self._watch.cancel()
        self._stopped = True
        self._scheduler.shutdown(wait=False)

    async def _once(self) -> None:
        try:
            await self._act()
        except asyncio.CancelledError:
            if not self._stopped:
                raise  # a beat cut short by ``stop`` is no error for APScheduler to log

    def _look_after(self) -> None:
        """Make the job due where the machine's clock was set back, so that its next run is further off than a span."""
        now = datetime.now().astimezone()
        if self._job.next_run_time > now + self._span:
            self._job.modify(next_run_time=now)
        self._watch = asyncio.get_running_loop().call_later(self._span.total_seconds(), self._look_after)
