"""Blanking what need not be kept any longer, a few rows a transaction, so that clicks get their turn in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Table, bindparam, select

from policies.agent_run import RunState
from policies.purging import blanked, blanked_run
from policies.request import State
from storage import attention, grants, keys, requests, runs, webhooks
from storage.access import Access
from storage.columns import EPOCH
from storage.rows import REQUEST, RUN
from storage.statement import Statement
from storage.transaction import Transaction

BATCH = 200


def _older(rows: Table, ours: ColumnElement[bool], open_state: str) -> Statement:
    """The next rows of a purge, oldest first, but for those that are still open."""
    made, row_id = rows.c.created_at, rows.c.id
    after = (made > bindparam("from_at")) | ((made == bindparam("from_at")) & (row_id > bindparam("from_id")))
    old = (ours, made < bindparam("before"), rows.c.state != open_state)
    return Statement(select(made, row_id, rows.c.document).where(*old, after).order_by(made, row_id).limit(BATCH))


OLD_REQUESTS = _older(requests.REQUESTS, requests.OURS, State.PENDING.value)
OLD_RUNS = _older(runs.RUNS, runs.OURS, RunState.ACTIVE.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Purge:
    """How far a purge has come; ``more`` is False once it has seen everything."""

    from_at: datetime = EPOCH
    from_id: str = ""
    blanked: int = 0
    more: bool = True


def _some_requests(before: datetime, now: datetime, purge: Purge, transaction: Transaction) -> Purge:
    found = transaction.connection.rows(
        OLD_REQUESTS,
        workspace=transaction.workspace_id,
        before=before,
        from_at=purge.from_at,
        from_id=purge.from_id,
    )
    for at, request_id, document in found:
        request = REQUEST.load(document)
        outcome = blanked(request, before, now)
        changed = outcome.request is not request and requests.save(transaction, request, outcome) is not None
        purge = replace(purge, from_at=at, from_id=request_id, blanked=purge.blanked + changed)
    return replace(purge, more=len(found) == BATCH)


def _some_runs(before: datetime, purge: Purge, transaction: Transaction) -> Purge:
    found = transaction.connection.rows(
        OLD_RUNS, workspace=transaction.workspace_id, before=before, from_at=purge.from_at, from_id=purge.from_id
    )
    for at, run_id, document in found:
        emptied = blanked_run(RUN.load(document), before)
        if emptied is not None:
            runs.change(run_id, lambda _, emptied=emptied: (emptied, ()), transaction)  # type: ignore[misc]
        purge = replace(purge, from_at=at, from_id=run_id, blanked=purge.blanked + (emptied is not None))
    return replace(purge, more=len(found) == BATCH)


class Purging(Access):
    """The store's way to forget."""

    async def purge(self, before: datetime, now: datetime) -> tuple[int, int]:
        """Blank the contents of requests and runs that were over ``before`` then; how many of each.

        Grants that had expired by then are forgotten, and so is who opened what.
        """
        requests_purge, runs_purge = Purge(), Purge()
        while requests_purge.more:
            requests_purge = await self._write(partial(_some_requests, before, now, requests_purge))
        while runs_purge.more:
            runs_purge = await self._write(partial(_some_runs, before, runs_purge))
        await self._write(lambda transaction: grants.forget(transaction, before))
        await self._write(lambda transaction: attention.forget(transaction, before))
        await self._write(lambda transaction: keys.forget(transaction, before))
        await self._write(lambda transaction: webhooks.forget(transaction, before))
        return requests_purge.blanked, runs_purge.blanked
