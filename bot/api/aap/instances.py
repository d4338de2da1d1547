"""AAP's instances: agents' keys that a platform makes for itself, with a provisioner's key.

Names begin with the provisioner's own, ``PLATFORM.NAME``, and no name is given twice: what the policy says of another
agent can't be claimed so. The instances' owner is the provisioner's, who never counts as an approver.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from bot.api.aap.asks import InstanceBody
from bot.api.aap.bodies import answer, fields, required_key
from bot.api.aap.described import AapInstance, AapProvisioned, of_provisioner
from bot.api.aap.errors import BASE
from bot.api.aap.receivers import Receivers
from bot.api.aap.shows import id_of
from bot.api.auth import Doorkeeper, derive, hashed
from bot.api.bodies import body_as
from bot.api.operations import IDEMPOTENCY_KEY, describes
from bot.naming import new_id
from bot.retiring import take_back
from bot.turns import Turns
from policies.arguments import JsonValue, canonical
from policies.dialect import uuid_of
from policies.errors import Conflict, NotFound, OverBudget
from policies.webhook import Webhook
from storage.store import Instance, Key, Store

MOST_A_MINUTE = 30
"""Instances that one provisioner may make within a minute, refused receivers counted."""
LONGEST_NAME = 64
_SUFFIX = 9
"""Characters for the dash and the digits that make a name one of its own."""
_ELSE = re.compile(r"[^a-z0-9_-]+")
"""No dot either: `PLATFORM.prod.x` would be an agent of another provisioner, `PLATFORM.prod`, to the policy."""


@dataclass(kw_only=True, slots=True)
class Admission:
    """Lets one provisioner make instances one after the other, and not too many of them."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    lately: deque[datetime] = field(default_factory=deque)

    def admit(self, now: datetime) -> None:
        """Count one more. Raises ``OverBudget``."""
        while self.lately and self.lately[0] <= now - timedelta(minutes=1):
            self.lately.popleft()
        if len(self.lately) >= MOST_A_MINUTE:
            words = f"A provisioner makes at most {MOST_A_MINUTE} instances a minute; try again in a minute."
            raise OverBudget(words, budget="instances", code="rate_limited", retry_after=60)
        self.lately.append(now)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceRoutes:
    """What a provisioner can do with its own instances."""

    store: Store
    doorkeeper: Doorkeeper
    clock: Callable[[], datetime]
    turns: Turns
    receivers: Receivers
    admissions: dict[str, Admission] = field(default_factory=dict)

    def table(self) -> list[web.RouteDef]:
        """The addresses."""
        one = f"{BASE}/v1/instances/{{id}}"
        return [
            web.post(f"{BASE}/v1/instances", self.create),
            web.get(one, self.read, allow_head=False),
            web.delete(one, self.delete),
        ]

    @describes(
        of_provisioner(
            id="aap_provision",
            bodies=(InstanceBody,),
            headers=(IDEMPOTENCY_KEY,),
            headers_needed=True,
            answers={201: AapProvisioned, 200: AapProvisioned},
            codes=(
                *("missing_idempotency_key", "idempotency_key_invalid", "idempotency_conflict"),
                *("instance_deleted", "credential_gone", "rate_limited"),
                *("invalid_webhook_url", "unsupported_delivery_type", "webhook_verification_failed"),
            ),
        )
    )
    async def create(self, http: web.Request) -> web.Response:
        """Make an agent's key for an instance.

        201 is a new one, 200 the one that the same key and body made before. Its name begins with the provisioner's.
        With ``delivery`` its receiver is asked for a signed challenge first, and then told of each decision.
        """
        provisioner, secret = await self.doorkeeper.provisioner(http)
        idempotency = required_key(http)
        sent = await fields(http, self.turns)
        body = body_as(InstanceBody, sent)
        admission = self.admissions.setdefault(provisioner.id, Admission())
        async with admission.lock:
            made = await self.store.instance_made(provisioner.id, idempotency)
            if made is not None:
                return await self._again(made, _hash(sent), secret)
            admission.admit(self.clock())
            now, key_id = self.clock(), new_id("key")
            hook = await self.receivers.verified(body.delivery, key_id, now) if body.delivery is not None else None
            await self.doorkeeper.provisioner(http)  # its key may have ended while the receiver took its time
            instance = Instance(
                key_id=key_id,
                provisioner=provisioner.id,
                idempotency=idempotency,
                body=_hash(sent),
                created_at=now,
                salt=secrets.token_hex(16),
                registration_id=body.delivery.registration_id if body.delivery is not None else None,
            )
            made = await self._store(instance, provisioner, secret, body.instance_name, hook)
        return _issued(made, secret, status=201)

    @describes(of_provisioner(id="aap_instance", answers={200: AapInstance}, codes=("not_found",)))
    async def read(self, http: web.Request) -> web.Response:
        """Read an instance."""
        provisioner, _ = await self.doorkeeper.provisioner(http)
        instance = await self._own(http, provisioner)
        if instance.deleted_at is not None:
            raise NotFound("No such instance.")
        return answer(_shown(instance))

    @describes(of_provisioner(id="aap_delete_instance", answers={204: None}, codes=("not_found",)))
    async def delete(self, http: web.Request) -> web.Response:
        """Delete an instance.

        Its keys end at once, and what it had asked for is taken back.
        """
        provisioner, _ = await self.doorkeeper.provisioner(http)
        instance = await self._own(http, provisioner)
        now = self.clock()
        standing = [key.name for key in await self.store.keys() if key.agent == instance.name and not key.revoked_at]
        for name in dict.fromkeys(standing):
            await self.store.revoke_key(name, now, by=f"key:{provisioner.name}")
        await take_back(self.store, instance.name, now)
        return web.Response(status=204)

    async def _store(
        self, instance: Instance, provisioner: Key, secret: str, wanted: str | None, hook: Webhook | None
    ) -> Instance:
        name, otherwise = _names(provisioner.name, wanted, instance.key_id)
        key = Key(id=instance.key_id, name=name, owner=provisioner.owner, kind="agent", created_at=instance.created_at)
        secret_hash, by = hashed(_token(instance, secret)), f"key:{provisioner.name}"
        return await self.store.add_instance(instance, key, secret_hash, otherwise=otherwise, by=by, webhook=hook)

    async def _again(self, made: Instance, body: str, secret: str) -> web.Response:
        """The same submission once more: the same instance, and the same credential."""
        if made.body != body:
            raise Conflict("This Idempotency-Key came with another body before.", code="idempotency_conflict")
        if made.deleted_at is not None:
            raise Conflict("This instance was deleted; make another one under another key.", code="instance_deleted")
        key = await self.store.key_by_hash(hashed(_token(made, secret)))
        if key is None or key.id != made.key_id:
            words = "The provisioner's secret was replaced since, so the credential can't be shown again; make another."
            raise Conflict(words, code="credential_gone")
        return _issued(made, secret, status=200)

    async def _own(self, http: web.Request, provisioner: Key) -> Instance:
        found = await self.store.instance(provisioner.id, id_of(http.match_info["id"], kind="key"))
        if found is None:
            raise NotFound("No such instance.")
        return found


