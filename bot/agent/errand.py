"""One run of the agent, step by step: think, ask, act, tell. The transcript is stored after each step.

Where a run stands follows from its transcript alone, and every call is submitted under the tool use's id, so that a
gateway killed at any instant takes the run up again where it was. Calls that wait in the inbox are seen through beside
the conversation; their results enter it with the next message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence, Set
from dataclasses import replace
from typing import Any, TypeVar

from bot.agent import questions
from bot.agent.calls import Calls
from bot.agent.kit import Kit
from bot.agent.leftovers import take_back
from bot.agent.model import ModelFailed, Turn
from bot.agent.outcomes import entered_later, queued
from bot.agent.progress import progress
from bot.agent.rack import Rack
from bot.agent.tools import Offered
from bot.agent.transcript import Answer, Message, ToolUse, answers, asking_schema, opening, tool_uses, words_of
from bot.agent.wire_names import for_the_api, for_the_model, from_the_model, wire_name
from bot.logs import get_logger
from bot.waiting import changed_within
from policies.agent_run import AgentRun, RunState
from policies.checkpoint import Kind
from policies.effects import Effect, Post
from policies.errors import SignoffError
from policies.request import Request, State

__all__ = ["SYSTEM", "TURNS", "Errand", "Kit", "RunOver"]

log = get_logger("signoff.agent")

T = TypeVar("T")

TURNS = 60
"""Turns after which a run is ended: an agent that goes round in circles costs money and attention."""

LOOK_AGAIN = 60.0
"""Seconds after which a run is read again even though nobody rang."""

PAUSE = 5.0
"""Seconds after which a queued call is looked at again when the store could not answer."""

ASK_PEOPLE: dict[str, Any] = {
    "name": questions.NAME,
    "description": questions.DESCRIPTION,
    "input_schema": dict(questions.SCHEMA),
}

SYSTEM = """\
You are an agent that carries out errands for people of this company with the tools you are given.
Some of your tool calls are shown to people first, who may approve, change or reject them. For those calls fill in
signoff_reason (why this call is right, for the person who decides) and signoff_confidence (0 to 1, honestly).
Never ask for permission in words: make the call, and the right people are asked. Where the errand itself is unclear,
ask with ask_people and state your best guess. What a tool's result says about a rejection, a change, an answer or
silence is true; tell the person plainly what happened and what did not. If a call was changed before it ran, go on from
what really ran. Never repeat a call that was rejected or that nobody answered."""


class RunOver(Exception):
    """The run was ended meanwhile."""


class Errand:
    """Drives one run until it is over."""

    def __init__(self, kit: Kit, run: AgentRun) -> None:
        self._kit = kit
        self._id = run.id
        self._tools = Rack(kit.tools, kit.servers)
        self._calls = Calls(kit, self._tools, run, self._show, self._turn)
        self._queued: dict[str, asyncio.Task[Answer]] = {}

    async def live(self) -> None:
        """Step after step, until the run is done, failed or stopped."""
        try:
            while (run := await self._run()).state is RunState.ACTIVE:
                await self._step_unless_stopped(run)
        except RunOver:
            pass
        except ModelFailed as failed:
            await self._fail(str(failed))
        finally:
            await _cancelled(self._queued.values())
            await self._calls.replies.end()
        await self._wind_up()

    async def _fail(self, words: str) -> None:
        try:
            await self._end(RunState.FAILED, words)
        except RunOver:
            return

    # ---- one step

    async def _step_unless_stopped(self, run: AgentRun) -> None:
        step = asyncio.create_task(self._step(run))
        stopped = asyncio.create_task(self._stopped())
        try:
            await asyncio.wait((step, stopped), return_when=asyncio.FIRST_COMPLETED)
            await (step if step.done() else stopped)
        finally:
            await _cancelled((step, stopped))

    async def _stopped(self) -> None:
        with self._kit.waiting.watch(f"run:{self._id}") as changed:
            while (await self._run()).state is RunState.ACTIVE:
                await changed_within(changed, LOOK_AGAIN)

    async def _step(self, run: AgentRun) -> None:
        if not run.transcript:
            await self._append(opening(run.errand))
            return
        last = run.transcript[-1]
        uses = tool_uses(last) if last["role"] == "assistant" else ()
        self._see_through_queued(run, {use.id for use in uses})
        if last["role"] == "user":
            await self._think(run)
        elif uses:
            await self._answer(run, uses)
        elif self._queued:
            await self._await_queued()
        else:
            await self._end(RunState.DONE, None)

    async def _think(self, run: AgentRun) -> None:
        if sum(message["role"] == "assistant" for message in run.transcript) >= TURNS:
            raise ModelFailed(f"The run was ended after {TURNS} turns without a result.")
        turn = await self._turn(run.transcript)
        await self._append(turn.message, effects=_said(run, words_of(turn.message)))

    async def _turn(self, transcript: Sequence[Message]) -> Turn:
        await self._tools.fill()
        offered = [self._offered(tool) for tool in self._tools]
        offered += [] if questions.NAME in self._tools.tools else [ASK_PEOPLE]
        turn = await self._kit.model.turn(f"{SYSTEM}{self._tools.notice}", for_the_model(transcript), offered)
        return replace(turn, message=from_the_model(turn.message, self._tools.names))

    def _offered(self, tool: Offered) -> dict[str, Any]:
        schema = for_the_api(tool.schema)
        return {
            "name": wire_name(tool.name),
            "description": tool.description,
            "input_schema": asking_schema(schema) if self._kit.asks(tool.name) else schema,
        }

    # ---- answering the tool uses of one message, all together

    async def _answer(self, run: AgentRun, uses: tuple[ToolUse, ...]) -> None:
        submitted = [await self._calls.submit(run, use) for use in uses]
        asked = {use.id: each for use, each in zip(uses, submitted, strict=True) if isinstance(each, Request)}
        calls = {use_id: request.id for use_id, request in asked.items()}
        await self._change(lambda standing: replace(standing, calls={**(standing.calls or {}), **calls}), show=True)
        ended = await _together(self._outcome(use, each) for use, each in zip(uses, submitted, strict=True))
        given = {use.id: answer for use, answer in zip(uses, ended, strict=True)}
        stay = {use_id for use_id, request in asked.items() if _in_inbox(request)}
        arrived = await self._arrived()
        await self._append(answers(given, _later(run, arrived)), forget=(given.keys() | arrived.keys()) - stay)

    async def _outcome(self, use: ToolUse, submitted: Request | Answer) -> Answer:
        if isinstance(submitted, Answer):
            return submitted
        if _in_inbox(submitted):
            return queued(submitted)
        return await self._calls.see_through(use.id, submitted.id)

    # ---- calls that wait in the inbox while the agent goes on

    def _see_through_queued(self, run: AgentRun, unanswered: Set[str]) -> None:
        """Wait for the queued calls beside the conversation, so that an approval is used while it is fresh."""
        for use_id, request_id in (run.calls or {}).items():
            if use_id not in unanswered and use_id not in self._queued:
                self._queued[use_id] = asyncio.create_task(self._see_through(use_id, request_id))

    async def _see_through(self, use_id: str, request_id: str) -> Answer:
        while True:
            try:
                return await self._calls.see_through(use_id, request_id)
            except SignoffError as error:
                log.warning("a queued call waits for the store", request=request_id, why=error.words)
                await asyncio.sleep(PAUSE)

    async def _await_queued(self) -> None:
        """Wait until one of the queued calls has ended, and bring its result into the conversation."""
        await asyncio.wait(self._queued.values(), return_when=asyncio.FIRST_COMPLETED)
        arrived = await self._arrived()
        await self._append(answers({}, _later(await self._run(), arrived)), forget=arrived.keys())

    async def _arrived(self) -> dict[str, Answer]:
        """The queued calls that have ended by now, each handed out once."""
        done = [use_id for use_id, task in self._queued.items() if task.done()]
        return {use_id: await self._queued.pop(use_id) for use_id in done}

    # ---- the stored run

    async def _run(self) -> AgentRun:
        run = await self._kit.store.run(self._id)
        if run is None:
            raise RunOver
        return run

    async def _append(
        self, message: Message, *, effects: tuple[Effect, ...] = (), forget: Set[str] = frozenset()
    ) -> None:
        def grown(run: AgentRun) -> AgentRun:
            calls = {use: request for use, request in (run.calls or {}).items() if use not in forget}
            return replace(run, transcript=(*run.transcript, message), calls=calls)

        await self._change(grown, effects=effects, show=True)

    async def _end(self, state: RunState, note: str | None) -> None:
        await self._change(lambda run: replace(run, state=state, note=note), show=True)

    async def _change(
        self, change: Callable[[AgentRun], AgentRun], *, effects: tuple[Effect, ...] = (), show: bool = False
    ) -> None:
        def step(run: AgentRun) -> tuple[AgentRun, tuple[Effect, ...]]:
            if run.state is not RunState.ACTIVE:
                raise RunOver
            changed = change(run)
            return changed, (*effects, self._shown(changed)) if show else effects

        await self._kit.store.change_run(self._id, step)

    async def _wind_up(self) -> None:
        """A run that was stopped or failed takes back what still waits; nothing of it may run afterwards."""
        run = await self._kit.store.run(self._id)
        if run is None or run.state is RunState.DONE:
            return
        # A submission that was cut off may still stand in the writer's queue: this change comes after it.
        await self._show()
        await take_back(self._kit, self._id)
        await self._calls.look_again()
        await self._show()

    # ---- what the thread shows

    async def _show(self) -> None:
        await self._kit.store.change_run(self._id, lambda run: (run, (self._shown(run),)))

    def _shown(self, run: AgentRun) -> Post:
        kind = "progress" if run.state is RunState.ACTIVE else "ended"
        return _post(run, "progress", progress(run, self._calls.known), kind)


def _said(run: AgentRun, words: str) -> tuple[Post, ...]:
    # One message, whatever its length: a text cut in two before it is redacted could show two halves of a secret.
    return (_post(run, f"say-{len(run.transcript)}", words, "say"),) if words else ()


def _post(run: AgentRun, key: str, text: str, kind: str) -> Post:
    return Post(run_id=run.id, key=key, channel=run.channel, thread_ts=run.thread_ts, text=text, kind=kind)


def _later(run: AgentRun, arrived: dict[str, Answer]) -> list[str]:
    calls = run.calls or {}
    return [entered_later(calls.get(use_id, use_id), answer) for use_id, answer in arrived.items()]


def _in_inbox(request: Request) -> bool:
    return request.checkpoint.kind is Kind.INBOX and request.state is State.PENDING


async def _together(outcomes: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All of them, or the first failure with none of the others left running."""
    waits = [asyncio.create_task(each) for each in outcomes]
    try:
        return await asyncio.gather(*waits)
    finally:
        await _cancelled(waits)


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what still runs, and read how each ended."""
    waits = tuple(tasks)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
