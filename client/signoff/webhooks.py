"""Read a webhook that the gateway sent: ``news = read(headers, body, secret)``. Needs the standard library alone.

A webhook says that something happened to a request, by ids. It decides nothing: read the request with your key. The
same ``id`` may come more than once, and messages may come out of turn.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signoff.errors import SignoffError

TOLERANCE = 300.0
"""Seconds by which a message's time may differ from this machine's: an old one that comes again is no news."""


class Forged(SignoffError):
    """This isn't a message of your gateway, or an old one. Answer 400 and do nothing."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What happened: ``type`` is ``request.settled``, ``request.revised`` … (pass over those you don't know).

    ``id`` is the same each time that this message is sent. ``data`` holds all ids that came with it.
    """

    id: str
    type: str
    at: datetime
    request_id: str | None
    revision: int | None
    data: Mapping[str, Any] = field(default_factory=dict)


def read(
    headers: Mapping[str, str],
    body: bytes | str,
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE,
) -> News:
    """The news in a request's ``headers`` and raw ``body``, signed with ``secret`` (whsec_…, or several of them).

    Raises ``Forged`` where a signature doesn't fit or the time is further off than ``tolerance`` seconds from ``now``.
    """
    raw = body.encode() if isinstance(body, str) else body
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = sent["webhook-id"], sent["webhook-timestamp"]
        signatures = sent["webhook-signature"].split()
    except KeyError as error:
        raise Forged(f"The header {error} is missing; this is no webhook.") from None
    _check(message_id, stamp, raw, signatures, [secret] if isinstance(secret, str) else secret)
    _check_time(stamp, time.time() if now is None else now, tolerance)
    try:
        return _news(message_id, json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Forged("The message can't be read; is this signoff older than the gateway?") from None


def _check(message_id: str, stamp: str, body: bytes, signatures: Sequence[str], secrets: Sequence[str]) -> None:
    content = b".".join((_bytes(message_id), _bytes(stamp), body))
    fits = [
        hmac.compare_digest(_bytes(signature), b"v1," + base64.b64encode(_mac(secret, content)))
        for secret in secrets
        for signature in signatures
    ]
    if not any(fits):
        raise Forged("No signature fits; check the secret (`signoff webhooks rotate NAME` prints a new one).")


def _bytes(header: str) -> bytes:
    """A header as it came: servers pass on bytes that are no text as half surrogates, which UTF-8 has no bytes for."""
    return header.encode("utf-8", "surrogatepass")


def _mac(secret: str, content: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:  # no base64, or no ASCII
        key = b""
    if not key:
        raise ValueError("The secret isn't one: it is whsec_ and base64, as `signoff keys create` printed it.")
    return hmac.digest(key, content, hashlib.sha256)


def _check_time(stamp: str, now: float, tolerance: float) -> None:
    if not (stamp.isascii() and stamp.isdigit()) or abs(now - int(stamp)) > tolerance:
        raise Forged("The message's time is too far off; check this machine's clock.")


def _news(message_id: str, told: Mapping[str, Any]) -> News:
    data = told["data"]
    return News(
        id=message_id,
        type=str(told["type"]),
        at=datetime.fromisoformat(told["timestamp"]),
        request_id=data.get("request_id"),
        revision=data.get("revision"),
        data=data,
    )
