"""Webhooks and what is owed to them: stored by the very transaction that made it news, kept until it got through."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, func, select

from policies.dialect import AAP
from policies.effects import Entry
from policies.errors import Conflict, NotFound
from policies.request import Request
from policies.webhook import Message, Webhook, body_of, news_in
from storage import chain
from storage.access import Access
from storage.columns import EPOCH, UtcDateTime
from storage.engine import Connection, Duplicate
from storage.statement import Statement, inserting, setting
from storage.tables import DeliveryRow, KeyRow, WebhookRow, table
from storage.transaction import Transaction
from storage.values import Delivery, Endpoint

KEYS, WEBHOOKS, DELIVERIES = table(KeyRow), table(WebhookRow), table(DeliveryRow)
TOPIC = "webhooks"
"""What those watch who deliver."""
OF_KEYS = "key:"
OURS = WEBHOOKS.c.workspace_id == bindparam("workspace")
NOW = bindparam("now", type_=UtcDateTime())
STANDS = KEYS.c.revoked_at.is_(None)

FIELDS = tuple(each.name for each in fields(Webhook))
COLUMNS = tuple(WEBHOOKS.c[name] for name in FIELDS)
OF_DELIVERY = tuple(each.name for each in fields(Delivery))
DELIVERY = tuple(DELIVERIES.c[name] for name in OF_DELIVERY)
OWED = (DELIVERIES.c.webhook_id == WEBHOOKS.c.id, DELIVERIES.c.failed.is_(False))
NEXT = select(func.min(DELIVERIES.c.due_at)).where(*OWED).scalar_subquery()
WAITING = select(func.count()).where(*OWED).scalar_subquery()
FAILED = (
    select(func.count())
    .where(DELIVERIES.c.webhook_id == WEBHOOKS.c.id, DELIVERIES.c.failed.is_(True))
    .scalar_subquery()
)
THEIRS = WEBHOOKS.join(KEYS, KEYS.c.id == WEBHOOKS.c.key_id)

ADD = inserting(WEBHOOKS)
OF_AGENT = Statement(
    select(*COLUMNS)
    .select_from(THEIRS)
    .where(
        KEYS.c.workspace_id == bindparam("workspace"),
        KEYS.c.agent == bindparam("of_agent"),
        STANDS,
        KEYS.c.expires_at.is_(None) | (KEYS.c.expires_at > NOW),
        WEBHOOKS.c.disabled.is_(None),
    )
)
OWE = inserting(DELIVERIES, without=("id",))
ALL = Statement(
    select(*COLUMNS, KEYS.c.name, WAITING, FAILED, NEXT)
    .select_from(THEIRS)
    .where(OURS, STANDS)
    .order_by(WEBHOOKS.c.created_at, WEBHOOKS.c.id)
)
DUE = Statement(
    select(*COLUMNS)
    .select_from(THEIRS)
    .where(OURS, STANDS, WEBHOOKS.c.disabled.is_(None), NEXT <= NOW)
    .order_by(WEBHOOKS.c.id)
)
SOONEST = Statement(select(func.min(NEXT)).select_from(THEIRS).where(OURS, STANDS, WEBHOOKS.c.disabled.is_(None)))
OF_WEBHOOK = (DELIVERIES.c.webhook_id == bindparam("of_webhook"),)
SOME_DUE = Statement(
    select(*DELIVERY)
    .where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(False), DELIVERIES.c.due_at <= NOW)
    .order_by(DELIVERIES.c.due_at, DELIVERIES.c.id)
    .limit(bindparam("most"))
)
GIVEN_UP = Statement(
    select(*DELIVERY)
    .where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(True))
    .order_by(DELIVERIES.c.id.desc())
    .limit(bindparam("most"))
)
THIS = DELIVERIES.c.id == bindparam("of_id")
DONE = Statement(delete(DELIVERIES).where(THIS))
MISSED = Statement(setting(DELIVERIES, "attempts", "due_at", "failed", "error").where(THIS))
ALL_AT_ONCE = Statement(
    setting(DELIVERIES, "due_at").where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(False), DELIVERIES.c.attempts > 0)
)
GIVE_UP_ALL = Statement(setting(DELIVERIES, "failed", "error").where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(False)))
REDRIVE_ALL = Statement(
    setting(DELIVERIES, "attempts", "due_at", "failed", "error").where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(True))
)
REDRIVE_ONE = Statement(setting(DELIVERIES, "attempts", "due_at", "failed", "error").where(THIS))
GIVEN_UP_ONE = Statement(
    select(DELIVERIES.c.id, DELIVERIES.c.webhook_id)
    .select_from(
        DELIVERIES.join(WEBHOOKS, WEBHOOKS.c.id == DELIVERIES.c.webhook_id).join(KEYS, KEYS.c.id == WEBHOOKS.c.key_id)
    )
    .where(OURS, STANDS, DELIVERIES.c.message_id == bindparam("of_message"), DELIVERIES.c.failed.is_(True))
)
ANEW = {"attempts": 0, "due_at": EPOCH, "failed": False, "error": None}
"""A delivery as if it had never been tried."""
WEBHOOK = WEBHOOKS.c.id == bindparam("of_webhook")
RECOVERED = Statement(setting(WEBHOOKS, "failing_since", "error").where(WEBHOOK, WEBHOOKS.c.failing_since.is_not(None)))
FIRST_FAILURE = Statement(setting(WEBHOOKS, "failing_since").where(WEBHOOK, WEBHOOKS.c.failing_since.is_(None)))
BEGUN_ANEW = Statement(setting(WEBHOOKS, "failing_since").where(WEBHOOK))
TRIED_BEFORE = Statement(
    select(DELIVERIES.c.id).where(*OF_WEBHOOK, DELIVERIES.c.failed.is_(False), DELIVERIES.c.attempts > 0).limit(1)
)
FAILING_SINCE = Statement(select(WEBHOOKS.c.failing_since).where(WEBHOOK))
FAILURE = Statement(setting(WEBHOOKS, "error").where(WEBHOOK))
DISABLE = Statement(setting(WEBHOOKS, "disabled", "error").where(WEBHOOK))
ENABLE = Statement(setting(WEBHOOKS, "disabled", "failing_since", "error").where(WEBHOOK))
RENEW = Statement(setting(WEBHOOKS, "secret", "former_secret", "former_until").where(WEBHOOK))
OF_KEY = Statement(select(WEBHOOKS.c.id).where(WEBHOOKS.c.key_id == bindparam("of_key")))
DROP_ALL = Statement(delete(DELIVERIES).where(*OF_WEBHOOK))
DROP = Statement(delete(WEBHOOKS).where(WEBHOOK))
OF_ENDED_KEYS = select(WEBHOOKS.c.id).join(KEYS, KEYS.c.id == WEBHOOKS.c.key_id).where(KEYS.c.revoked_at.is_not(None))
FORGET = Statement(
    delete(DELIVERIES).where(
        (DELIVERIES.c.created_at < bindparam("before")) | DELIVERIES.c.webhook_id.in_(OF_ENDED_KEYS)
    )
)
FORGET_ENDED = Statement(delete(WEBHOOKS).where(WEBHOOKS.c.id.in_(OF_ENDED_KEYS)))


def tell(transaction: Transaction, request: Request, entries: Iterable[Entry]) -> None:
    """Owe the agent's webhooks what just happened to its request, to be sent at once."""
    news = news_in(request, entries)
    if not news or not request.requester.id.startswith(OF_KEYS):
        return
    agent = request.requester.id.removeprefix(OF_KEYS)
    found = transaction.connection.rows(OF_AGENT, workspace=transaction.workspace_id, of_agent=agent, now=news[-1].at)
    for webhook in map(_webhook, found):
        for each in news:
            owe(transaction, Message(id=_message_id(webhook), webhook=webhook, news=each))


