"""The address of Claude Code's HTTP hooks: each call waits here for people, and whatever goes wrong is a no."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.api.answers import show
from bot.api.asks import MAX_RESULT_BYTES
from bot.api.auth import Caller, Doorkeeper
from bot.api.bodies import body_as, idempotency, json_of, query_as
from bot.api.hooks import AFTER, BEFORE, PROMPT, HookAnswer, HookEvent, HookQuery, allowed, denied, unclaimed, why_not
from bot.api.operations import Operation, describes
from bot.api.problems import ANSWER_HEADERS, log_bug, sentence
from bot.api.submitting import submitted
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from policies.allowance import Scope
from policies.errors import Invalid, SignoffError
from policies.request import ExecutionState, Request, Requester, State

ALIVE = 15.0
"""Seconds of silence after which a blank is sent, which JSON allows before it: proxies cut what says nothing."""
LATELY = 200
"""How many of an agent's open requests are looked through for the one that an earlier try left standing."""
NOTE = 1_000
"""Characters of a failure that are noted, and of a response that is too large to be a result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HookRoutes:
    """What Claude Code asks by itself, with an agent's key."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    @describes(
        Operation(
            id="claude_code_hook",
            tag="hooks",
            key="agent",
            scopes=(Scope.ASK,),
            bodies=(HookEvent,),
            query=HookQuery,
            answers={200: HookAnswer},
            refusing=False,
        )
    )
    async def claude_code(self, http: web.Request) -> web.StreamResponse:
        """Answer one hook of Claude Code.

        Before a call it is asked about like any other, and waits for people; afterwards its end is reported. The key
        must be one that may ask and act. The status is always 200: Claude Code takes any other for no opinion, and then
        runs what its settings allow. A key that isn't valid, a body that makes no sense, a deadline: each is a denied
        call, with the reason.
        """
        deciding = asyncio.create_task(self._answered(http))
        try:
            await asyncio.wait({deciding}, timeout=ALIVE)
            if deciding.done():
                return show(deciding.result())
            return await _streamed(http, deciding)
        finally:
            deciding.cancel()

    async def _answered(self, http: web.Request) -> HookAnswer:
        event: HookEvent | None = None
        try:
            caller = await self._caller(http)
            query = query_as(HookQuery, http)
            event = body_as(HookEvent, await json_of(http, self.gateway.turns))
            caller.allowance.check_tool(event.tool_name)
            return await self._told(http, event, caller, query.wait)
        except SignoffError as error:
            return _refused(sentence(error.words), event)
        except web.HTTPException as error:
            return _refused(f"its body could not be read ({error.reason}).", event)
        except ConnectionError:
            raise  # the client went away: there is nobody left to answer
        except Exception as error:
            reference = secrets.token_hex(4)
            log_bug(error, http, reference)
            return _refused(f"something is wrong inside Signoff; its log tells more under {reference}.", event)

    async def _caller(self, http: web.Request) -> Caller:
        """Whose hook it is, with a key that may ask and act. Raises as ``Doorkeeper.caller`` does."""
        caller = await self.doorkeeper.caller(http, Scope.ASK)
        caller.allowance.check(Scope.ACT)
        return caller

    async def _told(self, http: web.Request, event: HookEvent, caller: Caller, seconds: int) -> HookAnswer:
        if event.hook_event_name in AFTER:
            return await self._report(event, caller.requester)
        if event.hook_event_name not in (BEFORE, PROMPT):
            raise Invalid(f"This hook answers {BEFORE} and {PROMPT}, not {event.hook_event_name}; mend the settings.")
        request = await self._standing(event, caller.requester) or await self._asked(http, event, caller.requester)
        waiting = self.gateway.wait(request.id, caller.requester, revision=None, inquiries=None, seconds=seconds)
        settled = await self.waits.hold(http, waiting)
        if not settled.settled:
            again = "Call the tool again with the same arguments to go on waiting."
            return denied(f"{event.tool_name} waits for people still ({settled.id}); it did not run. {again}", event)
        if settled.state is not State.APPROVED or not unclaimed(settled):
            return denied(why_not(settled), event)
        return await self._claimed(http, event, caller.requester, settled)

    async def _claimed(self, http: web.Request, event: HookEvent, requester: Requester, request: Request) -> HookAnswer:
        """Take the permit for this one use of the tool. Who went away, or whose key ended, doesn't get it."""
        await self._caller(http)  # people may have been waited for for an hour
        if http.transport is None or http.transport.is_closing():
            raise ConnectionResetError("The client went away.")
        key = f"claude-code {event.use}" if event.tool_use_id else secrets.token_urlsafe(24)
        return allowed(event, await self.gateway.claim(request.id, requester, request.digest, key=key))

    async def _asked(self, http: web.Request, event: HookEvent, requester: Requester) -> Request:
        """Ask, once however often Claude Code sends the event."""
        turns = self.gateway.turns
        body = event.body()
        sent = body.model_dump(exclude_none=True)
        again = None
        if event.tool_use_id:
            again = await turns.run(partial(idempotency, requester, f"claude-code {event.use}", sent))
        submission = await turns.run(body.submission)
        async with self.gateway.budgets.crowding.place(requester.id):
            return (await submitted(http, self.gateway, self.doorkeeper, submission, requester, again)).request

    async def _standing(self, event: HookEvent, requester: Requester) -> Request | None:
        """The request that stands from an earlier try of this very call of Claude Code, if nothing was run by it."""
        pending = await self.gateway.list_own(requester, states=(State.PENDING,), limit=LATELY)
        approved = await self.gateway.list_own(requester, execution=(ExecutionState.UNCLAIMED,), limit=LATELY)
        for one in (*pending.requests, *approved.requests):
            if await self.gateway.turns.run(partial(event.same, one)):
                return one
        return None

    async def _report(self, event: HookEvent, requester: Requester) -> HookAnswer:
        open_ = (ExecutionState.CLAIMED, ExecutionState.UNKNOWN)
        claimed = await self.gateway.list_own(requester, execution=open_, limit=LATELY)
        key = f"claude-code {event.use}"
        found = next((one for one in claimed.requests if one.execution and one.execution.key == key), None)
        if found is None or found.call.tool != event.tool_name:
            return HookAnswer()
        state = ExecutionState.SUCCEEDED if AFTER[event.hook_event_name] else ExecutionState.FAILED
        told = event.tool_response if state is ExecutionState.SUCCEEDED else event.error
        text = json.dumps(told, ensure_ascii=False)
        whole = state is ExecutionState.SUCCEEDED and len(text.encode()) <= MAX_RESULT_BYTES
        words: dict[str, Any] = {"result": told} if whole else {"note": text[:NOTE]}
        if state is ExecutionState.SUCCEEDED and event.edited(found) is not None:
            words["note"] = _strayed(event)[:NOTE]
        await self.gateway.report(found.id, requester, state, **words)
        return HookAnswer()


def _strayed(event: HookEvent) -> str:
    """What the record must say where another hook, which has the last word on a call's input, changed it."""
    return f"It ran with other input than was approved: {json.dumps(event.tool_input, ensure_ascii=False)}"


async def _streamed(http: web.Request, deciding: asyncio.Task[HookAnswer]) -> web.StreamResponse:
    """The answer after a while of blanks, so that nothing on the way takes the connection for dead."""
    headers = {**ANSWER_HEADERS, "Content-Type": "application/json", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(http)
    while not deciding.done():
        await response.write(b" ")
        await asyncio.wait({deciding}, timeout=ALIVE)
    await response.write(deciding.result().body())
    await response.write_eof()
    return response


def _refused(words: str, event: HookEvent | None) -> HookAnswer:
    """A denied call; of one that has run already nothing is left to be denied, so its user is told."""
    if event is not None and event.hook_event_name in AFTER:
        return HookAnswer(systemMessage=f"Signoff could not note how the call went: {words}")
    return denied(f"Signoff blocked this call: {words}", event)
