"""The runner's tools from an MCP server: asked, changed, claimed and run once, whatever becomes of the server."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.stage import Card, Stage, staged
from tests.sandbox_process import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

SHOP = Path(__file__).parents[1] / "agent" / "mcp_shop.py"
POLICY = """
version: 1
digest: off
reviewers: {g0: {channel: "#lane-0", users: [U0ANA, U0BEN, U0SAM]}}
ladders: {standard: [{after: 2h, then: expire}]}
agents: {start: [g0]}
rules:
  - {name: reading, match: [shop.stock.count], checkpoint: allow}
  - {name: money, match: "shop.*", when: "has(args.amount)", checkpoint: hard, reviewers: g0, ladder: standard}
default: {checkpoint: deny}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A gateway whose runner has nothing but the shop's tools."""
    folder = tmp_path_factory.mktemp("shop")
    served = {"command": sys.executable, "args": [str(SHOP), "${SHOP_FOLDER}"], "env": {"SHOP_KEY": "${SHOP_KEY:-k}"}}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"shop": served}}))
    env = {"SIGNOFF_MCP": str(folder / "mcp.json"), "SHOP_FOLDER": str(folder)}
    async with staged(lanes=1, stories=SHOP.parents[1] / "gateway" / "stories_of_mcp", env=env, policy=POLICY) as stage:
        yield stage


def folder_of(stage: Stage) -> Path:
    return Path(stage.serve.env["SHOP_FOLDER"])


def done(stage: Stage) -> list[str]:
    """What the shop did, by its own trace."""
    file = folder_of(stage) / "done"
    return file.read_text().splitlines() if file.exists() else []


async def asked(stage: Stage, errand: str) -> Card:
    """The card of the refund that the errand leads to."""
    assert (await stage.people.command("U0SAM", "C0AGENTS", f"/agent {errand}"))["ok"]
    return await stage.card_naming(errand)


async def told(stage: Stage, errand: str) -> str:
    """The agent's last words on the errand."""

    async def ended() -> list[str]:
        runs = [json.loads(row) for (row,) in stage.serve.rows("SELECT document FROM runs WHERE state = 'done'")]
        return [run["transcript"][-1]["content"][0]["text"] for run in runs if errand in run["errand"]]

    try:
        return str((await until(ended))[0])
    except TimeoutError:
        raise AssertionError(stage.serve.rows("SELECT state, document FROM runs")) from None


async def test_a_call_changed_in_slack_runs_as_changed_whatever_the_server_says_of_its_tool(shop: Stage) -> None:
    assert not (folder_of(shop) / "pid").exists(), "no server is started before it is needed"
    card = await asked(shop, "pay one")
    assert "shop.refund" in card.words
    assert (await shop.press("U0ANA", card, "signoff.modify"))["ok"]
    assert not (await shop.fill("U0ANA", {"Amount": "501"}))["ok"], "the server's schema holds for edits"
    assert (await shop.fill("U0ANA", {"Amount": "40.5"}))["ok"]
    words = await told(shop, "pay one")
    assert done(shop) == ["refund pay one 40.5"]
    assert "- amount: 140 → 40.5" in words
    assert "refunded 40.5" in words
    assert '"data": {"count": 3}' in words
    await shop.card_saying(card.request_id, "is done")
    assert "the shop opens" in shop.serve.log(), "what a server has to say is passed on"
    given = (folder_of(shop) / "environment").read_text().split()
    assert "SHOP_KEY" in given
    assert not [name for name in given if name.startswith(("SLACK", "ANTHROPIC", "SIGNOFF", "DATABASE"))]


async def test_a_server_that_was_killed_while_people_think_is_started_again_for_the_call(shop: Stage) -> None:
    card, before = await asked(shop, "pay two"), done(shop)
    os.kill(int((folder_of(shop) / "pid").read_text()), signal.SIGKILL)
    assert (await shop.press("U0ANA", card, "signoff.approve"))["ok"]
    assert "refunded 140" in await told(shop, "pay two")
    assert done(shop) == [*before, "refund pay two 140"]


async def test_a_call_during_which_the_server_dies_is_in_doubt_and_runs_once(shop: Stage) -> None:
    card, before = await asked(shop, "pay what dies"), done(shop)
    assert (await shop.press("U0ANA", card, "signoff.approve"))["ok"]
    doubtful = await shop.card_saying(card.request_id, "may or may not have run")
    assert shop.execution(card.request_id) == "unknown"
    assert (await shop.press("U0BEN", doubtful, "signoff.ran"))["ok"]
    assert "Ben Okafor said that it ran" in await told(shop, "pay what dies")
    assert done(shop) == [*before, "refund pay what dies 140"]


async def test_a_restarted_gateway_takes_up_what_waits_though_its_server_is_gone(shop: Stage) -> None:
    card, before = await asked(shop, "pay at last"), done(shop)
    entry = folder_of(shop) / "mcp.json"
    entry.write_text(entry.read_text().replace(str(SHOP), "/nowhere.py"))
    await shop.serve.restart()
    assert (await shop.press("U0ANA", card, "signoff.approve"))["ok"]
    words = await told(shop, "pay at last")
    assert "shop can't be reached" in words
    assert "shop.refund was not run" in words
    assert done(shop) == before
    systems = [call["body"]["system"] for call in await shop.control.record() if "system" in str(call.get("body"))]
    assert "The tools of shop can't be reached now" in systems[-1]
