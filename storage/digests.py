"""Digests: whose next one is due when, and what the last one shows, so that it tells the truth all day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from policies.digest import Page
from policies.effects import Effect
from storage import outbox
from storage.access import Access
from storage.columns import UtcDateTime
from storage.engine import Connection
from storage.requests import REQUESTS
from storage.rows import REQUEST
from storage.statement import Statement, inserting, setting
from storage.tables import DigestLineRow, DigestRow, table
from storage.transaction import Transaction
from storage.values import DigestCopy, Line, Reader

DIGESTS, LINES = table(DigestRow), table(DigestLineRow)
OURS = DIGESTS.c.workspace_id == bindparam("workspace")
THIS = (OURS, DIGESTS.c.reader == bindparam("of_reader"))
LINES_OF = (LINES.c.workspace_id == bindparam("workspace"), LINES.c.reader == bindparam("of_reader"))
SCHEDULE = ("reader", "zone", "day", "next_at", "muted")

ALL = select(*(DIGESTS.c[name] for name in SCHEDULE)).where(OURS)
READERS = Statement(ALL.order_by(DIGESTS.c.reader))
ONE = Statement(ALL.where(DIGESTS.c.reader == bindparam("of_reader")))
DUE = Statement(
    ALL.where(DIGESTS.c.next_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(DIGESTS.c.next_at, DIGESTS.c.reader)
    .limit(bindparam("most"))
)
NEXT = Statement(select(func.min(DIGESTS.c.next_at)).where(OURS))
INSERT, INSERT_LINE = inserting(DIGESTS), inserting(LINES)
PLAN = Statement(setting(DIGESTS, "zone", "day", "next_at", "muted").where(*THIS))
STAND = Statement(setting(DIGESTS, "channel", "ts", "until").where(*THIS))
FORGET_LINES = Statement(delete(LINES).where(*LINES_OF))
SHOW = Statement(
    setting(LINES, "shown_version").where(*LINES_OF, LINES.c.request_id == bindparam("of_request")),
)
LISTED = LINES.join(REQUESTS, REQUESTS.c.id == LINES.c.request_id)
STALE = Statement(
    select(DIGESTS.c.reader, DIGESTS.c.channel, DIGESTS.c.ts)
    .where(OURS, DIGESTS.c.until > bindparam("now", type_=UtcDateTime()))
    .where(
        select(LINES.c.request_id)
        .select_from(LISTED)
        .where(LINES.c.workspace_id == DIGESTS.c.workspace_id, LINES.c.reader == DIGESTS.c.reader)
        .where(REQUESTS.c.version > LINES.c.shown_version)
        .exists()
    )
    .order_by(DIGESTS.c.reader)
)
SHOWN = Statement(
    select(LINES.c.part, LINES.c.more, LINES.c.shown_version, REQUESTS.c.document)
    .select_from(LISTED)
    .where(*LINES_OF)
    .order_by(LINES.c.place)
)
NOWHERE = {"channel": None, "ts": None, "until": None}


def _reader(row: tuple[Any, ...]) -> Reader:
    reader, zone, day, next_at, muted = row
    last = date.fromisoformat(day) if day else None
    return Reader(id=reader, zone=zone, day=last, next_at=next_at, muted=muted)


def _plan(reader: Reader, effects: Sequence[Effect], transaction: Transaction) -> None:
    connection, workspace = transaction.connection, transaction.workspace_id
    day = reader.day.isoformat() if reader.day else None
    planned = {"zone": reader.zone, "day": day, "next_at": reader.next_at, "muted": reader.muted}
    if not connection.write(PLAN, workspace=workspace, of_reader=reader.id, **planned):
        connection.write(INSERT, workspace_id=workspace, reader=reader.id, **planned, **NOWHERE)
    outbox.owe(transaction, effects)


def _plan_all(readers: Iterable[Reader], transaction: Transaction) -> None:
    for reader in readers:
        _plan(reader, (), transaction)


def _mute(reader: str, muted: bool, now: datetime, transaction: Transaction) -> None:
    """Whoever wants digests again is looked at at once; whoever doesn't, never."""
    found = transaction.connection.row(ONE, workspace=transaction.workspace_id, of_reader=reader)
    standing = _reader(found) if found else Reader(id=reader)
    _plan(replace(standing, muted=muted, next_at=None if muted else now), (), transaction)


