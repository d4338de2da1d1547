"""Copies of cards: which messages show a request, and which version of it they show."""

from __future__ import annotations

from functools import partial

from sqlalchemy import bindparam, select

from policies.request import Request
from storage import outbox
from storage.access import Access
from storage.engine import Connection
from storage.requests import Change, change
from storage.statement import Statement, inserting, setting
from storage.tables import CopyRow, table
from storage.transaction import Transaction
from storage.values import Copy

COPIES = table(CopyRow)
THIS = (COPIES.c.channel == bindparam("of_channel"), COPIES.c.ts == bindparam("of_ts"))

INSERT = inserting(COPIES)
KNOWN = Statement(select(COPIES.c.request_id).where(*THIS))
SHOW = Statement(setting(COPIES, "shown_version").where(*THIS, COPIES.c.shown_version < bindparam("shown_version")))
OF_REQUEST = Statement(
    select(COPIES.c.request_id, COPIES.c.channel, COPIES.c.ts, COPIES.c.to, COPIES.c.shown_version, COPIES.c.private)
    .where(COPIES.c.request_id == bindparam("of_request"))
    .order_by(COPIES.c.ts)
)


def posted(owed_id: int, copy: Copy, fn: Change, transaction: Transaction) -> Request:
    """Keep a posted card, let ``fn`` change its request, strike the effect off."""
    saved = change(copy.request_id, fn, transaction)
    keep(transaction, copy)
    outbox.finish(transaction, owed_id)
    return saved


def keep(transaction: Transaction, copy: Copy) -> None:
    """Remember a copy; one that is known already (found again after a crash) only shows more."""
    if transaction.connection.row(KNOWN, of_channel=copy.channel, of_ts=copy.ts) is not None:
        _show(copy.channel, copy.ts, copy.shown_version, transaction)
        return
    transaction.connection.write(
        INSERT,
        channel=copy.channel,
        ts=copy.ts,
        request_id=copy.request_id,
        to=copy.to,
        shown_version=copy.shown_version,
        private=copy.private,
    )


def _show(channel: str, ts: str, version: int, transaction: Transaction) -> None:
    transaction.connection.write(SHOW, of_channel=channel, of_ts=ts, shown_version=version)


def _of_request(request_id: str, connection: Connection) -> tuple[Copy, ...]:
    return tuple(
        Copy(request_id=of, channel=channel, ts=ts, to=to, shown_version=shown, private=private)
        for of, channel, ts, to, shown, private in connection.rows(OF_REQUEST, of_request=request_id)
    )


class Copies(Access):
    """The store's copies of cards."""

    async def copies(self, request_id: str) -> tuple[Copy, ...]:
        """Every copy of a request's card, the oldest message first."""
        return await self._read(partial(_of_request, request_id))

    async def shows(self, channel: str, ts: str) -> str | None:
        """The id of the request whose card this message is; None for every other message."""
        found = await self._read(lambda connection: connection.row(KNOWN, of_channel=channel, of_ts=ts))
        return str(found[0]) if found else None

    async def shown(self, channel: str, ts: str, version: int) -> None:
        """A message shows ``version`` now. An older version than the one noted is passed over."""
        await self._write(partial(_show, channel, ts, version))

    async def posted(self, owed_id: int, copy: Copy, fn: Change) -> Request:
        """A card was posted: keep the copy, let ``fn`` change the request (Delivered), strike the effect off; at once.

        Raises NotFound, and whatever ``fn`` raises; then nothing was changed.
        """
        return await self._write(partial(posted, owed_id, copy, fn))
