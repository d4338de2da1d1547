"""Turns on the event loop: what a large call costs is done in pieces, and between them everybody else is served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MOST = 0.010
"""Seconds of such work after which the others have their turn."""


class Turns:
    """One for a process. Pieces are done one after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._used = 0.0

    async def run(self, piece: Callable[[], T]) -> T:
        """What ``piece`` gives. It never waits for anything itself; arguments that are small cost no turn."""
        async with self._lock:
            begun = time.perf_counter()
            try:
                return piece()
            finally:
                self._used += time.perf_counter() - begun
                if self._used > MOST:
                    self._used = 0.0
                    await asyncio.sleep(0)
