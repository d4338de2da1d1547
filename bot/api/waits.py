"""Long polls that leave nothing behind: when the client goes away or the gateway stops, so does the wait.

aiohttp tells a handler nothing of a client that went away (unless it cancels every handler, also one in the middle of a
claim). One look a second over all open waits costs microseconds and no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from aiohttp import web

from policies.errors import Unavailable

LOOK_EVERY = 1.0
"""Seconds between two looks for clients that went away."""

T = TypeVar("T")


class OpenWaits:
    """The waits that are open now, each with the HTTP request that it answers."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[Any], web.Request] = {}

    async def hold(self, http: web.Request, waiting: Coroutine[Any, Any, T]) -> T:
        """The result of ``waiting``. Raises ``Unavailable`` where it was ended early."""
        task = asyncio.create_task(waiting)
        self._open[task] = http
        try:
            await asyncio.wait({task})
        finally:
            del self._open[task]
            task.cancel()
        if task.cancelled():
            raise Unavailable("The gateway is restarting; ask again.", code="restarting", retry_after=1)
        return task.result()

    async def watch(self, app: web.Application) -> AsyncIterator[None]:
        """Watch over the clients for as long as the application runs (a ``cleanup_ctx``)."""
        looking = asyncio.create_task(self._look())
        yield
        looking.cancel()
        await asyncio.wait({looking})

    async def end(self, app: web.Application) -> None:
        """End every wait, so that a stopping gateway answers at once (an ``on_shutdown``)."""
        for task in tuple(self._open):
            task.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for task, http in tuple(self._open.items()):
                if http.transport is None or http.transport.is_closing():
                    task.cancel()
