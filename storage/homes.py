"""Who has a Home before them, and how they left it: after a stop those are shown anew."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, delete, select

from storage.access import Access
from storage.columns import UtcDateTime
from storage.statement import Statement, inserting, setting
from storage.tables import HomeRow, table
from storage.transaction import Transaction
from storage.values import KeptHome

HOMES = table(HomeRow)
OURS = HOMES.c.workspace_id == bindparam("workspace")
BEFORE = HOMES.c.used_at < bindparam("before", type_=UtcDateTime())

INSERT = inserting(HOMES)
USE = Statement(setting(HOMES, "used_at", "memo").where(OURS, HOMES.c.user_id == bindparam("of_user")))
FORGET = Statement(delete(HOMES).where(OURS, BEFORE))
LATELY = Statement(
    select(HOMES.c.user_id, HOMES.c.used_at, HOMES.c.memo)
    .where(OURS, HOMES.c.used_at >= bindparam("since", type_=UtcDateTime()))
    .order_by(HOMES.c.used_at)
)


def _keep(home: KeptHome, before: datetime, transaction: Transaction) -> None:
    connection, workspace = transaction.connection, transaction.workspace_id
    used = {"used_at": home.used_at, "memo": home.memo}
    if not connection.write(USE, workspace=workspace, of_user=home.user_id, **used):
        connection.write(INSERT, workspace_id=workspace, user_id=home.user_id, **used)
        connection.write(FORGET, workspace=workspace, before=before)


class Homes(Access):
    """The store's memory of Homes."""

    async def keep_home(self, home: KeptHome, *, forget_before: datetime) -> None:
        """Somebody used their Home. Those used before ``forget_before`` need not be kept any longer."""
        await self._write(partial(_keep, home, forget_before))

    async def homes(self, since: datetime) -> tuple[KeptHome, ...]:
        """The Homes used since then, the latest last."""
        found = await self._read(lambda connection: connection.rows(LATELY, workspace=self._workspace_id, since=since))
        return tuple(KeptHome(user_id=user_id, used_at=used_at, memo=memo) for user_id, used_at, memo in found)
