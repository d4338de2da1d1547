"""Whoever waits is woken by the change that comes after the look, and leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from bot.waiting import Waiting, changed_within


async def test_a_change_between_the_look_and_the_wait_is_not_missed() -> None:
    waiting = Waiting()
    with waiting.watch("r1") as changed:
        waiting.wake(("r1",))
        assert await changed_within(changed, 0)
        assert not await changed_within(changed, 0), "it is told once"


async def test_only_those_who_watch_a_topic_are_woken() -> None:
    waiting = Waiting()
    with waiting.watch("r1") as one, waiting.watch("r2", "run:1") as other:
        waiting.wake(("run:1", "nobody"))
        assert not one.is_set()
        assert other.is_set()


async def test_all_who_watch_are_woken_at_once() -> None:
    waiting = Waiting()

    async def watch() -> bool:
        with waiting.watch("r1") as changed:
            return await changed_within(changed, 5)

    watchers = [asyncio.create_task(watch()) for _ in range(100)]
    await asyncio.sleep(0)
    waiting.wake(("r1",))
    assert await asyncio.gather(*watchers) == [True] * 100
    assert waiting.topics == 0


async def test_nothing_is_left_of_a_watch_that_ended_by_an_error_or_named_a_topic_twice() -> None:
    waiting = Waiting()
    with pytest.raises(ValueError, match="over"), waiting.watch("r1", "r1"):
        raise ValueError("over")
    assert waiting.topics == 0
    waiting.wake(("r1",))
