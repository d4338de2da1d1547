"""LangChain: ``create_agent(…, middleware=[Gate(Signoff())])`` asks the gateway before each tool call of the agent.

The gate stands around the tool itself. Whoever starts or resumes the graph, and however often LangGraph runs a step
again: a call runs with a permit of its own, once. Needs ``langchain`` 1.4 or newer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langgraph.errors import GraphInterrupt
from langgraph.types import Command, interrupt

from signoff.async_client import AsyncSignoff
from signoff.client import Signoff
from signoff.errors import SignoffError
from signoff.models import Request
from signoff.permit import AsyncPermit, Permit
from signoff.threads import PARKED, told_of

Result = ToolMessage | Command[Any]


class Gate(AgentMiddleware[Any, Any, Any]):
    """Gates an agent's tools, all of them or those named. Put it last: what stands behind it, people don't see.

    With ``Signoff`` for ``invoke`` and ``stream``, with ``AsyncSignoff`` for ``ainvoke`` and ``astream``. A thread with
    a checkpointer that is run again finds its requests. ``park``: while people decide, the graph is interrupted and
    nothing waits; ``signoff.langgraph.Reviewed`` takes it up. ``repeatable`` names tools that do no harm when they run
    twice: they are begun again where an earlier life of the thread began them and never told how it went. ``tell``
    gives the API's other fields for a call: ``on_behalf_of``, ``reason``.
    """

    def __init__(
        self,
        client: Signoff | AsyncSignoff,
        tools: Collection[str] | None = None,
        *,
        park: bool = False,
        repeatable: Collection[str] = (),
        tell: Callable[[ToolCallRequest], Mapping[str, Any]] = lambda call: {},
    ) -> None:
        super().__init__()
        self._client = client
        self._gated = tools
        self._park = park
        self._repeatable = repeatable
        self._tell = tell
        self._paused: dict[str, Any] = {}

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]) -> Result:
        """Run an approved call, once, and report how it went; for what isn't approved the model hears why."""
        if self._gated is not None and request.tool_call["name"] not in self._gated:
            return handler(request)
        call = self._call(request)
        try:
            permit = self._paused.pop(call.key, None) or self._permit(call)
        except SignoffError as refused:
            return call.denied(str(refused))
        try:
            with permit, self._pausing(call, permit):
                return call.ended(handler(call.approved(permit.request)), permit.request)
        except ToolFailed as failed:
            return failed.result

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """As ``wrap_tool_call``."""
        if self._gated is not None and request.tool_call["name"] not in self._gated:
            return await handler(request)
        call = self._call(request)
        try:
            permit = self._paused.pop(call.key, None) or await self._apermit(call)
        except SignoffError as refused:
            return call.denied(str(refused))
        try:
            async with permit:
                with self._pausing(call, permit):
                    return call.ended(await handler(call.approved(permit.request)), permit.request)
        except ToolFailed as failed:
            return failed.result

    def _call(self, request: ToolCallRequest) -> Call:
        call = Call.of(request, self._tell(request))
        if self._park and call.thread is None:
            raise ValueError('A gate that parks needs a checkpointer and a thread: {"configurable": {"thread_id": …}}.')
        return call

    def _permit(self, call: Call) -> Permit:
        if not isinstance(self._client, Signoff):
            raise TypeError("An agent that runs by invoke or stream needs Gate(Signoff()).")
        if call.thread is None:
            return self._client.approve_or_raise(call.tool, call.arguments, **call.words)
        request = self._client.submit(call.tool, call.arguments, key=call.key, **call.words)
        while self._park and request.pending:
            interrupt(call.parked(request))
            request = self._client.read(request.id)
        return self._client.claim(self._client.wait(request), repeatable=call.tool in self._repeatable)

    async def _apermit(self, call: Call) -> AsyncPermit:
        if not isinstance(self._client, AsyncSignoff):
            raise TypeError("An agent that runs by ainvoke or astream needs Gate(AsyncSignoff()).")
        if call.thread is None:
            return await self._client.approve_or_raise(call.tool, call.arguments, **call.words)
        request = await self._client.submit(call.tool, call.arguments, key=call.key, **call.words)
        while self._park and request.pending:
            interrupt(call.parked(request))
            request = await self._client.read(request.id)
        return await self._client.claim(await self._client.wait(request), repeatable=call.tool in self._repeatable)

    @contextlib.contextmanager
    def _pausing(self, call: Call, permit: Any) -> Iterator[None]:
        """Keep the permit of a tool that was itself interrupted: LangGraph will run it again, from its start."""
        try:
            yield
        except GraphInterrupt:
            self._paused[call.key] = type(permit)(self._client, permit.request)
            permit.reported = True  # it has not ended
            raise


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A tool call of a thread (None without a checkpointer). Its ``key`` is the same when LangGraph runs it again."""

    request: ToolCallRequest
    arguments: dict[str, Any]
    thread: str | None
    key: str
    told: Mapping[str, Any]

    @classmethod
    def of(cls, request: ToolCallRequest, told: Mapping[str, Any]) -> Call:
        """The call with the arguments as they are now: what anybody changes meanwhile in the graph doesn't count."""
        config = request.runtime.config.get("configurable", {})
        arguments = json.loads(json.dumps(request.tool_call["args"], allow_nan=False))
        named = [config.get("thread_id"), config.get("checkpoint_ns"), request.tool_call["id"]]
        said = json.dumps(["langgraph", *named, request.tool_call["name"], arguments], sort_keys=True, default=str)
        thread = str(named[0]) if named[0] is not None else None
        key = hashlib.sha256(said.encode()).hexdigest()
        return cls(request=request, arguments=arguments, thread=thread, key=key, told=told)

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.request.tool_call["name"]

    @property
    def words(self) -> dict[str, Any]:
        """What else is told of it: how to find its thread, and what people need to see of its tool."""
        tool = self.request.tool
        shown = {} if tool is None else told_of(tool)
        return {**shown, **self.told, **({} if self.thread is None else {"run": self.thread})}

    def parked(self, request: Request) -> dict[str, Any]:
        """The value of the interrupt while people decide."""
        return {"type": PARKED, "request_id": request.id, "name": self.tool, "args": self.arguments}

    def approved(self, request: Request) -> ToolCallRequest:
        """The call to run: with what people approved, once, however often what stands behind the gate tries it."""
        tool = self.request.tool
        once = cast(BaseTool, tool and Once(tool))
        return self.request.override(tool_call={**self.request.tool_call, "args": request.arguments}, tool=once)

    def denied(self, words: str) -> ToolMessage:
        """What the model hears of a call that does not run."""
        return ToolMessage(words, name=self.tool, tool_call_id=self.request.tool_call["id"], status="error")

    def ended(self, result: Result, request: Request) -> Result:
        """The tool's result, with word of what people changed. Raises ``ToolFailed`` for one that tells of a fault."""
        if not isinstance(result, ToolMessage):
            return result
        told = noticed(result, request) if request.modified else result
        if result.status == "error":
            raise ToolFailed(told)
        return told


