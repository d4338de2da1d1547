"""API keys, known by the hash of their secret alone."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select

from policies.errors import Conflict, NotFound
from storage.access import Access
from storage.engine import Duplicate
from storage.statement import Statement, inserting, setting
from storage.tables import KeyRow, table
from storage.transaction import Transaction
from storage.values import Key

KEYS = table(KeyRow)
OURS = KEYS.c.workspace_id == bindparam("workspace")
FIELDS = ("id", "name", "owner", "kind", "created_at", "expires_at", "revoked_at")

INSERT = inserting(KEYS)
ALL = select(*(KEYS.c[name] for name in FIELDS)).where(OURS)
BY_HASH = Statement(ALL.where(KEYS.c.secret_hash == bindparam("of_hash")))
BY_AGE = Statement(ALL.order_by(KEYS.c.created_at, KEYS.c.id))
VALID = Statement(
    select(KEYS.c.id).where(
        OURS,
        KEYS.c.name == bindparam("of_name"),
        KEYS.c.revoked_at.is_(None),
        KEYS.c.expires_at.is_(None) | (KEYS.c.expires_at > bindparam("now")),
    )
)
REVOKE = Statement(
    setting(KEYS, "revoked_at").where(OURS, KEYS.c.name == bindparam("of_name"), KEYS.c.revoked_at.is_(None))
)


def _key(row: tuple[Any, ...]) -> Key:
    return Key(**dict(zip(FIELDS, row, strict=True)))


def _add(key: Key, secret_hash: str, transaction: Transaction) -> None:
    workspace = transaction.workspace_id
    if transaction.connection.row(VALID, workspace=workspace, of_name=key.name, now=key.created_at) is not None:
        raise Conflict(f"A key named {key.name} exists; revoke it first, or choose another name.", code="key_exists")
    columns = {name: getattr(key, name) for name in FIELDS}
    try:
        transaction.connection.write(INSERT, workspace_id=workspace, secret_hash=secret_hash, **columns)
    except Duplicate:
        raise Conflict("This key is stored already; make a new one.", code="key_exists") from None


def _revoke(name: str, now: datetime, transaction: Transaction) -> None:
    if not transaction.connection.write(REVOKE, workspace=transaction.workspace_id, of_name=name, revoked_at=now):
        raise NotFound(f"There is no valid key named {name}; see signoff keys list.")


class Keys(Access):
    """The store's API keys."""

    async def add_key(self, key: Key, secret_hash: str) -> None:
        """Store a key. Raises Conflict(code="key_exists") while another key of that name is valid."""
        await self._write(partial(_add, key, secret_hash))

    async def key_by_hash(self, secret_hash: str) -> Key | None:
        """The key with this secret, be it valid, expired or revoked: the asker looks."""
        found = await self._read(
            lambda connection: connection.row(BY_HASH, workspace=self._workspace_id, of_hash=secret_hash)
        )
        return _key(found) if found else None

    async def keys(self) -> tuple[Key, ...]:
        """All keys, the oldest first."""
        found = await self._read(lambda connection: connection.rows(BY_AGE, workspace=self._workspace_id))
        return tuple(_key(row) for row in found)

    async def revoke_key(self, name: str, now: datetime) -> None:
        """End the key called ``name``, at once. Raises NotFound where none is left to revoke."""
        await self._write(partial(_revoke, name, now))
