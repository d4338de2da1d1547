"""Signatures as Standard Webhooks has them: ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A fresh signing secret, to be shown once to whoever is to verify."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed(message_id: str, at: datetime, body: bytes, keys: Iterable[str]) -> Mapping[str, str]:
    """The headers of one attempt at ``at``, with a signature by each of ``keys`` (whsec_…)."""
    stamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(key: str, content: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(raw, content, hashlib.sha256)).decode()
