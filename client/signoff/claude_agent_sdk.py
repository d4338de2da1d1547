"""Claude Agent SDK: ``options = Gate(AsyncSignoff()).options(options)`` asks the gateway before each tool call.

The gate is a ``PreToolUse`` hook, for that sees every call: ``can_use_tool`` is asked only where a prompt would appear,
never for what ``allowed_tools``, the permission mode or the settings allow. Whatever fails denies: the hook says so
itself, and with ``on_failure="block"`` Claude Code takes a hook without an answer for a no. Needs ``claude-agent-sdk``
0.2.187 or newer, imported only here and there since it carries all of Claude Code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from signoff.async_client import AsyncSignoff
from signoff.claude_code import strayed
from signoff.errors import SignoffError, StillPending
from signoff.models import Request
from signoff.permit import AsyncPermit

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeAgentOptions, PermissionResult, ToolPermissionContext

BEFORE = "PreToolUse"
AFTER = {"PostToolUse": True, "PostToolUseFailure": False}
PATIENT = 7 * 86_400
"""Seconds that Claude Code waits for the hook; the policy's ladder, or ``timeout``, ends the wait before."""
RESULT, NOTE = 60_000, 1_000
"""Characters of a tool's response, and of an error, that are passed on."""


class Gate:
    """Gates an agent's tool calls, all of them or those whose name ``matcher`` matches (``"Bash|mcp__shop__.*"``).

    One gate may serve many sessions at once. ``timeout``: for how many seconds a call waits for people at most; after
    it the model is told that it waits still, and the same call goes on waiting for the same request. With
    ``AsyncSignoff(run="…")`` an agent that was started again finds its requests.
    """

    def __init__(self, client: AsyncSignoff, matcher: str | None = None, *, timeout: float | None = None) -> None:
        self._client = client
        self._matcher = matcher
        self._timeout = timeout
        self._permits: dict[tuple[str, str], AsyncPermit] = {}
        self._standing: dict[str, list[Request]] = {}

    def options(self, options: ClaudeAgentOptions | None = None, *, prompts: bool = False) -> ClaudeAgentOptions:
        """The options with this gate in them, beside the hooks that stand there.

        With ``prompts`` people are asked only where Claude Code would prompt: what is allowed otherwise runs unseen.
        """
        from claude_agent_sdk import ClaudeAgentOptions, HookMatcher

        given = options if options is not None else ClaudeAgentOptions()
        hooks: dict[Any, list[Any]] = {event: list(matchers) for event, matchers in (given.hooks or {}).items()}
        for event in AFTER:
            hooks[event] = [*hooks.get(event, []), HookMatcher(matcher=self._matcher, hooks=[self.after])]
        if prompts:
            return replace(given, hooks=hooks, can_use_tool=self.can_use_tool)
        gate = HookMatcher(matcher=self._matcher, hooks=[self.before], timeout=PATIENT, on_failure="block")
        hooks[BEFORE] = [*hooks.get(BEFORE, []), gate]
        return replace(given, hooks=hooks)

    async def before(self, event: Mapping[str, Any], tool_use_id: str | None, context: Any) -> dict[str, Any]:
        """The ``PreToolUse`` hook: it allows a call that was approved, with the edited input, and denies all else."""
        try:
            session, where = event["session_id"], f"in {event.get('cwd', '')}"
            permit = await self._permit(event["tool_name"], event["tool_input"], session, where)
            edited = {"updatedInput": permit.arguments} if permit.request.modified else {}
            said = f"Approved by {permit.request.deciders} ({permit.request.id})."
            self._permits[session, event["tool_use_id"]] = permit
            return _decision("allow", said, **edited)
        except SignoffError as refused:
            return _decision("deny", str(refused))
        except Exception as error:
            return _decision("deny", f"Signoff blocked this call, for its gate failed: {type(error).__name__}.")

    async def after(self, event: Mapping[str, Any], tool_use_id: str | None, context: Any) -> dict[str, Any]:
        """The hook for what comes after: it reports how an approved call went."""
        use = event.get("tool_use_id", "")
        permit = self._permits.pop((event.get("session_id", ""), use), None) or self._permits.pop(("", use), None)
        if permit is not None:
            await _report(permit, event)
        return {}

    async def can_use_tool(
        self, tool_name: str, tool_input: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResult:
        """The answer in place of a permission prompt."""
        from claude_agent_sdk import PermissionResultAllow, PermissionResultDeny

        try:
            permit = await self._permit(tool_name, tool_input)
        except SignoffError as refused:
            return PermissionResultDeny(message=str(refused))
        self._permits["", context.tool_use_id or ""] = permit
        return PermissionResultAllow(updated_input=permit.arguments)

    async def _permit(self, tool: str, arguments: dict[str, Any], session: str = "", where: str = "") -> AsyncPermit:
        """The permit for a call. Raises ``SignoffError`` where it must not run."""
        call = json.dumps([session, where, tool, arguments], sort_keys=True)
        waiting = self._standing.get(call)
        context = f"Claude Agent {where}".strip()
        request = waiting.pop() if waiting else await self._client.submit(tool, arguments, context=context)
        try:
            return await self._client.claim(await self._client.wait(request, self._timeout))
        except StillPending as pending:
            self._standing.setdefault(call, []).append(pending.request)
            raise


def _decision(decision: str, reason: str, **more: Any) -> dict[str, Any]:
    said = {"hookEventName": BEFORE, "permissionDecision": decision, "permissionDecisionReason": reason}
    return {"hookSpecificOutput": {**said, **more}}


async def _report(permit: AsyncPermit, event: Mapping[str, Any]) -> None:
    if not AFTER[event["hook_event_name"]]:
        await permit.ended(str(event.get("error", ""))[:NOTE])
        return
    response = event.get("tool_response")
    note = strayed(permit.request, event.get("tool_input", permit.arguments))
    await permit.ended(result=response if len(json.dumps(response)) <= RESULT else None, note=note)
