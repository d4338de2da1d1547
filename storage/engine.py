"""SQLite as Signoff uses it. Everything that only SQLite knows stands here and in ``lock.py``.

One connection writes and, while it serves, also checkpoints; the others only read. Before 3.51.3 SQLite could corrupt
a database whose log was reset by one connection while another checkpointed, and many systems still ship such a one.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from policies.errors import Invalid, Unavailable
from storage.statement import Statement

BUSY_SECONDS = 5
FULL = 2
Duplicate = sqlite3.IntegrityError
Failure = sqlite3.Error

WORDS = {
    "SQLITE_FULL": ("storage_full", "The disk or the database is full; nothing was changed. Free some space."),
    "SQLITE_BUSY": ("storage_busy", "Another program holds the database; nothing was changed. Try again."),
    "SQLITE_LOCKED": ("storage_busy", "Another program holds the database; nothing was changed. Try again."),
    "SQLITE_READONLY": ("storage_readonly", "The database can't be written; give Signoff the right to write its file."),
    "SQLITE_CANTOPEN": (
        "storage_unreachable",
        "The database can't be opened; check DATABASE_URL and the folder's rights.",
    ),
    "SQLITE_CORRUPT": ("storage_corrupt", "The database is damaged; stop Signoff and restore it from a backup."),
    "SQLITE_NOTADB": ("storage_corrupt", "The file isn't a Signoff database; point DATABASE_URL to another one."),
    "SQLITE_IOERR": ("storage_failed", "The disk failed; nothing was changed. Check the disk, then try again."),
}


class Connection:
    """One SQLite connection that runs compiled statements. Used by one thread at a time."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    @property
    def in_transaction(self) -> bool:
        """Is a transaction open? SQLite ends one by itself when the disk is full."""
        return self._raw.in_transaction

    def command(self, sql: str) -> list[tuple[Any, ...]]:
        """Run plain SQL without parameters: a pragma, BEGIN, COMMIT, a savepoint."""
        return self._raw.execute(sql).fetchall()

    def write(self, statement: Statement, **values: Any) -> int:
        """Run an INSERT, UPDATE or DELETE; how many rows it changed."""
        return self._raw.execute(statement.sql, statement.parameters(values)).rowcount

    def rows(self, statement: Statement, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        return statement.decoded(self._raw.execute(statement.sql, statement.parameters(values)).fetchall())

    def row(self, statement: Statement, **values: Any) -> tuple[Any, ...] | None:
        """The first row of a SELECT, or None."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def close(self) -> None:
        """Close it; what was committed stays."""
        self._raw.close()


def database_path(url: str) -> Path:
    """The file that a ``sqlite:///…`` URL names. Raises Invalid for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Invalid(
            "The URL can't be read; set DATABASE_URL to sqlite:///signoff.db.", where="DATABASE_URL"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise Invalid("Only SQLite is supported; set DATABASE_URL to sqlite:///signoff.db.", where="DATABASE_URL")
    if not parsed.database or parsed.database == ":memory:":
        raise Invalid("The database must be a file; set DATABASE_URL to sqlite:///signoff.db.", where="DATABASE_URL")
    return Path(parsed.database).absolute()


def create_file(path: Path) -> None:
    """Make an empty database that only its owner can read, where there is none: it will hold what agents sent.

    SQLite gives its log the same rights. Raises Unavailable where the folder is missing or closed.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(
            f"The database {path} can't be opened ({error.strerror}); check DATABASE_URL and the folder's rights.",
            code="storage_unreachable",
        ) from error


def raw_connection(path: Path) -> sqlite3.Connection:
    """A durable connection that leaves transactions to its user and never checkpoints by itself."""
    raw = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0"):
        raw.execute(f"PRAGMA {pragma}")
    return raw


def open_writing(path: Path) -> Connection:
    """The connection that writes. Raises Unavailable unless a commit will survive a power cut."""
    raw = raw_connection(path)
    try:
        assert_durable(raw)
    except Unavailable:
        raw.close()
        raise
    return Connection(raw)


def open_reading(path: Path) -> Connection:
    """A connection that can't change anything."""
    raw = raw_connection(path)
    raw.execute("PRAGMA query_only=ON")
    return Connection(raw)


def assert_durable(raw: sqlite3.Connection) -> None:
    """Raise Unavailable unless the log is flushed at each commit; ``NORMAL`` loses acknowledged decisions."""
    (journal,) = raw.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = raw.execute("PRAGMA synchronous").fetchone()
    if journal != "wal" or synchronous != FULL:
        raise Unavailable(
            f"A power cut would cost decisions (journal_mode={journal}, synchronous={synchronous}): "
            "put the database on a local disk.",
            code="storage_not_durable",
        )


def affects_all(error: sqlite3.Error) -> bool:
    """Is it the disk or the database that failed, rather than one statement?"""
    return _primary_name(error) in WORDS


def unavailable(error: Exception) -> Unavailable:
    """What a failed database means to the asker: nothing was changed, and what to do."""
    code, words = WORDS.get(_primary_name(error), ("storage_failed", f"The database refused: {error}."))
    return Unavailable(words, code=code)


def _primary_name(error: Exception) -> str:
    name: str = getattr(error, "sqlite_errorname", "")
    return "_".join(name.split("_")[:2])