def _begin(owed_id: int, reader: str, page: Page, now: datetime, transaction: Transaction) -> None:
    """Keep what is about to be posted; the message of another day tells nothing any more."""
    connection, workspace = transaction.connection, transaction.workspace_id
    connection.write(outbox.BEGIN, of_id=owed_id, workspace=workspace, begun_at=now)
    connection.write(STAND, workspace=workspace, of_reader=reader, **NOWHERE)
    connection.write(FORGET_LINES, workspace=workspace, of_reader=reader)
    listed = [(part.name, part.more, request) for part in page.parts for request in part.requests]
    for place, (part, more, request) in enumerate(listed):
        connection.write(
            INSERT_LINE,
            workspace_id=workspace,
            reader=reader,
            place=place,
            part=part,
            more=more,
            request_id=request.id,
            shown_version=request.version,
        )


def _posted(owed_id: int, copy: DigestCopy, until: datetime, transaction: Transaction) -> None:
    place = {"channel": copy.channel, "ts": copy.ts, "until": until}
    transaction.connection.write(STAND, workspace=transaction.workspace_id, of_reader=copy.reader, **place)
    outbox.finish(transaction, owed_id)


def _show(reader: str, versions: Mapping[str, int], transaction: Transaction) -> None:
    for request_id, version in versions.items():
        transaction.connection.write(
            SHOW, workspace=transaction.workspace_id, of_reader=reader, of_request=request_id, shown_version=version
        )


def _forget(reader: str, transaction: Transaction) -> None:
    transaction.connection.write(STAND, workspace=transaction.workspace_id, of_reader=reader, **NOWHERE)


def _lines(workspace_id: str, reader: str, connection: Connection) -> tuple[Line, ...]:
    found = connection.rows(SHOWN, workspace=workspace_id, of_reader=reader)
    return tuple(
        Line(part=part, more=more, shown_version=shown, request=REQUEST.load(document))
        for part, more, shown, document in found
    )


class Digests(Access):
    """The store's memory of digests."""

    async def readers(self) -> tuple[Reader, ...]:
        """Everybody who ever was a reader, or spoke about it."""
        found = await self._read(lambda connection: connection.rows(READERS, workspace=self._workspace_id))
        return tuple(map(_reader, found))

    async def plan_digest(self, reader: Reader, *effects: Effect) -> None:
        """Keep when a reader's next digest is due, and owe this one, in one transaction."""
        await self._write(partial(_plan, reader, effects))

    async def plan_digests(self, readers: Sequence[Reader]) -> None:
        """Keep when each reader's next digest is due."""
        await self._write(partial(_plan_all, tuple(readers)))

    async def mute_digest(self, reader: str, muted: bool, now: datetime) -> None:
        """A person wants no digests any more, or wants them again."""
        await self._write(partial(_mute, reader, muted, now))

    async def digests_due(self, now: datetime, *, limit: int = 50) -> tuple[Reader, ...]:
        """Whose digest is due at ``now``, the longest overdue first."""
        found = await self._read(
            lambda connection: connection.rows(DUE, workspace=self._workspace_id, now=now, most=limit)
        )
        return tuple(map(_reader, found))

    async def next_digest(self) -> datetime | None:
        """When the next digest is due; None where none will be."""
        found = await self._read(lambda connection: connection.row(NEXT, workspace=self._workspace_id))
        return found[0] if found else None

    async def begin_digest(self, owed_id: int, reader: str, page: Page, now: datetime) -> None:
        """Note, durably and before it is posted, what a digest is about to show; as ``begin`` for its effect."""
        await self._write(partial(_begin, owed_id, reader, page, now))

    async def digest_posted(self, owed_id: int, copy: DigestCopy, until: datetime) -> None:
        """A digest stands there, to be kept true until ``until``; its effect is done."""
        await self._write(partial(_posted, owed_id, copy, until))

    async def stale_digests(self, now: datetime) -> tuple[DigestCopy, ...]:
        """The digests of today that list something which has changed since they were drawn."""
        found = await self._read(lambda connection: connection.rows(STALE, workspace=self._workspace_id, now=now))
        return tuple(DigestCopy(reader=reader, channel=channel, ts=ts) for reader, channel, ts in found)

    async def digest_lines(self, reader: str) -> tuple[Line, ...]:
        """What a reader's digest lists, in its order, each request as it stands now."""
        return await self._read(partial(_lines, self._workspace_id, reader))

    async def digest_shown(self, reader: str, versions: Mapping[str, int]) -> None:
        """A digest shows these versions now, by the requests' ids."""
        await self._write(partial(_show, reader, versions))

    async def forget_digest(self, reader: str) -> None:
        """A digest's message is gone: nothing is kept true any more."""
        await self._write(partial(_forget, reader))
