"""What the auditor reads and repairs: rows whose columns say another thing than the request, cards that are missing.

Each look is at one consistent state of the database and at one window of it: it costs the same whatever is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select

from policies.effects import Announce, Entry, PostCard, Refresh
from policies.errors import Unavailable
from policies.request import ExecutionState, Request, State
from policies.upkeep import Repair, missing
from storage import chain, outbox
from storage.access import Access
from storage.copies import COPIES
from storage.engine import Connection
from storage.outbox import OUTBOX
from storage.requests import OURS, REQUESTS
from storage.rows import REQUEST, changing_columns
from storage.statement import Statement, setting
from storage.transaction import Transaction

LATEST = datetime.max.replace(tzinfo=UTC)

WINDOW = 500
"""Requests that one look takes in."""

MOST_OWED = 10_000
"""Effects beyond which the cards are not looked at: the courier has enough to do, and nothing of it is lost."""

FILED = ("state", "execution_state", "revision", "version", "next_action_at")
"""The columns that must say what the document says."""

LEAST_SHOWN = select(func.min(COPIES.c.shown_version)).where(COPIES.c.request_id == REQUESTS.c.id).scalar_subquery()
CAN_COME_DUE = or_(
    *(REQUESTS.c.execution_state == state.value for state in (ExecutionState.UNCLAIMED, ExecutionState.CLAIMED))
)
# The document is read only where something of it is compared: most requests are over, and their cards tell so.
NEEDED = case(
    (
        (REQUESTS.c.state == State.PENDING.value)
        | REQUESTS.c.next_action_at.is_not(None)
        | CAN_COME_DUE
        | (REQUESTS.c.version > LEAST_SHOWN),
        REQUESTS.c.document,
    )
)
COLUMNS = (REQUESTS.c.created_at, REQUESTS.c.id, *(REQUESTS.c[name] for name in FILED), LEAST_SHOWN, NEEDED)
MADE = REQUESTS.c.created_at
WINDOWED = (
    select(*COLUMNS)
    .where(OURS, bindparam("from_at") >= MADE)
    .where((bindparam("from_at") > MADE) | (REQUESTS.c.id < bindparam("from_id")))
    .order_by(MADE.desc(), REQUESTS.c.id.desc())
    .limit(bindparam("most"))
)
ALL = Statement(WINDOWED)
PENDING = Statement(WINDOWED.where(REQUESTS.c.state == State.PENDING.value))
ONE = Statement(select(*COLUMNS).where(OURS, REQUESTS.c.id == bindparam("of_id")))
OURS_OWED = OUTBOX.c.workspace_id == bindparam("workspace")
OF_CARDS = Statement(
    select(OUTBOX.c.kind, OUTBOX.c.payload, OUTBOX.c.given_up)
    .where(OURS_OWED, or_(*(OUTBOX.c.kind == kind.__name__ for kind in (Announce, PostCard, Refresh))))
    .limit(bindparam("most"))
)
FILE = Statement(setting(REQUESTS, *FILED).where(REQUESTS.c.id == bindparam("of_id")))
COUNT = select(func.count()).select_from(REQUESTS)
PENDING_NOW = Statement(COUNT.where(OURS, REQUESTS.c.state == State.PENDING.value))
OVERDUE = Statement(COUNT.where(OURS, REQUESTS.c.next_action_at <= bindparam("before")))
OWED: tuple[ColumnElement[Any], ...] = (func.count(), func.min(OUTBOX.c.id), func.max(OUTBOX.c.id))
WAITING = Statement(select(*OWED).where(OURS_OWED, OUTBOX.c.given_up.is_(False)))
GIVEN_UP = Statement(select(*OWED).where(OURS_OWED, OUTBOX.c.given_up.is_(True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How much there is of what, now. ``oldest_owed`` and ``newest_owed`` are ids of waiting effects; they only grow.

    ``newest_given_up`` is the highest id of an effect that was given up, 0 where there is none.
    """

    pending: int
    overdue: int
    waiting: int
    oldest_owed: int | None
    newest_owed: int | None
    given_up: int
    newest_given_up: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a look goes on: after the request made at ``at`` with this id, towards the older ones."""

    at: datetime = LATEST
    id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """What the request ``request_id`` lacks, as it was stored with ``version``."""

    request_id: str
    version: int
    repair: Repair


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What one look found. ``seen`` are the ids of all that was looked at, ``goes_on`` is None at the end.

    ``untold`` are requests whose cards Slack refused for good.
    """

    seen: frozenset[str]
    lacking: tuple[Lack, ...]
    untold: tuple[str, ...]
    unreadable: tuple[str, ...]
    goes_on: Place | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    id: str
    at: datetime
    filed: Mapping[str, Any]
    least_shown: int | None
    document: str | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> _Row:
        at, request_id, *filed, least_shown, document = row
        columns = dict(zip(FILED, filed, strict=True))
        return cls(id=request_id, at=at, filed=columns, least_shown=least_shown, document=document)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Owed:
    """The requests whose cards are owed something, and those for which something was given up."""

    waiting: frozenset[str]
    given_up: frozenset[str]
    too_many: bool