def _message_id(webhook: Webhook) -> str:
    """AAP's receivers know messages by UUIDs."""
    return str(uuid.uuid4()) if webhook.dialect == AAP else f"msg_{secrets.token_hex(16)}"


def owe(transaction: Transaction, message: Message) -> None:
    """Store a message, unless its webhook's dialect has no word for it."""
    body = body_of(message)
    if body is None:
        return
    transaction.connection.write(
        OWE,
        webhook_id=message.webhook.id,
        message_id=message.id,
        type=message.news.type,
        request_id=message.news.request.id,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        created_at=message.news.at,
        due_at=EPOCH,
        attempts=0,
        failed=False,
        error=None,
    )
    transaction.topics.append(TOPIC)


def add(webhook: Webhook, transaction: Transaction) -> None:
    """Store a webhook. Raises Conflict where its key has one."""
    values = {name: getattr(webhook, name) for name in FIELDS}
    try:
        transaction.connection.write(ADD, workspace_id=transaction.workspace_id, **values)
    except Duplicate:
        raise Conflict("This key has a webhook already; remove it first.", code="webhook_exists") from None


def host_of(webhook: Webhook) -> str:
    """What the journal says of where it leads: the path of its URL may be a secret."""
    return urlsplit(webhook.url).hostname or ""


