"""A run's tool calls: asked for, waited for, claimed and run once, reported, and answered for.

Each call is submitted under its tool use's id, so that asking again after an interruption finds the same request. What
was claimed and never reported is unknown from then on: a person is asked, and it is never run twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.agent import questions
from bot.agent.kit import Kit
from bot.agent.outcomes import held_back, storable, storable_words, told
from bot.agent.rack import Rack
from bot.agent.replies import Replies, Think
from bot.agent.tools import ToolFailed, ToolInDoubt
from bot.agent.transcript import Answer, ToolUse
from bot.logs import get_logger
from bot.waiting import changed_within
from policies.agent_run import AgentRun
from policies.arguments import canonical, intake
from policies.errors import Invalid, OverBudget, Refused, SignoffError
from policies.request import NO_CALL, RUNNER, ExecutionState, Request, Requester, Submission, ToolCall
from storage.store import Idempotency

log = get_logger("signoff.agent")

LOOK_AGAIN = 3600.0
"""Seconds after which a request is read again even though nobody rang."""


class Calls:
    """The calls of one run. ``show`` is awaited whenever one of them stands differently than it was ``known`` to.

    ``think`` is a turn of the model, for what people ask while a call waits.
    """

    def __init__(self, kit: Kit, tools: Rack, run: AgentRun, show: Callable[[], Awaitable[None]], think: Think) -> None:
        self._kit = kit
        self._tools = tools
        self._requester = Requester(id=RUNNER, name="Signoff agent", owner=run.owner)
        self.replies = Replies(kit, run.id, self._requester, think)
        self._show = show
        self.known: dict[str, Request] = {}

    async def submit(self, run: AgentRun, use: ToolUse) -> Request | Answer:
        """Ask for one call; the answer at once where it could never run. What was asked is found again."""
        if asked := (run.calls or {}).get(use.id):
            self.known[use.id] = await self._kit.gateway.own(asked, self._requester)
            return self.known[use.id]
        if use.name not in self._tools.tools:  # taken up after a restart: nobody has asked the servers yet
            await self._tools.fill()
        try:
            submission = self._submission(run, use)
            body = hashlib.sha256(canonical([use.name, use.arguments])).hexdigest()
            key = Idempotency(requester=RUNNER, key=f"{run.id}:{use.id}", body=body)
            added = await self._kit.gateway.submit(submission, self._requester, idempotency=key)
        except (ToolFailed, Invalid) as unfit:
            return Answer(text=str(unfit), failed=True)
        except OverBudget as over:
            return held_back(over.words)
        self.known[use.id] = added.request
        return added.request

    def _submission(self, run: AgentRun, use: ToolUse) -> Submission:
        if use.name == questions.NAME and use.name not in self._tools.tools:
            question = questions.question_of(use.arguments)
            return Submission(call=NO_CALL, context=run.errand, run=run.id, question=question)
        self._tools.check(use.name, use.arguments)
        tool = self._tools.tools[use.name]
        call = ToolCall(
            tool=tool.name, arguments=intake(use.arguments), schema=tool.schema, description=tool.description
        )
        return Submission(call=call, reason=use.reason, confidence=use.confidence, context=run.errand, run=run.id)

    async def see_through(self, use_id: str, request_id: str) -> Answer:
        """Wait for the decision, run what was approved, and say how it ended."""
        request = await self._decided(use_id, request_id)
        state = request.execution.state if request.execution else None
        if state is ExecutionState.UNCLAIMED:
            request = await self._perform(use_id, request)
        elif state is ExecutionState.CLAIMED:
            request = await self._in_doubt(use_id, request)
        if request.execution is not None and request.execution.state is ExecutionState.UNKNOWN:
            request = await self._attested(use_id, request)
        await self._seen(use_id, request)
        return told(request)

    async def look_again(self) -> None:
        """Read every known call as it stands now."""
        for use_id, before in list(self.known.items()):
            self.known[use_id] = await self._kit.store.request(before.id) or before

    async def _decided(self, use_id: str, request_id: str) -> Request:
        with self._kit.waiting.watch(request_id) as changed:
            while not (request := await self._kit.gateway.own(request_id, self._requester)).settled:
                await self._seen(use_id, request)
                self.replies.begin(use_id, request)
                await changed_within(changed, LOOK_AGAIN)
        return request

    # ---- claimed, run and reported

    async def _perform(self, use_id: str, request: Request) -> Request:
        """Claim, run and report; whoever waits for it may be cancelled, the call itself is not cut short."""
        task = self._kit.running.get(request.id)
        if task is None:
            task = asyncio.create_task(self._claim_and_run(use_id, request))
            self._kit.running[request.id] = task
            task.add_done_callback(lambda ended: self._ended(request.id, ended))
        return await self._ended_or_overdue(request.id, task)

    async def _ended_or_overdue(self, request_id: str, task: asyncio.Task[Request]) -> Request:
        """The outcome, or the request as it stands when the time to report is over: a tool that hangs ends no run."""
        with self._kit.waiting.watch(request_id) as changed:
            while not task.done():
                news = asyncio.ensure_future(changed.wait())
                await asyncio.wait((task, news), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                changed.clear()
                standing = await self._kit.gateway.own(request_id, self._requester)
                if not task.done() and _unknown(standing):
                    return standing
        return await asyncio.shield(task)

    def _ended(self, request_id: str, task: asyncio.Task[Request]) -> None:
        del self._kit.running[request_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a call ended without a report", request=request_id, why=str(error))

    async def _claim_and_run(self, use_id: str, request: Request) -> Request:
        # No idempotency key: a second claim is refused, whoever makes it, so that nothing can run a call twice.
        try:
            claimed = await self._kit.gateway.claim(request.id, self._requester, request.digest)
        except Refused:
            return await self._kit.gateway.own(request.id, self._requester)
        await self._seen(use_id, claimed)
        try:
            result = await self._tools.run(claimed.call.tool, claimed.call.arguments)
        except ToolInDoubt as doubt:
            log.warning("nobody knows whether a call ran", request=claimed.id, why=str(doubt))
            reported = await self._told(claimed, lambda: self._kit.gateway.lose(claimed.id, self._requester))
        except ToolFailed as failed:
            reported = await self._report(claimed, ExecutionState.FAILED, storable_words(str(failed)), None)
        else:
            reported = await self._report(claimed, ExecutionState.SUCCEEDED, None, storable(result))
        await self._seen(use_id, reported)
        return reported

    async def _report(self, request: Request, state: ExecutionState, note: str | None, result: Any) -> Request:
        return await self._told(
            request, lambda: self._kit.gateway.report(request.id, self._requester, state, note, result)
        )

    async def _told(self, request: Request, tell: Callable[[], Awaitable[Request]]) -> Request:
        """The outcome is stored whatever it takes: until then the call would count as under way."""
        while True:
            try:
                return await tell()
            except Refused:
                return await self._kit.gateway.own(request.id, self._requester)
            except SignoffError as error:
                log.warning("a report waits for the store", request=request.id, why=error.words)
                await asyncio.sleep(getattr(error, "retry_after", 5))

    async def _in_doubt(self, use_id: str, request: Request) -> Request:
        """Claimed: by this process, which still runs it, or by one that was interrupted while it did."""
        if request.id in self._kit.running:
            return await self._perform(use_id, request)
        try:
            return await self._kit.gateway.lose(request.id, self._requester)
        except Refused:
            return await self._kit.gateway.own(request.id, self._requester)

    async def _attested(self, use_id: str, request: Request) -> Request:
        """Give people the checkpoint's report time to say whether it ran; after that it stays unknown."""
        await self._seen(use_id, request)
        until = (request.execution.at if request.execution else request.created_at) + request.checkpoint.report
        with self._kit.waiting.watch(request.id) as changed:
            while _unknown(request := await self._kit.gateway.own(request.id, self._requester)):
                left = until - self._kit.gateway.clock()
                if left <= timedelta(0):
                    break
                await changed_within(changed, left.total_seconds())
        return request

    async def _seen(self, use_id: str, request: Request) -> None:
        """Note how a call stands and show it where that is news; a screen that can't be changed stops no call."""
        before = self.known.get(use_id)
        self.known[use_id] = request
        if before is not None and (before.state, before.execution) == (request.state, request.execution):
            return
        try:
            await self._show()
        except SignoffError as error:
            log.warning("progress can't be shown", request=request.id, why=error.words)


def _unknown(request: Request) -> bool:
    return request.execution is not None and request.execution.state is ExecutionState.UNKNOWN
