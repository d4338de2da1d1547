"""The workspace's own clock: real time plus what a test has moved it by."""

import asyncio
import time


class Clock:
    """Tells the time in epoch seconds; `advance` moves it forward and wakes everybody who waits for a later moment.

    `offset` is the seconds by which it has been moved.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._moved = asyncio.Event()
        self._last_ts = 0

    def now(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.offset += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, moment: float) -> None:
        """Return when the clock has reached a moment, however it got there."""
        while (left := moment - self.now()) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except TimeoutError:
                continue

    def ts(self) -> str:
        """A message timestamp as Slack writes it, `seconds.micros`, never given twice."""
        micros = max(int(self.now() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"