class Once:
    """A tool for the one run of a permit; in all else it is that tool."""

    def __init__(self, tool: BaseTool) -> None:
        self._tool = tool
        self._begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)

    def invoke(self, *call: Any, **how: Any) -> Any:
        """As the tool's own."""
        self._begin()
        return self._tool.invoke(*call, **how)

    async def ainvoke(self, *call: Any, **how: Any) -> Any:
        """As the tool's own."""
        self._begin()
        return await self._tool.ainvoke(*call, **how)

    def _begin(self) -> None:
        if self._begun:
            raise RuntimeError(f"{self._tool.name} was begun with this approval before; it does not run twice.")
        self._begun = True


class ToolFailed(Exception):
    """The tool ran and said that it failed; ``result`` says so to the model."""

    def __init__(self, result: ToolMessage) -> None:
        super().__init__(str(result.text))
        self.result = result


def noticed(result: ToolMessage, request: Request) -> ToolMessage:
    """The result of a call that people changed: the model knows only the call that it made."""
    notice = f"People changed this call before it ran. It ran with {json.dumps(request.arguments, ensure_ascii=False)}."
    said = result.content
    content = f"{notice}\n{said}" if isinstance(said, str) else [{"type": "text", "text": notice}, *said]
    return result.model_copy(update={"content": content})
