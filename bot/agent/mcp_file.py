"""The file of SIGNOFF_MCP: the MCP servers whose tools the runner has, as MCP clients commonly write it.

    {"mcpServers": {"git": {"command": "mcp-server-git", "args": ["--repository", "."]},
                    "crm": {"url": "https://crm.example.com/mcp", "headers": {"Authorization": "Bearer ${CRM_TOKEN}"}}}}

``${NAME}`` and ``${NAME:-otherwise}`` stand for what the environment says, so that no secret stands in the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from policies.errors import Fault, Faulty, Invalid
from policies.redaction import shortened

_NAME = re.compile(r"(?!.*__)[A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?")
_MEANT = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<otherwise>[^}]*))?\}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
_KINDS = {"stdio": "command", "http": "url", "streamable-http": "url"}
_KEYS = {"command": ("args", "env", "cwd"), "url": ("headers",)}
_SHARED = ("type", "disabled")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerAddress:
    """How one MCP server is reached: ``command`` starts it (stdio), or it answers at ``url`` (streamable HTTP).

    What may hold secrets is left out of its ``repr``.
    """

    name: str
    command: str | None = None
    args: Sequence[str] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None
    url: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Twice(ValueError):
    """A key stands twice in one object; which of them is meant?"""


def read_servers(file: Path, environment: Mapping[str, str]) -> tuple[ServerAddress, ...]:
    """The servers that ``file`` names, without those that are ``disabled``. Raises ``Faulty`` with every fault."""
    named = _named(file)
    faults: list[Fault] = []
    found = []
    for name, said in named.items():
        reader = _Reader(f"{file}: mcpServers.{name}", environment)
        address = reader.address(name, said)
        faults += reader.faults
        if address is not None and said.get("disabled") is not True:
            found.append(address)
    if faults:
        raise Faulty(tuple(faults), code="mcp_servers")
    return tuple(found)


def _named(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise Invalid(f"{file} can't be read ({type(error).__name__}). Check SIGNOFF_MCP.") from None
    except _Twice as twice:
        raise Invalid(f"{file}: {twice} stands twice in one object; keep one.") from None
    except ValueError as error:
        raise Invalid(f"{file} is no JSON: {error}.") from None
    named = read.get("mcpServers") if isinstance(read, dict) else None
    if not isinstance(named, dict):
        raise Invalid(f'{file} names no servers: it must be an object such as {{"mcpServers": {{"git": {{…}}}}}}.')
    return named


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return made


class _Reader:
    """Reads one server's entry, and notes all that is wrong with it."""

    def __init__(self, where: str, environment: Mapping[str, str]) -> None:
        self._where = where
        self._environment = environment
        self.faults: list[Fault] = []

    def address(self, name: str, said: Any) -> ServerAddress | None:
        """The server as it is reached; None where that can't be said."""
        if not _NAME.fullmatch(name):
            words = "a server is named with up to 32 letters, digits, - and single _, beginning and ending with no sign"
            self._wrong(words)
            return None
        if not isinstance(said, dict):
            self._wrong('must be an object with "command" or "url"')
            return None
        if (way := self._way(said)) is None:
            return None
        for key in said.keys() - {way, *_KEYS[way], *_SHARED}:
            self._wrong(f"there is no such key; known are {', '.join((way, *_KEYS[way], *_SHARED))}", key)
        if not isinstance(said.get("disabled", False), bool):
            self._wrong("must be true or false", "disabled")
        return self._by_command(name, said) if way == "command" else self._by_url(name, said)

    def _way(self, said: Mapping[str, Any]) -> str | None:
        ways = [way for way in _KEYS if way in said]
        if len(ways) != 1:
            self._wrong('must have either "command" (it is started here) or "url" (it answers there)')
            return None
        if "type" in said and _KINDS.get(said["type"] if isinstance(said["type"], str) else "") != ways[0]:
            self._wrong('must be "stdio" with a command, or "http" (streamable HTTP) with a url', "type")
        return ways[0]

    def _by_command(self, name: str, said: Mapping[str, Any]) -> ServerAddress:
        args = said.get("args", [])
        if not isinstance(args, list):
            self._wrong("must be a list of texts", "args")
            args = []
        return ServerAddress(
            name=name,
            command=self._text(said["command"], "command"),
            args=tuple(self._text(one, f"args[{place}]") for place, one in enumerate(args)),
            env=self._texts(said, "env"),
            cwd=self._text(said["cwd"], "cwd") if said.get("cwd") is not None else None,
        )

    def _by_url(self, name: str, said: Mapping[str, Any]) -> ServerAddress:
        url = self._text(said["url"], "url")
        if not self.faults and not _is_address(url):
            self._wrong("must be the address of an MCP server, such as https://crm.example.com/mcp", "url")
        headers = self._texts(said, "headers")
        for header, value in headers.items():
            if not _HEADER.fullmatch(header) or not _VALUE.fullmatch(value):
                words = "no header can be sent so: it holds a line break, a space at an end, or what is no ASCII"
                self._wrong(words, f"headers.{shortened(repr(header), 80)}")
        return ServerAddress(name=name, url=url, headers=headers)

    def _texts(self, said: Mapping[str, Any], key: str) -> dict[str, str]:
        texts = said.get(key, {})
        if not isinstance(texts, dict):
            self._wrong("must be an object of texts", key)
            return {}
        return {name: self._text(text, f"{key}.{name}") for name, text in texts.items()}

    def _text(self, text: Any, key: str) -> str:
        """``text`` with what the environment says in the place of each ``${NAME}``."""
        if not isinstance(text, str) or "\0" in text:
            self._wrong("must be a text", key)
            return ""

        def meant(found: re.Match[str]) -> str:
            value = self._environment.get(found["name"]) or found["otherwise"]
            if value is None:
                self._wrong(f"{found['name']} is not set where the gateway runs", key)
            return value or ""

        return _MEANT.sub(meant, text)

    def _wrong(self, words: str, key: str = "") -> None:
        self.faults.append(Fault(where=f"{self._where}.{key}" if key else self._where, words=words))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return False
