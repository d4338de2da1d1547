"""What the gateway sends to webhooks, for the API's description."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.api.operations import JSON
from bot.api.schemas import REF, Document
from policies.webhook import MEANINGS, PAUSES, TOO_LONG, Message, News, Webhook, body_of

DAYS = sum(PAUSES, timedelta()).days
ABOUT = f"""\
Sent by POST to the URL of a key (`signoff keys create NAME --webhook URL`), by ids alone: read the request with the
key. Each is signed as Standard Webhooks says: `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of
`id.timestamp.body` (the headers `webhook-id` and `webhook-timestamp`), by the secret that was shown with the key; while
a secret is being replaced there are two signatures. Refuse a time that is more than five minutes off.

Only 2xx counts as taken. Anything else, a redirect too, is tried again {len(PAUSES)} times over {DAYS} days. The same
`webhook-id` may come twice, and news may overtake each other. 410, or {TOO_LONG.days} days of failures, end it until an
operator redrives. Pass over types that you don't know.
"""


class NewsOf(BaseModel):
    """Which request it is about, and the revision that stands since then."""

    model_config = ConfigDict(extra="forbid")

    request_id: str
    revision: int


class NewsOut(BaseModel):
    """What happened to a request, when (RFC 3339, UTC)."""

    model_config = ConfigDict(extra="forbid")

    type: str
    timestamp: str
    data: NewsOf


def webhooks(shown: News) -> Document:
    """Each type of news as an operation of the receiver, with ``shown`` as the example, whatever its type."""
    return {kind: {"post": _post(kind, words, shown)} for kind, words in MEANINGS.items()}


def _post(kind: str, words: str, shown: News) -> Document:
    hook = Webhook(id="hook_1", key_id="key_1", url="https://hooks.example.com", secret="", created_at=shown.at)
    news = News(type=kind, request=shown.request, at=shown.at)
    example: Any = body_of(Message(id="msg_1", webhook=hook, news=news))
    schema = {"allOf": [{"$ref": REF.format(model=NewsOut.__name__)}, {"properties": {"type": {"const": kind}}}]}
    return {
        "operationId": kind.replace(".", "_"),
        "security": [],
        "summary": words,
        "description": ABOUT,
        "requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}},
        "responses": {"2XX": {"description": "Taken."}},
    }
