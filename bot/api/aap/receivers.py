"""Receivers of AAP's notifications: nothing is sent to one that hasn't shown that it expects this very instance."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from bot.api.aap.asks import DeliveryBody
from bot.api.aap.shows import stamp
from bot.naming import new_id
from bot.webhooks.sender import NotSent, Sender
from policies.arguments import parse
from policies.dialect import AAP, uuid_of
from policies.errors import Invalid
from policies.webhook import Webhook

MOST_OF_ANSWER = 1024
"""Bytes of an answer to the challenge that are read."""


class Unverified(Invalid):
    """The receiver didn't give the challenge back."""

    code = "webhook_verification_failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receivers:
    """Asks receivers whether they expect an instance."""

    sender: Sender

    async def verified(self, wanted: DeliveryBody, key_id: str, now: datetime) -> Webhook:
        """The webhook for an instance whose key has this id. Raises ``Invalid``, ``Unverified`` where it gets none."""
        if wanted.type != "webhook":
            words = "Notifications go by webhook alone."
            raise Invalid(words, where="/delivery/type", code="unsupported_delivery_type")
        try:
            self.sender.check(wanted.url)
        except Invalid as error:
            raise Invalid(error.words, where="/delivery/url", code="invalid_webhook_url") from error
        await self._challenge(wanted, uuid_of(key_id), now)
        return Webhook(
            id=new_id("hook"), key_id=key_id, url=wanted.url, secret=wanted.signing_secret, created_at=now, dialect=AAP
        )

    async def _challenge(self, wanted: DeliveryBody, instance_id: str, now: datetime) -> None:
        message_id, challenge = str(uuid.uuid4()), str(uuid.uuid4())
        asked = {
            "id": message_id,
            "type": "webhook.verification",
            "registration_id": wanted.registration_id,
            "instance_id": instance_id,
            "created_at": stamp(now),
            "challenge": challenge,
        }
        body, keys = json.dumps(asked).encode(), (wanted.signing_secret,)
        try:
            answer = await self.sender.send(
                wanted.url, body, message_id=message_id, keys=keys, now=now, keep=MOST_OF_ANSWER
            )
            said = parse(answer.body) if answer.status == 200 else None
        except (NotSent, Invalid) as error:
            raise Unverified(f"The receiver couldn't be verified: {_why(error)}", where="/delivery") from error
        if said != {"challenge": challenge}:
            raise Unverified("The receiver didn't give the challenge back with status 200.", where="/delivery")


def _why(error: NotSent | Invalid) -> str:
    """Without the addresses of names that only this house knows: a provisioner could ask for one after the other."""
    cause = error.__cause__
    inside = isinstance(cause, Invalid) and cause.code == "address_refused"
    return "its host is at no public address" if inside else error.words
