"""A call that was sent is sent once: what each failure of an MCP server over HTTP, or of its program, comes to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.agent import mcp_servers
from bot.agent.mcp_file import ServerAddress
from bot.agent.mcp_link import Broken
from bot.agent.mcp_servers import McpServer, McpServers
from bot.agent.rack import Rack
from bot.agent.tools import ToolBox, ToolFailed, ToolInDoubt
from bot.agent.wire_names import wire_name

TOOL = {"name": "pay", "inputSchema": {"type": "object"}}


@dataclass(kw_only=True)
class Till:
    """A server by hand, so that it can fail as real ones do; ``calls`` counts the calls that reached it."""

    url: str = ""
    tools: list[dict[str, Any]] = field(default_factory=lambda: [TOOL])
    calls: int = 0
    pay: Callable[[Any], Awaitable[web.Response]] | None = None
    listing: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization"))
        asked = await request.json()
        if "id" not in asked:
            return web.Response(status=202)
        if asked["method"] == "initialize":
            info = {"name": "till", "version": "1"}
            version = asked["params"]["protocolVersion"]
            return ok(asked, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info})
        if asked["method"] == "tools/list":
            await self.listing.wait()
            return ok(asked, {"tools": self.tools})
        if asked["method"] == "tools/call":
            self.calls += 1
            assert self.pay is not None
            return await self.pay(asked)
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}})


def ok(asked: Any, result: dict[str, Any]) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": result})


def refusing(code: int, status: int = 200) -> Callable[[Any], Awaitable[web.Response]]:
    async def pay(asked: Any) -> web.Response:
        error = {"code": code, "message": "not\nso"}
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "error": error}, status=status)

    return pay


def saying(**response: Any) -> Callable[[Any], Awaitable[web.Response]]:
    async def pay(asked: Any) -> web.Response:
        return web.Response(**response)

    return pay


def result(**made: Any) -> Callable[[Any], Awaitable[web.Response]]:
    async def pay(asked: Any) -> web.Response:
        return ok(asked, made)

    return pay


async def hanging_up(asked: Any) -> web.Response:
    raise asyncio.CancelledError


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    made = Till()
    made.listing.set()
    app = web.Application()
    app.router.add_post("/mcp", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    yield made
    await runner.cleanup()


@pytest.fixture
async def servers(till: Till) -> AsyncIterator[McpServers]:
    made = McpServers([ServerAddress(name="till", url=till.url, headers={"Authorization": "Bearer k"})])
    yield made
    await made.close()


async def paid(servers: McpServers) -> Any:
    call = servers.call_of("till.pay")
    assert call is not None
    return await call({"amount": 5})


@pytest.mark.parametrize(
    ("answer", "comes_to", "words"),
    [
        (refusing(-32602), ToolFailed, "till.pay failed: not so"),
        (refusing(-32601, 404), ToolFailed, "till.pay failed: not so"),
        (refusing(-32042), ToolFailed, "till.pay failed: not so"),
        (result(content=[{"type": "text", "text": "no\nmoney"}], isError=True), ToolFailed, "failed: no money"),
        (refusing(-32000), ToolInDoubt, "not so"),
        (refusing(-32603), ToolInDoubt, "not so"),
        (saying(status=502, text="<html>"), ToolInDoubt, "error response"),
        (saying(status=202), ToolInDoubt, "202 Accepted"),
        (saying(text="{", content_type="application/json"), ToolInDoubt, "parse"),
        (saying(text="data: ", content_type="text/event-stream"), ToolInDoubt, "without a response"),
        (result(nothing=1), ToolInDoubt, "content"),
        (hanging_up, ToolInDoubt, "till.pay: "),
    ],
)
async def test_what_the_server_refused_has_failed_and_what_was_lost_is_in_doubt_and_neither_is_sent_again(
    till: Till, servers: McpServers, answer: Any, comes_to: type[Exception], words: str
) -> None:
    till.pay = answer
    with pytest.raises(comes_to, match=words):
        await paid(servers)
    assert till.calls == 1
    till.pay = result(content=[{"type": "text", "text": "paid"}])
    assert await paid(servers) == "paid", "the next call finds a connection"
    assert set(till.seen) == {"Bearer k"}


async def test_a_server_that_is_away_fails_the_call_before_it_is_sent_and_rests_before_it_is_asked_again(
    till: Till, servers: McpServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.by_name["till"]
    monkeypatch.setattr(mcp_servers, "LIST", 0.05)
    till.listing.clear()
    with pytest.raises(ToolFailed, match=r"till can't be reached: no answer came.* till.pay was not run"):
        await paid(servers)
    with pytest.raises(Broken):
        await server.tools()
    till.listing.set()
    monkeypatch.setattr(mcp_servers, "LIST", 30.0)
    with pytest.raises(Broken, match="no answer came"):
        await server.tools()
    till.pay = result(content=[])
    assert await paid(servers) == "", "a call that people approved waits for no rest"
    assert till.calls == 1


async def test_a_call_under_way_is_not_cut_short_by_a_listing_that_gets_no_answer(
    till: Till, servers: McpServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, end = asyncio.Event(), asyncio.Event()

    async def slowly(asked: Any) -> web.Response:
        under_way.set()
        await end.wait()
        return ok(asked, {"content": [{"type": "text", "text": "slowly"}]})

    till.pay = slowly
    first = asyncio.create_task(paid(servers))
    await under_way.wait()
    till.listing.clear()
    monkeypatch.setattr(mcp_servers, "LIST", 0.05)
    with pytest.raises(Broken):
        await servers.by_name["till"].tools()
    second = asyncio.create_task(paid(servers))
    while till.calls < 2:
        await asyncio.sleep(0.005)
    end.set()
    assert await asyncio.gather(first, second) == ["slowly", "slowly"]


async def test_a_run_keeps_the_tools_that_it_began_with_and_the_next_has_the_new_ones(
    till: Till, servers: McpServers
) -> None:
    rack = Rack(ToolBox(), servers)
    await rack.fill()
    till.tools = [{"name": "late", "inputSchema": {"type": "object"}}]
    await rack.fill()
    assert (list(rack.tools), rack.notice) == (["till.pay"], "")
    following = Rack(ToolBox(), servers)
    await following.fill()
    assert list(following.names.items()) == [("till__late", "till.late")]
    with pytest.raises(ToolFailed, match=r"There is no tool named pay\. There are: till__late"):
        following.check("pay", {})


async def test_a_tool_that_the_model_would_call_like_another_is_not_offered(till: Till, servers: McpServers) -> None:
    long = "x" * 70
    sly = wire_name(f"till.{long}").removeprefix("till__")
    till.tools = [{**TOOL, "name": name} for name in (long, "pay", "pay", sly)]
    rack = Rack(ToolBox(), servers)
    await rack.fill()
    assert list(rack.names.values()) == list(rack.tools) == [f"till.{long}", "till.pay"]


@pytest.mark.parametrize(
    ("command", "args", "seconds", "why"),
    [
        ("/nowhere/at-all", [], 30, "there is no program or folder /nowhere/at-all"),
        ("true", [], 30, "closed"),
        ("sleep", ["60"], 0.3, "did not answer within"),
    ],
)
async def test_a_program_that_is_no_server_is_told_and_gone(
    command: str, args: list[str], seconds: float, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_servers, "CONNECT", seconds)
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 0.1)
    with pytest.raises(Broken, match=why):
        await McpServer(ServerAddress(name="odd", command=command, args=args)).tools()
