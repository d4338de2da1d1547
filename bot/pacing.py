"""Slack's pace: about one message a second a channel with short bursts, and a budget of updates for the workspace.

Numbers from Slack's rate-limit page: chat.postMessage about 1/s a channel; chat.update is Tier 3, 50 a minute.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

POST_BURST = 3
POST_EACH = 1.05
UPDATE_BURST = 15
UPDATE_EACH = 60 / 50


@dataclass(slots=True)
class Bucket:
    """``burst`` at once, then one each ``each`` seconds. ``free_at`` is when the bucket would be full again."""

    burst: int
    each: float
    free_at: float = 0.0

    def take(self, now: float) -> float:
        """Reserve one place; the seconds to wait for it."""
        self.free_at = max(self.free_at, now) + self.each
        return max(0.0, self.free_at - now - self.burst * self.each)

    def hold(self, until: float) -> None:
        """Nothing before ``until``: the server asked to wait."""
        self.free_at = max(self.free_at, until + (self.burst - 1) * self.each)


class Pace:
    """One bucket a channel for posts, one for all updates."""

    def __init__(self) -> None:
        self._posts: dict[str, Bucket] = {}
        self._updates = Bucket(burst=UPDATE_BURST, each=UPDATE_EACH)

    def bucket(self, channel: str | None) -> Bucket:
        """The channel's bucket for posts; None gives the one for updates."""
        if channel is None:
            return self._updates
        return self._posts.setdefault(channel, Bucket(burst=POST_BURST, each=POST_EACH))

    async def turn(self, channel: str | None) -> None:
        """Wait for this channel's turn to post, or for an update's turn."""
        wait = self.bucket(channel).take(asyncio.get_running_loop().time())
        if wait > 0:
            await asyncio.sleep(wait)

    def hold(self, channel: str | None, seconds: float) -> None:
        """Slack asked to wait ``seconds`` there."""
        self.bucket(channel).hold(asyncio.get_running_loop().time() + seconds)