def forget(transaction: Transaction, before: datetime) -> None:
    """Drop messages from ``before`` then, sent or not, and the webhooks of keys that were revoked."""
    transaction.connection.write(FORGET, before=before)
    transaction.connection.write(FORGET_ENDED)


def _webhook(row: tuple[Any, ...]) -> Webhook:
    return Webhook(**dict(zip(FIELDS, row, strict=True)))


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(**dict(zip(OF_DELIVERY, row, strict=True)))


def _endpoint(row: tuple[Any, ...]) -> Endpoint:
    *columns, name, waiting, failed, next_at = row
    return Endpoint(webhook=_webhook(tuple(columns)), name=name, waiting=waiting, failed=failed, next_at=next_at)


def _done(delivery: Delivery, transaction: Transaction) -> bool:
    """Strike it off. The first success after failures brings at once what waits for its next attempt."""
    transaction.connection.write(DONE, of_id=delivery.id)
    recovered = transaction.connection.write(RECOVERED, of_webhook=delivery.webhook_id, failing_since=None, error=None)
    if recovered:
        transaction.connection.write(ALL_AT_ONCE, of_webhook=delivery.webhook_id, due_at=EPOCH)
        transaction.topics.append(TOPIC)
    return recovered > 0


def _missed(
    delivery: Delivery, again_at: datetime | None, error: str, now: datetime, transaction: Transaction
) -> datetime:
    """Since when its webhook has been failing: from now on where nothing that failed before is still being tried."""
    tried = transaction.connection.row(TRIED_BEFORE, of_webhook=delivery.webhook_id) is not None
    transaction.connection.write(
        MISSED,
        of_id=delivery.id,
        attempts=delivery.attempts + 1,
        due_at=again_at or delivery.due_at,
        failed=again_at is None,
        error=error,
    )
    begun = FIRST_FAILURE if tried else BEGUN_ANEW
    transaction.connection.write(begun, of_webhook=delivery.webhook_id, failing_since=now)
    transaction.connection.write(FAILURE, of_webhook=delivery.webhook_id, error=error)
    found = transaction.connection.row(FAILING_SINCE, of_webhook=delivery.webhook_id)
    return found[0] if found else now


def _disable(webhook_id: str, why: str, transaction: Transaction) -> int:
    transaction.connection.write(DISABLE, of_webhook=webhook_id, disabled=why, error=why)
    return transaction.connection.write(GIVE_UP_ALL, of_webhook=webhook_id, failed=True, error=why)


def _redrive(webhook_id: str, transaction: Transaction) -> int:
    _enable(webhook_id, transaction)
    sent = transaction.connection.write(REDRIVE_ALL, of_webhook=webhook_id, **ANEW)
    transaction.connection.write(ALL_AT_ONCE, of_webhook=webhook_id, due_at=EPOCH)
    return sent


def _redrive_one(message_id: str, transaction: Transaction) -> int:
    found = transaction.connection.row(GIVEN_UP_ONE, workspace=transaction.workspace_id, of_message=message_id)
    if found is None:
        return 0
    delivery_id, webhook_id = found
    _enable(webhook_id, transaction)
    return transaction.connection.write(REDRIVE_ONE, of_id=delivery_id, **ANEW)


def _enable(webhook_id: str, transaction: Transaction) -> None:
    """Somebody has looked after its receiver: how long that had failed counts no more."""
    transaction.connection.write(ENABLE, of_webhook=webhook_id, disabled=None, failing_since=None, error=None)
    transaction.topics.append(TOPIC)


def _set(webhook: Webhook, transaction: Transaction) -> None:
    for (former,) in transaction.connection.rows(OF_KEY, of_key=webhook.key_id):
        _drop(former, transaction)
    add(webhook, transaction)
    _note("webhook_set", webhook, webhook.created_at, transaction)


