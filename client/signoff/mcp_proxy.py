"""An MCP server's tools behind the gate: the proxy starts the server, and asks the gateway before each call.

Client and server stay as they are: the tools keep their names, schemas and results; reviewers get the tool's own schema
as the form for edits. Resources, prompts and notices of changed lists pass through. Sampling and elicitation don't:
what a server has somebody fill in, in the middle of a call, is nothing that anybody approved. What isn't approved comes
back as the tool's error, in words for the model. Needs the extra ``signoff[mcp]``.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mcp_types as types
from mcp import Client
from mcp.client.session import IncomingMessage
from mcp.server import NotificationOptions, Server
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError

from signoff.async_client import AsyncSignoff
from signoff.errors import SignoffError, StillPending
from signoff.mcp_desk import Asked, Desk
from signoff.mcp_rounds import Called, Context
from signoff.mcp_serving import on_stdio, open_desk
from signoff.models import Request
from signoff.permit import AsyncPermit

Result = types.CallToolResult | types.InputRequiredResult
NOTE = 1_000
CHANGED = (
    types.ToolListChangedNotification,
    types.ResourceListChangedNotification,
    types.PromptListChangedNotification,
)
CHANGES = NotificationOptions(tools_changed=True, resources_changed=True, prompts_changed=True)
LOST = (types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT)
"""Errors that say nothing about the call itself: it may have run."""


@dataclass(kw_only=True)
class Proxy:
    """Gates ``upstream``, whose tools the policy knows as ``NAME.tool``.

    The name is the operator's: one that a server gave itself could meet a rule made for another. ``hold``: for how many
    seconds one call waits for people, below the minute after which clients give up; then the model is told to call
    again, and the same call goes on waiting for the same request.
    """

    client: AsyncSignoff
    desk: Desk
    upstream: Client
    name: str
    hold: float
    _tools: dict[str, types.Tool] = field(default_factory=dict)
    _session: ServerSession | None = None

    async def heard(self, message: IncomingMessage) -> None:
        """Pass on that the server's lists changed, and know its tools anew: reviewers edit in forms made of them."""
        if isinstance(message, CHANGED):
            self._tools.clear()
            if self._session is not None:
                with contextlib.suppress(MCPError):  # a client that can't be told
                    await self._session.send_notification(message)

    def server(self) -> Server[Any]:
        """The server that agents talk to, with what the upstream server has."""
        has = self.upstream.server_capabilities
        more: dict[str, Any] = {}
        if has.resources is not None:
            more |= {"on_list_resources": self._resources, "on_read_resource": self._resource}
            more |= {"on_list_resource_templates": self._templates}
        if has.prompts is not None:
            more |= {"on_list_prompts": self._prompts, "on_get_prompt": self._prompt}
        return Server(self.name, on_list_tools=self._list, on_call_tool=self._call, **more)

    async def _list(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        self._session = ctx.session
        found = await self.upstream.list_tools(cursor=params.cursor if params else None)
        self._tools.update({tool.name: tool for tool in found.tools})
        return found

    async def _call(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        called = Called.of(ctx, params)
        try:
            request = await self.desk.again(called, f"{self.name}.{params.name}", params.arguments or {})
            request = request or await self.desk.ask(called, partial(self._asked, params.name, params.arguments or {}))
            permit = await self.desk.permit(await self.desk.settled(called, request, seconds=self.hold))
        except Asked as asked:
            return called.form_first(asked.request, asked.inquiry)
        except StillPending as waiting:
            words = f"{waiting} Call {params.name} again with the same arguments to go on waiting."
            return called.come_again(waiting.request) or _error(words)
        except SignoffError as refused:
            return _error(str(refused))
        return await self._run(params.name, permit)

    async def _run(self, name: str, permit: AsyncPermit) -> Result:
        """Pass the call on and report its end. Where the server went away in the middle of it nothing is reported."""
        async with permit:
            try:
                result = await self.upstream.call_tool(name, permit.arguments)
            except MCPError as error:
                if error.code in LOST:
                    permit.reported = True
                    return _error(f"The server behind {name} is gone ({error}): look whether it ran before you go on.")
                await permit.ended(str(error)[:NOTE])
                raise
            if result.is_error:
                await permit.ended(_text(result)[:NOTE])
        return result

    async def _asked(self, name: str, arguments: dict[str, Any]) -> Request:
        tool = await self._known(name)
        told: dict[str, Any] = {}
        if tool is not None:
            told = {"schema": tool.input_schema, "description": tool.description}
        return await self.client.submit(f"{self.name}.{name}", arguments, **told)

    async def _known(self, name: str) -> types.Tool | None:
        """The tool as the server describes it, all its pages read if need be."""
        cursor = None
        while name not in self._tools:
            found = await self.upstream.list_tools(cursor=cursor)
            self._tools.update({tool.name: tool for tool in found.tools})
            cursor = found.next_cursor
            if cursor is None:
                break
        return self._tools.get(name)

    async def _resources(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        return await self.upstream.list_resources(cursor=params.cursor if params else None)

    async def _templates(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return await self.upstream.list_resource_templates(cursor=params.cursor if params else None)

    async def _resource(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await self.upstream.read_resource(params.uri)

    async def _prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return await self.upstream.list_prompts(cursor=params.cursor if params else None)

    async def _prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return await self.upstream.get_prompt(params.name, params.arguments)


async def serve(upstream: Any, *, name: str, hold: float, run: str | None, allow_http: bool) -> None:
    """Speak MCP on standard input and output until the client goes; ``upstream`` as ``mcp.Client`` takes it."""
    behind = Client(upstream)
    async with open_desk(run=run, allow_http=allow_http) as desk:
        proxy = Proxy(client=desk.client, desk=desk, upstream=behind, name=name, hold=hold)
        behind.message_handler = proxy.heard
        async with behind:
            await on_stdio(proxy.server(), desk, CHANGES)


def _error(words: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)], is_error=True)


def _text(result: types.CallToolResult) -> str:
    return " ".join(part.text for part in result.content if isinstance(part, types.TextContent))
