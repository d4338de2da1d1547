"""The outbox: what is owed to the world waits here, stored by the very transaction that made it owed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from policies.effects import Effect
from policies.errors import Unavailable
from storage.access import Access
from storage.columns import EPOCH, UtcDateTime
from storage.engine import Connection
from storage.rows import effect_columns, effect_from
from storage.statement import Statement, inserting, setting
from storage.tables import OutboxRow, table
from storage.transaction import Transaction
from storage.values import Owed, Unreadable

OUTBOX = table(OutboxRow)
OURS = OUTBOX.c.workspace_id == bindparam("workspace")
THIS = (OUTBOX.c.id == bindparam("of_id"), OURS)
BEGUN_AT = bindparam("begun_at", type_=UtcDateTime())

OWE = inserting(OUTBOX, without=("id",))
WAITING = Statement(
    select(OUTBOX.c.id, OUTBOX.c.kind, OUTBOX.c.payload, OUTBOX.c.attempts, OUTBOX.c.due_at, OUTBOX.c.started_at)
    .where(OURS, OUTBOX.c.given_up.is_(False), OUTBOX.c.due_at <= bindparam("now"), OUTBOX.c.id > bindparam("after"))
    .order_by(OUTBOX.c.id)
    .limit(bindparam("most"))
)
NEXT = Statement(select(func.min(OUTBOX.c.due_at)).where(OURS, OUTBOX.c.given_up.is_(False)))
BEGIN = Statement(
    update(OUTBOX)
    .where(*THIS)
    .values(
        attempts=OUTBOX.c.attempts + 1,
        started_at=func.coalesce(OUTBOX.c.started_at, bindparam("begun_at", type_=UtcDateTime())),
    )
)
FINISH = Statement(delete(OUTBOX).where(*THIS))
POSTPONE = Statement(setting(OUTBOX, "due_at", "error").where(*THIS))
POSTPONE_UNSTARTED = Statement(setting(OUTBOX, "due_at", "error", "started_at").where(*THIS))
GIVE_UP = Statement(setting(OUTBOX, "given_up", "error").where(*THIS))


def owe(transaction: Transaction, effects: Iterable[Effect]) -> None:
    """Store effects, to be carried at once."""
    for effect in effects:
        transaction.connection.write(
            OWE,
            workspace_id=transaction.workspace_id,
            due_at=EPOCH,
            attempts=0,
            started_at=None,
            given_up=False,
            error=None,
            **effect_columns(effect),
        )
        transaction.topics.append("outbox")


def finish(transaction: Transaction, owed_id: int) -> bool:
    """Strike an effect off; False where it was struck off before."""
    return transaction.connection.write(FINISH, of_id=owed_id, workspace=transaction.workspace_id) > 0


def _finish_all(owed_ids: Sequence[int], then: Sequence[Effect], transaction: Transaction) -> None:
    finished = [finish(transaction, owed_id) for owed_id in owed_ids]
    if any(finished) or not owed_ids:  # what follows from an effect follows once, however often it is reported done
        owe(transaction, then)


def _write_each(
    statement: Statement, owed_ids: Sequence[int], values: Mapping[str, Any], transaction: Transaction
) -> None:
    for owed_id in owed_ids:
        transaction.connection.write(statement, of_id=owed_id, workspace=transaction.workspace_id, **values)


def _waiting(workspace_id: str, now: datetime, after: int, limit: int, connection: Connection) -> tuple[Owed, ...]:
    found = connection.rows(WAITING, workspace=workspace_id, now=now, after=after, most=limit)
    return tuple(
        Owed(id=owed_id, effect=_effect(kind, payload), attempts=attempts, due_at=due_at, started_at=started_at)
        for owed_id, kind, payload, attempts, due_at, started_at in found
    )


def _effect(kind: str, payload: str) -> Effect | Unreadable:
    """One effect; what can't be read must not hold up those that can."""
    try:
        return effect_from(kind, payload)
    except (KeyError, ValueError, Unavailable):
        return Unreadable(kind=kind)


class Outbox(Access):
    """The store's outbox."""

    async def owed(self, now: datetime, *, limit: int = 100, after: int = 0) -> tuple[Owed, ...]:
        """What is due and not done, oldest first. ``after`` passes over ids up to that one, to look further on."""
        return await self._read(partial(_waiting, self._workspace_id, now, after, limit))

    async def next_owed(self) -> datetime | None:
        """When the next effect is due (1970 for at once); None where none waits."""
        found = await self._read(lambda connection: connection.row(NEXT, workspace=self._workspace_id))
        return found[0] if found else None

    async def begin(self, owed_ids: Iterable[int], now: datetime) -> None:
        """Note an attempt before it is made, durably: after a crash somebody must look whether it got through.

        ``started_at`` stays that of the first attempt whose end nobody knows.
        """
        await self._write(partial(_write_each, BEGIN, tuple(owed_ids), {"begun_at": now}))

    async def done(self, owed_ids: Sequence[int], *, then: Sequence[Effect] = ()) -> None:
        """Strike effects off and owe what follows from them, in one transaction. Those done before are passed over.

        Without ``owed_ids`` the effects of ``then`` are simply owed.
        """
        await self._write(partial(_finish_all, owed_ids, then))

    async def retry(self, owed_ids: Sequence[int], due_at: datetime, error: str, *, certain: bool = False) -> None:
        """Try all of them again at ``due_at``. ``certain`` where the attempt demonstrably left nothing behind (a 429,
        say).
        """
        changes = {"due_at": due_at, "error": error} | ({"started_at": None} if certain else {})
        await self._write(partial(_write_each, POSTPONE_UNSTARTED if certain else POSTPONE, owed_ids, changes))

    async def give_up(self, owed_id: int, error: str) -> None:
        """Never try again; the effect stays in the table with ``error``."""
        await self._write(
            lambda tx: tx.connection.write(
                GIVE_UP, of_id=owed_id, workspace=tx.workspace_id, given_up=True, error=error
            )
        )
