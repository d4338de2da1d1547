"""What people did before they decided, and how they decided: what their own numbers are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, delete, func, select

from policies.attention import Sight
from policies.inbox import Tally
from policies.request import Request
from policies.review import Review, Verdict
from storage.access import Access
from storage.columns import UtcDateTime
from storage.engine import Connection
from storage.statement import Statement, inserting, setting
from storage.tables import AttentionRow, table
from storage.transaction import Transaction

SEEN = table(AttentionRow)
OURS = SEEN.c.workspace_id == bindparam("workspace")
THEIRS = (OURS, SEEN.c.user_id == bindparam("who"))
THIS = (
    SEEN.c.request_id == bindparam("of_request"),
    SEEN.c.revision == bindparam("of_revision"),
    SEEN.c.user_id == bindparam("who"),
)
DECISION = ("opened_at", "asked_at", "shown_at", "decided_at", "verdict")

INSERT = inserting(SEEN)
FIND = Statement(select(SEEN.c.opened_at, SEEN.c.asked_at).where(*THIS))
LAST = Statement(select(func.max(SEEN.c.decided_at)).where(*THEIRS))
OPEN = Statement(setting(SEEN, "opened_at").where(*THIS, SEEN.c.opened_at.is_(None)))
ASK = Statement(setting(SEEN, "asked_at").where(*THIS, SEEN.c.asked_at.is_(None)))
DECIDE = Statement(setting(SEEN, *DECISION).where(*THIS))
TALLIES = Statement(
    select(SEEN.c.verdict, SEEN.c.revision, SEEN.c.shown_at, SEEN.c.opened_at, SEEN.c.decided_at, SEEN.c.asked_at)
    .where(*THEIRS, SEEN.c.decided_at >= bindparam("since", type_=UtcDateTime()))
    .order_by(SEEN.c.decided_at.desc())
    .limit(bindparam("most"))
)
FORGET = Statement(delete(SEEN).where(OURS, SEEN.c.since < bindparam("before")))


def keep_reviews(transaction: Transaction, before: Request | None, after: Request) -> None:
    """Note the reviews that a change added, but for answers: those decide nothing."""
    for review in after.reviews[len(before.reviews) if before is not None else 0 :]:
        if review.verdict is not Verdict.ANSWER:
            _keep(transaction, after.id, review)


def _keep(transaction: Transaction, request_id: str, review: Review) -> None:
    told = {
        "opened_at": review.opened_at,
        "asked_at": review.asked_at,
        "shown_at": review.shown_at,
        "decided_at": review.at,
        "verdict": review.verdict.value,
    }
    this = {"of_request": request_id, "of_revision": review.revision, "who": review.by}
    if not transaction.connection.write(DECIDE, **this, **told):
        _insert(transaction, request_id, review.revision, review.by, review.at, told)


def _insert(
    transaction: Transaction, request_id: str, revision: int, who: str, at: datetime, told: Mapping[str, object]
) -> None:
    row = {"request_id": request_id, "revision": revision, "user_id": who, "workspace_id": transaction.workspace_id}
    transaction.connection.write(INSERT, **{**dict.fromkeys(DECISION), **row, "since": at, **told})


def _note(column: str, request_id: str, revision: int, who: str, at: datetime, transaction: Transaction) -> None:
    """Note when something was first done; what is noted already stays."""
    this = {"of_request": request_id, "of_revision": revision, "who": who}
    if transaction.connection.row(FIND, **this) is None:
        _insert(transaction, request_id, revision, who, at, {column: at})
    else:
        transaction.connection.write(OPEN if column == "opened_at" else ASK, **this, **{column: at})


def _sight(workspace_id: str, request_id: str, revision: int, who: str, connection: Connection) -> Sight:
    found = connection.row(FIND, of_request=request_id, of_revision=revision, who=who) or (None, None)
    (last,) = connection.row(LAST, workspace=workspace_id, who=who) or (None,)
    return Sight(opened_at=found[0], asked_at=found[1], decided_at=last)


def forget(transaction: Transaction, before: datetime) -> int:
    """Delete what began ``before`` then; the journal keeps what is evidence."""
    return transaction.connection.write(FORGET, workspace=transaction.workspace_id, before=before)


class Attention(Access):
    """What the store knows of how people came to decide."""

    async def note_opened(self, request_id: str, revision: int, user_id: str, at: datetime) -> None:
        """Somebody opened the whole of a revision; only the first time counts."""
        await self._write(partial(_note, "opened_at", request_id, revision, user_id, at))

    async def note_asked_back(self, request_id: str, revision: int, user_id: str, at: datetime) -> None:
        """Somebody was asked back before their approval of a revision; only the first time counts."""
        await self._write(partial(_note, "asked_at", request_id, revision, user_id, at))

    async def sight(self, request_id: str, revision: int, user_id: str) -> Sight:
        """What this person did with this revision, and when they last decided anything."""
        return await self._read(partial(_sight, self._workspace_id, request_id, revision, user_id))

    async def tallies(self, user_id: str, since: datetime, *, limit: int = 1_000) -> Sequence[Tally]:
        """That person's own decisions since then, the newest first."""
        values = {"who": user_id, "since": since, "most": limit}
        found = await self._read(lambda connection: connection.rows(TALLIES, workspace=self._workspace_id, **values))
        return [
            Tally(
                verdict=Verdict(verdict),
                revision=revision,
                shown_at=shown,
                opened_at=opened,
                decided_at=decided,
                asked_back=asked is not None,
            )
            for verdict, revision, shown, opened, decided, asked in found
        ]
