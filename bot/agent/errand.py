"""One run of the agent, step by step: think, ask, act, tell. The transcript is stored after each step.

Where a run stands follows from its transcript alone, and every call is submitted under the tool use's id, so that a
gateway killed at any instant takes the run up again where it was. A call that was claimed before the interruption and
never reported is unknown: a person is asked, and it is never run twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bot.agent.model import Model, ModelFailed
from bot.agent.outcomes import queued, told
from bot.agent.progress import progress
from bot.agent.tools import ToolBox, ToolFailed
from bot.agent.transcript import Answer, Message, ToolUse, answers, asking_schema, opening, tool_uses, words_of
from bot.gateway import Gateway
from bot.waiting import Waiting, changed_within
from policies.agent_run import AgentRun, RunState
from policies.arguments import canonical, intake
from policies.checkpoint import Kind
from policies.effects import Effect, Post
from policies.errors import Invalid, Refused, Unavailable
from policies.request import ExecutionState, Request, Requester, State, Submission, ToolCall
from storage.store import Idempotency, Store

log = structlog.get_logger("signoff.agent")

REQUESTER = "runner"
TURNS = 60
"""Turns after which a run is ended: an agent that goes round in circles costs money and attention."""

SYSTEM = """\
You are an agent that carries out errands for people of this company with the tools you are given.
Some of your tool calls are shown to people first, who may approve, change or reject them. For those calls fill in
signoff_reason (why this call is right, for the person who decides) and signoff_confidence (0 to 1, honestly).
Never ask for permission in words: make the call, and the right people are asked. What a tool's result says about a
rejection, a change or silence is true; tell the person plainly what happened and what did not. If a call was changed
before it ran, go on from what really ran. Never repeat a call that was rejected or that nobody answered."""


class RunOver(Exception):
    """The run was ended meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kit:
    """What every errand works with. ``asks`` says whether calls of a tool may ever need people."""

    gateway: Gateway
    store: Store
    waiting: Waiting
    tools: ToolBox
    model: Model
    asks: Callable[[str], bool]
    running: dict[str, asyncio.Task[Request]] = field(default_factory=dict)
    """Calls that this process claimed and is running, by request id: only these are not in doubt."""


