"""The file of SIGNOFF_MCP: what it may say, and what is said of what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.agent.mcp_file import ServerAddress, read_servers
from bot.bootstrap import load_servers
from bot.settings import Settings
from policies.errors import Faulty, Invalid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mcp.json"


def read(file: Path, environment: dict[str, str] | None = None, **servers: Any) -> tuple[ServerAddress, ...]:
    file.write_text(json.dumps({"mcpServers": servers, "theme": "dark"}))
    return read_servers(file, environment or {})


def test_servers_are_started_or_reached_with_what_the_environment_says(file: Path) -> None:
    git = {"type": "stdio", "command": "mcp-git", "args": ["--at", "${HERE:-.}"], "env": {"T": "a ${TOKEN}"}}
    crm = {"type": "http", "url": "https://crm.example.com/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}}
    first, second = read(file, {"TOKEN": "s3cret"}, git=git, crm=crm, old={"command": "x", "disabled": True})
    assert (first.command, first.args, first.env) == ("mcp-git", ("--at", "."), {"T": "a s3cret"})
    assert (second.url, second.headers) == ("https://crm.example.com/mcp", {"Authorization": "Bearer s3cret"})
    assert "s3cret" not in repr((first, second))


@pytest.mark.parametrize(
    ("name", "entry", "words"),
    [
        ("a.b", {"command": "x"}, "a server is named with"),
        ("a__b", {"command": "x"}, "a server is named with"),
        ("a_", {"command": "x"}, "a server is named with"),
        ("a", [], "must be an object"),
        ("a", {}, 'must have either "command"'),
        ("a", {"command": "x", "url": "https://x"}, 'must have either "command"'),
        ("a", {"type": "sse", "url": "https://x"}, 'must be "stdio" with a command, or "http"'),
        ("a", {"command": "x", "alwaysAllow": ["pay"]}, "alwaysAllow: there is no such key"),
        ("a", {"command": "x", "headers": {}}, "headers: there is no such key"),
        ("a", {"command": "x", "disabled": "yes"}, "disabled: must be true or false"),
        ("a", {"command": "x", "args": "-v"}, "args: must be a list"),
        ("a", {"command": "x", "args": [1]}, r"args\[0\]: must be a text"),
        ("a", {"command": "x", "env": {"A": "${GONE}"}}, "env.A: GONE is not set where the gateway runs"),
        ("a", {"url": "ftp://x"}, "url: must be the address"),
        ("a", {"url": "https://me:pw@x/mcp"}, "url: must be the address"),
    ],
)
def test_what_is_wrong_is_named(file: Path, name: str, entry: Any, words: str) -> None:
    with pytest.raises(Faulty, match=words):
        read(file, **{name: entry})


def test_a_secret_that_no_header_can_hold_is_not_told(file: Path) -> None:
    for name, secret in (("Authorization", "s3cret\n"), ("Authorization", "s3cr€t"), ("A b", "s3cret")):
        with pytest.raises(Faulty, match=f"headers.'{name}': no header can be sent so") as caught:
            read(file, {"TOKEN": secret}, crm={"url": "https://x/mcp", "headers": {name: "Bearer ${TOKEN}"}})
        assert "s3cr" not in str(caught.value)


def test_all_faults_are_told_at_once(file: Path) -> None:
    with pytest.raises(Faulty) as caught:
        read(file, one={"command": 1}, two={"command": "x", "cwd": 1, "more": 1})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "names no servers"),
        ('{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}', "a stands twice"),
    ],
)
def test_what_is_no_such_file_says_so(file: Path, text: str, words: str) -> None:
    with pytest.raises(Invalid, match="can't be read"):
        read_servers(file, {})
    file.write_text(text)
    with pytest.raises(Invalid, match=words):
        read_servers(file, {})


def test_without_the_package_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Invalid, match=r"pip install 'signoff-gateway\[mcp\]'"):
        load_servers(Settings(_env_file=None, signoff_mcp="mcp.json"))  # type: ignore[call-arg]
