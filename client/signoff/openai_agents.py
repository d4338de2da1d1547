"""OpenAI Agents SDK: ``agent = Gate(AsyncSignoff()).agent(agent)`` asks the gateway before each tool call of the agent.

The gate stands in the tool itself: whoever approves a ``RunState``, the tool runs only with the gateway's permit, and
with the arguments that were approved, edits included. What isn't approved reaches the model as the tool's output, in
words. Needs ``openai-agents`` 0.24 or newer.
"""

from __future__ import annotations

import asyncio
import copy
import json
import weakref
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

from agents import (
    Agent,
    FunctionTool,
    Handoff,
    RunContextWrapper,
    Runner,
    RunResult,
    RunState,
    Tool,
    ToolApprovalItem,
    ToolCallOutputItem,
    ToolTimeoutError,
    TResponseInputItem,
)
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.tool import (
    default_tool_timeout_error_message,
    invoke_function_tool,
    maybe_invoke_function_tool_failure_error_function,
    set_function_tool_failure_error_function,
)
from agents.tool_context import ToolContext

from signoff.async_client import AsyncSignoff
from signoff.errors import SignoffError
from signoff.models import Request
from signoff.openai_calls import Together, arguments_of, forget, keep_state, mark_of, name_of, raw, recall, words_of
from signoff.permit import AsyncPermit

EDITED = "{by} changed this call, and it did not run yet. Call {tool} again with exactly these arguments: {arguments}"


