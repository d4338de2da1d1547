"""What the writer promises: what arrives together is committed together, and nobody suffers from a neighbour."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from policies.errors import NotFound, Unavailable
from policies.request import Request
from storage.engine import assert_durable, open_writing, raw_connection
from storage.lock import Turns
from storage.requests import change
from storage.store import Store
from storage.transaction import Transaction
from storage.writer import WAITING
from tests.storage.samples import NOW, WORKSPACE, decided, noted, opened


@contextlib.asynccontextmanager
async def held(store: Store) -> AsyncIterator[None]:
    """Keep the writer's thread busy while the block runs, so that what is written meanwhile waits together."""
    started, released = threading.Event(), threading.Event()

    def hold(transaction: object) -> None:
        started.set()
        assert released.wait(10)

    holding = asyncio.ensure_future(store._write(hold))
    await asyncio.to_thread(started.wait, 10)
    try:
        yield
    finally:
        released.set()
        await holding


def writes_then_raises(transaction: Transaction) -> None:
    """Work that decides r1 and then fails."""
    change("r1", decided(), transaction)
    raise RuntimeError("after writing")


async def started(*coroutines: object) -> list[asyncio.Future[object]]:
    """Start them all and let each get as far as the queue."""
    futures = [asyncio.ensure_future(one) for one in coroutines]  # type: ignore[call-overload]
    await asyncio.sleep(0)
    return futures


async def test_what_arrives_together_is_committed_together(store: Store, topics: list[frozenset[str]]) -> None:
    async with held(store):
        added = await started(*(store.add(opened(f"r{n}")) for n in range(200)))
    await asyncio.gather(*added)
    assert len(topics) == 1
    assert {f"r{n}" for n in range(200)} < topics[0]


async def test_one_flush_of_the_disk_serves_many_changes(store: Store, topics: list[frozenset[str]]) -> None:
    await asyncio.gather(*(store.add(opened(f"r{n}")) for n in range(300)))
    assert len(topics) <= 30


async def test_a_change_that_raises_leaves_its_neighbours_and_the_journal_unharmed(store: Store) -> None:
    await asyncio.gather(*(store.add(opened(f"r{n}")) for n in range(3)))

    async with held(store):
        changes = await started(
            store.change("r0", decided()),
            store._write(writes_then_raises),
            store.change("nope", decided()),
            store.change("r2", decided()),
        )
    ended = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(one) for one in ended] == [Request, RuntimeError, NotFound, Request]
    states = [one.settled for one in (await store.requests()).requests]
    assert states == [True, False, True]
    assert len(await store.owed(NOW)) == 5
    report = await store.verify_journal()
    assert (report.ok, report.rows) == (True, 5)


@pytest.mark.parametrize("odd", [StopIteration, SystemExit, asyncio.CancelledError])
async def test_no_exception_of_a_change_stops_the_writer(store: Store, odd: type[BaseException]) -> None:
    def fails(transaction: Transaction) -> None:
        raise odd("odd")

    async with held(store):
        changes = await started(ended_by(store._write(fails)), store.add(opened()))
    ended, added = await asyncio.gather(*changes)
    assert ended in (odd, RuntimeError)
    assert added.created  # type: ignore[attr-defined]


async def ended_by(coroutine: Awaitable[None]) -> type[BaseException] | None:
    """The class of what ``coroutine`` raises."""
    try:
        await coroutine
    except BaseException as error:
        return type(error)
    return None


async def test_topics_of_a_change_that_raised_are_not_told(store: Store, topics: list[frozenset[str]]) -> None:
    await store.add(opened())
    topics.clear()

    with pytest.raises(RuntimeError):
        await store._write(writes_then_raises)
    assert topics == []


async def test_a_change_whose_waiter_left_stands_all_the_same(store: Store) -> None:
    await store.add(opened())
    async with held(store):
        (leaving,) = await started(store.change("r1", decided()))
        leaving.cancel()
    await store.change("r1", noted("after"))
    standing = await store.request("r1")
    assert standing is not None
    assert standing.settled


async def test_too_many_waiting_changes_are_refused_and_none_is_lost(store: Store) -> None:
    await store.add(opened())
    async with held(store):
        waiting = await started(*(store._write(lambda transaction: 1) for _ in range(WAITING)))
        with pytest.raises(Unavailable) as refused:
            await store.change("r1", decided())
    assert refused.value.code == "storage_overloaded"
    assert sum(await asyncio.gather(*waiting)) == WAITING  # type: ignore[arg-type]
    await store.change("r1", decided())


async def test_closing_finishes_what_waits_and_then_refuses(store: Store, url: str) -> None:
    async with held(store):
        added = await started(*(store.add(opened(f"r{n}")) for n in range(50)))
        closing = asyncio.ensure_future(store.close())
    await closing
    await asyncio.gather(*added)
    for refused in (store.add(opened("late")), store.request("r1")):
        with pytest.raises(Unavailable):
            await refused
    again = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)
    assert len((await again.requests(limit=100)).requests) == 50
    await again.close()


async def test_a_database_held_by_another_program_is_unavailable_and_recovers(store: Store, database: Path) -> None:
    await store.add(opened())
    await store._write(lambda transaction: transaction.connection.command("SELECT 1"))
    other = raw_connection(database)
    other.execute("BEGIN IMMEDIATE")
    store._writer._connection._raw.execute("PRAGMA busy_timeout=50")
    with pytest.raises(Unavailable) as refused:
        await store.change("r1", decided())
    assert refused.value.code == "storage_busy"
    assert not (await store.requests()).requests[0].settled
    other.execute("ROLLBACK")
    other.close()
    assert (await store.change("r1", decided())).settled


async def test_the_serving_writer_copies_the_log_back_and_others_never_do(store: Store, database: Path) -> None:
    log = database.with_name(database.name + "-wal")
    for n in range(6):
        await asyncio.gather(*(store.add(opened(f"r{n}-{m}")) for m in range(100)))
    await store._write(lambda transaction: None)  # the checkpoint ran before this, after an earlier answer
    assert database.stat().st_size > 300_000
    size, grown = database.stat().st_size, log.stat().st_size
    beside = await Store.open(f"sqlite:///{database}", workspace_id=WORKSPACE)
    for n in range(6):
        await asyncio.gather(*(beside.add(opened(f"b{n}-{m}")) for m in range(100)))
    await beside.close()
    assert database.stat().st_size == size
    assert log.stat().st_size >= grown


async def test_no_checkpoint_runs_while_another_process_writes(store: Store, database: Path) -> None:
    size = database.stat().st_size
    beside = Turns(database)
    with beside.shared():
        for n in range(6):
            await asyncio.gather(*(store.add(opened(f"r{n}-{m}")) for m in range(100)))
        await store._write(lambda transaction: None)
        assert database.stat().st_size == size
    beside.close()
    for _ in range(2):
        await store._write(lambda transaction: None)
    assert database.stat().st_size > size


def test_a_commit_is_flushed_or_the_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = open_writing(path)
    assert connection.command("PRAGMA synchronous") == [(2,)]
    connection.close()
    for weaker in ("synchronous=NORMAL", "synchronous=OFF", "journal_mode=MEMORY"):
        raw = raw_connection(path)
        assert_durable(raw)
        raw.execute(f"PRAGMA {weaker}")
        with pytest.raises(Unavailable) as refused:
            assert_durable(raw)
        assert refused.value.code == "storage_not_durable"
        raw.close()
