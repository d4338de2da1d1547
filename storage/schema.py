"""The schema's version, and how a database is brought to the newest."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from sqlalchemy import Index
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from policies.errors import Unavailable
from storage.engine import create_file, database_path, raw_connection, unavailable
from storage.lock import ServeLock
from storage.tables import METADATA

REVISIONS = tuple(f"{number:04}" for number in range(1, 16))
"""Every revision that this program knows, oldest first. A test holds them against the migrations."""

PATIENCE_SECONDS = 10.0


def version(path: Path) -> str | None:
    """The revision of the database at ``path``; None for an empty one."""
    raw = raw_connection(path)
    try:
        known = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        found = raw.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        return str(found[0]) if found else None
    finally:
        raw.close()


def is_current(path: Path) -> bool:
    """Has the database the newest schema? Raises Unavailable where a newer program wrote it."""
    found = version(path)
    if found is not None and found not in REVISIONS:
        raise Unavailable(
            f"The database {path} was written by a newer signoff (schema {found}); update this program.",
            code="schema_newer",
        )
    return found == REVISIONS[-1]


def upgrade(path: Path) -> None:
    """Bring the schema up to date, whole or not at all; the caller holds the right to serve.

    An empty database is made as the tables are declared; only an older one needs the migrations, and with them Alembic,
    which takes a quarter of a second and 9 MB to import. A test holds both ways to the same schema.
    """
    if is_current(path):
        return
    if is_empty(path):
        create(path)
        return
    from storage.migrations import run

    run(path)


def is_empty(path: Path) -> bool:
    """Has the database no table at all?"""
    raw = raw_connection(path)
    try:
        return raw.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    finally:
        raw.close()


def create(path: Path) -> None:
    """Make every table and index of the newest schema in one transaction."""
    dialect = sqlite.dialect()
    tables = METADATA.sorted_tables
    made: list[CreateTable | CreateIndex] = [CreateTable(table) for table in tables]
    made += [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=_name)]
    raw = raw_connection(path)
    try:
        raw.execute("BEGIN IMMEDIATE")
        for statement in made:
            raw.execute(str(statement.compile(dialect=dialect)))
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        raw.execute("INSERT INTO alembic_version VALUES (?)", (REVISIONS[-1],))
        raw.execute("COMMIT")
    finally:
        raw.close()


def _name(index: Index) -> str:
    return str(index.name)


def upgrade_unless_served(path: Path) -> None:
    """For a command beside ``serve``: bring the schema up to date where nobody serves the database.

    Raises Unavailable(code="schema_outdated") where a process that serves it keeps an older schema.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_current(path):
        try:
            lock = ServeLock(path)
        except Unavailable:  # perhaps it is just now upgrading
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The schema of {path} is older than this program; restart signoff serve, which updates it.",
                    code="schema_outdated",
                ) from None
            time.sleep(0.05)
            continue
        try:
            upgrade(path)
        finally:
            lock.release()


def migrate(url: str) -> str:
    """Bring the database at ``url`` to the newest schema and return its revision. Blocking; for ``signoff migrate``."""
    path = database_path(url)
    create_file(path)
    try:
        upgrade_unless_served(path)
    except sqlite3.Error as error:
        raise unavailable(error) from error
    return REVISIONS[-1]


def workspaces(url: str) -> tuple[str, ...]:
    """The ids of the workspaces that the database at ``url`` has served; none where there is no database. Blocking."""
    path = database_path(url)
    if not path.exists():
        return ()
    try:
        raw = raw_connection(path)
        try:
            known = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal_heads'").fetchone()
            return tuple(row[0] for row in raw.execute("SELECT workspace_id FROM journal_heads")) if known else ()
        finally:
            raw.close()
    except sqlite3.Error as error:
        raise unavailable(error) from error
