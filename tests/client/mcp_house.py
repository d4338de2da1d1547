"""Signoff's MCP server, and its proxy, as clients reach them: in this process, as programs, over HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.server import MCPServer
from mcp_types import CallToolResult, TextContent

from bot.slack import ids
from signoff import AsyncSignoff
from signoff.mcp_desk import Desk
from signoff.mcp_proxy import Proxy
from signoff.mcp_server import Tools
from signoff.memory import Memory
from tests.client.dialect import Seat
from tests.gateway.stage import Stage
from tests.serve_process import ROOT

SHOP = Path(__file__).with_name("shop_server.py")
ASK = "What do you want to know?"


@asynccontextmanager
async def inside(
    seat: Seat, mode: str, *, run: str | None = None, hold: float = 45, memory: Memory | None = None, **more: Any
) -> AsyncIterator[Client]:
    """The server in this process, behind the whole protocol."""
    async with AsyncSignoff(seat.url, seat.key, run=run, patience=seat.patience) as client:
        desk = Desk(client=client, keeps=run is not None)
        tools = Tools(client=client, desk=desk, hold=hold, deadline=hold, memory=memory)
        async with Client(tools.server(), mode=mode, **more) as caller:
            yield caller


@asynccontextmanager
async def program(seat: Seat, *words: str, **more: Any) -> AsyncIterator[Client]:
    """The server as clients start it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": seat.url, "SIGNOFF_KEY": seat.key}
    command = StdioServerParameters(command=sys.executable, args=["-m", "signoff", "mcp", *words], env=env)
    async with Client(command, **more) as caller:
        yield caller


def text(result: CallToolResult) -> str:
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


def told(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, text(result)
    found: dict[str, Any] = result.structured_content
    return found


def sent(seat: Seat) -> dict[str, Any]:
    return {"tool": seat.tool, "arguments": seat.arguments}


async def settled(seat: Seat) -> bool:
    return state(seat) != [("pending",)]


def asking(client: Client, seat: Seat, **more: Any) -> asyncio.Task[CallToolResult]:
    return asyncio.create_task(client.call_tool("request_approval", {**sent(seat), **more}))


@asynccontextmanager
async def proxied(seat: Seat, mode: str, **more: Any) -> AsyncIterator[Client]:
    """A server with the seat's tool, behind the proxy, in this process."""
    shop = MCPServer("shop")
    shop.add_tool(seat.refund, name=seat.tool.removeprefix("shop."))
    async with AsyncSignoff(seat.url, seat.key, run=seat.run, patience=seat.patience) as client, Client(shop) as behind:
        desk = Desk(client=client, keeps=True)
        proxy = Proxy(client=client, desk=desk, upstream=behind, name="shop", hold=45)
        async with Client(proxy.server(), mode=mode, **more) as caller:
            yield caller


def state(seat: Seat) -> list[tuple[Any, ...]]:
    return seat.stage.serve.rows("SELECT state FROM requests WHERE tool = ? ORDER BY created_at", seat.tool)


async def inquire(seat: Seat, text: str) -> None:
    """Ben asks the agent something, from the card's menu."""
    card = await seat.card()
    chosen = ids.option("ask", ids.target(f"{card.request_id}:1"))
    await seat.stage.people.press("U0BEN", card.channel, card.ts, ids.MORE, chosen)
    await seat.stage.fill("U0BEN", {ASK: text})


@asynccontextmanager
async def listening(seat: Seat, *words: str) -> AsyncIterator[str]:
    """The server over HTTP, as a program of its own; its address."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": seat.url, "SIGNOFF_KEY": seat.key}
    command = [sys.executable, "-m", "signoff", "mcp", "--http", "--port", "0", *words]
    server = await asyncio.create_subprocess_exec(*command, env=env, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    address = (await server.stderr.readline()).decode().split()[-1]
    try:
        yield address
    finally:
        server.terminate()
        assert await server.wait() == 0


@asynccontextmanager
async def shop(stage: Stage, done: Path, *words: str) -> AsyncIterator[Client]:
    """A server of its own behind the proxy, as clients start it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": stage.serve.url}
    env["SIGNOFF_KEY"] = stage.agent.key
    command = ["-m", "signoff", "proxy", "--name", "shop", *words, "--", sys.executable, str(SHOP), str(done)]
    async with Client(StdioServerParameters(command=sys.executable, args=command, env=env)) as client:
        yield client


def refund(client: Client, order_id: str) -> asyncio.Task[CallToolResult]:
    return asyncio.create_task(client.call_tool("refund", {"order_id": order_id, "amount": 140}))


async def waits(seat: Seat) -> list[tuple[Any, ...]]:
    return seat.stage.serve.rows("SELECT id FROM requests WHERE tool = ? AND state = 'pending'", seat.tool)
