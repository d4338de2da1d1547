"""The runner's MCP servers: each is reached when it is first needed, and again after it broke.

A call that was sent is sent once. Where its answer doesn't come, it is in doubt and people are asked, whatever the
server says later; where the server can't be reached before, the call has failed and the model hears why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from bot.agent.mcp_file import ServerAddress
from bot.agent.mcp_link import LONGEST_CALL, Broken, Link
from bot.agent.mcp_listing import NotOffered, offered
from bot.agent.mcp_results import result_of, text_of
from bot.agent.tools import Offered, ToolFailed, ToolInDoubt
from bot.logs import get_logger
from policies.redaction import shortened

if TYPE_CHECKING:
    import mcp_types as types

log = get_logger("signoff.mcp")

CONNECT = 20.0
"""Seconds that a server is given to start and answer."""

LIST = 20.0
"""Seconds that it is given to list its tools."""

REST = 15.0
"""Seconds for which a server that could not be reached isn't asked for its tools again."""

MOST_TOOLS = 500
WORDS = 2_000


class McpServer:
    """One server and the connection to it."""

    def __init__(self, address: ServerAddress) -> None:
        self.name = address.name
        self._address = address
        self._link: Link | None = None
        self._alone = asyncio.Lock()
        self._rests: tuple[float, str] = (0.0, "")
        self.passed_over: set[str] = set()
        """Why which of its tools are not offered."""

    async def tools(self) -> dict[str, Offered]:
        """Its tools as it lists them now, by the names that the policy knows. Raises ``Broken``."""
        until, why = self._rests
        if time.monotonic() < until:
            raise Broken(why)
        try:
            async with self._alone:
                listed = await self._listed()
        except Broken as broken:
            self._rests = (time.monotonic() + REST, str(broken))
            raise
        return self._offered(listed)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``tool`` (as the server itself calls it) once: JSON. Raises ``ToolFailed`` or ``ToolInDoubt``."""
        name = f"{self.name}.{tool}"
        try:
            async with self._alone:
                link = await self._ready()
        except Broken as broken:
            raise ToolFailed(f"{self.name} can't be reached: {broken}. {name} was not run.") from broken
        try:
            answer = await link.answer(_call(link, tool, dict(arguments)), LONGEST_CALL)
        except Broken as broken:
            raise ToolInDoubt(f"{name}: {broken}") from broken
        except Exception as error:
            self._refused(name, error)
        return _told(name, answer)

    async def close(self) -> None:
        """End the connection, if there is one."""
        if self._link is not None:
            await self._link.close()

    async def _ready(self) -> Link:
        """A connection that a call may be sent over: one in use, or one that has just answered."""
        if self._link is not None and self._link.busy:
            return self._link
        return (await self._reached())[0]

    async def _reached(self) -> tuple[Link, types.ListToolsResult]:
        """A connection that has just answered, with the first page of tools. A broken one is made anew, once."""
        if self._link is not None:
            try:
                return self._link, await _page(self._link)
            except Broken as broken:
                if self._link.busy:  # a call is under way, and a server may do one thing at a time
                    raise
                log.warning("an MCP server is connected to again", server=self.name, why=str(broken))
                await self._link.close()
        self._link = await Link.opened(self._address, CONNECT)
        return self._link, await _page(self._link)

    async def _listed(self) -> list[types.Tool]:
        link, page = await self._reached()
        listed = list(page.tools)
        while page.next_cursor and page.tools and len(listed) < MOST_TOOLS:
            page = await _page(link, page.next_cursor)
            listed += page.tools
        return listed[:MOST_TOOLS]

    def _offered(self, listed: Sequence[types.Tool]) -> dict[str, Offered]:
        found: dict[str, Offered] = {}
        for each in listed:
            try:
                tool = offered(self.name, each.name, each.description, each.input_schema)
            except NotOffered as unfit:
                self._pass_over(str(unfit))
                continue
            found.setdefault(tool.name, tool)
        return found

    def _pass_over(self, why: str) -> None:
        """Say once that a tool isn't offered."""
        if why not in self.passed_over:
            self.passed_over.add(why)
            log.warning("a tool of an MCP server is not offered", server=self.name, why=why)

    def _refused(self, name: str, error: Exception) -> NoReturn:
        """What an error that stands for the call's answer means: did the server refuse it, or is it in doubt?"""
        from mcp import MCPError

        words = shortened(" ".join(str(error).split()) or type(error).__name__, WORDS)
        if not isinstance(error, MCPError) or error.code in self._doubtful():
            raise ToolInDoubt(f"{name}: {words}") from error
        raise ToolFailed(f"{name} failed: {words}") from error

    def _doubtful(self) -> frozenset[int]:
        """Codes that the transport gives by itself where the answer is lost; over HTTP for a proxy's error page too."""
        import mcp_types as types

        lost = {types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT}
        if self._address.url is not None:
            lost |= {types.INTERNAL_ERROR, types.INVALID_REQUEST, types.PARSE_ERROR}
        return frozenset(lost)


class McpServers:
    """All of them, by name; a tool's name says whose it is (``git.git_commit``)."""

    def __init__(self, addresses: Sequence[ServerAddress] = ()) -> None:
        self.by_name = {address.name: McpServer(address) for address in addresses}

    def __len__(self) -> int:
        return len(self.by_name)

    def call_of(self, tool: str) -> Callable[[Mapping[str, Any]], Awaitable[Any]] | None:
        """How ``tool`` is called; None where it belongs to no server."""
        name, dot, inner = tool.partition(".")
        if not dot or (server := self.by_name.get(name)) is None:
            return None
        return lambda arguments: server.call(inner, arguments)

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(server.close() for server in self.by_name.values()), return_exceptions=True)


async def _page(link: Link, cursor: str | None = None) -> types.ListToolsResult:
    try:
        return await link.answer(link.client.list_tools(cursor=cursor), LIST)
    except Broken:
        raise
    except Exception as error:
        raise Broken(shortened(" ".join(str(error).split()) or type(error).__name__, WORDS)) from error


async def _call(link: Link, tool: str, arguments: dict[str, Any]) -> types.CallToolResult | types.InputRequiredResult:
    """Sent by the session itself: the client's own way would check the answer against a schema, and lose it there."""
    import mcp_types as types
    from pydantic import TypeAdapter

    asking = types.CallToolRequest(params=types.CallToolRequestParams(name=tool, arguments=arguments))
    answers: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
        types.CallToolResult | types.InputRequiredResult
    )
    return await link.client.session.send_request(asking, answers)


def _told(name: str, answer: types.CallToolResult | types.InputRequiredResult) -> Any:
    import mcp_types as types

    if isinstance(answer, types.InputRequiredResult):
        raise ToolFailed(f"{name} asks for more than its arguments, which nobody is here to give.")
    if answer.is_error:
        said = " ".join(text_of(answer).split()) or "it said no more"
        raise ToolFailed(shortened(f"{name} failed: {said}", WORDS))
    return result_of(answer)
