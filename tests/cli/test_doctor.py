"""``signoff doctor`` against the local workspace: what it finds good, and what it says of each thing that isn't."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.test_commands import GOOD, has_served, signoff
from tests.sandbox_process import SandboxProcess

SHOP = Path(__file__).parents[1] / "agent" / "mcp_shop.py"


@pytest.fixture(scope="module")
def workspace() -> Iterator[SandboxProcess]:
    with SandboxProcess() as running:
        yield running


@pytest.fixture
async def fresh(workspace: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    await workspace.control.reset()
    yield workspace
    await workspace.aclose()


def examined(workspace: SandboxProcess, folder: Path, policy: str = GOOD, **environ: str) -> tuple[int, str]:
    (folder / "policy.yml").write_text(policy)
    said = signoff("doctor", cwd=folder, **{**workspace.env(), "SIGNOFF_POLICY": "policy.yml", **environ})
    return said.returncode, said.stdout


def test_a_sound_installation_passes(fresh: SandboxProcess, tmp_path: Path) -> None:
    code, said = examined(fresh, tmp_path)
    assert code == 0, said
    assert "ok   reviewers team: Ana Reyes" in said
    assert "ok   scopes" in said
    assert "FAIL" not in said


def test_a_policy_that_reads_an_environment_that_nobody_named_is_pointed_out(
    fresh: SandboxProcess, tmp_path: Path
) -> None:
    reads = GOOD.replace('match: "read_*"', "when: environment == 'test'")
    code, said = examined(fresh, tmp_path, reads)
    assert code == 0, said
    assert "warn Conditions of the policy read environment, and SIGNOFF_ENVIRONMENT is not set" in said
    assert "SIGNOFF_ENVIRONMENT" not in examined(fresh, tmp_path, reads, SIGNOFF_ENVIRONMENT="test")[1]


def test_a_wrong_token_is_named(fresh: SandboxProcess, tmp_path: Path) -> None:
    code, said = examined(fresh, tmp_path, SLACK_BOT_TOKEN="xoxb-wrong")
    assert code == 1
    assert "FAIL SLACK_BOT_TOKEN: Slack says invalid_auth" in said


async def test_missing_scopes_are_named(fresh: SandboxProcess, tmp_path: Path) -> None:
    await fresh.control.app(scopes=["chat:write", "users:read", "users:read.email"])
    code, said = examined(fresh, tmp_path)
    assert code == 1
    missing = "app_mentions:read, commands, files:write, groups:read, im:write, usergroups:read"
    assert f"FAIL scopes: {missing} are missing" in said
    scopes = "app_mentions:read,chat:write,commands,groups:read,im:write,users:read,users:read.email,usergroups:read"
    await fresh.control.app(scopes=scopes.split(","))
    assert "warn scopes: files:write is missing, so no file stands beside cards" in examined(fresh, tmp_path)[1]


async def test_reviewers_who_cannot_decide_are_named(fresh: SandboxProcess, tmp_path: Path) -> None:
    await fresh.control.person("U0ANA", deleted=True)
    code, said = examined(fresh, tmp_path, GOOD.replace("ana@example.com", "U0ANA"))
    assert code == 1
    assert "FAIL reviewers team: Ana Reyes's account is deactivated; they can't decide" in said


async def test_the_members_of_a_channel_are_told_with_why_they_do_not_count(
    fresh: SandboxProcess, tmp_path: Path
) -> None:
    more = GOOD.replace("users: [ana@example.com]", "members: [C0BACK], outsiders: [U0GUS]")
    await fresh.control.channel("C0BACK", kind="private", members=["U0SIGNOFF", "U0BEN"])
    code, said = examined(fresh, tmp_path, more)
    assert code == 0, said
    assert "ok   members of C0BACK are reviewers of team for as long as it stays private" in said
    assert "ok   reviewers team: Gus Ibarra (a guest), Ben Okafor" in said
    await fresh.control.channel("C0BACK", kind="channel")
    code, said = examined(fresh, tmp_path, more)
    assert code == 1
    assert "FAIL members of C0BACK can't decide for team: it is public, so anybody could join it" in said


def test_a_faulty_policy_and_missing_tools_are_told_together(fresh: SandboxProcess, tmp_path: Path) -> None:
    code, said = examined(
        fresh, tmp_path, GOOD.replace("ladder: standard", "ladder: standrad"), SIGNOFF_TOOLS="nowhere"
    )
    assert code == 1
    assert "FAIL policy policy.yml:5:" in said
    assert "FAIL There is no module nowhere" in said


def test_mcp_servers_are_reached_and_what_is_wrong_with_each_is_told(fresh: SandboxProcess, tmp_path: Path) -> None:
    servers = {"shop": {"command": sys.executable, "args": [str(SHOP), "."]}, "gone": {"command": "/nowhere/at-all"}}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    code, said = examined(fresh, tmp_path, SIGNOFF_MCP="mcp.json", ANTHROPIC_API_KEY="k")
    assert code == 1
    assert "ok   tools from MCP servers alone" in said
    assert "warn MCP server shop: 2 tools; not offered: 'hostile\\u202ename' is no name for a tool; remote: " in said
    assert "FAIL MCP server gone can't be reached: there is no program or folder /nowhere/at-all" in said
    (tmp_path / "mcp.json").write_text('{"mcpServers": {"shop": {}}}')
    code, said = examined(fresh, tmp_path, SIGNOFF_MCP="mcp.json")
    assert code == 1
    assert 'FAIL mcp.json: mcpServers.shop: must have either "command"' in said


async def test_a_key_that_ends_soon_is_pointed_out(fresh: SandboxProcess, tmp_path: Path) -> None:
    await asyncio.to_thread(has_served, tmp_path)
    signoff("keys", "create", "bot", "--expires", "5d", cwd=tmp_path)
    signoff("keys", "create", "other", "--expires", "90d", cwd=tmp_path)
    _, said = examined(fresh, tmp_path)
    assert "warn key bot expires in 4 days: `signoff keys rotate bot --expires 90d`" in said
    assert "key other" not in said