class Errand:
    """Drives one run until it is over."""

    def __init__(self, kit: Kit, run: AgentRun) -> None:
        self._kit = kit
        self._id = run.id
        self._requester = Requester(id=REQUESTER, name="Signoff agent", owner=run.owner)
        self._requests: dict[str, Request] = {}

    async def live(self) -> None:
        """Step after step, until the run is done, failed or stopped."""
        try:
            while (run := await self._run()).state is RunState.ACTIVE:
                await self._step_unless_stopped(run)
        except RunOver:
            pass
        except ModelFailed as failed:
            await self._end(RunState.FAILED, str(failed))
        await self._take_back()

    # ---- one step

    async def _step_unless_stopped(self, run: AgentRun) -> None:
        step = asyncio.create_task(self._step(run))
        stopped = asyncio.create_task(self._stopped())
        try:
            await asyncio.wait((step, stopped), return_when=asyncio.FIRST_COMPLETED)
            if step.done():
                await step
        finally:
            step.cancel()
            stopped.cancel()
            await asyncio.gather(step, stopped, return_exceptions=True)

    async def _stopped(self) -> None:
        with self._kit.waiting.watch(f"run:{self._id}") as changed:
            while (await self._run()).state is RunState.ACTIVE:
                await changed_within(changed, 3600)

    async def _step(self, run: AgentRun) -> None:
        if not run.transcript:
            await self._append(opening(run.errand))
        elif run.transcript[-1]["role"] == "user":
            await self._think(run)
        elif uses := tool_uses(run.transcript[-1]):
            await self._answer(run, uses)
        elif run.calls:
            await self._await_inbox(run.calls)
        else:
            await self._end(RunState.DONE, None)

    async def _think(self, run: AgentRun) -> None:
        if sum(message["role"] == "assistant" for message in run.transcript) >= TURNS:
            raise ModelFailed(f"The run was ended after {TURNS} turns without a result.")
        turn = await self._kit.model.turn(SYSTEM, run.transcript, self._offered())
        said = words_of(turn.message)
        say = self._post(run, f"say-{len(run.transcript)}", said, "say") if said else None
        await self._append(turn.message, effects=(say,) if say else ())

    def _offered(self) -> list[dict[str, Any]]:
        return [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": asking_schema(tool.schema) if self._kit.asks(tool.name) else dict(tool.schema),
            }
            for tool in self._kit.tools
        ]

    # ---- answering the tool uses of one message, all together

    async def _answer(self, run: AgentRun, uses: tuple[ToolUse, ...]) -> None:
        submitted = [await self._submit(run, use) for use in uses]
        calls = {use.id: each.id for use, each in zip(uses, submitted, strict=True) if isinstance(each, Request)}
        await self._change(lambda standing: replace(standing, calls={**(standing.calls or {}), **calls}), show=True)
        ended = await _together(self._outcome(use, each) for use, each in zip(uses, submitted, strict=True))
        given = {use.id: answer for use, answer in zip(uses, ended, strict=True)}
        waiting = {use.id for use in uses if (each := self._requests.get(use.id)) is not None and _in_inbox(each)}
        await self._append(answers(given), forget=set(given) - waiting)

    async def _submit(self, run: AgentRun, use: ToolUse) -> Request | Answer:
        try:
            self._kit.tools.check(use.name, use.arguments)
            arguments = intake(use.arguments)
        except (ToolFailed, Invalid) as unfit:
            return Answer(text=str(unfit), failed=True)
        tool = self._kit.tools.tools[use.name]
        submission = Submission(
            call=ToolCall(tool=tool.name, arguments=arguments, schema=tool.schema, description=tool.description),
            reason=use.reason,
            confidence=use.confidence,
            context=run.errand,
            run=run.id,
        )
        body = hashlib.sha256(canonical([use.name, arguments])).hexdigest()
        key = Idempotency(requester=REQUESTER, key=f"{run.id}:{use.id}", body=body)
        try:
            added = await self._kit.gateway.submit(submission, self._requester, idempotency=key)
        except Invalid as unfit:
            return Answer(text=unfit.words, failed=True)
        self._requests[use.id] = added.request
        return added.request

    async def _outcome(self, use: ToolUse, submitted: Request | Answer) -> Answer:
        if isinstance(submitted, Answer):
            return submitted
        if _in_inbox(submitted):
            return queued(submitted)
        return await self._see_through(use.id, submitted.id)

    async def _see_through(self, use_id: str, request_id: str) -> Answer:
        """Wait for the decision, run what was approved, and say how it ended."""
        request = await self._until(use_id, request_id, lambda each: each.settled)
        if request.execution is not None and request.execution.state is ExecutionState.UNCLAIMED:
            request = await self._perform(use_id, request)
        elif request.execution is not None and request.execution.state is ExecutionState.CLAIMED:
            request = await self._in_doubt(use_id, request)
        elif request.execution is not None and request.execution.state is ExecutionState.UNKNOWN:
            request = await self._until_attested(use_id, request)
        await self._seen(use_id, request)
        return told(request, {review.by: review.name for review in request.reviews})

    async def _until(self, use_id: str, request_id: str, ready: Callable[[Request], bool]) -> Request:
        with self._kit.waiting.watch(request_id) as changed:
            while not ready(request := await self._kit.gateway.own(request_id, self._requester)):
                await self._seen(use_id, request)
                await changed_within(changed, 3600)
        return request

    async def _perform(self, use_id: str, request: Request) -> Request:
        """Claim, run and report; not cut short when the run is stopped meanwhile."""
        task = asyncio.create_task(self._claim_and_run(use_id, request))
        self._kit.running[request.id] = task
        task.add_done_callback(lambda _: self._kit.running.pop(request.id, None))
        return await asyncio.shield(task)

    async def _claim_and_run(self, use_id: str, request: Request) -> Request:
        try:
            claimed = await self._kit.gateway.claim(request.id, self._requester, request.digest, key=use_id)
        except Refused:
            return await self._kit.gateway.own(request.id, self._requester)
        await self._seen(use_id, claimed)
        try:
            result = await self._kit.tools.run(claimed.call.tool, claimed.call.arguments)
        except ToolFailed as failed:
            return await self._report(claimed, ExecutionState.FAILED, str(failed), None)
        return await self._report(claimed, ExecutionState.SUCCEEDED, None, result)

    async def _report(self, request: Request, state: ExecutionState, note: str | None, result: Any) -> Request:
        """The outcome is stored whatever it takes: until then the call would count as unknown."""
        while True:
            try:
                return await self._kit.gateway.report(request.id, self._requester, state, note, result)
            except Unavailable as unavailable:
                log.warning("a report waits for the store", request=request.id, why=unavailable.words)
                await asyncio.sleep(unavailable.retry_after)
            except Refused:
                return await self._kit.gateway.own(request.id, self._requester)

    async def _in_doubt(self, use_id: str, request: Request) -> Request:
        if (mine := self._kit.running.get(request.id)) is not None:
            return await asyncio.shield(mine)
        lost = await self._kit.gateway.lose(request.id, self._requester)
        return await self._until_attested(use_id, lost)

    async def _until_attested(self, use_id: str, request: Request) -> Request:
        """Give people the checkpoint's report time to say whether it ran; after that the model hears "unknown"."""
        await self._seen(use_id, request)
        deadline = asyncio.get_running_loop().time() + request.checkpoint.report.total_seconds()
        with self._kit.waiting.watch(request.id) as changed:
            while _unknown(request := await self._kit.gateway.own(request.id, self._requester)):
                if not await changed_within(changed, deadline - asyncio.get_running_loop().time()):
                    break
        return request

    # ---- the inbox

    async def _await_inbox(self, calls: Mapping[str, str]) -> None:
        """Wait for the first of the queued calls to end, and bring its result into the conversation."""
        waits = {asyncio.create_task(self._see_through(use, request)): use for use, request in calls.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            ended = {waits[task]: (await task) for task in done}
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        later = [f"The call that was queued for review ({calls[use]}): {each.text}" for use, each in ended.items()]
        await self._append(answers({}, later), forget=set(ended))

    # ---- the stored run

    async def _run(self) -> AgentRun:
        run = await self._kit.store.run(self._id)
        if run is None:
            raise RunOver
        return run

    async def _append(
        self, message: Message, *, effects: tuple[Effect, ...] = (), forget: set[str] | None = None
    ) -> None:
        def grown(run: AgentRun) -> AgentRun:
            calls = {use: request for use, request in (run.calls or {}).items() if use not in (forget or set())}
            return replace(run, transcript=(*run.transcript, message), calls=calls)

        await self._change(grown, effects=effects, show=True)

    async def _end(self, state: RunState, note: str | None) -> None:
        try:
            await self._change(lambda run: replace(run, state=state, note=note), show=True)
        except RunOver:
            return

    async def _change(
        self, change: Callable[[AgentRun], AgentRun], *, effects: tuple[Effect, ...] = (), show: bool = False
    ) -> AgentRun:
        def step(run: AgentRun) -> tuple[AgentRun, tuple[Effect, ...]]:
            if run.state is not RunState.ACTIVE:
                raise RunOver
            changed = change(run)
            return changed, (*effects, self._shown(changed)) if show else effects

        return await self._kit.store.change_run(self._id, step)

    async def _seen(self, use_id: str, request: Request) -> None:
        """Note how a call stands, and show it where that is news."""
        before = self._requests.get(use_id)
        self._requests[use_id] = request
        if before is None or (before.state, before.execution) != (request.state, request.execution):
            await self._kit.store.change_run(self._id, lambda run: (run, (self._shown(run),)))

    def _shown(self, run: AgentRun) -> Post:
        kind = "progress" if run.state is RunState.ACTIVE else "ended"
        return self._post(run, "progress", progress(run, self._requests), kind)

    def _post(self, run: AgentRun, key: str, text: str, kind: str) -> Post:
        return Post(run_id=run.id, key=key, channel=run.channel, thread_ts=run.thread_ts, text=text, kind=kind)

    async def _take_back(self) -> None:
        """A run that was stopped or failed takes back what still waits; nothing of it may run afterwards."""
        run = await self._kit.store.run(self._id)
        if run is None or run.state is RunState.DONE:
            return
        for request_id in (run.calls or {}).values():
            try:
                await self._kit.gateway.withdraw(request_id, self._requester)
            except Refused:
                continue
        await self._kit.store.change_run(self._id, lambda standing: (standing, (self._shown(standing),)))


async def _together(outcomes: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """All of them, or the first failure with none of the others left running."""
    waits = [asyncio.create_task(each) for each in outcomes]
    try:
        return await asyncio.gather(*waits)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _in_inbox(request: Request) -> bool:
    return request.checkpoint.kind is Kind.INBOX and request.state is State.PENDING


def _unknown(request: Request) -> bool:
    return request.execution is not None and request.execution.state is ExecutionState.UNKNOWN