def _renew(webhook: Webhook, secret: str, until: datetime, now: datetime, transaction: Transaction) -> None:
    renewed = {"secret": secret, "former_secret": webhook.secret, "former_until": until}
    if not transaction.connection.write(RENEW, of_webhook=webhook.id, **renewed):
        raise NotFound("This webhook is gone; see signoff webhooks list.")
    _note("webhook_rotated", webhook, now, transaction)


def _remove(webhook: Webhook, now: datetime, transaction: Transaction) -> None:
    if not _drop(webhook.id, transaction):
        raise NotFound("This webhook is gone; see signoff webhooks list.")
    _note("webhook_removed", webhook, now, transaction)


def _drop(webhook_id: str, transaction: Transaction) -> int:
    transaction.connection.write(DROP_ALL, of_webhook=webhook_id)
    return transaction.connection.write(DROP, of_webhook=webhook_id)


def _note(what: str, webhook: Webhook, now: datetime, transaction: Transaction) -> None:
    """Who hears of an agent's requests, and since when, is part of the record."""
    detail = {"webhook": host_of(webhook)}
    chain.append(transaction, (Entry(what=what, actor="operator", at=now, subject=webhook.key_id, detail=detail),))


class Webhooks(Access):
    """The store's webhooks: of each standing key at most one."""

    async def set_webhook(self, webhook: Webhook) -> None:
        """Store a key's webhook in the place of the one that it had, which is forgotten with all that it is owed."""
        await self._write(partial(_set, webhook))

    async def remove_webhook(self, webhook: Webhook, now: datetime) -> None:
        """Forget a webhook and all that is owed to it. Raises NotFound."""
        await self._write(partial(_remove, webhook, now))

    async def renew_webhook(self, webhook: Webhook, secret: str, *, until: datetime, now: datetime) -> None:
        """Sign with ``secret`` from ``now`` on, and until ``until`` with the one before it too. Raises NotFound."""
        await self._write(partial(_renew, webhook, secret, until, now))

    async def endpoints(self) -> tuple[Endpoint, ...]:
        """All webhooks of standing keys, the oldest first, with how much waits for each."""
        return tuple(map(_endpoint, await self._read(partial(_rows, ALL, workspace=self._workspace_id))))

    async def due_webhooks(self, now: datetime) -> tuple[Webhook, ...]:
        """The webhooks to which something is to be sent now."""
        return tuple(map(_webhook, await self._read(partial(_rows, DUE, workspace=self._workspace_id, now=now))))

    async def next_delivery(self) -> datetime | None:
        """When the next message is due (1970 for at once); None where none waits."""
        found = await self._read(lambda connection: connection.row(SOONEST, workspace=self._workspace_id))
        return found[0] if found else None

    async def deliveries(self, webhook_id: str, now: datetime, *, limit: int) -> tuple[Delivery, ...]:
        """What is due for one webhook, the longest due first."""
        found = await self._read(partial(_rows, SOME_DUE, of_webhook=webhook_id, now=now, most=limit))
        return tuple(map(_delivery, found))

    async def given_up(self, webhook_id: str, *, limit: int) -> tuple[Delivery, ...]:
        """What could not be delivered to one webhook, the newest first."""
        found = await self._read(partial(_rows, GIVEN_UP, of_webhook=webhook_id, most=limit))
        return tuple(map(_delivery, found))

    async def delivered(self, delivery: Delivery) -> bool:
        """Strike a message off; True where its webhook had failed before, so that all the others are due at once."""
        return await self._write(partial(_done, delivery))

    async def not_delivered(self, delivery: Delivery, again_at: datetime | None, error: str, now: datetime) -> datetime:
        """One more attempt failed; it is tried again at ``again_at``, None for never. Since when its webhook fails."""
        return await self._write(partial(_missed, delivery, again_at, error, now))

    async def disable_webhook(self, webhook_id: str, why: str) -> int:
        """Send nothing any more; how many messages were given up with it."""
        return await self._write(partial(_disable, webhook_id, why))

    async def redrive_webhook(self, webhook_id: str) -> int:
        """Send again what was given up (how many that is), and at once what waits; also to a disabled webhook."""
        return await self._write(partial(_redrive, webhook_id))

    async def redrive_message(self, message_id: str) -> int:
        """Send one message again that was given up, also to a disabled webhook; 0 where there is no such."""
        return await self._write(partial(_redrive_one, message_id))


def _rows(statement: Statement, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
    return connection.rows(statement, **values)
