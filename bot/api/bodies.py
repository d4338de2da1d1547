"""Reading what was sent: bounded, strictly parsed, and every fault named at once in plain words."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError, TransferEncodingError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.api.asks import Query
from bot.api.problems import Malformed, TooLarge
from bot.api.questions import Body
from bot.turns import Turns
from policies.arguments import MAX_BODY_BYTES, JsonValue, canonical, parse, pointer
from policies.errors import Fault, Faulty, Invalid
from policies.request import Requester
from storage.store import Idempotency

BODY_SECONDS = 30
"""How long a body may take to arrive."""
_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")

ELSEWHERE: Mapping[str, str] = {
    "arguments": "there is no tool to give them to; send `tool` too, or leave `arguments` out",
}

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)
M = TypeVar("M", bound=BaseModel)


async def json_of(http: web.Request, turns: Turns, *, exact: bool = False) -> JsonValue:
    """The body as JSON, parsed in its turn; ``exact`` as in ``parse``.

    Raises ``TooLarge``, ``Malformed``, or aiohttp's own 408 where it doesn't arrive.
    """
    text = await _read(http)
    if not text.strip():
        raise Malformed("The body is empty; send a JSON object.")
    try:
        return await turns.run(partial(parse, text, exact=exact))
    except Invalid as error:
        raise Malformed(error.words, where=error.where) from error


async def _read(http: web.Request) -> bytes:
    """The bytes of the body, as soon as they are too many: ``TooLarge``. Counts what compression unfolds to."""
    if (http.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    read = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in http.content.iter_any():
                read += chunk
                if len(read) > MAX_BODY_BYTES:
                    raise _too_large()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except (PayloadEncodingError, TransferEncodingError, web.RequestPayloadError) as error:
        raise Malformed("The body isn't encoded as its headers say; send plain JSON.") from error
    return bytes(read)


def _too_large() -> TooLarge:
    return TooLarge("The body is larger than 256 KiB; send a link or an id instead of the content.")


def body_as(model: type[B], sent: JsonValue) -> B:
    """``sent`` as ``model``. Raises ``Faulty`` with all that is wrong, places as JSON pointers."""
    return _checked(model, sent, lambda loc: pointer(*loc))


def query_as(model: type[Q], http: web.Request) -> Q:
    """The query string as ``model``; a repeated name is a list. Raises ``Faulty``, places as ``?name``."""
    sent = {name: ",".join(http.query.getall(name)) for name in http.query}
    return _checked(model, sent, lambda loc: f"?{loc[0]}" if loc else "?")


def idempotency_key(http: web.Request) -> str | None:
    """The ``Idempotency-Key`` header, None where there is none. Raises ``Invalid`` for an unusable one."""
    sent = http.headers.getall("Idempotency-Key", [])
    if not sent:
        return None
    if len(sent) > 1 or not _IDEMPOTENCY_KEY.fullmatch(sent[0]):
        raise Invalid(
            "Send one Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID.",
            code="idempotency_key_invalid",
        )
    return sent[0]


def idempotency(requester: Requester, key: str, sent: JsonValue) -> Idempotency:
    """What makes it the same again. An agent that crashed may ask for the same call among others: its group counts not.

    Else a call of an earlier group could neither be found again nor asked anew under its key.
    """
    call = {name: value for name, value in sent.items() if name != "group"} if isinstance(sent, dict) else sent
    return Idempotency(requester=requester.id, key=key, body=hashlib.sha256(canonical(call)).hexdigest())


def _checked(model: type[M], sent: Any, where: Callable[[tuple[int | str, ...]], str]) -> M:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        known = [field.alias or name for name, field in model.model_fields.items()]
        found = error.errors(include_url=False, include_input=False)
    faults = tuple(Fault(where=where(fault["loc"]), words=_words(fault, known)) for fault in found)
    raise Faulty(faults[:20], code="invalid")


def _words(fault: ErrorDetails, known: list[str]) -> str:
    """What is wrong and what to send instead. pydantic's own words where it has none here; never what was sent."""
    if fault["type"] == "extra_forbidden":
        return _unknown(str(fault["loc"][-1]), known)
    told = WORDS.get(fault["type"])
    if told is not None:
        return told.format(**fault.get("ctx", {}))
    return fault["msg"].replace("Input should be", "must be").replace("String should", "must")


def _unknown(name: str, known: list[str]) -> str:
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"isn't known here; {hint}"


WORDS: Mapping[str, str] = {
    "value_error": "{error}",
    "missing": "is missing; send it",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} character",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be a name without spaces and invisible characters",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "too_short": "must have at least {min_length} entry",
    "too_long": "must have at most {max_length} entries",
    "list_type": "must be a list",
    "dict_type": 'must be a JSON object such as {{"amount": 5}}',
    "model_type": "the body must be a JSON object",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
