"""Reading what AAP's clients send, and answering in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.api.bodies import idempotency_key, json_of
from bot.api.problems import ANSWER_HEADERS, Malformed
from bot.turns import Turns
from policies.arguments import JsonValue, pointer
from policies.errors import Fault, Faulty


async def fields(http: web.Request, turns: Turns) -> JsonValue:
    """The body, its numbers exact. Raises as ``json_of`` does, and ``Faulty`` where a field of the protocol is null."""
    sent = await json_of(http, turns, exact=True)
    named = sent.items() if isinstance(sent, dict) else ()
    faults = tuple(
        Fault(where=pointer(name), words="must not be null; leave it out") for name, value in named if value is None
    )
    if faults:
        raise Faulty(faults, code="invalid")
    return sent


def required_key(http: web.Request) -> str:
    """The ``Idempotency-Key``, which this protocol wants. Raises ``Invalid`` for none or an unusable one."""
    key = idempotency_key(http)
    if key is None:
        raise Malformed("Send an Idempotency-Key.", code="missing_idempotency_key")
    return key


def answer(told: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """``told`` as a response."""
    body = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=ANSWER_HEADERS)
