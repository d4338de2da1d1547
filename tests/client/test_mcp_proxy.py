"""An MCP server behind the proxy, driven by the official client over stdio; a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from tests.gateway.stage import Stage, staged
from tests.serve_process import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]
SERVER = Path(__file__).with_name("shop_server.py")
POLICY = """\
version: 1
reviewers: {g0: {channel: "#lane-0", users: [U0ANA, U0BEN]}}
ladders: {standard: [{after: 2h, then: expire}], quick: [{after: 1s, then: expire}]}
rules:
  - {name: soon over, match: shop.refund, when: args.amount > 900, checkpoint: hard, reviewers: g0, ladder: quick}
default: {checkpoint: hard, reviewers: g0, ladder: standard}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(lanes=1, policy=POLICY) as found:
        yield found


@asynccontextmanager
async def proxied(stage: Stage, done: Path, *words: str) -> AsyncIterator[Client]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": stage.serve.url}
    env["SIGNOFF_KEY"] = stage.agent.key
    command = ["-m", "signoff", "proxy", "--name", "shop", *words, "--", sys.executable, str(SERVER), str(done)]
    async with Client(StdioServerParameters(command=sys.executable, args=command, env=env)) as client:
        yield client


def call(client: Client, order_id: str, amount: float = 140) -> asyncio.Task[CallToolResult]:
    return asyncio.create_task(client.call_tool("refund", {"order_id": order_id, "amount": amount}))


def words(result: CallToolResult) -> str:
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


async def test_tools_look_and_answer_as_without_the_proxy_and_run_as_decided(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "done"
    async with proxied(stage, done) as client:
        (tool,) = (await client.list_tools()).tools
        assert (tool.name, tool.description) == ("refund", "Give a customer money back.")
        assert set(tool.input_schema["properties"]) == {"order_id", "amount"}
        assert "9 to 5" in str(await client.read_resource("shop://hours"))

        running = call(client, "HG-1")
        approved = await stage.card_naming("HG-1")
        assert "shop.refund" in approved.words
        await stage.press("U0ANA", approved, "signoff.approve")
        result = await running
        assert (result.is_error, words(result)) == (False, "refunded 140 for HG-1")
        assert stage.execution(approved.request_id) == "succeeded"

        running = call(client, "HG-2")
        await stage.press("U0BEN", await stage.card_naming("HG-2"), "signoff.reject")
        await stage.fill("U0BEN", {"Why?": "Ask for a photo first"})
        result = await running
        assert result.is_error
        assert "Ask for a photo first" in words(result)

        running = call(client, "HG-3")
        await stage.press("U0ANA", await stage.card_naming("HG-3"), "signoff.modify")
        await stage.fill("U0ANA", {"Amount": "40.5"})
        assert words(await running) == "refunded 40.5 for HG-3"

        assert "Nobody decided" in words(await call(client, "HG-4", 950))

        running = call(client, "lost")
        lost = await stage.card_naming("lost")
        await stage.press("U0ANA", lost, "signoff.approve")
        assert (await running).is_error
        assert stage.execution(lost.request_id) == "failed"
    assert done.read_text().splitlines() == ["HG-1 140", "HG-3 40.5"]


async def test_a_long_wait_is_told_and_the_same_call_goes_on_waiting(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "done"
    async with proxied(stage, done, "--hold", "0") as client:
        result = await call(client, "HG-5")
        assert result.is_error
        assert "again with the same arguments" in words(result)
        standing = await stage.card_naming("HG-5")
        await stage.serve.restart()
        await stage.press("U0ANA", standing, "signoff.approve")
        assert words(await call(client, "HG-5")) == "refunded 140 for HG-5"
    assert done.read_text() == "HG-5 140\n"
    assert len(stage.serve.rows("SELECT id FROM requests WHERE document LIKE '%\"HG-5\"%'")) == 1
