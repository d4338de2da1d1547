"""Keys of the API: how they are made, and whose key a request carries. Only hashes are stored.

An agent's key can ask, read, claim, report and withdraw its agent's requests, or a part of that (its scopes), for any
tool or for some. An operator's key reads figures. A provisioner's makes agents' keys over HTTP and asks for nothing.
No key decides anything: deciding is for people, in Slack.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from aiohttp import web

from bot.api.problems import Unauthenticated
from policies.allowance import Allowance, Scope
from policies.errors import NotAllowed
from policies.request import Requester
from storage.store import Key, Store

AGENT: Final = "agent"
OPERATOR: Final = "operator"
PROVISIONER: Final = "provisioner"
Kind = Literal["agent", "operator", "provisioner"]
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LENGTH = 43
"""Characters of base 62 that hold 256 random bits."""
_SECRET = re.compile(rf"so_(?:agent|operator|provisioner)_[0-9A-Za-z]{{{_LENGTH}}}")

ASK = "Send a key as `Authorization: Bearer so_agent_…`; `signoff keys create NAME` makes one."


def mint(kind: Kind) -> tuple[str, str]:
    """A fresh key: the secret, to be shown once, and the hash to store."""
    secret = f"so_{kind}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return secret, hashed(secret)


def derive(provisioner: str, instance: str, salt: str) -> str:
    """The secret of an agent's key that a provisioner made, so that it can be told again though only a hash is stored.

    It takes the provisioner's secret and the ``salt`` that is stored with the instance: a lost secret alone, or a lost
    database alone, tells nobody the agents' keys.
    """
    message = f"signoff instance {instance}{salt}".encode()
    left = int.from_bytes(hmac.digest(provisioner.encode(), message, "sha256"))
    digits = []
    for _ in range(_LENGTH):
        left, digit = divmod(left, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return f"so_{AGENT}_{''.join(digits)}"


def hashed(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hex. It has 256 random bits, so it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks, and what their key may do."""

    requester: Requester
    allowance: Allowance


@dataclass(frozen=True, kw_only=True, slots=True)
class Doorkeeper:
    """Looks up whose key a request carries, anew each time, so that a revoked key stops at once."""

    store: Store
    clock: Callable[[], datetime]

    async def caller(self, http: web.Request, *scopes: Scope) -> Caller:
        """The agent that asks, with a key that may do one of ``scopes``; whether it is for the tool, the route looks.

        Raises ``Unauthenticated``, or ``NotAllowed`` for a key of another kind or of other scopes.
        """
        key = await self._agents_key(http)
        key.allowance.check(*scopes)
        return Caller(requester=_requester_of(key), allowance=key.allowance)

    async def requester(self, http: web.Request) -> Requester:
        """The agent that asks: to read with any of its keys, for everything else with one that has no limits at all.

        For routes that know nothing of scopes and tools. Raises as ``caller`` does.
        """
        caller = await self.caller(http, Scope.READ)
        if http.method not in ("GET", "HEAD"):
            caller.allowance.check_everything()
        return caller.requester

    async def _agents_key(self, http: web.Request) -> Key:
        key = await self.key(http)
        if key.kind != AGENT:
            whose = "an operator's" if key.kind == OPERATOR else "a provisioner's"
            raise NotAllowed(
                f"This is {whose} key; requests need an agent's key, made by `signoff keys create NAME`.",
                code="wrong_kind_of_key",
            )
        return key

    async def provisioner(self, http: web.Request) -> tuple[Key, str]:
        """The provisioner's key and its secret. Raises ``Unauthenticated``, or ``NotAllowed`` for another kind's."""
        key = await self.key(http)
        if key.kind != PROVISIONER:
            raise NotAllowed(
                "Instances are made with a provisioner's key, made by `signoff keys create NAME --provisioner`.",
                code="wrong_kind_of_key",
            )
        return key, _bearer(http)

    async def operator(self, http: web.Request) -> Key:
        """The operator's key. Raises ``Unauthenticated``, or ``NotAllowed`` for an agent's."""
        key = await self.key(http)
        if key.kind != OPERATOR:
            raise NotAllowed(
                "Figures need an operator's key, made by `signoff keys create NAME --operator`.",
                code="wrong_kind_of_key",
            )
        return key

    async def key(self, http: web.Request) -> Key:
        """The valid key that the request carries. Raises ``Unauthenticated``."""
        key = await self.store.key_by_hash(hashed(_bearer(http)))
        if key is None:
            raise Unauthenticated(f"This key isn't known. {ASK}", code="key_unknown")
        if key.revoked_at is not None:
            raise Unauthenticated(f"This key was revoked. {ASK}", code="key_revoked")
        if key.expires_at is not None and key.expires_at <= self.clock():
            raise Unauthenticated(f"This key has expired. {ASK}", code="key_expired")
        if key.secret_until is not None and key.secret_until <= self.clock():
            raise Unauthenticated(
                "This secret was replaced by a new one (`signoff keys rotate`); send the new one.", code="key_rotated"
            )
        return key


def _requester_of(key: Key) -> Requester:
    via = key.name if key.name != key.agent else None
    return Requester(id=f"key:{key.agent}", name=key.agent, owner=key.owner, via=via)


def _bearer(http: web.Request) -> str:
    """The secret in the one ``Authorization`` header. Two headers are ambiguous, so they count as none."""
    sent = http.headers.getall("Authorization", [])
    if len(sent) != 1:
        raise Unauthenticated(ASK)
    scheme, _, secret = sent[0].partition(" ")
    if scheme.casefold() != "bearer" or not _SECRET.fullmatch(secret.strip()):
        raise Unauthenticated(f"This isn't a key of Signoff. {ASK}", code="key_unknown")
    return secret.strip()
