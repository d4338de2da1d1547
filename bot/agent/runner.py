"""Keeps every active run alive: those that were started, and after a restart those that were interrupted."""

from __future__ import annotations

import asyncio

import structlog

from bot.agent.errand import Errand, Kit
from bot.waiting import changed_within
from policies.agent_run import AgentRun, RunState
from policies.errors import SignoffError

log = structlog.get_logger("signoff.agent")

IDLE = 60.0
"""Seconds after which the stored runs are looked at even though nobody rang."""

PAUSE = 5.0
"""Seconds before a run that fell over is taken up again."""


class Runner:
    """Drives all active runs until it is cancelled; the topic ``runs`` tells of new ones."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._under_way: set[str] = set()

    async def run(self) -> None:
        """Take up every active run, each as a coroutine of its own."""
        async with asyncio.TaskGroup() as runs:
            with self._kit.waiting.watch("runs") as called:
                while True:
                    for run in await self._kit.store.runs(RunState.ACTIVE):
                        if run.id not in self._under_way:
                            self._under_way.add(run.id)
                            runs.create_task(self._live(run))
                    await changed_within(called, IDLE)

    async def _live(self, run: AgentRun) -> None:
        try:
            await Errand(self._kit, run).live()
        except SignoffError as error:
            log.warning("a run waits", run=run.id, why=error.words)
            await asyncio.sleep(PAUSE)
            self._kit.waiting.wake(("runs",))
        except Exception:
            log.exception("a run fell over", run=run.id)
            await asyncio.sleep(PAUSE)
            self._kit.waiting.wake(("runs",))
        finally:
            self._under_way.discard(run.id)
