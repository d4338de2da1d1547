"""The beat goes on at its pace, whatever is done to the machine's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from bot.beat import Beat

EACH = 0.05


class Counted:
    """Counts its beats."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.came = asyncio.Event()

    async def beat(self) -> None:
        self.times.append(time.monotonic())
        self.came.set()

    async def more(self, number: int) -> None:
        """Wait for so many more beats."""
        wanted = len(self.times) + number
        async with asyncio.timeout(10):
            while len(self.times) < wanted:
                self.came.clear()
                await self.came.wait()


@pytest.mark.parametrize(
    "span", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-400), timedelta(days=20_000)]
)
async def test_setting_the_machines_clock_neither_stops_nor_hurries_it(span: timedelta) -> None:
    """Back by an hour it must not sleep for that hour; decades ahead (a board without a clock) it owes no beats."""
    counted = Counted()
    beat = Beat(counted.beat, EACH)
    beat.start()
    await counted.more(2)
    with time_machine.travel(datetime.now(UTC) + span, tick=True):
        begun, before = time.monotonic(), len(counted.times)
        await counted.more(4)
        assert len(counted.times) - before <= (time.monotonic() - begun) / EACH + 2
    await counted.more(2)  # and set right again
    beat.stop()


async def test_the_first_beat_comes_at_once_or_after_the_first_span() -> None:
    at_once, later = Counted(), Counted()
    beats = (Beat(at_once.beat, 30), Beat(later.beat, 0.2, at_once=False))
    begun = time.monotonic()
    for beat in beats:
        beat.start()
    await at_once.more(1)
    assert later.times == []
    await later.more(1)
    assert later.times[0] - begun >= 0.2
    assert len(at_once.times) == 1
    for beat in beats:
        beat.stop()


async def test_a_beat_that_takes_long_is_not_doubled() -> None:
    under_way, most, ended = 0, 0, asyncio.Event()

    async def slow() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(EACH * 4)
        under_way -= 1
        ended.set()

    beat = Beat(slow, EACH)
    beat.start()
    await asyncio.wait_for(ended.wait(), 10)
    ended.clear()
    await asyncio.wait_for(ended.wait(), 10)
    beat.stop()
    assert most == 1
