"""Long polls that leave nothing behind: when the client goes away or the gateway stops, so does the wait.

aiohttp tells a handler nothing of a client that went away (unless it cancels every handler, also one in the middle of a
claim). One look a second over all open waits costs microseconds and no thread.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import web

from policies.errors import Unavailable

LOOK_EVERY = 1.0
"""Seconds between two looks for clients that went away."""

DEAD_AFTER = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
"""A host that lost its power or its network says nothing: after a minute its connection counts as gone. Where the
system knows these options; else after two hours."""

T = TypeVar("T")


class OpenWaits:
    """The waits that are open now, each with the HTTP request that it answers."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[Any], web.Request] = {}
        self._cut: set[asyncio.Task[Any]] = set()
        self._ended = False

    async def hold(self, http: web.Request, waiting: Coroutine[Any, Any, T]) -> T:
        """The result of ``waiting``. Raises ``Unavailable`` where it was ended early.

        It is awaited by the task that answers ``http``: thousands of waits are thousands of tasks less than with one
        for each.
        """
        task = asyncio.current_task()
        if task is None or self._ended:
            waiting.close()
            raise _ended_early()
        self._open[task] = http
        _notice_a_dead_host(http)
        try:
            return await waiting
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            task.uncancel()
            raise _ended_early() from None
        finally:
            del self._open[task]
            self._cut.discard(task)

    async def watch(self, app: web.Application) -> AsyncIterator[None]:
        """Watch over the clients for as long as the application runs (a ``cleanup_ctx``)."""
        looking = asyncio.create_task(self._look())
        yield
        looking.cancel()
        await asyncio.wait({looking})

    async def end(self, app: web.Application) -> None:
        """End every wait, so that a stopping gateway answers at once (an ``on_shutdown``), and begin no other."""
        self._ended = True
        for task in tuple(self._open):
            self._end(task)

    def _end(self, task: asyncio.Task[Any]) -> None:
        if task not in self._cut:
            self._cut.add(task)
            task.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for task, http in tuple(self._open.items()):
                if http.transport is None or http.transport.is_closing():
                    self._end(task)


def _notice_a_dead_host(http: web.Request) -> None:
    found = http.transport.get_extra_info("socket") if http.transport is not None else None
    if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, value in DEAD_AFTER:
        with suppress(AttributeError, OSError):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _ended_early() -> Unavailable:
    return Unavailable("The gateway is restarting; ask again.", code="restarting", retry_after=1)
