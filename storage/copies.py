"""Copies of cards: which messages show a request, and which version of it they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
MESSAGE = (COPIES.c.channel == bindparam("of_channel"), COPIES.c.ts == bindparam("of_ts"))
THIS = (*MESSAGE, COPIES.c.request_id == bindparam("of_request"))
WHOLE = (COPIES.c.request_id, COPIES.c.channel, COPIES.c.ts, COPIES.c.to, COPIES.c.shown_version, COPIES.c.private)

INSERT = inserting(COPIES)
KNOWN = Statement(select(COPIES.c.request_id).where(*THIS))
SHOW = Statement(setting(COPIES, "shown_version").where(*THIS, COPIES.c.shown_version < bindparam("shown_version")))
OF_REQUEST = Statement(select(*WHOLE).where(COPIES.c.request_id == bindparam("of_request")).order_by(COPIES.c.ts))
OF_MESSAGE = Statement(select(*WHOLE).where(*MESSAGE).order_by(COPIES.c.request_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A request that a message shows by now: the effect that owed that, the copy, and what becomes of the request."""

    owed_id: int
    copy: Copy
    fn: Change


def posted(owed_id: int, copy: Copy, fn: Change, transaction: Transaction) -> Request:
    """Keep a posted card, let ``fn`` change its request, strike the effect off."""
    saved = change(copy.request_id, fn, transaction)
    keep(transaction, copy)
    outbox.finish(transaction, owed_id)
    return saved


def keep(transaction: Transaction, copy: Copy) -> None:
    """Remember a copy; one that is known already (found again after a crash) only shows more."""
    of_this = {"of_channel": copy.channel, "of_ts": copy.ts, "of_request": copy.request_id}
    if transaction.connection.row(KNOWN, **of_this) is not None:
        _show(copy.channel, copy.ts, {copy.request_id: copy.shown_version}, transaction)
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


def _posted_together(several: Sequence[Shown], transaction: Transaction) -> None:
    for each in several:
        posted(each.owed_id, each.copy, each.fn, transaction)


def _show(channel: str, ts: str, versions: Mapping[str, int], transaction: Transaction) -> None:
    for request_id, version in versions.items():
        transaction.connection.write(SHOW, of_channel=channel, of_ts=ts, of_request=request_id, shown_version=version)


def _copies(statement: Statement, connection: Connection, **of_these: str) -> tuple[Copy, ...]:
    return tuple(
        Copy(request_id=of, channel=channel, ts=ts, to=to, shown_version=shown, private=private)
        for of, channel, ts, to, shown, private in connection.rows(statement, **of_these)
    )


class Copies(Access):
    """The store's copies of cards."""

    async def copies(self, request_id: str) -> tuple[Copy, ...]:
        """Every copy of a request's card, the oldest message first."""
        return await self._read(partial(_copies, OF_REQUEST, of_request=request_id))

    async def shown_in(self, channel: str, ts: str) -> tuple[Copy, ...]:
        """What one message shows: a copy for each of its requests."""
        return await self._read(partial(_copies, OF_MESSAGE, of_channel=channel, of_ts=ts))

    async def shown(self, channel: str, ts: str, versions: Mapping[str, int]) -> None:
        """A message shows these versions now, by the requests' ids. Older ones than those noted are passed over."""
        await self._write(partial(_show, channel, ts, versions))

    async def posted(self, owed_id: int, copy: Copy, fn: Change) -> Request:
        """A card was posted: keep the copy, let ``fn`` change the request (Delivered), strike the effect off; at once.

        Raises NotFound, and whatever ``fn`` raises; then nothing was changed.
        """
        return await self._write(partial(posted, owed_id, copy, fn))

    async def posted_together(self, several: Sequence[Shown]) -> None:
        """A message that shows several requests was posted: as ``posted``, for all of them at once or for none."""
        await self._write(partial(_posted_together, several))
