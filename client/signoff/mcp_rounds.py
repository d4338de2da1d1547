"""One call of a tool in several rounds, as MCP of 2026-07-28 has it: the client is told to come again, and does.

Older clients are told in words instead, and their model calls again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from signoff.models import Inquiry, Request

Context = ServerRequestContext[Any]
ROUNDS = 8
"""Times that a client waits on by itself before its model hears that the request is pending: clients give up after
ten."""
ANSWER_FORM = {
    "type": "object",
    "properties": {"answer": {"type": "string", "title": "Your answer", "minLength": 1, "maxLength": 8_000}},
    "required": ["answer"],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """One call of a tool in one of its rounds. ``words`` are the same for the same call: a name, and arguments.

    ``state`` is what the last round told the client to bring along, ``responses`` what was filled in meanwhile. Both
    come from the client, and count for as little as anything else that it says.
    """

    ctx: Context
    words: tuple[Any, ...]
    state: str | None = None
    responses: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: Context, params: types.CallToolRequestParams) -> Called:
        """The call as it came in."""
        words = (params.name, params.arguments or {})
        return cls(ctx=ctx, words=words, state=params.request_state, responses=params.input_responses or {})

    @property
    def modern(self) -> bool:
        """Does the client come again by itself where it is told to?"""
        return self.ctx.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def elicits(self) -> bool:
        """Can the client put a form before whoever sits at it?"""
        told = self.ctx.session.client_capabilities
        offered = told.elicitation if told is not None else None
        return offered is not None and (offered.form is not None or offered.url is None)

    @property
    def name(self) -> str | None:
        """The same for the same call of the same client; None over HTTP without sessions, where clients look alike.

        No client may be handed the approval of another's call, though all ask with the server's key.
        """
        http = self.ctx.request
        session = http.headers.get("mcp-session-id", "") if http is not None else "stdio"
        return json.dumps([session, *self.words], sort_keys=True) if session else None

    @property
    def request_id(self) -> str | None:
        """The request of the last round."""
        return self.state.partition(" ")[0] if self.state else None

    def come_again(self, request: Request) -> types.InputRequiredResult | None:
        """Tell the client to come again; None where its model is to be told."""
        if not self.modern or self._round >= ROUNDS:
            return None
        return types.InputRequiredResult(request_state=f"{request.id} {self._round + 1}")

    def form_first(self, request: Request, inquiry: Inquiry) -> types.InputRequiredResult:
        """Let the client put the inquiry before whoever sits at it, and come again with the answer."""
        form = types.ElicitRequest(params=form_of(request, inquiry))
        return types.InputRequiredResult(input_requests={inquiry.id: form}, request_state=f"{request.id} {self._round}")

    @property
    def _round(self) -> int:
        told = (self.state or "").rpartition(" ")[2]
        return int(told) if told.isascii() and told.isdigit() and len(told) < 3 else 0


def form_of(request: Request, inquiry: Inquiry) -> types.ElicitRequestFormParams:
    """The form with one inquiry. It asks for words alone: nobody decides anything by it."""
    message = f"{inquiry.name} asks about {request.tool or 'the question'} before deciding: {inquiry.text}"
    return types.ElicitRequestFormParams(message=message, requested_schema=ANSWER_FORM)


def text_of(result: Any) -> str:
    """What was filled in; nothing where the form was declined or closed."""
    if not isinstance(result, types.ElicitResult) or result.action != "accept":
        return ""
    said = (result.content or {}).get("answer")
    return said.strip()[:8_000] if isinstance(said, str) else ""
