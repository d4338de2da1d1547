"""Slack's pace: about one message a second a channel with short bursts, and a budget of updates for the workspace.

Numbers from Slack's rate-limit page: chat.postMessage about 1/s a channel; chat.update is Tier 3, 50 a minute. A 429
holds its method for the whole workspace: nothing of the kind is sent before the time that Slack named.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from bot.carrier import Paced

T = TypeVar("T")

POST_BURST = 2
"""One less than Slack has been seen to tolerate: a call that was slow to arrive makes the next seem early."""
POST_EACH = 1.05
UPDATE_BURST = 15
UPDATE_EACH = 60 / 50
MOMENT = 1e-6
"""Seconds that are no wait any more: what rounding leaves of one."""


class Urgency(IntEnum):
    """Who goes first where several wait for the same place."""

    FIRST = 0
    """Escalations, and the answers to people's clicks."""
    NEW = 1
    """New cards and the agent's messages."""
    LATER = 2
    """Cards brought up to date by nobody's click."""


@dataclass(slots=True)
class Bucket:
    """``burst`` at once, then one each ``each`` seconds. ``full_at`` is when all of the burst is free again."""

    burst: int
    each: float
    full_at: float = 0.0
    waiting: list[tuple[Urgency, int]] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def wait(self, now: float) -> float:
        """Seconds until the next place is free."""
        return max(0.0, max(self.full_at, now) + self.each - now - self.burst * self.each)

    def room(self, now: float) -> int:
        """How many places are free."""
        return int((now - max(self.full_at, now)) / self.each + self.burst + MOMENT)

    def take(self, now: float) -> None:
        """Use one place."""
        self.full_at = max(self.full_at, now) + self.each

    def leave(self, ticket: tuple[Urgency, int]) -> None:
        """Whoever held ``ticket`` waits no more: the others look who is next."""
        self.waiting.remove(ticket)
        heapq.heapify(self.waiting)
        self.moved.set()
        self.moved = asyncio.Event()


def _seconds() -> float:
    return asyncio.get_running_loop().time()


class Pace:
    """One bucket a channel for posts, one for all updates. ``now`` counts seconds, ``sleep`` waits for some."""

    def __init__(
        self, now: Callable[[], float] = _seconds, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._posts: dict[str, Bucket] = {}
        self._updates = Bucket(burst=UPDATE_BURST, each=UPDATE_EACH)
        self._held_until = {True: 0.0, False: 0.0}
        self._numbers = itertools.count()

    async def turn(self, channel: str | None, urgency: Urgency = Urgency.NEW) -> None:
        """Wait for this channel's turn to post, or (None) for an update's turn; the more urgent goes first."""
        bucket = self._bucket(channel)
        ticket = (urgency, next(self._numbers))
        heapq.heappush(bucket.waiting, ticket)
        try:
            while (seconds := self._wait(channel)) > MOMENT or bucket.waiting[0] != ticket:
                if bucket.waiting[0] == ticket:
                    await self._sleep(seconds)
                else:
                    await bucket.moved.wait()
            bucket.take(self._now())
        finally:
            bucket.leave(ticket)

    def room(self, channel: str) -> int:
        """How many more messages could go to ``channel`` at once."""
        return 0 if self._wait(channel) > MOMENT else self._bucket(channel).room(self._now())

    def same(self, name: str, channel: str) -> None:
        """``name`` turned out to be ``channel``: from now on they share one bucket."""
        self._posts[name] = self._posts.setdefault(channel, self._bucket(name))

    async def keep(self, channel: str | None, call: Awaitable[T]) -> T:
        """Make a call whose turn has come; where Slack asks to wait, everybody waits. Raises what the call raises."""
        try:
            return await call
        except Paced as paced:
            self.hold(channel, paced.retry_after)
            raise

    def hold(self, channel: str | None, seconds: float) -> None:
        """Slack asked to wait ``seconds`` with all posts, or (None) with all updates."""
        updates = channel is None
        self._held_until[updates] = max(self._held_until[updates], self._now() + seconds)

    def _bucket(self, channel: str | None) -> Bucket:
        if channel is None:
            return self._updates
        return self._posts.setdefault(channel, Bucket(burst=POST_BURST, each=POST_EACH))

    def _wait(self, channel: str | None) -> float:
        now = self._now()
        return max(self._bucket(channel).wait(now), self._held_until[channel is None] - now)
