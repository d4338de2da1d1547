"""One connection to an MCP server, held open by a task of its own until it is closed or breaks.

No sampling and no elicitation are offered to the server: it is here to be called, and asks nobody anything. A server
that is started gets a bare environment (``PATH``, ``HOME`` and the like) and what its entry gives it, never the
gateway's own secrets.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from bot.agent.mcp_file import ServerAddress
from bot.logs import get_logger
from policies.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mcp import Client
    from mcp.client import Transport

log = get_logger("signoff.mcp")

T = TypeVar("T")

LONGEST_CALL = 3600.0
"""Seconds after which an answer isn't waited for any more; the call is in doubt then."""

LARGEST_EVENT = 16 * 1024 * 1024
LINE = 500
"""Characters of what a server says that are passed on to the log or to people."""

CLOSING = 8.0
"""Seconds that ending a connection may take; a program that doesn't end by then is killed."""


class Broken(Exception):
    """The connection couldn't be made, or is gone; the words say why, for people."""


class Link:
    """A connection that stands. Made by ``opened``."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._held = asyncio.create_task(self._hold())
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Is something under way on it? Then it stands, and nobody may end it."""
        return self._under_way > 0 and not self._held.done()

    @classmethod
    async def opened(cls, address: ServerAddress, within: float) -> Link:
        """A connection over which the server has answered. Raises ``Broken``."""
        link = cls(address)
        try:
            async with asyncio.timeout(within):
                await asyncio.wait((link._held, link._client), return_when=asyncio.FIRST_COMPLETED)
            if not link._client.done():
                raise Broken(_why(link._held.exception() if not link._held.cancelled() else None))
        except TimeoutError:
            raise Broken(f"it did not answer within {within:.0f} s") from None
        finally:
            if not link._client.done():
                await link.close()
        return link

    @property
    def client(self) -> Client:
        """The connected client."""
        return self._client.result()

    async def answer(self, asking: Coroutine[Any, Any, T], within: float) -> T:
        """What ``asking`` this client comes to. Raises ``Broken`` where the connection ends or the time is up first."""
        task = asyncio.create_task(asking)
        self._under_way += 1
        try:
            await asyncio.wait((task, self._held), timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Broken("the connection broke" if self._held.done() else f"no answer came within {within:.0f} s")
        finally:
            self._under_way -= 1
            task.cancel()
            await asyncio.wait((task,))

    async def close(self) -> None:
        """End the connection, and the server where it was started here."""
        self._closing.set()
        if self._client.done():
            await asyncio.wait((self._held,), timeout=CLOSING)
        self._held.cancel()
        await asyncio.gather(self._held, return_exceptions=True)

    async def _hold(self) -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(await _client(self._address, stack))
            self._client.set_result(client)
            await self._closing.wait()


async def _client(address: ServerAddress, stack: AsyncExitStack) -> Client:
    """The client for ``address``, not connected yet. The libraries are loaded with the first one, in a thread."""
    await asyncio.to_thread(importlib.import_module, "mcp")
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    if address.command is None:
        return Client(await _over_http(address, stack), cache=None)
    started = StdioServerParameters(
        command=address.command, args=list(address.args), env=dict(address.env), cwd=address.cwd
    )
    said = await stack.enter_async_context(_logged(address.name))
    return Client(stdio_client(started, errlog=said), cache=None)


async def _over_http(address: ServerAddress, stack: AsyncExitStack) -> Transport:
    from httpx2 import AsyncClient, Timeout
    from mcp.client.streamable_http import streamable_http_client

    timeout = Timeout(30.0, read=LONGEST_CALL)
    calling = await stack.enter_async_context(AsyncClient(headers=dict(address.headers), timeout=timeout))
    return streamable_http_client(address.url or "", http_client=calling, max_sse_event_size=LARGEST_EVENT)


@asynccontextmanager
async def _logged(server: str) -> AsyncIterator[TextIO]:
    """Where a server writes what it has to say to its operator: each line enters our log, cut short."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", buffering=0)
    )
    passing = asyncio.create_task(_pass_on(server, reader))
    try:
        with os.fdopen(writing, "w") as end:
            yield end
    finally:
        transport.close()
        passing.cancel()
        await asyncio.wait((passing,))


async def _pass_on(server: str, reader: asyncio.StreamReader) -> None:
    rest = b""
    while chunk := await reader.read(4096):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:LINE]
        for line in lines:
            if words := line.decode("utf-8", "replace").strip():
                log.info("an MCP server says", server=server, words=shortened(words, LINE))


def _why(error: BaseException | None) -> str:
    """The innermost reason, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"there is no program or folder {error.filename}"
    with suppress(Exception):
        if words := " ".join(str(error).split()):
            return shortened(words, LINE)
    return type(error).__name__ if error is not None else "it ended"
