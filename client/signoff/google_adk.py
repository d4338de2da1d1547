"""Google ADK: ``Runner(…, plugins=[Gate(AsyncSignoff())])`` asks the gateway before each tool call of all its agents.

An edit changes the call's arguments before the tool sees them; what isn't approved is answered in the tool's stead, in
words for the model; a tool that needs confirmation is confirmed by the approval. Needs ``google-adk`` 2.13 or newer.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_confirmation import ToolConfirmation
from google.adk.tools.tool_context import ToolContext

from signoff.async_client import AsyncSignoff
from signoff.errors import SignoffError
from signoff.permit import AsyncPermit, note_of

NOTE = 1_000


class Gate(BasePlugin):
    """Gates the tools of a runner's agents, all of them or those named. Put it last among the plugins.

    A plugin or callback of yours that comes after it could still change a call. With ``AsyncSignoff(run="…")`` an agent
    that was started again finds its requests.
    """

    def __init__(self, client: AsyncSignoff, tools: Collection[str] | None = None) -> None:
        super().__init__(name="signoff")
        self._client = client
        self._tools = tools
        self._permits: dict[int, tuple[ToolContext, AsyncPermit]] = {}

    async def before_tool_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """Ask for the call; let it run as approved, or answer in its stead why it doesn't."""
        if self._tools is not None and tool.name not in self._tools:
            return None
        try:
            asked = copy.deepcopy(tool_args)
            permit = await self._client.approve_or_raise(tool.name, asked, **_told(tool))
        except SignoffError as refused:
            return {"error": str(refused)}
        tool_args.clear()
        tool_args.update(permit.arguments)
        if tool_context.tool_confirmation is None:
            tool_context.tool_confirmation = ToolConfirmation(confirmed=True)
        self._permits[id(tool_context)] = (tool_context, permit)
        return None

    async def after_tool_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext, result: Any
    ) -> dict[str, Any] | None:
        """Report how an approved call went."""
        permit = self._taken(tool_context)
        if permit is not None:
            failed = isinstance(result, dict) and (result.get("error") or result.get("isError"))
            await permit.ended(str(result.get("error") or result.get("content"))[:NOTE] if failed else None)
        return None

    async def on_tool_error_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext, error: BaseException
    ) -> dict[str, Any] | None:
        """Report a call that failed. Of one that was cancelled nobody knows whether it ran, so nothing is said."""
        permit = self._taken(tool_context)
        if permit is not None and isinstance(error, Exception):
            await permit.ended(note_of(error))
        return None

    def _taken(self, tool_context: ToolContext) -> AsyncPermit | None:
        """The permit of this very call; the context is kept with it, lest another one get its id."""
        found = self._permits.pop(id(tool_context), None)
        return found[1] if found is not None else None


def _told(tool: BaseTool) -> dict[str, Any]:
    """What people need to see of a tool: its own description, and its schema for the form."""
    declared = tool._get_declaration()
    schema = getattr(declared, "parameters_json_schema", None)
    if schema is None and getattr(declared, "parameters", None) is not None:
        schema = declared.parameters.json_schema.model_dump(mode="json", exclude_none=True)
    return {"schema": schema, "description": tool.description or None}