class Gate:
    """Gates agents' tools, all of them or those named: function tools, MCP servers' tools, and agents used as tools.

    One gate may serve many agents and runs at once; where you call ``answer`` yourself, make one for each run. With
    ``AsyncSignoff(run="…")`` an agent that was started again finds its requests.
    """

    def __init__(self, client: AsyncSignoff, tools: Collection[str] | None = None) -> None:
        self._client = client
        self._tools = tools
        self._agents: dict[tuple[int, bool], tuple[Agent[Any], Agent[Any]]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._permits: dict[str, list[AsyncPermit]] = {}
        self._foreign: list[tuple[str | None, AsyncPermit]] = []
        self._edited: dict[str, list[Request]] = {}

    def agent(self, agent: Agent[Any], *, stops: bool = False) -> Agent[Any]:
        """A copy of the agent with its tools gated, and so with those it hands over to.

        A call waits for people inside the run; with ``stops`` the run ends there instead, with ``interruptions`` that
        ``answer`` answers. Raises ``TypeError`` for a tool that runs where no gate can be.
        """
        known = self._agents.get((id(agent), stops))
        if known is not None:
            return known[1]
        if isinstance(agent, _Gated):
            raise TypeError(f"The agent {agent.name} stands behind a gate already; give its plain form.")
        kind = type(agent.__class__.__name__, (_Gated, agent.__class__), {"gate": self, "stops": stops})
        gated: Agent[Any] = kind(**{field.name: getattr(agent, field.name) for field in fields(agent) if field.init})
        self._agents[id(agent), stops] = (agent, gated)
        gated.tools = [self._gated(tool, stops=stops) for tool in agent.tools]
        gated.handoffs = [self._handed(each, stops=stops) for each in agent.handoffs]
        return gated

    def tool(self, tool: FunctionTool) -> FunctionTool:
        """A copy of one tool, gated; for agents that are put together elsewhere."""
        if isinstance(tool.on_invoke_tool, _Asking):
            return tool
        self._told[tool.qualified_name] = {"schema": tool.params_json_schema, "description": tool.description}
        gated = copy.copy(tool)
        gated.on_invoke_tool = _Asking(self, tool)
        gated.timeout_seconds = None  # people take longer; the tool alone keeps its time
        return gated

    async def run(
        self, agent: Agent[Any], input: str | list[TResponseInputItem], *, keep: Path | None = None, **options: Any
    ) -> RunResult:
        """Run the agent to its end, as ``Runner.run`` does with ``options``; calls of one turn are asked together.

        ``keep``: the file where the run's state stands while people think. A program that is started again goes on
        from there, without its model being asked anew; it needs ``AsyncSignoff(run="…")``, the name of the work.
        """
        if keep is not None and self._client.run is None:
            raise ValueError("keep= needs AsyncSignoff(run=…): the name by which this work finds its requests again.")
        gate = Gate(self._client, self._tools)  # one for each run: some models number their calls
        stopping, step = gate.agent(agent, stops=True), input  # type: Agent[Any], Any
        kept = recall(keep)
        if kept is not None:
            step = await RunState.from_string(stopping, kept)
        while True:
            if isinstance(step, RunState):
                await gate.answer(step)
            result = await Runner.run(stopping, step, **options)
            await gate._reported(result)
            if not result.interruptions:
                break
            step = result.to_state()
            keep_state(keep, step)
        forget(keep)
        return result

    async def answer(self, state: RunState[Any, Any]) -> None:
        """Ask about every call that the state waits for, together, and approve or reject each in the state.

        The permits are taken when all are decided, or before they lapse: a program that is stopped while people think
        has begun none of its calls.
        """
        items = state.get_interruptions()
        rest = Together([mark_of(each.call_id, name_of(each), words_of(each)) for each in items], self._client.run)
        found = await asyncio.gather(*(self._refused(each, rest) for each in items))
        for item, words in zip(items, found, strict=True):
            if words is None:
                state.approve(item)
            else:
                state.reject(item, rejection_message=words)

    async def invoke(self, tool: FunctionTool, ctx: ToolContext[Any], text: str) -> Any:
        """Run a tool's call as approved, once, and report how it went; else say why it did not run."""
        try:
            arguments, mark = arguments_of(text), mark_of(ctx.tool_call_id, tool.qualified_name, text)
            permit = self._taken(mark)
            if permit is None:
                told = self._told[tool.qualified_name]
                permit = await self._client.approve_or_raise(tool.qualified_name, arguments, **told)
        except (SignoffError, ValueError) as refused:
            return str(refused)
        approved, permit.reported = json.dumps(permit.arguments), False
        ctx.tool_arguments = approved if permit.request.modified else text
        try:
            async with permit:
                result = await invoke_function_tool(function_tool=_bare(tool), context=ctx, arguments=approved)
                permit.reported = self._goes_on(mark, ctx, permit)
                return result
        except ToolTimeoutError as error:
            return await _late(tool, ctx, error)
        except Exception as error:
            words = await maybe_invoke_function_tool_failure_error_function(
                function_tool=tool, context=ctx, error=error
            )
            if words is None:
                raise
            return words

    def gates(self, tool: Tool) -> bool:
        """Is this gate for the tool?"""
        names = {tool.name, getattr(tool, "qualified_name", tool.name)}
        return self._tools is None or not names.isdisjoint(self._tools)

    def _gated(self, tool: Tool, *, stops: bool) -> Tool:
        """The tool with the gate in it. Raises ``TypeError`` where there is no place for one."""
        if not self.gates(tool):
            return tool
        if isinstance(tool, FunctionTool):
            gated = self.tool(tool)
            if stops and gated is not tool:
                gated.needs_approval = True
            return gated
        config = getattr(tool, "tool_config", {})
        stopped = getattr(tool, "needs_approval", False) is True or config.get("require_approval") == "always"
        if stopped and not (getattr(tool, "on_approval", None) or getattr(tool, "on_approval_request", None)):
            return tool  # the SDK ends the run there, and only ``answer`` goes on
        raise TypeError(
            f"{tool.name} runs where no gate can be: let it need approval (needs_approval=True, or require_approval="
            '"always") and use run, or name the tools to be gated: Gate(client, tools=[…]).'
        )

    def _handed(self, handed: Any, *, stops: bool) -> Any:
        """Whom the agent hands over to, gated as well."""
        if isinstance(handed, Agent):
            return self.agent(handed, stops=stops)
        target = handed._agent_ref() if getattr(handed, "_agent_ref", None) is not None else None
        if not (isinstance(handed, Handoff) and isinstance(target, Agent)):
            raise TypeError(
                "This gate can't see whom the agent hands over to: use handoff(agent), or the agent itself."
            )
        fresh, invoke = copy.copy(handed), handed.on_invoke_handoff
        fresh._agent_ref = weakref.ref(self.agent(target, stops=stops))

        async def invoked(ctx: RunContextWrapper[Any], text: str) -> Agent[Any]:
            found = await invoke(ctx, text)
            return found if isinstance(found, _Gated) else self.agent(found, stops=stops)

        fresh.on_invoke_handoff = invoked
        return fresh

    async def _refused(self, item: ToolApprovalItem, rest: Together) -> str | None:
        """Why the call must not run; None where it may, its permit taken."""
        name, text = name_of(item), words_of(item)
        gated = isinstance(item.agent, _Gated) and item.agent.gate is self and raw(item, "type") == "function_call"
        try:
            async with rest:
                settled = await self._settled(item, name, text, rest)
            edited = mark_of(None, name, json.dumps(settled.arguments)) != mark_of(None, name, text)
            if settled.approved and edited and not gated:
                return self._changed(name, settled)
            await rest.over(settled)
            permit = await self._client.claim(settled)
        except (SignoffError, ValueError) as refused:
            return str(refused)
        if gated:
            self._permits.setdefault(mark_of(item.call_id, name, text), []).append(permit)
        else:
            self._foreign.append((item.call_id, permit))
        return None

    async def _settled(self, item: ToolApprovalItem, name: str, text: str, rest: Together) -> Request:
        """The decided request for a waiting call: that of an edit which the model now follows, or its own."""
        standing = self._edited.get(mark_of(None, name, text))
        if standing:
            return standing.pop()
        key = f"openai-agents {self._client.run} {mark_of(item.call_id, name, text)}" if self._client.run else None
        told = {**self._told.get(name, {}), "group": rest.group}
        return await self._client.wait(await self._client.submit(name, arguments_of(text), key=key, **told))

    def _changed(self, name: str, settled: Request) -> str:
        """Words about an edit of a call that has no gate of ours in its tool; the next such call has its approval."""
        told = json.dumps(settled.arguments)
        self._edited.setdefault(mark_of(None, name, told), []).append(settled)
        return EDITED.format(by=settled.deciders, tool=name, arguments=told)

    async def _reported(self, result: RunResult) -> None:
        """Report the calls that the SDK ran without a gate of ours in them: what has an output did run."""
        made = {raw(item, "call_id") for item in result.new_items if isinstance(item, ToolCallOutputItem)}
        made |= {raw(item, "approval_request_id") for item in result.new_items}
        for each in [each for each in self._foreign if each[0] in made]:
            self._foreign.remove(each)
            await each[1].ended()

    def _goes_on(self, mark: str, ctx: ToolContext[Any], permit: AsyncPermit) -> bool:
        """Has an agent used as a tool stopped for calls of its own? Then the call isn't over, and keeps its permit."""
        inner = ctx.tool_call and peek_agent_tool_run_result(ctx.tool_call, scope_id=get_agent_tool_state_scope(ctx))
        if not getattr(inner, "interruptions", None):
            return False
        self._permits.setdefault(mark, []).append(permit)
        return True

    def _taken(self, call: str) -> AsyncPermit | None:
        permits = self._permits.get(call)
        return permits.pop() if permits else None


class _Gated(Agent[Any]):
    """An agent that has only gated tools, whatever is put into it later. ``gate`` and ``stops`` are of its class."""

    gate: ClassVar[Gate]
    stops: ClassVar[bool]

    async def get_mcp_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """The MCP servers' tools, gated."""
        found = await super().get_mcp_tools(run_context)
        return [self.gate._gated(tool, stops=self.stops) for tool in found]

    async def get_all_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """All tools. Raises ``TypeError`` where one was added past the gate."""
        found = await super().get_all_tools(run_context)
        for tool in found:
            if self.gate._gated(tool, stops=self.stops) is not tool:
                raise TypeError(f"{tool.name} was added past the gate: give the agent all its tools before it.")
        return found


class _Asking:
    """What stands in a gated tool in place of the call."""

    def __init__(self, gate: Gate, tool: FunctionTool) -> None:
        self._gate, self._tool = gate, tool

    async def __call__(self, ctx: ToolContext[Any], text: str) -> Any:
        return await self._gate.invoke(self._tool, ctx, text)


def _bare(tool: FunctionTool) -> FunctionTool:
    """The tool with its failures let out, so that they can be reported; words are made of them afterwards."""
    bare = set_function_tool_failure_error_function(copy.copy(tool), None)
    bare.timeout_behavior = "raise_exception"
    return bare


async def _late(tool: FunctionTool, ctx: ToolContext[Any], error: ToolTimeoutError) -> Any:
    """What the SDK does with a tool that took too long."""
    if tool.timeout_behavior == "raise_exception":
        raise error
    if tool.timeout_error_function is None:
        return default_tool_timeout_error_message(tool_name=tool.name, timeout_seconds=error.timeout_seconds)
    said = tool.timeout_error_function(ctx, error)
    return said if isinstance(said, str) else await said
