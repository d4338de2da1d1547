"""How much work is it to check a value against a schema? Counted before it is done.

References let a schema of a few hundred bytes ask for 2^20 checks of one value, and a recursive one for 2^depth. The
count walks the value once and carries, for every schema part that applies to it, how often it applies: equal parts are
counted, not repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias
from urllib.parse import unquote

from policies.arguments import JsonValue, pointer
from policies.errors import Invalid

Schema: TypeAlias = dict[str, JsonValue]
Place: TypeAlias = tuple[str | int, ...]

CHARACTER_WORK = 25
"""A pattern's worst case takes some 25 microseconds a character within the size that patterns may compile to."""

# Keywords of drafts 4 to 2020-12 by where their schemas apply.
_HERE = ("not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies")
_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems", "prefixItems")
_EACH_PROPERTY = ("additionalProperties", "unevaluatedProperties", "propertyNames", "patternProperties")
_NAMED = ("dependentSchemas", "dependencies", "properties", "patternProperties", "$defs", "definitions")
_EVERY = tuple(dict.fromkeys(_HERE + _ITEMS + _EACH_PROPERTY + _NAMED))
_FOREIGN = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef")


def check_references(schema: Schema) -> None:
    """Refuse references that leave the document, miss its schemas, or lead back to the same value without going into
    it.
    """
    parts = list(_parts(schema))
    known = {id(part) for _, part in parts}
    for place, part in parts:
        _check_names(part, place)
        if "$ref" in part and id(reference_target(schema, part["$ref"], place)) not in known:
            raise Invalid("a reference must lead to a schema; write it as #/$defs/name", where=pointer(*place, "$ref"))
    settled: set[int] = set()
    for place, part in parts:
        _refuse_circles(schema, part, place, settled)


def work(schema: Schema, value: JsonValue, *, limit: int) -> int:
    """Visits of a schema part to a part of `value`, long lists of choices and patterns on text weighed; at most
    `limit`.
    """
    known: dict[int, Schema] = {id(schema): schema}
    waiting: list[tuple[JsonValue, str, Counter[int]]] = [(value, "", Counter({id(schema): 1}))]
    total = 0
    while waiting and total < limit:
        item, name, starting = waiting.pop()
        applied = _spread(schema, starting, known, limit)
        characters = len(name) + (
            len(item) if isinstance(item, str) else sum(len(str(key)) for key, _ in _members(item))
        )
        total += 1 + sum(times * _weight(known[part], characters) for part, times in applied.items())
        for key, child in _members(item):
            inside: Counter[int] = Counter()
            for number, times in applied.items():
                _add(inside, _inside(known[number], key), times, known)
            total += len(applied)
            waiting.append((child, str(key), inside))
    return min(total, limit)


def _spread(schema: Schema, starting: Counter[int], known: dict[int, Schema], limit: int) -> Counter[int]:
    """All parts that apply to one value, with how often each does; stops once more than `limit` is certain."""
    applied: Counter[int] = Counter()
    waiting = starting
    while waiting and sum(applied.values()) < limit:
        following: Counter[int] = Counter()
        for number, times in waiting.items():
            applied[number] += times
            _add(following, _here(schema, known[number]), times, known)
        waiting = following
    return applied


def _add(counted: Counter[int], parts: Iterable[Schema], times: int, known: dict[int, Schema]) -> None:
    for part in parts:
        known[id(part)] = part
        counted[id(part)] += times


def _weight(part: Schema, characters: int) -> int:
    choices = part.get("enum")
    patterns = part.get("patternProperties")
    count = ("pattern" in part) + (len(patterns) if isinstance(patterns, dict) else 0)
    return 1 + (len(choices) if isinstance(choices, list) else 0) + count * characters * CHARACTER_WORK


def _members(item: JsonValue) -> Iterable[tuple[str | int, JsonValue]]:
    if isinstance(item, dict):
        return list(item.items())
    return list(enumerate(item)) if isinstance(item, list) else []


def _here(schema: Schema, part: Schema) -> Iterator[Schema]:
    """Parts that apply to the same value as `part` does."""
    if "$ref" in part:
        yield reference_target(schema, part["$ref"])
    yield from _schemas(child for _, child in _children(part, _HERE))


def _inside(part: Schema, key: str | int) -> Iterator[Schema]:
    """Parts that apply to the child `key`. Patterns and "other properties" count for every key: more, never less."""
    if isinstance(key, int):
        yield from _schemas(child for _, child in _children(part, _ITEMS))
        return
    named = part.get("properties")
    yield from _schemas([named[key]] if isinstance(named, dict) and key in named else [])
    yield from _schemas(child for _, child in _children(part, _EACH_PROPERTY))


def _schemas(values: Iterable[JsonValue]) -> Iterator[Schema]:
    """Boolean schemas are left out: they cost nothing."""
    return (value for value in values if isinstance(value, dict))


def _children(part: Schema, keywords: tuple[str, ...]) -> Iterator[tuple[Place, JsonValue]]:
    for keyword in keywords:
        value = part.get(keyword)
        if isinstance(value, list):
            yield from (((keyword, position), child) for position, child in enumerate(value))
        elif isinstance(value, dict) and keyword in _NAMED:
            yield from (((keyword, name), child) for name, child in value.items())
        elif value is not None:
            yield (keyword,), value


def _parts(schema: Schema) -> Iterator[tuple[Place, Schema]]:
    """Every schema inside `schema` with its place, itself first; never what only looks like one (in `enum`, `default`
    …).
    """
    waiting: list[tuple[Place, JsonValue]] = [((), schema)]
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, dict):
            yield place, part
            waiting.extend(((*place, *step), child) for step, child in _children(part, _EVERY))


def _check_names(part: Schema, place: Place) -> None:
    for keyword in _FOREIGN:
        if keyword in part:
            raise Invalid(f"{keyword} isn't supported; refer to parts as #/$defs/name", where=pointer(*place, keyword))
    if place and ("$id" in part or isinstance(part.get("id"), str)):
        raise Invalid("only the outermost schema may have an $id", where=pointer(*place))


def reference_target(schema: Schema, reference: JsonValue, place: Place = ()) -> Schema:
    """The schema inside `schema` that `reference` (`#/...`) names; `place` is where the reference stands. Raises
    Invalid.
    """
    where = pointer(*place, "$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise Invalid("remote references are refused; put the referenced schema under $defs", where=where)
    found: JsonValue = schema
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name[:6]) < len(found):
            found = found[int(name[:6])]
        else:
            found = None
    if not isinstance(found, dict) or not (reference == "#" or reference.startswith("#/")):
        raise Invalid(f"the reference {reference[:80]!a} leads to no schema; write it as #/$defs/name", where=where)
    return found


def _refuse_circles(schema: Schema, start: Schema, place: Place, settled: set[int]) -> None:
    """Depth-first search with a path: a part that is met again on its own path applies to itself without end."""
    path: dict[int, None] = {}
    waiting: list[tuple[Schema, bool]] = [(start, False)]
    while waiting:
        part, leaving = waiting.pop()
        if leaving:
            settled.add(path.popitem()[0])
        elif id(part) in path:
            raise Invalid("this part refers back to itself without going into the value", where=pointer(*place))
        elif id(part) not in settled:
            path[id(part)] = None
            waiting.append((part, True))
            waiting.extend((following, False) for following in _here(schema, part))
