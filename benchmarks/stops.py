"""How late a ladder's steps are: undisturbed, after the process was stopped for a minute, and after a minute's absence.

    python -m benchmarks.stops [SECONDS]

Each of twenty requests has a reminder, a group that joins and an end, all of which fall due while the gateway is
stopped (SIGSTOP), or killed and started again. Beside each figure, how many of the steps happened exactly once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import time
from dataclasses import dataclass

from tests.gateway.house_policy import policy_of
from tests.gateway.stage import Stage, staged
from tests.sandbox_process import until

REQUESTS = 20
SECONDS = 60.0
LADDER = "{after: 1s, remind: true}, {after: 2s, add: seniors}, {after: 6s, then: expire}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """When each step is due, in seconds after opening."""

    remind: float
    add: float
    settled: float


def steps(seconds: float) -> Steps:
    """All three fall due while the gateway is away for ``seconds``."""
    return Steps(remind=seconds // 3, add=seconds // 2, settled=seconds * 5 // 6)


def policy(due: Steps) -> str:
    """The lanes' policy with such a ladder."""
    written = f"{{after: {due.remind:g}s, remind: true}}, {{after: {due.add:g}s, add: seniors}}"
    text = policy_of(REQUESTS, kinds=("short",))
    assert LADDER in text
    return text.replace(LADDER, f"{written}, {{after: {due.settled:g}s, then: expire}}")


async def ask(stage: Stage) -> list[str]:
    """Requests with their cards."""
    ids = [str((await stage.ask("short"))["id"]) for _ in range(REQUESTS)]
    for each in ids:
        await stage.card(each)
    return ids


async def ended(stage: Stage, ids: list[str], within: float) -> None:
    """Wait until all of them are settled."""

    async def settled() -> bool:
        return all(len(stage.decisions(each)) == 1 for each in ids)

    await until(settled, within)


def tell(stage: Stage, ids: list[str], due: Steps, title: str, back_at: float = 0.0) -> None:
    """Print how late the steps were against their time, or against ``back_at`` (Unix seconds) where that is later."""
    late, once, early = [], 0, 0
    for each in ids:
        found = stage.serve.rows(
            "SELECT at / 1e6, coalesce(json_extract(detail, '$.act'), what) FROM journal WHERE subject = ?", each
        )
        opened = next(at for at, what in found if what == "opened")
        for what in ("remind", "add", "settled"):
            times = [at for at, happened in found if happened == what]
            once += len(times) == 1
            early += any(at < opened + getattr(due, what) for at in times)
            late += [at - max(opened + getattr(due, what), back_at) for at in times]
    print(
        f"{title:<34} late by {statistics.median(late):6.2f} s (median), {max(late):6.2f} s (most);"
        f" {once} of {3 * len(ids)} once, {early} early"
    )


async def measure(seconds: float) -> None:
    """All three comparisons, one after the other."""
    due = steps(seconds)
    async with staged(lanes=REQUESTS, policy=policy(due)) as stage:
        ids = await ask(stage)
        await ended(stage, ids, seconds * 2)
        tell(stage, ids, due, "undisturbed")
        ids = await ask(stage)
        os.kill(stage.serve.pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        back_at = time.time()
        os.kill(stage.serve.pid, signal.SIGCONT)
        await ended(stage, ids, seconds * 2)
        tell(stage, ids, due, f"stopped for {seconds:g} s", back_at)
        ids = await ask(stage)
        await stage.serve.kill9()
        await asyncio.sleep(seconds)
        await stage.serve.restart()
        back_at = time.time()
        await ended(stage, ids, seconds * 2)
        tell(stage, ids, due, f"killed, and back after {seconds:g} s", back_at)


def main() -> None:
    """Measure with a stop of the usual length."""
    asyncio.run(measure(SECONDS))


if __name__ == "__main__":
    asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
