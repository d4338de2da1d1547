"""API keys, known by the hash of their secret alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from policies.allowance import EVERYTHING, Scope
from policies.effects import Entry
from policies.errors import Conflict, NotFound
from policies.webhook import Webhook
from storage import chain, webhooks
from storage.access import Access
from storage.columns import UtcDateTime
from storage.engine import Connection, Duplicate
from storage.statement import Statement, inserting, setting
from storage.tables import FormerSecretRow, KeyRow, table
from storage.transaction import Transaction
from storage.values import Key

KEYS, FORMER = table(KeyRow), table(FormerSecretRow)
OURS = KEYS.c.workspace_id == bindparam("workspace")
FIELDS = (
    "id",
    "name",
    "owner",
    "kind",
    "created_at",
    "expires_at",
    "revoked_at",
    "agent",
    "may",
    "tools",
    "rotated_at",
)
COLUMNS = tuple(KEYS.c[name] for name in FIELDS)

INSERT = inserting(KEYS)
ALL = select(*COLUMNS).where(OURS)
BY_HASH = Statement(ALL.where(KEYS.c.secret_hash == bindparam("of_hash")))
BY_FORMER_HASH = Statement(
    select(*COLUMNS, FORMER.c.until)
    .join(FORMER, FORMER.c.key_id == KEYS.c.id)
    .where(OURS, FORMER.c.secret_hash == bindparam("of_hash"))
)
BY_AGE = Statement(ALL.order_by(KEYS.c.created_at, KEYS.c.id))
VALID = Statement(
    select(KEYS.c.id).where(
        OURS,
        KEYS.c.name == bindparam("of_name"),
        KEYS.c.revoked_at.is_(None),
        KEYS.c.expires_at.is_(None) | (KEYS.c.expires_at > bindparam("now")),
    )
)
LAST_NAMED = Statement(
    select(*COLUMNS, KEYS.c.secret_hash)
    .where(OURS, KEYS.c.name == bindparam("of_name"), KEYS.c.revoked_at.is_(None))
    .order_by(KEYS.c.created_at.desc(), KEYS.c.id.desc())
)
NAMED = (OURS, KEYS.c.name == bindparam("of_name"), KEYS.c.revoked_at.is_(None))
STANDING = Statement(select(KEYS.c.id).where(*NAMED).order_by(KEYS.c.created_at, KEYS.c.id))
REVOKE = Statement(setting(KEYS, "revoked_at").where(*NAMED))
RENEW = Statement(setting(KEYS, "secret_hash", "rotated_at", "expires_at").where(KEYS.c.id == bindparam("of_id")))
KEEP_FORMER = inserting(FORMER)
END_FORMER = Statement(
    setting(FORMER, "until").where(
        FORMER.c.key_id == bindparam("of_id"), FORMER.c.until > bindparam("at_latest", type_=UtcDateTime())
    )
)
LAST_FORMER = Statement(select(FORMER.c.key_id, func.max(FORMER.c.until)).group_by(FORMER.c.key_id))
FORGET_FORMER = Statement(delete(FORMER).where(FORMER.c.until < bindparam("before")))


def _key(row: tuple[Any, ...], secret_until: datetime | None = None) -> Key:
    stored = dict(zip(FIELDS, row, strict=True))
    may, tools = stored.pop("may"), stored.pop("tools")
    return Key(
        **stored,
        may=EVERYTHING if may is None else tuple(Scope(scope) for scope in may),
        tools=tuple(tools or ()),
        secret_until=secret_until,
    )


def _columns(key: Key) -> dict[str, Any]:
    """As stored: no limits are no value, so that every key can be told from one that is limited to all there was."""
    limits = {
        "may": None if set(key.may) >= set(EVERYTHING) else [scope.value for scope in key.may],
        "tools": list(key.tools) or None,
    }
    return {name: limits[name] if name in limits else getattr(key, name) for name in FIELDS}


def add(key: Key, secret_hash: str, webhook: Webhook | None, by: str, transaction: Transaction) -> None:
    """Store a key that ``by`` made, with its webhook, and note in the journal what it may do.

    Raises Conflict(code="key_exists") while another key of that name is valid.
    """
    workspace = transaction.workspace_id
    if transaction.connection.row(VALID, workspace=workspace, of_name=key.name, now=key.created_at) is not None:
        raise Conflict(f"A key named {key.name} exists; revoke it first, or choose another name.", code="key_exists")
    try:
        transaction.connection.write(INSERT, workspace_id=workspace, secret_hash=secret_hash, **_columns(key))
    except Duplicate:
        raise Conflict("This key is stored already; make a new one.", code="key_exists") from None
    told = {}
    if webhook is not None:
        webhooks.add(webhook, transaction)
        told = {"webhook": webhooks.host_of(webhook)}
    _note(transaction, "provisioned", by, key.created_at, key.id, {**_limits(key), **told})


def _note(transaction: Transaction, what: str, by: str, now: datetime, key_id: str, detail: Mapping[str, Any]) -> None:
    """Whose key could ask and claim, and when, is as much of the record as what was asked with it."""
    chain.append(transaction, (Entry(what=what, actor=by, at=now, subject=key_id, detail=detail),))


def _limits(key: Key) -> dict[str, Any]:
    whose = {"agent": key.agent} if key.kind == "agent" else {}
    limits = {name: value for name, value in _columns(key).items() if name in ("may", "tools", "owner") and value}
    return {"name": key.name, "kind": key.kind, **whose, **limits, **_end(key.expires_at)}


def _end(expires_at: datetime | None) -> dict[str, str]:
    return {"expires_at": expires_at.isoformat()} if expires_at is not None else {}


def _revoke(name: str, now: datetime, by: str, transaction: Transaction) -> None:
    whose = {"workspace": transaction.workspace_id, "of_name": name}
    ended = transaction.connection.rows(STANDING, **whose)
    if not ended:
        raise NotFound(f"There is no valid key named {name}; see signoff keys list.")
    transaction.connection.write(REVOKE, revoked_at=now, **whose)
    for (key_id,) in ended:
        _note(transaction, "retired", by, now, key_id, {"name": name})


def _rotate(
    name: str, secret_hash: str, now: datetime, until: datetime, expires_at: datetime | None, transaction: Transaction
) -> Key:
    """The old secret lives until ``until``, though never longer than it would have; those before it end with it."""
    found = transaction.connection.row(LAST_NAMED, workspace=transaction.workspace_id, of_name=name)
    if found is None:
        raise NotFound(f"There is no active key named {name}; see signoff keys list.")
    *fields, former = found
    key = _key(tuple(fields))
    until = min(until, key.expires_at) if key.expires_at else until
    transaction.connection.write(END_FORMER, of_id=key.id, at_latest=until, until=until)
    transaction.connection.write(KEEP_FORMER, secret_hash=former, key_id=key.id, until=until)
    transaction.connection.write(RENEW, of_id=key.id, secret_hash=secret_hash, rotated_at=now, expires_at=expires_at)
    _note(
        transaction, "rotated", "operator", now, key.id, {"name": name, "until": until.isoformat(), **_end(expires_at)}
    )
    return replace(key, rotated_at=now, expires_at=expires_at, secret_until=until)


def _by_hash(workspace_id: str, secret_hash: str, connection: Connection) -> Key | None:
    if found := connection.row(BY_HASH, workspace=workspace_id, of_hash=secret_hash):
        return _key(found)
    if found := connection.row(BY_FORMER_HASH, workspace=workspace_id, of_hash=secret_hash):
        return _key(found[:-1], found[-1])
    return None


def _all(workspace_id: str, connection: Connection) -> tuple[Key, ...]:
    former: Mapping[str, datetime] = {row[0]: row[1] for row in connection.rows(LAST_FORMER)}
    return tuple(_key(row, former.get(row[0])) for row in connection.rows(BY_AGE, workspace=workspace_id))


def forget(transaction: Transaction, before: datetime) -> None:
    """Of secrets that ended ``before`` then nobody needs to be told any more that they were replaced."""
    transaction.connection.write(FORGET_FORMER, before=before)


class Keys(Access):
    """The store's API keys."""

    async def add_key(self, key: Key, secret_hash: str, *, webhook: Webhook | None = None) -> None:
        """Store a key that an operator made, with its webhook.

        Raises Conflict(code="key_exists") while another key of that name is valid.
        """
        await self._write(partial(add, key, secret_hash, webhook, "operator"))

    async def key_by_hash(self, secret_hash: str) -> Key | None:
        """The key with this secret, newest or replaced, be it valid, expired or revoked: the asker looks."""
        return await self._read(partial(_by_hash, self._workspace_id, secret_hash))

    async def keys(self) -> tuple[Key, ...]:
        """All keys, the oldest first."""
        return await self._read(partial(_all, self._workspace_id))

    async def rotate_key(
        self, name: str, secret_hash: str, *, now: datetime, until: datetime, expires_at: datetime | None
    ) -> Key:
        """Give the key called ``name`` a new secret and a new end; older secrets open the door until ``until`` at most.

        Raises NotFound where no key of that name stands.
        """
        return await self._write(partial(_rotate, name, secret_hash, now, until, expires_at))

    async def revoke_key(self, name: str, now: datetime, *, by: str = "operator") -> None:
        """End the key called ``name``, at once. Raises NotFound where none is left to revoke."""
        await self._write(partial(_revoke, name, now, by))
