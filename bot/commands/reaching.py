"""Are the MCP servers of SIGNOFF_MCP there? Each is reached once, as the runner will, and ended again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.bootstrap import load_servers
from bot.commands.findings import Finding, bad, care, good
from bot.settings import Settings
from policies.errors import Faulty, Invalid

if TYPE_CHECKING:
    from bot.agent.mcp_file import ServerAddress


async def mcp_servers(settings: Settings) -> AsyncIterator[Finding]:
    """One finding for each server; nothing where none are set."""
    try:
        addresses = load_servers(settings)
    except Faulty as faulty:
        for fault in faulty.faults:
            yield bad(str(fault))
        return
    except Invalid as error:
        yield bad(error.words)
        return
    if addresses and settings.anthropic_api_key is None:
        yield bad("SIGNOFF_MCP is set, so the runner needs ANTHROPIC_API_KEY for its model")
    for address in addresses or ():
        yield await _server(address)


async def _server(address: ServerAddress) -> Finding:
    from bot.agent.mcp_link import Broken
    from bot.agent.mcp_servers import McpServer

    server = McpServer(address)
    try:
        found = await server.tools()
    except Broken as broken:
        return bad(f"MCP server {address.name} can't be reached: {broken}; its tools are missing until it can")
    finally:
        await server.close()
    if server.passed_over:
        why = "; ".join(sorted(server.passed_over))
        return care(f"MCP server {address.name}: {len(found)} tools; not offered: {why}")
    if _in_clear(address):
        return care(f"MCP server {address.name}: {len(found)} tools; its headers go there unencrypted, use https")
    return good(f"MCP server {address.name}: {len(found)} tools, called {address.name}.NAME in the policy")


def _in_clear(address: ServerAddress) -> bool:
    """Do its headers, which may hold a token, leave this machine for all to read?"""
    parts = urlsplit(address.url or "")
    return bool(address.headers) and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
