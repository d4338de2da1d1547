"""How the store's parts reach the database: changes through the writer, reads through connections that can't write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from policies.errors import Unavailable
from storage.engine import Connection, Failure, open_reading, unavailable
from storage.transaction import Transaction
from storage.writer import Writer

T = TypeVar("T")
READERS = 3


class Readers:
    """A few read-only connections, each used by one thread at a time, opened when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[Connection] = deque()
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="signoff-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one consistent state of the database. Raises Unavailable where it can't be read."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)
        except Failure as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        """Wait for the reads under way, then close every connection."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            self._idle.pop().close()

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_reading(self._path)
        try:
            connection.command("BEGIN")
            result = work(connection)
        finally:
            if connection.in_transaction:
                connection.command("ROLLBACK")
            self._idle.append(connection)
        return result


class Access:
    """What each part of the store is built on."""

    def __init__(self, writer: Writer, readers: Readers, workspace_id: str) -> None:
        self._writer = writer
        self._readers = readers
        self._workspace_id = workspace_id
        self._closed = False

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        return await self._writer.write(work)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise Unavailable("The database is closed; Signoff is stopping.", code="storage_closed")
        return await self._readers.read(work)
