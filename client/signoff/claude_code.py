"""Claude Code's hooks: what it asks before and after each tool call, and what is answered.

The shapes are those of Claude Code 2.1. Only a clear ``allow`` lets a call run on this hook's word; every failure ends
the program with status 2, which blocks: Claude Code takes any other failure of a hook for "no opinion", and then a tool
that its settings allow does run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from signoff.client import Signoff
from signoff.errors import NotApproved, Refused, SignoffError, StillPending
from signoff.memory import Memory, prompted
from signoff.models import Request

BEFORE, PROMPT = "PreToolUse", "PermissionRequest"
AFTER = {"PostToolUse": True, "PostToolUseFailure": False}
RESULT = 60_000
"""Characters of a tool's response that are passed on as the result."""


class Event(BaseModel):
    """What Claude Code writes to the hook; the rest of it is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hook_event_name: str
    session_id: str
    tool_name: str
    tool_input: dict[str, Any]
    tool_use_id: str = ""
    tool_response: Any = None
    error: Any = None
    cwd: str = ""
    permission_mode: str = ""

    @property
    def call(self) -> str:
        """The same for the same call in the same session and folder: elsewhere the same words do something else."""
        said = [self.session_id, self.cwd, self.tool_name, self.tool_input]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def use(self) -> str:
        """The same for one use of a tool, before and after it."""
        return hashlib.sha256(f"{self.session_id} {self.tool_use_id}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """Answers events. ``deadline``: seconds to wait for people; after it the run is deferred where ``defer``."""

    client: Signoff
    memory: Memory
    deadline: float
    defer: bool = False

    def answer(self, event: Event) -> Mapping[str, Any] | None:
        """What Claude Code is told, None for nothing. Raises ``SignoffError`` where the call must not run."""
        if event.hook_event_name in AFTER:
            with contextlib.suppress(SignoffError):  # the call has run: nothing is left to be blocked
                self._report(event, succeeded=AFTER[event.hook_event_name])
            return None
        if event.hook_event_name not in (BEFORE, PROMPT):
            raise ValueError(
                f"This hook answers {BEFORE} and {PROMPT}, not {event.hook_event_name}; mend the settings."
            )
        try:
            return self._allowed(event, self._decided(event))
        except StillPending as waiting:
            if self.defer and event.hook_event_name == BEFORE:
                return _before("defer", str(waiting))
            raise
        except NotApproved as refused:
            self.memory.forget(event.call)
            return _denied(event, str(refused))

    def _decided(self, event: Event) -> Request:
        until = time.monotonic() + self.deadline
        request = self._known(event) or self._asked(event)
        self.memory.keep(event.call, request.id)
        settled = self.client.wait(request, timeout=max(0.0, until - time.monotonic()))
        use = event.use if event.tool_use_id else secrets.token_hex(16)
        permit = self.client.claim(settled, key=f"claude-code {use} {settled.id}")
        self.memory.forget(event.call)
        if event.tool_use_id:
            self.memory.keep(event.use, settled.id)
        return permit.request

    def _known(self, event: Event) -> Request | None:
        """The request that an earlier try of this very call left behind, unless its call was begun since.

        The memory is a file that the agent could write: what it names counts only where it is about this call.
        """
        found = self.memory.recall(event.call)
        if found is None:
            return None
        try:
            request = self.client.read(found)
        except Refused:
            return None
        begun = request.execution is not None and request.execution.state != "unclaimed"
        ours = _same([request.tool, request.proposed_arguments], [event.tool_name, event.tool_input])
        return request if ours and not begun else None

    def _asked(self, event: Event) -> Request:
        context = f"Claude Code in {event.cwd}" if event.cwd else "Claude Code"
        key = f"claude-code {event.use} {event.call}" if event.tool_use_id else None
        return self.client.submit(event.tool_name, event.tool_input, key=key, context=context, run=event.session_id)

    def _allowed(self, event: Event, request: Request) -> Mapping[str, Any]:
        edited = {} if _same(request.arguments, event.tool_input) else {"updatedInput": request.arguments}
        if event.hook_event_name == PROMPT:
            return _prompt({"behavior": "allow", **edited})
        return _before("allow", f"Approved by {request.deciders} ({request.id}).", **edited)

    def _report(self, event: Event, *, succeeded: bool) -> None:
        for name in (event.use, prompted(event.tool_use_id)) if event.tool_use_id else ():
            found = self.memory.recall(name)
            if found is not None:
                self._told(event, found, succeeded=succeeded)
                self.memory.forget(name)

    def _told(self, event: Event, request_id: str, *, succeeded: bool) -> None:
        told = json.dumps(event.tool_response if succeeded else event.error)
        whole = succeeded and len(told) <= RESULT
        result = event.tool_response if whole else None
        request = self.client.read(request_id)
        note = strayed(request, event.tool_input) if succeeded else None
        note = note or (None if whole else told[:1_000])
        self.client.report(request, succeeded=succeeded, note=note, result=result)


def strayed(request: Request, ran: Any) -> str | None:
    """What the record must say where a call ran with other input than was approved; None where it didn't.

    Claude Code asks all hooks at once, and another that changes the call's input has the last word on it.
    """
    if _same(request.arguments, ran):
        return None
    return f"It ran with other input than was approved: {json.dumps(ran)}"[:1_000]


def _same(one: Any, other: Any) -> bool:
    """The same JSON, ``1`` and ``true`` being two things."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _denied(event: Event, words: str) -> Mapping[str, Any]:
    if event.hook_event_name == PROMPT:
        return _prompt({"behavior": "deny", "message": words})
    return _before("deny", words)


def _before(decision: str, reason: str, **more: Any) -> Mapping[str, Any]:
    said = {"hookEventName": BEFORE, "permissionDecision": decision, "permissionDecisionReason": reason}
    return {"hookSpecificOutput": {**said, **more}}


def _prompt(decision: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": PROMPT, "decision": decision}}
