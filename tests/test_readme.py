"""What the README shows is run: its commands, its policies, its tool, its calls of the HTTP API."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.agent.mcp_file import read_servers
from bot.agent.tools import ToolBox
from bot.cli import app
from bot.settings import Settings
from policies.loader import load
from policies.review import Verdict
from tests.api.house import House, open_house
from tests.cli.test_commands import has_served, signoff

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def shell_lines() -> list[str]:
    return [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]


def test_every_policy_loads_without_a_warning() -> None:
    policies = blocks("yaml")
    assert len(policies) == 4
    for text in policies:
        assert load(text, source="README.md").warnings == ()


def test_the_tool_is_a_tool() -> None:
    (text,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(text, "README.md", "exec"), names)
    box = ToolBox.of(*names.values())
    assert asyncio.run(box.run("issue_refund", {"order_id": "HG-1", "amount": 2.5})) == "refunded 2.50 EUR for HG-1"


def test_the_file_of_mcp_servers_is_read(tmp_path: Path) -> None:
    (text,) = (block for block in blocks("json") if "mcpServers" in block)
    (tmp_path / "mcp.json").write_text(text)
    git, crm = read_servers(tmp_path / "mcp.json", {"CRM_TOKEN": "t"})
    assert (git.command, crm.headers["Authorization"]) == ("mcp-server-git", "Bearer t")


def test_make_knows_the_targets() -> None:
    for line in shell_lines():
        if line.startswith("make "):
            dry = subprocess.run(
                ["make", "-n", *line.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert dry.returncode == 0, dry.stderr


def test_the_plain_commands_are_those_that_make_runs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in shell_lines():
        if line.startswith(".venv/bin/"):
            assert (
                line.replace(".venv/bin/", "$(BIN)/").replace(
                    "pip install", "pip install --quiet --disable-pip-version-check"
                )
                in makefile
            )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("signoff policy check policy.yml", 0),
        ("signoff keys create billing-bot --owner U0ALICE", 0),
        ("signoff doctor", 1),
    ],
)
def test_the_commands_of_the_five_steps_run(line: str, code: int, tmp_path: Path) -> None:
    assert line in shell_lines()
    (tmp_path / "policy.yml").write_text(blocks("yaml")[0])
    has_served(tmp_path)
    said = signoff(*line.split()[1:], cwd=tmp_path, SIGNOFF_POLICY="policy.yml")
    assert said.returncode == code, said.stderr
    assert "Traceback" not in said.stderr


def test_every_command_is_in_the_table_and_every_one_in_the_table_is_there() -> None:
    table = set(re.findall(r"`signoff ([a-z]+(?: [a-z]+)?)", README.split("## Commands")[1].split("## Settings")[0]))
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    for group in app.registered_groups:
        commands = group.typer_instance.registered_commands if group.typer_instance else []
        known |= {
            f"{group.name} {command.name or command.callback.__name__}" for command in commands if command.callback
        }
    assert table == known


def test_every_setting_is_in_the_table() -> None:
    table = README.split("## Settings")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table)) - {"SIGNOFF_"} == {name.upper() for name in Settings.model_fields}


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


async def test_the_calls_of_the_http_api_do_what_they_say(tmp_path: Path) -> None:
    asked, read, claimed, reported = curls()
    async with open_house(tmp_path) as house:
        key = await house.key("readme", owner=None)
        environ = {"KEY": key, "ID": ""}
        request = await curl(asked, environ, house)
        environ["ID"] = request["id"]
        assert request["state"] == "pending"
        await house.gateway.review(request["id"], house.person("U0ANA"), Verdict.APPROVE, 1)
        assert (await curl(read, environ, house))["state"] == "approved"
        claim = await curl(claimed.replace("sha256:…", request["digest"]), environ, house)
        assert claim["arguments"] == {"order_id": "HG-1042", "amount": 140}
        assert (await curl(reported, environ, house))["execution"]["state"] == "succeeded"


def curls() -> list[str]:
    text = next(block for block in blocks("sh") if block.startswith("curl"))
    return re.split(r"\n(?=curl)", text)


async def curl(line: str, environ: dict[str, str], house: House) -> dict[str, Any]:
    line = line.replace("localhost:8080", house.address("").removeprefix("http://"))
    said = await asyncio.to_thread(
        subprocess.run, ["sh", "-c", line], env={**os.environ, **environ}, capture_output=True, text=True, timeout=60
    )
    return dict(json.loads(said.stdout))
