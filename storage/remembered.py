"""Two small memories: the texts of policies by digest, and the Slack events that were taken already."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, delete, select

from storage.access import Access
from storage.statement import Statement, inserting
from storage.tables import PolicyRow, SeenEventRow, table
from storage.transaction import Transaction

POLICIES, SEEN = table(PolicyRow), table(SeenEventRow)
REPEATS_END = timedelta(hours=1)

TEXT = Statement(select(POLICIES.c.text).where(POLICIES.c.digest == bindparam("of_digest")))
KEEP_TEXT = inserting(POLICIES)
OURS = SEEN.c.workspace_id == bindparam("workspace")
SIGHT = Statement(select(SEEN.c.seen_at).where(OURS, SEEN.c.event_id == bindparam("of_event")))
KEEP_SIGHT = inserting(SEEN)
FORGET = Statement(delete(SEEN).where(OURS, SEEN.c.seen_at <= bindparam("until")))


def _keep_policy(digest: str, text: str, transaction: Transaction) -> None:
    if transaction.connection.row(TEXT, of_digest=digest) is None:
        transaction.connection.write(KEEP_TEXT, digest=digest, text=text)


def _first_sight(event_id: str, now: datetime, transaction: Transaction) -> bool:
    workspace = transaction.workspace_id
    transaction.connection.write(FORGET, workspace=workspace, until=now - REPEATS_END)
    if transaction.connection.row(SIGHT, workspace=workspace, of_event=event_id) is not None:
        return False
    transaction.connection.write(KEEP_SIGHT, workspace_id=workspace, event_id=event_id, seen_at=now)
    return True


class Remembered(Access):
    """The store's memory of policies and events."""

    async def keep_policy(self, digest: str, text: str) -> None:
        """Keep a policy's text under its digest, for as long as requests may name it: for good."""
        await self._write(partial(_keep_policy, digest, text))

    async def policy_text(self, digest: str) -> str | None:
        """The text that was kept under ``digest``."""
        found = await self._read(lambda connection: connection.row(TEXT, of_digest=digest))
        return found[0] if found else None

    async def first_sight(self, event_id: str, now: datetime) -> bool:
        """Is this Slack event new? False where it was seen within the last hour; Slack repeats within minutes."""
        return await self._write(partial(_first_sight, event_id, now))
