"""Pydantic AI: ``Agent(…, capabilities=[Gate(AsyncSignoff())])`` asks the gateway before each tool call of the agent.

Edits arrive as ``override_args``, which Pydantic AI validates like the model's own; what people refuse reaches the
model as a denied call, in their words; the tool's end is reported. Needs ``pydantic-ai-slim`` 2.60 or newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapToolExecuteHandler
from pydantic_ai.exceptions import ApprovalRequired
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import (
    DeferredToolRequests,
    DeferredToolResults,
    RunContext,
    ToolApproved,
    ToolDefinition,
    ToolDenied,
)

from signoff.async_client import AsyncSignoff
from signoff.errors import SignoffError
from signoff.permit import AsyncPermit
from signoff.together import together


class Gate(AbstractCapability[Any]):
    """Gates an agent's tools, all of them or those named. One gate may serve many runs at once.

    With ``AsyncSignoff(run="…")`` an agent that was started again, from its stored messages, finds its requests.
    """

    def __init__(self, client: AsyncSignoff, tools: Collection[str] | None = None) -> None:
        self._client = client
        self._tools = tools
        self._permits: dict[str, AsyncPermit] = {}
        self._begun: set[str] = set()

    async def for_run(self, ctx: RunContext[Any]) -> Gate:
        """A gate of its own for each run: some models number their calls, so two runs may use the same ids."""
        return Gate(self._client, self._tools)

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """Put off each call that isn't approved; what people need to see of its tool goes along."""
        if (self._tools is None or call.tool_name in self._tools) and call.tool_call_id not in self._begun:
            told = {"schema": tool_def.parameters_json_schema, "description": tool_def.description}
            raise ApprovalRequired(metadata={"signoff": told})
        self._begun.discard(call.tool_call_id)
        return args

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[Any], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """Ask for all calls that this gate put off, together; others are left to whoever put them off."""
        ours = [call for call in requests.approvals if "signoff" in requests.metadata.get(call.tool_call_id, {})]
        if not ours:
            return None
        group = together(len(ours))
        told = [{**requests.metadata[call.tool_call_id]["signoff"], **group} for call in ours]
        found = await asyncio.gather(*(self._asked(call, words) for call, words in zip(ours, told, strict=True)))
        answers = {call.tool_call_id: answer for call, (answer, _) in zip(ours, found, strict=True)}
        by = {call.tool_call_id: who for call, (_, who) in zip(ours, found, strict=True)}
        return requests.build_results(approvals=answers, answered_by=by)

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: WrapToolExecuteHandler,
    ) -> Any:
        """Run an approved call, once, and report how it went."""
        permit = self._permits.pop(call.tool_call_id, None)
        if permit is None:
            return await handler(args)  # which puts it off, if this gate is for it
        self._begun.add(call.tool_call_id)
        try:
            async with permit:
                return await handler(args)
        finally:
            self._begun.discard(call.tool_call_id)

    async def _asked(self, call: ToolCallPart, told: dict[str, Any]) -> tuple[ToolApproved | ToolDenied, str]:
        """The answer to one call, and who gave it; no answer is a no."""
        try:
            permit = await self._client.approve_or_raise(call.tool_name, call.args_as_dict(), **told)
        except SignoffError as refused:
            return ToolDenied(message=str(refused)), "signoff"
        self._permits[call.tool_call_id] = permit
        edited = permit.arguments if permit.request.modified else None
        return ToolApproved(override_args=edited), permit.request.deciders
