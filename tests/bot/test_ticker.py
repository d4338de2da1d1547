"""The ticker lets happen what is due, once, and goes on whatever a tick met."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.gateway import Gateway
from bot.logs import set_up_logs
from bot.shelf import PolicyShelf
from bot.ticker import Ticker
from bot.waiting import Waiting, changed_within
from policies.loader import load
from policies.request import Request, State
from storage.store import Store
from tests.storage.samples import WORKSPACE, opened

POLICY = """
version: 1
reviewers: {support: {users: [U0ANA]}}
ladders: {standard: [{after: 2h, then: expire}]}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
async def gateway(tmp_path: Path, waiting: Waiting) -> AsyncIterator[Gateway]:
    url = f"sqlite:///{tmp_path}/signoff.db"
    store = await Store.open(url, workspace_id=WORKSPACE, exclusive=True, on_commit=waiting.wake)
    shelf = PolicyShelf(store, load(POLICY, source="policy.yml"))
    yield Gateway(store, shelf, Hand(), waiting, workspace_id=WORKSPACE)
    await store.close()


async def expired(gateway: Gateway, request_id: str) -> Request:
    async with asyncio.timeout(20):
        with gateway.waiting.watch(request_id) as changed:
            while (request := await gateway.request(request_id)).state is not State.EXPIRED:
                await changed_within(changed, 1)
    return request


async def test_what_is_due_happens_within_a_tick_and_nothing_happens_early(gateway: Gateway) -> None:
    hand = gateway.clock
    assert isinstance(hand, Hand)
    for n in range(3):
        await gateway.store.add(opened(f"r{n}", created_at=hand.time + timedelta(minutes=n)))
    ticker = Ticker(gateway, hand, each=0.02)
    ticker.start()
    await asyncio.sleep(0.05)
    assert [(await gateway.request(f"r{n}")).state for n in range(3)] == [State.PENDING] * 3
    hand.time += timedelta(hours=2, minutes=1)
    assert [(await expired(gateway, f"r{n}")).id for n in range(2)] == ["r0", "r1"]
    assert (await gateway.request("r2")).state is State.PENDING
    ticker.stop()


async def test_what_fell_due_while_nobody_ticked_happens_with_the_first_tick(gateway: Gateway) -> None:
    hand = gateway.clock
    assert isinstance(hand, Hand)
    await gateway.store.add(opened("r1"))
    hand.time += timedelta(days=3)
    ticker = Ticker(gateway, hand, each=60)
    ticker.start()
    request = await expired(gateway, "r1")
    ticker.stop()
    assert request.decision is not None
    assert len([row for row in await gateway.store.journal() if row.what == "settled"]) == 1


async def test_ticks_that_come_twice_or_together_change_nothing_more(gateway: Gateway) -> None:
    hand = gateway.clock
    assert isinstance(hand, Hand)
    await gateway.store.add(opened("r1"))
    hand.time += timedelta(days=3)
    ticker = Ticker(gateway, hand)
    await asyncio.gather(*(ticker.tick() for _ in range(10)))
    assert len([row for row in await gateway.store.journal() if row.what == "settled"]) == 1


async def test_a_tick_that_meets_a_closed_store_is_survived(gateway: Gateway) -> None:
    await gateway.store.close()
    await Ticker(gateway, gateway.clock).tick()


async def test_it_says_once_that_the_machines_clock_was_set(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("json")
    jumps = iter([0.0, 3600.2, 3600.3, 3600.1])
    ticker = Ticker(gateway, gateway.clock, jump=lambda: next(jumps))
    for _ in range(4):
        await ticker.tick()
    assert capsys.readouterr().err.count("the machine's clock was set") == 1
