"""Slack's pace, as a law over all schedules; time is the test's own."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pacing import POST_BURST, POST_EACH, UPDATE_BURST, UPDATE_EACH, Pace, Urgency


class Sleepers:
    """Time that moves to the next sleeper's end whenever everybody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self._asleep: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (self.time + seconds, next(self._numbers), future))
        await future

    async def run(self, *tasks: asyncio.Task[None]) -> None:
        """Let time pass until all ``tasks`` are done."""
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._asleep and not all(task.done() for task in tasks):
                at, _, future = heapq.heappop(self._asleep)
                self.time = max(self.time, at)
                if not future.done():
                    future.set_result(None)


async def sent(arrivals: list[float], channel: str | None, hold: tuple[float, float] | None = None) -> list[float]:
    """When each of the messages that arrive then goes out, in order."""
    world = Sleepers()
    pace = Pace(world.now, world.sleep)
    times: list[float] = []

    async def send(at: float) -> None:
        await world.sleep(at)
        await pace.turn(channel)
        times.append(world.time)

    async def held(at: float, seconds: float) -> None:
        await world.sleep(at)
        pace.hold(channel, seconds)

    tasks = [asyncio.create_task(send(at)) for at in arrivals]
    if hold:
        tasks.append(asyncio.create_task(held(*hold)))
    await world.run(*tasks)
    return times


ARRIVALS = st.lists(st.floats(0, 30), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(arrivals=ARRIVALS)
def test_no_channel_ever_gets_more_than_its_burst_and_one_a_second(arrivals: list[float]) -> None:
    times = asyncio.run(sent(arrivals, "C1"))
    assert len(times) == len(arrivals), "each goes out in the end"
    for first, late in itertools.combinations(range(len(times)), 2):
        assert late - first + 1 <= POST_BURST + (times[late] - times[first]) / POST_EACH + 1e-3


@settings(max_examples=60, deadline=None)
@given(arrivals=ARRIVALS, at=st.floats(0, 30), seconds=st.floats(1, 60))
def test_nothing_goes_out_inside_a_hold_not_even_what_waited_for_its_turn(
    arrivals: list[float], at: float, seconds: float
) -> None:
    times = asyncio.run(sent(arrivals, "C1", (at, seconds)))
    assert not [time for time in times if at + 1e-5 < time < at + seconds - 1e-5]


async def test_a_lone_message_and_a_short_burst_wait_for_nothing() -> None:
    assert await sent([0.0] * POST_BURST, "C1") == [0.0] * POST_BURST


async def test_updates_stay_within_the_budget_of_the_workspace() -> None:
    times = await sent([0.0] * 120, None)
    assert sum(time < 60 for time in times) <= UPDATE_BURST + 60 / UPDATE_EACH
    assert times[-1] <= 120 * UPDATE_EACH


async def test_the_answer_to_a_click_goes_before_all_other_updates() -> None:
    world = Sleepers()
    pace = Pace(world.now, world.sleep)
    order: list[str] = []

    async def update(name: str, urgency: Urgency, at: float) -> None:
        await world.sleep(at)
        await pace.turn(None, urgency)
        order.append(name)

    others = [asyncio.create_task(update(f"late-{n}", Urgency.LATER, 0.0)) for n in range(UPDATE_BURST + 40)]
    click = asyncio.create_task(update("click", Urgency.FIRST, 3.0))
    await world.run(click, *others)
    assert order.index("click") <= UPDATE_BURST + 3
    assert order[-1].startswith("late")


async def test_who_is_cancelled_while_waiting_blocks_nobody() -> None:
    world = Sleepers()
    pace = Pace(world.now, world.sleep)
    tasks = [asyncio.create_task(pace.turn("C1")) for _ in range(10)]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in tasks[3:6]:
        task.cancel()
    await world.run(*tasks)
    assert [task.cancelled() for task in tasks] == [False] * 3 + [True] * 3 + [False] * 4
    assert world.time < (8 - POST_BURST) * POST_EACH


async def test_a_channels_name_and_its_id_share_one_pace() -> None:
    world = Sleepers()
    pace = Pace(world.now, world.sleep)
    await pace.turn("#approvals")
    pace.same("#approvals", "C1")
    tasks = [asyncio.create_task(pace.turn(name)) for name in ("C1", "#approvals", "C1", "#approvals")]
    await world.run(*tasks)
    assert world.time >= 2 * POST_EACH - 1e-6


async def test_a_hold_on_posts_leaves_updates_alone() -> None:
    world = Sleepers()
    pace = Pace(world.now, world.sleep)
    pace.hold("C1", 60)
    await pace.turn(None)
    assert world.time == 0.0
