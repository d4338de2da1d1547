"""Instances: agents' keys that a provisioner made, each once for what it asked.

An instance's id is a UUID, the digits of its key's id. Its row stays when the key is revoked, so that what asked for it
can be told that it is gone, and nothing makes it again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any

from sqlalchemy import bindparam, or_, select

from policies.webhook import Webhook
from storage import keys
from storage.access import Access
from storage.statement import Statement, inserting
from storage.tables import InstanceRow, KeyRow, WebhookRow, table
from storage.transaction import Transaction
from storage.values import Instance, Key

INSTANCES, KEYS, WEBHOOKS = table(InstanceRow), table(KeyRow), table(WebhookRow)
OURS = (INSTANCES.c.workspace_id == bindparam("workspace"), INSTANCES.c.provisioner == bindparam("of_provisioner"))
FIELDS = tuple(each.name for each in fields(Instance) if each.name not in ("name", "url", "deleted_at"))
THEIRS = (
    select(*(INSTANCES.c[name] for name in FIELDS), KEYS.c.name, WEBHOOKS.c.url, KEYS.c.revoked_at)
    .join(KEYS, KEYS.c.id == INSTANCES.c.key_id)
    .join(WEBHOOKS, WEBHOOKS.c.key_id == INSTANCES.c.key_id, isouter=True)
)

ADD = inserting(INSTANCES)
BY_KEY = Statement(THEIRS.where(*OURS, INSTANCES.c.idempotency == bindparam("of_idempotency")))
BY_ID = Statement(THEIRS.where(*OURS, INSTANCES.c.key_id == bindparam("of_id")))
OF_PROVISIONER = Statement(THEIRS.where(*OURS).order_by(INSTANCES.c.created_at, INSTANCES.c.key_id))
NAMED = Statement(
    select(KEYS.c.id).where(
        KEYS.c.workspace_id == bindparam("workspace"),
        or_(KEYS.c.name == bindparam("of_name"), KEYS.c.agent == bindparam("of_name")),
    )
)


def _instance(row: tuple[Any, ...]) -> Instance:
    *columns, name, url, revoked_at = row
    return Instance(**dict(zip(FIELDS, columns, strict=True)), name=name, url=url, deleted_at=revoked_at)


def _add(
    instance: Instance,
    key: Key,
    secret_hash: str,
    otherwise: str,
    by: str,
    webhook: Webhook | None,
    transaction: Transaction,
) -> Instance:
    """A name that any key ever had is another agent's, whose requests this one would read."""
    taken = transaction.connection.row(NAMED, workspace=transaction.workspace_id, of_name=key.name) is not None
    name = otherwise if taken else key.name
    keys.add(replace(key, name=name, agent=name), secret_hash, webhook, by, transaction)
    columns = {each: getattr(instance, each) for each in FIELDS}
    transaction.connection.write(ADD, workspace_id=transaction.workspace_id, **columns)
    return replace(instance, name=name, url=webhook.url if webhook else None)


class Instances(Access):
    """The store's instances."""

    async def add_instance(
        self, instance: Instance, key: Key, secret_hash: str, *, otherwise: str, by: str, webhook: Webhook | None = None
    ) -> Instance:
        """Store an instance with its key and webhook, as ``otherwise`` where the key's name was ever another key's.

        ``by`` is who made it, for the journal.
        """
        return await self._write(partial(_add, instance, key, secret_hash, otherwise, by, webhook))

    async def instance_made(self, provisioner: str, idempotency: str) -> Instance | None:
        """What this provisioner (the id of its key) asked for under the same idempotency key."""
        return await self._one(BY_KEY, of_provisioner=provisioner, of_idempotency=idempotency)

    async def instance(self, provisioner: str, key_id: str) -> Instance | None:
        """The instance whose key has this id, if this provisioner made it."""
        return await self._one(BY_ID, of_provisioner=provisioner, of_id=key_id)

    async def instances(self, provisioner: str) -> tuple[Instance, ...]:
        """All that this provisioner made, the oldest first."""
        values = {"workspace": self._workspace_id, "of_provisioner": provisioner}
        rows = await self._read(lambda connection: connection.rows(OF_PROVISIONER, **values))
        return tuple(map(_instance, rows))

    async def _one(self, statement: Statement, **values: str) -> Instance | None:
        found = await self._read(lambda connection: connection.row(statement, workspace=self._workspace_id, **values))
        return _instance(found) if found else None
