"""Keeps every active run alive: those that were started, and after a restart those that were interrupted."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from bot.agent.errand import Errand
from bot.agent.kit import Kit
from bot.agent.leftovers import take_back
from bot.agent.progress import HEADINGS
from bot.logs import get_logger
from bot.waiting import changed_within
from policies.agent_run import AgentRun, RunState
from policies.effects import Effect, Post
from policies.errors import SignoffError

log = get_logger("signoff.agent")

IDLE = 60.0
"""Seconds after which the stored runs are looked at even though nobody rang."""

PAUSE = 5.0
"""Seconds before a run that fell over is taken up again."""

FALLS = 5
"""Unexpected errors after which a run is ended: one that always falls over would do so for ever."""

FELL_OVER = "Something in Signoff went wrong with it again and again; see Signoff's log."

GRACE = 10.0
"""Seconds that calls under way are given to end and be reported when the runner stops."""


class Runner:
    """Drives all active runs until it is cancelled; the topic ``runs`` tells of new ones."""

    def __init__(self, kit: Kit, *, pause: float = PAUSE) -> None:
        self._kit = kit
        self._pause = pause
        self._under_way: set[str] = set()
        self._falls: Counter[str] = Counter()

    async def run(self) -> None:
        """Take up every active run, each as a coroutine of its own."""
        try:
            async with asyncio.TaskGroup() as runs:
                with self._kit.waiting.watch("runs") as called:
                    while True:
                        patience = IDLE if await self._take_up(runs) else self._pause
                        await changed_within(called, patience)
        finally:
            await self._let_end()

    async def _take_up(self, runs: asyncio.TaskGroup) -> bool:
        """Start what is active and nobody drives, and take back what ended runs left; False where the store failed."""
        try:
            await take_back(self._kit)
            active = await self._kit.store.runs(RunState.ACTIVE)
        except SignoffError as error:
            log.warning("runs can't be looked at", why=error.words)
            return False
        for run in active:
            if run.id not in self._under_way:
                self._under_way.add(run.id)
                runs.create_task(self._live(run))
        return True

    async def _live(self, run: AgentRun) -> None:
        try:
            await Errand(self._kit, run).live()
            del self._falls[run.id]
        except SignoffError as error:
            log.warning("a run waits", run=run.id, why=error.words)
            await asyncio.sleep(self._pause)
        except Exception:
            log.exception("a run fell over", run=run.id)
            await self._fell(run)
        finally:
            self._under_way.discard(run.id)
            self._kit.waiting.wake(("runs",))

    async def _fell(self, run: AgentRun) -> None:
        self._falls[run.id] += 1
        if self._falls[run.id] < FALLS:
            await asyncio.sleep(self._pause)
            return
        try:
            await self._kit.store.change_run(run.id, _failed)
        except SignoffError as error:
            log.warning("a run can't be ended", run=run.id, why=error.words)

    async def _let_end(self) -> None:
        """Let calls under way end and be reported: cut short, they would count as unknown."""
        if self._kit.running:
            await asyncio.wait(self._kit.running.values(), timeout=GRACE)


def _failed(run: AgentRun) -> tuple[AgentRun, tuple[Effect, ...]]:
    """The run ended, told in plain words: what made it fall over may lie in its transcript."""
    if run.state is not RunState.ACTIVE:
        return run, ()
    text = f"{HEADINGS[RunState.FAILED]} {FELL_OVER}"
    told = Post(run_id=run.id, key="progress", channel=run.channel, thread_ts=run.thread_ts, text=text, kind="ended")
    return replace(run, state=RunState.FAILED, note=FELL_OVER), (told,)
