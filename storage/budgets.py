"""Agents' accounts: which requests were put before people, which of those people rejected.

What is counted for a new request is counted by the transaction that stores it, so that no two take the last place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, select, update

from policies.budget import Spent, Wanted, account_of, rejected_by_people
from policies.cooling import Follows
from policies.request import Request, State
from storage import chain, outbox
from storage.access import Access
from storage.columns import UtcDateTime
from storage.engine import Connection
from storage.rows import REQUEST
from storage.statement import Statement, inserting, setting
from storage.tables import AskedRow, RequestRow, ResumedRow, table
from storage.transaction import Transaction
from storage.values import Guard, Watch

ASKED, RESUMED, REQUESTS = table(AskedRow), table(ResumedRow), table(RequestRow)
OF_ACCOUNT = (ASKED.c.workspace_id == bindparam("workspace"), ASKED.c.account == bindparam("of_account"))
SINCE = ASKED.c.rejected_at >= bindparam("since", type_=UtcDateTime())

AT = bindparam("at", type_=UtcDateTime())

INSERT = inserting(ASKED)
REJECT = Statement(update(ASKED).where(ASKED.c.request_id == bindparam("of_id")).values(rejected_at=AT))
# The empty text keeps SQLite from walking the whole account: those that wait are few, and found by their state.
WAITING = Statement(
    select(func.count())
    .select_from(REQUESTS.join(ASKED, ASKED.c.request_id == REQUESTS.c.id))
    .where(
        REQUESTS.c.workspace_id == bindparam("workspace"),
        REQUESTS.c.requester == bindparam("of_requester"),
        REQUESTS.c.state == State.PENDING.value,
        ASKED.c.account.concat("") == bindparam("of_account"),
    )
)
SO_MANYTH = Statement(
    select(ASKED.c.at).where(*OF_ACCOUNT).order_by(ASKED.c.at.desc()).limit(1).offset(bindparam("newer"))
)
REJECTED = Statement(select(ASKED.c.rejected_at).where(*OF_ACCOUNT, SINCE).order_by(ASKED.c.rejected_at.desc()))
SAME = Statement(
    select(ASKED.c.rejected_at)
    .where(*OF_ACCOUNT, SINCE, ASKED.c.call == bindparam("of_call"))
    .order_by(ASKED.c.rejected_at.desc())
    .limit(1)
)
LAST_REJECTED = Statement(
    select(ASKED.c.account, REQUESTS.c.document)
    .select_from(ASKED.join(REQUESTS, ASKED.c.request_id == REQUESTS.c.id))
    .where(ASKED.c.workspace_id == bindparam("workspace"), SINCE)
    .order_by(ASKED.c.rejected_at.desc())
    .limit(500)
)
OUR_RESUMED = (RESUMED.c.workspace_id == bindparam("workspace"), RESUMED.c.account == bindparam("of_account"))
RESUMED_AT = Statement(select(RESUMED.c.at).where(*OUR_RESUMED))
RESUME = inserting(RESUMED)
RESUME_AGAIN = Statement(setting(RESUMED, "at", "by").where(*OUR_RESUMED))


def spent(connection: Connection, workspace_id: str, request: Request, wanted: Wanted, now: datetime) -> Spent:
    """What stands on the account of whoever made ``request``, as far as it is ``wanted``."""
    whose = {"workspace": workspace_id, "of_account": account_of(request.requester)}
    waiting = connection.row(WAITING, of_requester=request.requester.id, **whose)
    found = {most: connection.row(SO_MANYTH, newer=most - 1, **whose) for most in wanted.most}
    rejected: Iterable[tuple[datetime]] = ()
    resumed = same = None
    if wanted.rejected is not None:
        rejected = connection.rows(REJECTED, since=now - wanted.rejected, **whose)
        resumed = connection.row(RESUMED_AT, **whose)
    if wanted.same is not None:
        same = connection.row(SAME, since=now - wanted.same, of_call=request.digest, **whose)
    return Spent(
        waiting=waiting[0] if waiting else 0,
        asked={most: row[0] for most, row in found.items() if row is not None},
        rejected=tuple(at for (at,) in rejected),
        same=same[0] if same else None,
        resumed=resumed[0] if resumed else None,
    )


def enter(transaction: Transaction, request: Request, guard: Guard | None) -> None:
    """Enter a new request that waits for people on its agent's account, if ``guard`` admits it; it raises where not."""
    if request.settled:
        return
    if guard is not None:
        guard.admit(spent(transaction.connection, transaction.workspace_id, request, guard.wanted, request.created_at))
    transaction.connection.write(
        INSERT,
        request_id=request.id,
        workspace_id=transaction.workspace_id,
        account=account_of(request.requester),
        call=request.digest,
        at=request.created_at,
        rejected_at=None,
    )


def enter_rejection(transaction: Transaction, request: Request) -> None:
    """Note on its agent's account that people rejected a request."""
    if rejected_by_people(request) and request.decision is not None:
        transaction.connection.write(REJECT, of_id=request.id, at=request.decision.at)


def watched(transaction: Transaction, before: Request, after: Request, watch: Watch) -> None:
    """What follows from a rejection beyond its request: perhaps its agent has to cool off."""
    if before.settled or not rejected_by_people(after) or after.decision is None:
        return
    wanted = watch.wanted(after)
    if wanted.rejected is None:
        return
    on_account = spent(transaction.connection, transaction.workspace_id, after, wanted, after.decision.at)
    _carry_out(transaction, watch.follows(after, on_account))


def _carry_out(transaction: Transaction, follows: Follows) -> None:
    chain.append(transaction, follows.entries)
    outbox.owe(transaction, follows.effects)


def _resume(rejected: Request, by: str, now: datetime, watch: Watch, transaction: Transaction) -> None:
    workspace, account = transaction.workspace_id, account_of(rejected.requester)
    follows = watch.follows(rejected, spent(transaction.connection, workspace, rejected, watch.wanted(rejected), now))
    if not transaction.connection.write(RESUME_AGAIN, workspace=workspace, of_account=account, at=now, by=by):
        transaction.connection.write(RESUME, workspace_id=workspace, account=account, at=now, by=by)
    _carry_out(transaction, follows)


class Budgets(Access):
    """What stands on agents' accounts."""

    async def spent(self, request: Request, wanted: Wanted, now: datetime) -> Spent:
        """What stands on the account of whoever makes this request, as far as it is ``wanted``."""
        return await self._read(lambda connection: spent(connection, self._workspace_id, request, wanted, now))

    async def last_rejected(self, since: datetime) -> tuple[Request, ...]:
        """Of each account with a rejection by people since then the request that they rejected last."""
        found = await self._read(
            lambda connection: connection.rows(LAST_REJECTED, workspace=self._workspace_id, since=since)
        )
        newest: dict[str, str] = {}
        for account, document in found:
            newest.setdefault(account, document)
        return tuple(REQUEST.load(document) for document in newest.values())

    async def resume(self, rejected: Request, by: str, now: datetime, watch: Watch) -> None:
        """Count no rejection so far of the agent of ``rejected`` any more; ``watch`` says what follows, or raises."""
        await self._write(partial(_resume, rejected, by, now, watch))
