"""The tools of one run: those of SIGNOFF_TOOLS, and what the MCP servers of SIGNOFF_MCP listed when it began.

A server that can't be reached then is asked again before the next turn; a list that changes meanwhile counts from the
next run on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from bot.agent.mcp_link import Broken
from bot.agent.mcp_servers import McpServers
from bot.agent.tools import Offered, ToolBox, ToolFailed, bound
from bot.agent.wire_names import wire_name
from bot.logs import get_logger

log = get_logger("signoff.mcp")


class Rack:
    """What one run may call, by the names that the policy knows."""

    def __init__(self, own: ToolBox, servers: McpServers) -> None:
        self._own = own
        self._servers = servers
        self._listed: dict[str, Mapping[str, Offered]] = {}
        self.tools: dict[str, Offered] = dict(own.tools)
        self.names: dict[str, str] = {wire_name(name): name for name in own.tools}
        """The tools' own names by those that the model knows."""

    def __iter__(self) -> Iterator[Offered]:
        return iter(self.tools.values())

    @property
    def notice(self) -> str:
        """What the model must know of servers whose tools are missing; empty where none are."""
        gone = [name for name in self._servers.by_name if name not in self._listed]
        return f"\nThe tools of {', '.join(gone)} can't be reached now; say so where they are needed." if gone else ""

    async def fill(self) -> None:
        """Ask each server for its tools that hasn't told them yet."""
        unasked = [name for name in self._servers.by_name if name not in self._listed]
        for name, found in zip(unasked, await asyncio.gather(*map(self._tools_of, unasked)), strict=True):
            if found is not None:
                self._listed[name] = found
                self._add(found)

    async def _tools_of(self, server: str) -> Mapping[str, Offered] | None:
        try:
            return await self._servers.by_name[server].tools()
        except Broken as broken:
            log.warning("an MCP server can't be reached", server=server, why=str(broken))
            return None

    def _add(self, found: Mapping[str, Offered]) -> None:
        for name, tool in found.items():
            if self.names.setdefault(wire_name(name), name) == name:
                self.tools[name] = tool
            else:
                log.warning("a tool is not offered: the model would call another by the same name", tool=name)

    def check(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Raise ToolFailed if this call could not run; worth asking before people are."""
        found = self.tools.get(name)
        if found is None:
            raise ToolFailed(f"There is no tool named {name}. There are: {', '.join(self.names)}.")
        bound(found, arguments)

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run one call and return JSON. Raises ToolFailed, or ToolInDoubt where nobody knows whether it ran."""
        call = self._servers.call_of(name)
        return await (self._own.run(name, arguments) if call is None else call(arguments))
