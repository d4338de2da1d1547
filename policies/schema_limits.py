"""What a JSON Schema says of a value's bounds, in numbers and in words, and how its values stand in a text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from policies.arguments import JsonValue

Part = dict[str, JsonValue]
_UNSAID = frozenset({"date", "time", "date-time", "email", "uri", "int32", "int64", "uint64", "float", "double"})
"""Formats of which nobody needs to read: an input shows them by itself, or they say how a number is kept."""


def as_text(value: JsonValue) -> str:
    """Text stands for itself, unless it could be taken for another JSON value or for nothing."""
    if isinstance(value, str) and value.strip() and not _reads_as_json(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _reads_as_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def limits(told: Part) -> list[str]:
    """What a value may be and what it is otherwise, a few words each."""
    patterns = {
        "minimum": "at least {}", "maximum": "at most {}",
        "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
        "multipleOf": "a multiple of {}", "minLength": "at least {} characters", "maxLength": "at most {} characters",
        "minItems": "at least {} items", "maxItems": "at most {} items",
        "pattern": "must match {}", "format": "format: {}",
    }  # fmt: skip
    shown = {name: told[name] for name in patterns if isinstance(told.get(name), int | float | str)}
    if shown.get("format") in _UNSAID:
        del shown["format"]
    found = [_counted(patterns[name].format(value), value) for name, value in shown.items()]
    return [*found, f"default: {as_text(told['default'])}"] if "default" in told else found


def _counted(words: str, value: JsonValue) -> str:
    return words.removesuffix("s") if value == 1 and words.endswith("s") else words


def least(told: Part) -> int | float | None:
    """The smallest number that an input may take."""
    above = _number(told, "exclusiveMinimum")
    if told.get("type") == "integer" and isinstance(above, int):
        return above + 1
    return _number(told, "minimum")


def most(told: Part) -> int | float | None:
    """The largest number that an input may take."""
    below = _number(told, "exclusiveMaximum")
    if told.get("type") == "integer" and isinstance(below, int):
        return below - 1
    return _number(told, "maximum")


def _number(told: Mapping[str, JsonValue], name: str) -> int | float | None:
    value = told.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def count(told: Part, name: str) -> int | None:
    """The bound of a length."""
    value = _number(told, name)
    return int(value) if value is not None and value >= 0 else None
