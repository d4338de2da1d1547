"""Locks between processes. The operating system gives them back when a process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from policies.errors import Unavailable


class ServeLock:
    """The right to serve a database: one process at a time. ``DATABASE.lock`` holds its process id."""

    def __init__(self, database: Path) -> None:
        """Take it. Raises Unavailable(code="already_serving") where another process has it."""
        self._descriptor = os.open(_beside(database, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise Unavailable(
                f"Another signoff (process {holder}) serves {database}; stop it, or set DATABASE_URL to another file.",
                code="already_serving",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the next process serve. The file stays: deleting it would let two processes hold one each."""
        os.close(self._descriptor)


class Turns:
    """Keeps other processes' short transactions and the serving process's checkpoint apart (``DATABASE.turns``)."""

    def __init__(self, database: Path) -> None:
        self._descriptor = os.open(_beside(database, ".turns"), os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """For the length of one transaction; waits for a running checkpoint, milliseconds."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """For the length of a checkpoint; gives False at once where another process is writing."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)
