"""The store: everything that Signoff remembers, behind one async door.

Changes go through one writer that commits together what arrived together; each returns once it is durable. Reads run
beside it. Every method raises ``policies.errors.Unavailable`` where the database can't answer: nothing was changed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from storage.access import Readers
from storage.attention import Attention
from storage.auditing import Auditing, Lack, Place, Standing, Window
from storage.budgets import Budgets
from storage.copies import Copies, Shown
from storage.deadlines import Deadlines
from storage.digests import Digests
from storage.engine import Connection, create_file, database_path, open_writing, unavailable
from storage.finding import Finding
from storage.grants import Grants
from storage.groups import Groups
from storage.groups import topic as group_topic
from storage.homes import Homes
from storage.instances import Instances
from storage.journal import Journal
from storage.keys import Keys
from storage.listing import Listing
from storage.lock import ServeLock, Turns
from storage.outbox import Outbox
from storage.purging import Purging
from storage.remembered import Remembered
from storage.requests import Requests
from storage.runs import Runs
from storage.schema import migrate, upgrade, upgrade_unless_served, workspaces
from storage.values import (
    Added,
    Chance,
    Changed,
    Copy,
    Delivery,
    DigestCopy,
    Endpoint,
    GroupProgress,
    GroupStanding,
    Guard,
    Head,
    Idempotency,
    Instance,
    JournalRow,
    KeptHome,
    Key,
    Line,
    Owed,
    Page,
    Reader,
    Unreadable,
    VerifyReport,
    Watch,
)
from storage.webhooks import Webhooks
from storage.writer import OnChanged, OnCommit, Writer

__all__ = [
    "Added",
    "Chance",
    "Changed",
    "Copy",
    "Delivery",
    "DigestCopy",
    "Endpoint",
    "GroupProgress",
    "GroupStanding",
    "Guard",
    "Head",
    "Idempotency",
    "Instance",
    "JournalRow",
    "KeptHome",
    "Key",
    "Lack",
    "Line",
    "Owed",
    "Page",
    "Place",
    "Reader",
    "Shown",
    "Standing",
    "Store",
    "Unreadable",
    "VerifyReport",
    "Watch",
    "Window",
    "group_topic",
    "migrate",
    "workspaces",
]


class Store(
    Requests,
    Deadlines,
    Listing,
    Finding,
    Attention,
    Copies,
    Outbox,
    Grants,
    Groups,
    Budgets,
    Digests,
    Homes,
    Instances,
    Runs,
    Keys,
    Webhooks,
    Remembered,
    Journal,
    Purging,
    Auditing,
):
    """One workspace's requests, cards, outbox, runs, keys and journal. Made by ``await Store.open(...)``."""

    _lock: ServeLock | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        workspace_id: str,
        exclusive: bool = False,
        on_commit: OnCommit | None = None,
        on_changed: OnChanged | None = None,
    ) -> Store:
        """Open the database at ``url`` (``sqlite:///signoff.db``), creating it where there is none.

        ``exclusive`` is for the process that serves: it takes the serve lock, checkpoints the log and brings the schema
        up to date. Others may work beside it, in short transactions. ``on_commit`` is called on the event loop once for
        each committed batch, with its topics: ids of changed requests, ``run:ID``, ``group:AGENT:ID``, ``outbox``,
        ``deadline``;
        ``on_changed`` likewise, with each change of a request exactly as it was committed.
        Raises Invalid for a wrong URL, Unavailable with the code ``already_serving``, ``schema_newer``,
        ``schema_outdated`` or one that begins with ``storage_``.
        """
        path = database_path(url)
        lock, connection, turns = await asyncio.to_thread(_prepare, path, exclusive)
        writer = Writer(connection, turns, workspace_id, serving=exclusive, on_commit=on_commit, on_changed=on_changed)
        store = cls(writer, Readers(path), workspace_id)
        store._lock = lock
        return store

    async def close(self) -> None:
        """Finish what waits and let go of the database. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._readers.close()
        await self._writer.close()
        if self._lock is not None:
            self._lock.release()


def _prepare(path: Path, exclusive: bool) -> tuple[ServeLock | None, Connection, Turns]:
    create_file(path)
    lock = ServeLock(path) if exclusive else None
    try:
        (upgrade if exclusive else upgrade_unless_served)(path)
        return lock, open_writing(path), Turns(path)
    except BaseException as error:
        if lock is not None:
            lock.release()
        if isinstance(error, sqlite3.Error):
            raise unavailable(error) from error
        raise