def _names(provisioner: str, wanted: str | None, key_id: str) -> tuple[str, str]:
    """What the agent is to be called, and what otherwise: letters and digits as in every key's name."""
    digits = key_id.partition("_")[2][: _SUFFIX - 1]
    room = LONGEST_NAME - len(provisioner) - 1 - _SUFFIX
    slug = _ELSE.sub("-", (wanted or "").casefold())[:room].strip("-._")
    otherwise = f"{provisioner}.{slug or 'agent'}-{digits}"
    return (f"{provisioner}.{slug}" if slug else otherwise), otherwise


def _hash(sent: JsonValue) -> str:
    return hashlib.sha256(canonical(sent)).hexdigest()


def _shown(instance: Instance) -> dict[str, Any]:
    told: dict[str, Any] = {"id": uuid_of(instance.key_id), "name": instance.name}
    if instance.url is not None and instance.registration_id is not None:
        told["delivery"] = {"type": "webhook", "url": instance.url, "registration_id": instance.registration_id}
    return told


def _token(instance: Instance, secret: str) -> str:
    return derive(secret, uuid_of(instance.key_id), instance.salt)


def _issued(instance: Instance, secret: str, *, status: int) -> web.Response:
    credential = {"token": _token(instance, secret)}
    issued = answer({"instance": _shown(instance), "credential": credential}, status=status)
    issued.headers["Location"] = f"{BASE}/v1/instances/{uuid_of(instance.key_id)}"
    return issued
