"""How long the event loop stands still while something is done."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """The seconds of its thread's own time that each turn of the event loop took: other programs don't count."""
    turns: list[float] = []

    async def beat() -> None:
        while True:
            begun = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - begun)

    gc.freeze()  # what earlier tests left behind is no part of a gateway
    beating = asyncio.create_task(beat())
    try:
        yield turns
    finally:
        beating.cancel()
        gc.unfreeze()
