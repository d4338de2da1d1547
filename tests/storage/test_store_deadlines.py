"""What the store promises about deadlines."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from policies.events import Outcome
from policies.request import Request, State
from storage.store import Store
from tests.storage.samples import NOW, decided, opened

expired = decided("silence", State.EXPIRED)


async def test_every_due_request_is_changed_once_in_batches(store: Store, topics: list[frozenset[str]]) -> None:
    await asyncio.gather(*(store.add(opened(f"r{n}", effects=())) for n in range(25)))
    await store.add(opened("later", created_at=NOW + timedelta(hours=1)))
    topics.clear()
    assert await store.change_due(NOW + timedelta(minutes=10), expired, limit=10) == 25
    assert [len(told - {"outbox"}) for told in topics] == [10, 10, 5]
    assert await store.change_due(NOW + timedelta(minutes=10), expired) == 0
    assert await store.next_due() == NOW + timedelta(hours=1, minutes=10)


async def test_a_deadline_is_due_at_its_very_moment_and_not_before(store: Store) -> None:
    await store.add(opened())
    due = NOW + timedelta(minutes=10)
    assert await store.change_due(due - timedelta(microseconds=1), expired) == 0
    assert await store.change_due(due, expired) == 1


async def test_one_request_that_cannot_be_changed_makes_no_other_late(store: Store) -> None:
    for name in ("r1", "r2", "r3"):
        await store.add(opened(name))

    def fails_for_r2(before: Request) -> Outcome:
        if before.id == "r2":
            raise RuntimeError("r2 is odd")
        return expired(before)

    with pytest.raises(RuntimeError, match="r2 is odd"):
        await store.change_due(NOW + timedelta(hours=1), fails_for_r2, limit=1)
    states = {one.id: one.state for one in (await store.requests()).requests}
    assert states == {"r1": State.EXPIRED, "r2": State.PENDING, "r3": State.EXPIRED}


async def test_a_due_request_that_stays_as_it_is_does_not_hold_the_sweep(store: Store) -> None:
    await asyncio.gather(*(store.add(opened(f"r{n}")) for n in range(7)))
    assert await store.change_due(NOW + timedelta(hours=1), lambda before: Outcome(request=before), limit=2) == 0


async def test_nothing_is_due_in_an_empty_store(store: Store) -> None:
    assert await store.next_due() is None
    assert await store.change_due(NOW, expired) == 0
