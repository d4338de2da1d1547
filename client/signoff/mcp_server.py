"""Signoff as an MCP server: tools by which any agent asks people, and Claude Code's permission prompt.

``request_approval`` asks and tells; that the agent keeps to the answer is up to the agent. What must hold whatever a
model does takes the proxy, the hook, or the permission prompt tool ``approve``. Needs the extra ``signoff[mcp]``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import mcp_types as types
from mcp.server import Server
from pydantic import ValidationError

from signoff import mcp_tools as say
from signoff.async_client import AsyncSignoff
from signoff.connection import answer_of
from signoff.errors import NotApproved, SignoffError, StillPending
from signoff.mcp_desk import Asked, Desk
from signoff.mcp_rounds import Called, Context
from signoff.mcp_serving import on_http, on_stdio, open_desk
from signoff.memory import Memory, prompted
from signoff.models import Choice, Request

Result = types.CallToolResult | types.InputRequiredResult
INSTRUCTIONS = (
    "Before an action that a person should decide about, call request_approval and run it only if the answer says "
    "approved, with the arguments of the answer. Ask by ask_human where you don't know what is wanted."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """The tools. ``hold``: seconds that a call waits for people; ``deadline``: those of a permission prompt.

    In ``memory`` stands for Claude Code's hook which request an approved prompt was, so that it can report its end.
    """

    client: AsyncSignoff
    desk: Desk
    hold: float
    deadline: float
    memory: Memory | None = None

    def server(self) -> Server[Any]:
        """The server that agents talk to."""
        return Server("signoff", instructions=INSTRUCTIONS, on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=say.listed())

    async def _call(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        """Whatever goes wrong in here is told in words, and is never a yes."""
        no = say.denied if params.name == "approve" else say.failed
        taken = say.TOOLS.get(params.name)
        if taken is None:
            return say.failed(f"There is no tool {params.name[:100]!r} here; there are {', '.join(say.TOOLS)}.")
        try:
            given = taken.model_validate(params.arguments or {})
            return await self._acts[params.name](Called.of(ctx, params), given)
        except ValidationError as error:
            return no(_faults(error))
        except SignoffError as error:
            return no(str(error))
        except Exception as error:
            return no(f"Signoff's MCP server failed ({type(error).__name__}); nothing was approved.")

    @property
    def _acts(self) -> dict[str, Callable[[Called, Any], Awaitable[Result]]]:
        return {
            "request_approval": self._approval,
            "ask_human": self._question,
            "get_approval_status": self._status,
            "answer_inquiry": self._reply,
            "report_outcome": self._outcome,
            "withdraw": self._withdraw,
            "approve": self._prompt,
        }

    async def _approval(self, called: Called, given: say.Approval) -> Result:
        words = given.sent("tool", "arguments", "json_schema")
        submit = partial(self.client.submit, given.tool, given.arguments, schema=given.json_schema, **words)
        request = await self.desk.again(called, given.tool, given.arguments) or await self.desk.ask(called, submit)
        return await self._waited(called, request)

    async def _question(self, called: Called, given: say.Question) -> Result:
        choices = [Choice(id=choice.id, label=choice.label) for choice in given.choices or ()]
        submit = partial(self.client.put, given.text, choices, **given.sent("text", "choices"))
        request = await self.desk.again(called, None, {}) or await self.desk.ask(called, submit)
        return await self._waited(called, request)

    async def _status(self, called: Called, given: say.Status) -> Result:
        request = await self.desk.heard(called, await self.client.read(given.id))
        return await self._waited(called, request, looks=True)

    async def _reply(self, called: Called, given: say.Reply) -> Result:
        request = await self.client.read(given.id)
        inquiry = next((one for one in request.inquiries if one.id == given.inquiry), None)
        if inquiry is None:
            return say.failed(f"{given.id} has no inquiry {given.inquiry}; the pending answer names them.")
        return say.pending(await self.client.reply(request, inquiry, given.text))

    async def _outcome(self, called: Called, given: say.Outcome) -> Result:
        request = await self.client.read(given.id)
        return say.reported(
            await self.client.report(request, succeeded=given.succeeded, note=given.note, result=given.result)
        )

    async def _withdraw(self, called: Called, given: say.TakenBack) -> Result:
        request = await self.client.withdraw(await self.client.read(given.id))
        self.desk.done(request)
        return say.withdrawn(request)

    async def _prompt(self, called: Called, given: say.Prompt) -> Result:
        """Claude Code asks whether it may run a tool; anything but a clear yes is a no."""
        called = Called(
            ctx=called.ctx,
            words=("approve", given.tool_name, given.input),
            state=called.state,
            responses=called.responses,
        )
        submit = partial(self.client.submit, given.tool_name, given.input, context=f"Claude Code in {os.getcwd()}")
        try:
            request = await self.desk.again(called, given.tool_name, given.input) or await self.desk.ask(called, submit)
            settled = await self.desk.settled(called, request, seconds=self.deadline)
            permit = await self.desk.permit(settled)
            if self.memory is not None and given.tool_use_id:
                with contextlib.suppress(OSError):  # then nobody reports; what was approved stays approved
                    self.memory.keep(prompted(given.tool_use_id), settled.id)
            return say.permitted(permit.arguments)
        except Asked as asked:
            return called.form_first(asked.request, asked.inquiry)
        except StillPending as waiting:
            return say.denied(f"{waiting} Call the tool again with the same arguments to go on waiting.")

    async def _waited(self, called: Called, request: Request, *, looks: bool = False) -> Result:
        """What became of the request, or how it stands after the hold."""
        try:
            settled = await self.desk.settled(called, request, seconds=self.hold, asks_back=True, looks=looks)
            if settled.tool is None:
                return say.answered(settled, answer_of(settled))
            return say.approved((await self.desk.permit(settled)).request)
        except StillPending as waiting:
            return called.come_again(waiting.request) or say.pending(waiting.request)
        except Asked as asked:
            if asked.form:
                return called.form_first(asked.request, asked.inquiry)
            return say.pending(asked.request, asked.inquiry)
        except NotApproved as refused:
            return say.refused(refused)


def _faults(error: ValidationError) -> str:
    told = [f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in error.errors()[:10]]
    return "These arguments don't fit; nothing was asked. " + "; ".join(told)


async def serve(
    *, hold: float, deadline: float, run: str | None, port: int | None, memory: Memory | None, allow_http: bool
) -> None:
    """Serve until the client goes, or over HTTP on ``port`` until stopped."""
    async with open_desk(run=run, allow_http=allow_http) as desk:
        server = Tools(client=desk.client, desk=desk, hold=hold, deadline=deadline, memory=memory).server()
        await (on_stdio(server, desk) if port is None else on_http(server, port))
