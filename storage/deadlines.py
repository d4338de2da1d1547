"""Deadlines: every request whose nearest one has passed is changed, in batches, each request by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, select

from storage.access import Access
from storage.columns import EPOCH
from storage.engine import Failure
from storage.requests import OURS, REQUESTS, Change, save
from storage.rows import REQUEST
from storage.statement import Statement
from storage.transaction import Transaction

DUE = Statement(
    select(REQUESTS.c.id, REQUESTS.c.next_action_at, REQUESTS.c.document)
    .where(OURS, REQUESTS.c.next_action_at <= bindparam("now"), REQUESTS.c.next_action_at >= bindparam("from_at"))
    .where((REQUESTS.c.next_action_at > bindparam("from_at")) | (REQUESTS.c.id > bindparam("from_id")))
    .order_by(REQUESTS.c.next_action_at, REQUESTS.c.id)
    .limit(bindparam("most"))
)
NEXT_DUE = Statement(select(func.min(REQUESTS.c.next_action_at)).where(OURS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """How far a sweep has come: the last deadline looked at, how many requests were seen and changed, what failed."""

    now: datetime
    from_at: datetime = EPOCH
    from_id: str = ""
    seen: int = 0
    changed: int = 0
    failure: Exception | None = None


def sweep_on(sweep: Sweep, fn: Change, limit: int, transaction: Transaction) -> Sweep:
    """Change the next ``limit`` due requests. One that can't be changed doesn't make the others late."""
    for request_id, at, document in transaction.connection.rows(
        DUE,
        workspace=transaction.workspace_id,
        now=sweep.now,
        from_at=sweep.from_at,
        from_id=sweep.from_id,
        most=limit,
    ):
        sweep = replace(sweep, from_at=at, from_id=request_id, seen=sweep.seen + 1)
        try:
            changed = transaction.attempt(partial(_change_one, document, fn))
        except Failure:
            raise
        except Exception as error:
            sweep = replace(sweep, failure=sweep.failure or error)
        else:
            sweep = replace(sweep, changed=sweep.changed + changed)
    return sweep


def _change_one(document: str, fn: Change, transaction: Transaction) -> bool:
    before = REQUEST.load(document)
    after = save(transaction, before, fn(before))
    return after is not None and after is not before


class Deadlines(Access):
    """The store's deadlines."""

    async def change_due(self, now: datetime, fn: Change, *, limit: int = 500) -> int:
        """Let ``fn`` change every request whose deadline is at or before ``now``; how many it changed.

        At most ``limit`` requests share a transaction, so that clicks get their turn in between. Where ``fn`` raises
        for one, the others are changed all the same, and the first such error is raised at the end.
        """
        sweep = Sweep(now=now)
        while True:
            before, sweep = sweep, await self._write(partial(sweep_on, sweep, fn, limit))
            if sweep.seen < before.seen + limit:
                break
        if sweep.failure is not None:
            raise sweep.failure
        return sweep.changed

    async def next_due(self) -> datetime | None:
        """The nearest deadline of any request, past ones included; None where nothing can come due."""
        found = await self._read(lambda connection: connection.row(NEXT_DUE, workspace=self._workspace_id))
        return found[0] if found else None
