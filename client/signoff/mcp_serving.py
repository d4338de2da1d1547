"""Where an MCP server listens: standard input and output, or HTTP on this machine alone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server import NotificationOptions, Server
from mcp.server.stdio import stdio_server

from signoff.async_client import AsyncSignoff
from signoff.mcp_desk import PATIENCE, Desk

HOST = "127.0.0.1"
"""Who reaches the server asks, and is told yes, with the server's key: it listens to this machine alone."""
ENDING = (signal.SIGTERM, signal.SIGINT)


@asynccontextmanager
async def open_desk(*, run: str | None, allow_http: bool) -> AsyncIterator[Desk]:
    """A desk; when it closes nothing is left that waits for people, unless a ``run`` may take it up again."""
    async with AsyncSignoff(run=run, patience=PATIENCE, allow_http=allow_http) as client:
        desk = Desk(client=client, keeps=run is not None)
        try:
            yield desk
        finally:
            await desk.close()


async def on_stdio(server: Server[Any], desk: Desk, changes: NotificationOptions | None = None) -> None:
    """One client, told of ``changes`` of the server's lists. The thread that reads standard input can't be interrupted,
    so all but its end ends the program."""
    ending: set[asyncio.Task[None]] = set()

    async def end(status: int) -> None:
        try:
            await desk.close()
        finally:
            os._exit(status)

    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, lambda: ending.add(asyncio.ensure_future(end(0))))
    async with stdio_server() as (reads, writes):
        try:
            await server.run(reads, writes, server.create_initialization_options(changes))
        except BaseException:
            print("Signoff's MCP server ends: what stands behind it is gone.", file=sys.stderr, flush=True)
            with anyio.CancelScope(shield=True):
                await end(1)


async def on_http(server: Server[Any], port: int) -> None:
    """Any client on this machine, by ``/mcp``. MCP's library checks ``Host`` and ``Origin``: pages in a browser can't
    reach it by a name of theirs."""
    app = server.streamable_http_app(host=HOST)
    listener = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    for number in ENDING:  # uvicorn stops by it, and then raises it again: there is something left to be done
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)
    with socket.create_server((HOST, port)) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}/mcp"
        print(f"Signoff's MCP server listens at {address}", file=sys.stderr, flush=True)
        await listener.serve(sockets=[listening])