def look(workspace_id: str, place: Place, pending: bool, connection: Connection) -> Window:
    """One window of requests, the newest first."""
    found = connection.rows(
        PENDING if pending else ALL, workspace=workspace_id, from_at=place.at, from_id=place.id, most=WINDOW
    )
    rows = [_Row.of(row) for row in found]
    lacking: list[Lack] = []
    unreadable = []
    for row in rows:
        try:
            found_missing = _lack(row)
        except Unavailable:
            unreadable.append(row.id)
            continue
        if found_missing is not None:
            lacking.append(Lack(request_id=row.id, version=row.filed["version"], repair=found_missing))
    goes_on = Place(at=rows[-1].at, id=rows[-1].id) if len(rows) == WINDOW else None
    left, untold = _not_owed(lacking, workspace_id, connection)
    seen = frozenset(row.id for row in rows)
    return Window(seen=seen, lacking=left, untold=untold, unreadable=tuple(unreadable), goes_on=goes_on)


def _not_owed(
    lacking: list[Lack], workspace_id: str, connection: Connection
) -> tuple[tuple[Lack, ...], tuple[str, ...]]:
    """Without what is owed already; and apart, the requests for which Slack refused what they lack."""
    misfiled = tuple(lack for lack in lacking if lack.repair is Repair.MISFILED)
    of_cards = [lack for lack in lacking if lack.repair is not Repair.MISFILED]
    if not of_cards:
        return misfiled, ()
    owed = _owed_to_cards(workspace_id, connection)
    if owed.too_many:
        return misfiled, ()
    not_owed = [lack for lack in of_cards if lack.request_id not in owed.waiting]
    refused = tuple(lack.request_id for lack in not_owed if lack.request_id in owed.given_up)
    return (*misfiled, *(lack for lack in not_owed if lack.request_id not in owed.given_up)), refused


def _lack(row: _Row) -> Repair | None:
    if row.document is None:
        return None
    request = REQUEST.load(row.document)
    return Repair.MISFILED if changing_columns(request) != row.filed else missing(request, row.least_shown)


def _owed_to_cards(workspace_id: str, connection: Connection) -> _Owed:
    rows = connection.rows(OF_CARDS, workspace=workspace_id, most=MOST_OWED + 1)
    waiting: set[str] = set()
    given_up: set[str] = set()
    for _, payload, over in rows:
        (given_up if over else waiting).add(_about(payload))
    return _Owed(waiting=frozenset(waiting), given_up=frozenset(given_up), too_many=len(rows) > MOST_OWED)


def _about(payload: str) -> str:
    """The request that a stored effect is about; empty for one that can't be read."""
    try:
        told = json.loads(payload)
    except ValueError:
        return ""
    return str(told.get("request_id", "")) if isinstance(told, dict) else ""


def repair(lack: Lack, now: datetime, transaction: Transaction) -> bool:
    """Do what was found missing, unless it is there by now; the journal says so."""
    found = transaction.connection.row(ONE, workspace=transaction.workspace_id, of_id=lack.request_id)
    if found is None or _lack(row := _Row.of(found)) is not lack.repair or row.document is None:
        return False
    if lack.repair is Repair.MISFILED:
        detail = _refile(row, REQUEST.load(row.document), transaction)
    elif not _not_owed([lack], transaction.workspace_id, transaction.connection)[0]:
        return False
    else:
        detail = _owe(lack, transaction)
    detail = {"kind": lack.repair.value, **detail}
    entry = Entry(what="repaired", actor="auditor", at=now, subject=lack.request_id, detail=detail)
    chain.append(transaction, (entry,))
    return True


def _owe(lack: Lack, transaction: Transaction) -> Mapping[str, Any]:
    announced = lack.repair is Repair.UNANNOUNCED
    effect = Announce(request_id=lack.request_id) if announced else Refresh(request_id=lack.request_id)
    outbox.owe(transaction, (effect,))
    return {"owed": type(effect).__name__}


def _refile(row: _Row, request: Request, transaction: Transaction) -> Mapping[str, Any]:
    """Write the columns as the document says; what stood there before is told."""
    meant = changing_columns(request)
    transaction.connection.write(FILE, of_id=request.id, **meant)
    transaction.topics += [request.id, "deadline"]
    wrong = [name for name in FILED if row.filed[name] != meant[name]]
    return {"stored": {name: _plain(row.filed[name]) for name in wrong}}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _standing(workspace_id: str, before: datetime, connection: Connection) -> Standing:
    (pending,) = connection.row(PENDING_NOW, workspace=workspace_id) or (0,)
    (overdue,) = connection.row(OVERDUE, workspace=workspace_id, before=before) or (0,)
    waiting, oldest, newest = connection.row(WAITING, workspace=workspace_id) or (0, None, None)
    given_up, _, last = connection.row(GIVEN_UP, workspace=workspace_id) or (0, None, None)
    return Standing(
        pending=pending,
        overdue=overdue,
        waiting=waiting,
        oldest_owed=oldest,
        newest_owed=newest,
        given_up=given_up,
        newest_given_up=last or 0,
    )


class Auditing(Access):
    """What the store lets the auditor see and do."""

    async def standing(self, before: datetime) -> Standing:
        """How much there is of what; overdue is what should have happened at or before ``before``."""
        return await self._read(partial(_standing, self._workspace_id, before))

    async def look(self, place: Place, *, pending: bool = False) -> Window:
        """Up to 500 requests from ``place`` towards the older ones; with ``pending`` only those that wait."""
        return await self._read(partial(look, self._workspace_id, place, pending))

    async def repair(self, lack: Lack, now: datetime) -> bool:
        """Do what was found missing, once; False where somebody else did meanwhile."""
        return await self._write(partial(repair, lack, now))
