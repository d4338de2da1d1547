"""Claude Code's HTTP hooks: what it sends before and after a tool call, and what it is answered.

The shapes are those of Claude Code 2.1. Whatever it can't take for a clear answer (another status than 200, a body that
is no JSON, none at all) counts as no opinion there, and a tool that its settings allow then runs. So whatever goes
wrong here is answered as a refusal, with 200. What isn't answered can't be helped from here: an address that nobody
listens at, or a connection that breaks, lets such calls pass. The command hook blocks then too.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from bot.api.asks import Query, SubmitBody
from bot.api.bodies import body_as
from bot.api.parts import Out
from bot.api.questions import Body, Name
from policies.arguments import canonical, intake
from policies.request import ExecutionState, Request, State

BEFORE: Final = "PreToolUse"
PROMPT: Final = "PermissionRequest"
AFTER: Final = {"PostToolUse": True, "PostToolUseFailure": False}
LONGEST_WAIT = 3_600


class HookQuery(Query):
    """``wait``: seconds to wait for people; the hook's own ``timeout`` in Claude Code's settings must be longer."""

    wait: int = Field(default=570, ge=0, le=LONGEST_WAIT, description="Seconds to wait for people.")


class HookEvent(Body):
    """An event of Claude Code, before a call or after it; what else it sends is ignored."""

    model_config = ConfigDict(extra="ignore")

    hook_event_name: Name = Field(description="`PreToolUse`, `PermissionRequest`, `PostToolUse`, `PostToolUseFailure`.")
    session_id: Name
    tool_name: Name
    tool_input: dict[str, Any]
    tool_use_id: str = Field(default="", max_length=200, description="The same before and after one use of a tool.")
    tool_response: Any = Field(default=None, description="What the tool gave, after it.")
    error: Any = Field(default=None, description="Why it failed, after it.")
    cwd: str = Field(default="", max_length=4_000)

    @property
    def use(self) -> str:
        """The same for one use of a tool, before and after it, and however often it is sent."""
        return hashlib.sha256(f"{self.session_id} {self.tool_use_id}".encode()).hexdigest()

    def body(self) -> SubmitBody:
        """The call as an agent would submit it. Raises ``Faulty``."""
        sent: dict[str, Any] = {"tool": self.tool_name, "arguments": self.tool_input}
        return body_as(SubmitBody, {**sent, "context": self.where, "run": self.session_id})

    @property
    def where(self) -> str:
        """What people are told of where the call would run."""
        return f"Claude Code in {self.cwd}" if self.cwd else "Claude Code"

    def same(self, request: Request) -> bool:
        """Is this the call that ``request`` asks about, in the same session and folder?"""
        if (request.run, request.context, request.call.tool) != (self.session_id, self.where, self.tool_name):
            return False
        proposed = dict(request.proposed)
        if proposed != self.tool_input:  # quick, but to Python 1 is True
            return False
        return canonical(proposed) == canonical(intake(self.tool_input))

    def edited(self, request: Request) -> dict[str, Any] | None:
        """The arguments to run where people changed them."""
        arguments = dict(request.call.arguments)
        return None if canonical(arguments) == canonical(intake(self.tool_input)) else arguments


class PromptDecision(Out):
    """The answer to a permission prompt."""

    behavior: Literal["allow", "deny"]
    message: str | None = None
    updatedInput: dict[str, Any] | None = None


class HookOutput(Out):
    """The decision. ``updatedInput`` is what to run where people changed it."""

    hookEventName: Literal["PreToolUse", "PermissionRequest"]
    permissionDecision: Literal["allow", "deny"] | None = None
    permissionDecisionReason: str | None = None
    updatedInput: dict[str, Any] | None = None
    decision: PromptDecision | None = None


class HookAnswer(Out):
    """What Claude Code is told: a decision before a call; after one at most that its report was lost."""

    hookSpecificOutput: HookOutput | None = None
    systemMessage: str | None = None


def allowed(event: HookEvent, request: Request) -> HookAnswer:
    """It may run, as decided."""
    arguments = event.edited(request)
    edited: dict[str, Any] = {} if arguments is None else {"updatedInput": arguments}
    if event.hook_event_name == PROMPT:
        said = HookOutput(hookEventName=PROMPT, decision=PromptDecision(behavior="allow", **edited))
    else:
        reason = f"Approved by {deciders(request)} ({request.id})."
        said = HookOutput(hookEventName=BEFORE, permissionDecision="allow", permissionDecisionReason=reason, **edited)
    return HookAnswer(hookSpecificOutput=said)


def denied(words: str, event: HookEvent | None = None) -> HookAnswer:
    """It may not run, with the words for the model. Where nothing of the event is known, as before a call."""
    if event is not None and event.hook_event_name == PROMPT:
        said = HookOutput(hookEventName=PROMPT, decision=PromptDecision(behavior="deny", message=words))
    else:
        said = HookOutput(hookEventName=BEFORE, permissionDecision="deny", permissionDecisionReason=words)
    return HookAnswer(hookSpecificOutput=said)


def unclaimed(request: Request) -> bool:
    """Is its permit still there? A session that is resumed sends the event of a call once more that may have run."""
    return request.execution is not None and request.execution.state is ExecutionState.UNCLAIMED


def why_not(request: Request) -> str:
    """Why a settled request's call may not run, in words for the model."""
    tool, note = request.call.tool, request.decision.note if request.decision is not None else None
    if request.state is State.APPROVED and request.execution is not None:
        return f"{tool} was approved and begun before (it is {request.execution.state.value}); it does not run twice."
    if request.state is State.EXPIRED:
        return f"Nobody decided about {tool} in time; it did not run."
    if request.state is not State.REJECTED:
        return f"{tool} is {request.state.value} and may not run now."
    if request.decision is not None and request.decision.by == ("policy",):
        return f"The policy does not allow {tool}: {request.checkpoint.reason}"
    return f"{deciders(request)} rejected {tool}; it did not run." + (f" They said: “{note}”" if note else "")


def deciders(request: Request) -> str:
    """Who decided, in words."""
    names = {review.by: review.name for review in request.reviews}
    said = {"policy": "the policy", "silence": "silence", "requester": "the agent itself"}
    by = request.decision.by if request.decision is not None else ()
    return " and ".join(names.get(who, said.get(who, who)) for who in by) or "nobody"
