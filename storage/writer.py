"""The one writer: a thread that owns the only write connection and commits together what arrived together.

A commit that survives a power cut costs one flush of the disk; sixty changes in one commit cost the same. Nothing
waits on purpose: while one batch is flushed the next one gathers.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from policies.errors import Unavailable
from storage import chain
from storage.engine import Connection, Failure, affects_all, unavailable
from storage.lock import Turns
from storage.transaction import Transaction
from storage.values import Changed

T = TypeVar("T")
OnCommit = Callable[[frozenset[str]], None]
OnChanged = Callable[[Sequence[Changed]], None]

BATCH = 1024
WAITING = 4096
CHECKPOINT_AFTER = 512


@dataclass(kw_only=True, slots=True)
class Item:
    """One piece of work, who waits for it, and how it went."""

    work: Callable[[Transaction], Any]
    answered: asyncio.Future[None]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Runs work in group commits. Made and used on one event loop; the work itself runs in the writer's thread.

    ``serving`` writers checkpoint the log, others (a command beside ``serve``) never do.
    """

    def __init__(
        self,
        connection: Connection,
        turns: Turns,
        workspace_id: str,
        *,
        serving: bool,
        on_commit: OnCommit | None = None,
        on_changed: OnChanged | None = None,
    ) -> None:
        self._connection = connection
        self._turns = turns
        self._workspace_id = workspace_id
        self._serving = serving
        self._on_commit = on_commit
        self._on_changed = on_changed
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._closed = False
        self._since_checkpoint = 0
        self._thread = threading.Thread(target=self._work_off, name="signoff-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` and return what it gave once that is durable.

        Raises what ``work`` raised (then nothing of it stays), or Unavailable: full queue, failed disk, closed.
        """
        if self._closed:
            raise Unavailable("The database is closed; Signoff is stopping.", code="storage_closed")
        if self._queue.qsize() >= WAITING:
            raise Unavailable("Too many changes wait for the disk; try again in a moment.", code="storage_overloaded")
        item = Item(work=work, answered=self._loop.create_future())
        self._queue.put(item)
        await item.answered
        if item.error is not None:
            raise item.error
        return cast(T, item.result)

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work_off(self) -> None:
        while batch := self._take():
            committed = self._commit(batch)
            with suppress(RuntimeError):  # the event loop is gone: nobody waits any more
                self._loop.call_soon_threadsafe(self._resolve, batch, committed)
            self._checkpoint(len(batch))
        self._connection.close()
        self._turns.close()

    def _take(self) -> list[Item]:
        """Whatever waits, at least one item; empty when the writer is to end."""
        item = self._queue.get()
        batch = []
        while item is not None:
            batch.append(item)
            if len(batch) == BATCH:
                return batch
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)
        return batch

    def _commit(self, batch: list[Item]) -> Transaction | None:
        try:
            with self._turn():
                return self._run(batch)
        except Exception as error:
            self._roll_back()
            for item in batch:
                item.error = unavailable(error)
            return None

    def _run(self, batch: list[Item]) -> Transaction:
        self._connection.command("BEGIN IMMEDIATE")
        transaction = Transaction(self._connection, self._workspace_id)
        for item in batch:
            try:
                item.result = transaction.attempt(item.work)
            except Failure as error:
                if affects_all(error):
                    raise
                item.error = unavailable(error)
            except BaseException as error:  # whatever it is, it's its asker's: this thread must outlive it
                item.error = error
        chain.keep_head(transaction)
        self._connection.command("COMMIT")
        return transaction

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(Failure):
                self._connection.command("ROLLBACK")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._serving:
            yield
            return
        with self._turns.shared():
            yield

    def _checkpoint(self, written: int) -> None:
        self._since_checkpoint += written
        if not self._serving or self._since_checkpoint < CHECKPOINT_AFTER:
            return
        with self._turns.alone() as alone:
            if alone:
                self._since_checkpoint = 0
                with suppress(Failure):  # what isn't copied back now stays in the log and is copied next time
                    self._connection.command("PRAGMA wal_checkpoint(PASSIVE)")

    def _resolve(self, batch: list[Item], committed: Transaction | None) -> None:
        for item in batch:
            if not item.answered.done():  # else its waiter was cancelled; the change stands all the same
                item.answered.set_result(None)
        if committed is None:
            return
        if committed.changed and self._on_changed is not None:
            self._on_changed(committed.changed)
        if committed.topics and self._on_commit is not None:
            self._on_commit(frozenset(committed.topics))
