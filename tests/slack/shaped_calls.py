"""Random tools' schemas with arguments that satisfy them: objects, lists, several forms, formats, defaults, secrets.

Drawn from one seed each: the same shapes as strategies, at a hundredth of their time.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from policies.arguments import intake
from policies.errors import Invalid
from policies.tool_schema import check_schema, validate

SECRET = "hunter2-hunter2"
NAMES = ["amount", "note", "Due date", "a/b", "", "items", "größe", "password", "customer", "x" * 80, "p", "~0"]
HARD = [
    "",
    " x ",
    "a\r\nb",
    "a\nb\r\nc",
    "line\n" * 1500,
    "🎉" * 2000,
    "x" * 5_000,
    "a\u200bb",
    " \n" * 3000,
    "*b* <@U1>",
]
MOMENTS = ["2026-12-01T14:30:00Z", "2026-12-01T14:30:59+05:30", "1970-01-01T00:00:00Z", "2026-12-01T14:30:00.25Z"]
Pair = tuple[dict[str, Any], Any]
LEAVES: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "string"}, HARD),
    ({"type": "string", "maxLength": 9_000, "minLength": 1}, ["short", "long " * 900]),
    ({"type": "integer", "minimum": 0}, [0, 1, 10**6, 4.0]),
    ({"type": "number", "maximum": 10**9}, [0.1, -1e9, 1e-7, 3, -0.0]),
    ({"type": "boolean"}, [True, False]),
    ({"const": "all"}, ["all"]),
    ({"oneOf": [{"const": 1, "title": "One"}, {"const": "1"}]}, [1, "1"]),
    ({"type": ["string", "null"]}, [None, "x", ""]),
    ({"enum": ["EUR", 1, None, "x" * 200]}, ["EUR", 1, None]),
    ({"enum": ["EUR", 1, None]}, ["EUR", 1, None]),
    ({"type": "string", "format": "date"}, ["2026-02-28", "0001-01-01"]),
    ({"type": "string", "format": "time"}, ["14:30:00Z", "08:00:00.5Z", "23:59:00+02:00"]),
    ({"type": "string", "format": "date-time"}, MOMENTS),
    ({"type": "string", "format": "email"}, ["a@b.example", "a@localhost"]),
    ({"type": "string", "format": "uri"}, ["https://a.example/b?c=d", "urn:x:y", "http://a"]),
    ({"type": "array", "items": {"type": "string"}}, [[], ["a", " b"], ["a\nb"], ["x" * 4_000]]),
    ({"type": "array", "items": {"enum": ["a", "b"]}}, [[], ["b", "a"], ["a", "a"]]),
    ({"type": "object"}, [{}, {"a": 1.0}, {"token": SECRET}]),
    ({}, [None, 5, "x", [True], {"z": []}]),
]


def _words(chance: Random) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if chance.random() < 0.3:
        told["title"] = chance.choice(["Total", "Wo?", "x" * 300, "\u202e"])
    if chance.random() < 0.3:
        told["description"] = chance.choice(["What it costs.", "y" * 900, "<!channel>"])
    if chance.random() < 0.2:
        told["default"] = chance.choice([5, "x", None, []])
    return told


def _part(chance: Random, depth: int) -> Pair:
    made = chance.choice([_leaf, _leaf, _object, _rows, _union] if depth else [_leaf])
    return made(chance, depth - 1)


def _leaf(chance: Random, depth: int) -> Pair:
    schema, values = chance.choice(LEAVES)
    return {**_words(chance), **schema}, chance.choice(values)


def _object(chance: Random, depth: int, most: int = 4) -> Pair:
    """What isn't required may be missing, and others may be there."""
    properties, value, required = {}, {}, []
    for name in chance.sample(NAMES, chance.randint(0, most)):
        properties[name], child = ({"type": "string"}, SECRET) if name == "password" else _part(chance, max(depth, 0))
        needed = chance.random() < 0.5
        required += [name] if needed else []
        if needed or chance.random() < 0.6:
            value[name] = child
    if chance.random() < 0.2:
        value["unknown"] = chance.choice([1, "x", SECRET.upper(), {"deep": [1]}])
    return {**_words(chance), "type": "object", "properties": properties, "required": required}, value


def _rows(chance: Random, depth: int) -> Pair:
    schema, value = chance.choice([_object, _union])(chance, depth)
    return {**_words(chance), "type": "array", "items": schema}, [value] * chance.randint(0, 3)


def _union(chance: Random, depth: int) -> Pair:
    """Two or three forms, told apart by a fixed value or by nothing at all."""
    forms, values = [], []
    for number in range(chance.randint(2, 3)):
        form, value = chance.choice([_object, _leaf])(chance, depth)
        if form.get("properties") and chance.random() < 0.6:
            form["properties"]["kind"] = {"const": f"k{number}"}
            value["kind"] = f"k{number}"
        forms.append(form)
        values.append(value)
    if chance.random() < 0.3:
        forms.append({"type": "null"})
    return {**_words(chance), "anyOf": forms}, chance.choice([*values, *([None] if len(forms) > len(values) else [])])


def _drawn(seed: int) -> Pair | None:
    schema, value = _object(Random(seed), 3, most=7)
    try:
        return (schema, value) if validate(check_schema(schema), intake(value)) == () else None
    except Invalid:
        return None


def call(seed: int) -> Pair:
    """A tool's schema and the arguments of a call that fit it: of this seed or the next that gives such."""
    return next(pair for pair in map(_drawn, range(seed, seed + 1_000)) if pair is not None)


SEEDS = st.integers(0, 10**9)
