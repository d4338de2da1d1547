"""Ladders in real time: the machine's clock is set, the process is stopped, the gateway is killed across the deadline.

Each step happens once, never early, and within two seconds of its time or of the process being back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from bot.clock import SteadyClock
from tests.gateway.house_policy import channel_of, policy_of
from tests.gateway.stage import Stage, staged
from tests.gateway.theatre import theatre
from tests.sandbox_process import SandboxProcess, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

STEPS = {"remind": 1.0, "add": 2.0, "settled": 3.0}
"""When what falls due, in seconds after opening."""
POLICY = policy_of(12, kinds=("short",)).replace("after: 6s, then: expire", "after: 3s, then: expire")
ALWAYS, MOSTLY = 10.0, 2.0
"""Seconds that a step may be late: each one on a machine that does much else, and half of them on any."""

Raw = Callable[..., list[tuple[Any, ...]]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(lanes=12, policy=POLICY) as found:
        yield found


async def _asked(stage: Stage) -> list[str]:
    """Five requests with their cards, which the gateway knows of: one killed before it knows may not look for them."""
    ids = [str((await stage.ask("short"))["id"]) for _ in range(5)]

    async def kept() -> bool:
        return all(stage.serve.rows("SELECT 1 FROM copies WHERE request_id = ?", each) for each in ids)

    await until(kept)
    return ids


async def _all_settled(raw: Raw, ids: list[str]) -> None:
    async def settled() -> bool:
        return all(raw("SELECT state FROM requests WHERE id = ?", each) == [("expired",)] for each in ids)

    await until(settled)


def _judge(raw: Raw, ids: list[str], back_at: float = 0.0) -> None:
    """Each step once, in order, never early, and late only by little against its time or `back_at` (Unix seconds)."""
    late = []
    for each in ids:
        found = raw(
            "SELECT at / 1e6, what, json_extract(detail, '$.act') FROM journal WHERE subject = ? ORDER BY seq", each
        )
        happened = [(act or what, at) for at, what, act in found if what not in ("opened", "delivered")]
        assert [what for what, _ in happened] == list(STEPS)
        opened = found[0][0]
        for what, at in happened:
            assert at >= opened + STEPS[what], "never early"
            late.append(at - max(opened + STEPS[what], back_at))
    assert max(late) < ALWAYS, late
    assert statistics.median(late) < MOSTLY, late


async def test_setting_the_machines_clock_by_an_hour_to_and_fro_moves_no_step(tmp_path: Path) -> None:
    with SandboxProcess() as sandbox:
        async with theatre(sandbox, tmp_path, POLICY) as stage:
            for lane in range(12):
                await sandbox.control.channel(channel_of(lane), name=f"lane-{lane}", members=["U0SIGNOFF", "U0ANA"])
            stage.clock = SteadyClock()
            await stage.start()
            ids = [(await stage.ask(f"short_{lane}"))["id"] for lane in range(5)]
            for hours, seconds in ((1, 1.5), (0, 1.0), (-1, 1.0)):  # each is a jump from the one before
                with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True):
                    await asyncio.sleep(seconds)
            await _all_settled(stage.raw, ids)
            _judge(stage.raw, ids)
        await sandbox.aclose()


async def test_a_process_that_was_stopped_across_two_steps_takes_each_once_when_it_goes_on(stage: Stage) -> None:
    ids = await _asked(stage)
    os.kill(stage.serve.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(3.0)
    finally:
        os.kill(stage.serve.pid, signal.SIGCONT)
    back_at = time.time()
    await _all_settled(stage.serve.rows, ids)
    _judge(stage.serve.rows, ids, back_at)


async def test_a_gateway_that_was_killed_across_the_deadline_takes_each_step_once_when_it_is_back(stage: Stage) -> None:
    ids = await _asked(stage)
    await stage.serve.kill9()
    await asyncio.sleep(3.0)
    await stage.serve.restart()
    back_at = time.time()
    await _all_settled(stage.serve.rows, ids)
    _judge(stage.serve.rows, ids, back_at)
    for each in ids:
        card = await stage.card_saying(each, "expired: nobody decided")
        assert "signoff.approve" not in card.buttons
