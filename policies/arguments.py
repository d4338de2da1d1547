"""What may come in as arguments, its one canonical form, and the digest that an approval names.

The bounds are those of RFC 8785 (integers that every JSON reader reads alike) plus size and depth, so that whatever is
shown, digested and run later is the same value. Nothing is repaired: what doesn't fit is refused, with words that say
what to send instead.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias, cast

import rfc8785

from policies.errors import Invalid

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
Arguments: TypeAlias = "dict[str, JsonValue]"

MAX_BYTES = 64 * 1024
"""Canonical size of one call's arguments, and of one schema."""
MAX_DEPTH = 64
"""Levels of objects and lists, the outermost counted."""
MAX_BODY_BYTES = 256 * 1024
MAX_BODY_DEPTH = MAX_DEPTH + 4
"""Arguments may stand inside a body at `/question/choices/0/arguments`, four levels down."""
MAX_INTEGER = 2**53 - 1

_BIG_INTEGER = "integers beyond ±(2^53 - 1) don't survive every JSON reader; send this number as a string"
_NOT_FINITE = "NaN and infinite numbers aren't JSON; send null or a string"


def pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) of `parts`; no parts is the whole document, written as the empty string."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def intake(raw: object) -> Arguments:
    """Check a call's arguments and return a copy of their own, so that nobody changes them after they were judged.

    Raises Invalid with the JSON pointer of what is wrong. Values that contain themselves are refused as too deep or too
    large.
    """
    if type(raw) is not dict:
        raise Invalid('arguments must be a JSON object such as {"amount": 5}')
    check_value(raw)
    if len(canonical(raw)) > MAX_BYTES:
        raise _too_large(MAX_BYTES)
    return cast(Arguments, _copy(cast(JsonValue, raw)))


def parse(
    text: bytes, *, max_bytes: int = MAX_BODY_BYTES, max_depth: int = MAX_BODY_DEPTH, exact: bool = False
) -> JsonValue:
    """Read JSON strictly: UTF-8, no duplicate keys, no NaN, bounded numbers, depth and size. Raises Invalid.

    ``exact``: numbers are refused, too, that would come out with other digits than they came in with.
    """
    if len(text) > max_bytes:
        raise _too_large(max_bytes)
    try:
        value: JsonValue = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_exact if exact else _finite,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise Invalid("the text isn't UTF-8; send JSON encoded as UTF-8") from error
    except json.JSONDecodeError as error:
        raise Invalid(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _too_deep(max_depth) from error
    check_value(value, max_bytes=max_bytes, max_depth=max_depth)
    return value


def check_value(value: object, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> None:
    """Refuse what isn't plain bounded JSON. Walks without recursion; raises Invalid with the JSON pointer of the fault.

    The size counted here is a lower bound of the canonical size: it stops shared and cyclic values before they unfold.
    """
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(value, ())]
    size = 0
    while waiting:
        item, path = waiting.pop()
        size += _least_size(item, path)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if isinstance(item, (dict, list)):
            if len(path) >= max_depth:
                raise _too_deep(max_depth)
            inside = item.items() if isinstance(item, dict) else enumerate(item)
            waiting.extend((child, (*path, key)) for key, child in inside)


def canonical(value: object) -> bytes:
    """The canonical JSON of `value` (RFC 8785, JCS): the same bytes for the same meaning, whatever the order of
    keys.
    """
    try:
        return rfc8785.dumps(cast("str", value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise Invalid(f"this value has no canonical JSON form: {error}") from error


def digest(*, tool: str | None, arguments: Mapping[str, JsonValue], revision: int, requester: str) -> str:
    """What an approval names: `sha256:` and the hex SHA-256 of JCS({tool, arguments, revision, requester})."""
    return canonical_digest({"tool": tool, "arguments": dict(arguments), "revision": revision, "requester": requester})


def canonical_digest(value: object) -> str:
    """`sha256:` and the hex SHA-256 of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def _least_size(item: object, path: tuple[str | int, ...]) -> int:
    """Check one node (not what is inside it) and give the fewest bytes that it takes in canonical JSON."""
    kind = type(item)
    if kind is str:
        return _text_size(cast(str, item), path)
    if kind is dict:
        return 2 + sum(1 + _key_size(key, path) for key in cast("dict[object, object]", item))
    if kind is int and abs(cast(int, item)) > MAX_INTEGER:
        raise Invalid(_BIG_INTEGER, where=pointer(*path))
    if kind is float and not math.isfinite(cast(float, item)):
        raise Invalid(_NOT_FINITE, where=pointer(*path))
    if kind not in (list, int, float, bool, type(None)):
        raise Invalid(
            f"a value of type {kind.__name__} isn't JSON; send text, numbers, true, false, null, lists or objects",
            where=pointer(*path),
        )
    return 2 if kind is list else 1


def _key_size(key: object, path: tuple[str | int, ...]) -> int:
    if type(key) is not str:
        raise Invalid(f"keys must be text, not {type(key).__name__}", where=pointer(*path))
    return _text_size(key, path)


def _text_size(text: str, path: tuple[str | int, ...]) -> int:
    if "\0" in text:
        raise Invalid("NUL characters aren't accepted; remove them, or send the bytes as base64", where=pointer(*path))
    try:
        return 2 + len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        words = "half a surrogate pair isn't text; send whole characters, or the bytes as base64"
        raise Invalid(words, where=pointer(*path)) from error


def _copy(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _copy(child) for key, child in value.items()}
    return [_copy(child) for child in value] if isinstance(value, list) else value


def _without_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Readers disagree on which of two equal keys counts, so a person could approve the one and the tool run the
    other.
    """
    found: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in found:
            raise Invalid(f"the key {key[:80]!a} stands twice in one object; send each key once")
        found[key] = value
    return found


def _integer(literal: str) -> int:
    if len(literal) > len(str(-MAX_INTEGER)) or abs(int(literal)) > MAX_INTEGER:
        raise Invalid(_BIG_INTEGER)
    return int(literal)


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise Invalid("this number is too large for JSON readers; send it as a string")
    return number


def _exact(literal: str) -> float:
    number = _finite(literal)
    try:
        kept = Decimal(literal) == Decimal(repr(number))
    except ArithmeticError:  # an exponent beyond what even decimals have
        kept = False
    if not kept:
        raise Invalid("this number has more digits than JSON readers keep; send it as a string")
    return number


def _constant(literal: str) -> float:
    raise Invalid(_NOT_FINITE)


def _too_large(limit: int) -> Invalid:
    return Invalid(f"larger than {limit // 1024} kB; send a link or an id instead of the content", code="too_large")


def _too_deep(limit: int) -> Invalid:
    return Invalid(f"nested deeper than {limit} levels (or it contains itself); send a flatter value", code="too_deep")
