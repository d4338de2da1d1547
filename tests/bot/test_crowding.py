"""An agent that was just refused has a few places at a time, for a while; nobody else waits for it."""

from __future__ import annotations

import asyncio

import pytest

from bot import crowding
from bot.crowding import AT_ONCE, Crowding


async def inside(crowd: Crowding, agent: str, calls: int) -> int:
    """How many of so many calls are worked on at once."""
    entered, leave = 0, asyncio.Event()

    async def call() -> None:
        nonlocal entered
        async with crowd.place(agent):
            entered += 1
            await leave.wait()

    waiting = [asyncio.create_task(call()) for _ in range(calls)]
    for _ in range(3):
        await asyncio.sleep(0)
    found = entered
    leave.set()
    await asyncio.gather(*waiting)
    assert entered == calls, "all have their turn"
    return found


async def test_only_who_was_refused_waits_for_a_place() -> None:
    crowd = Crowding()
    assert await inside(crowd, "flood", 20) == 20
    crowd.refused("flood")
    assert await inside(crowd, "flood", 20) == AT_ONCE
    assert await inside(crowd, "calm", 20) == 20


async def test_a_while_after_the_last_refusal_all_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowding, "AFTER", 0.0)
    crowd = Crowding()
    crowd.refused("flood")
    assert await inside(crowd, "flood", 20) == 20
