"""The JSON Schema that an agent sends with a call: is it safe to use, and do arguments fit it?

The schema is untrusted. Remote references are refused (they would make the gateway fetch addresses that an agent
chose), patterns run in a linear engine, and the work of a check is counted before it is done: twenty nested `anyOf`
that refer to the next one twice take minutes otherwise. A schema only adds checks; defaults in it are never filled in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, cast

from policies.arguments import MAX_BYTES, Arguments, JsonValue, canonical, check_value, pointer
from policies.errors import Fault, Invalid
from policies.schema_work import check_references, work

if TYPE_CHECKING:
    import jsonschema_rs

MAX_FAULTS = 20
MAX_PATTERNS = 50
MAX_WORK = 500_000
"""Visits of a schema part to a value in one check; the bare verdict takes well below a microsecond each."""
MAX_EXPLAINED_WORK = 20_000
"""Explaining what is wrong takes some 2.5 microseconds for each visit, so beyond this only the verdict is given."""

_DEEPEST_FORM = 4
MAX_PATTERN_BYTES = 2_000_000
"""What one compiled pattern may take."""


def check_schema(schema: object) -> dict[str, JsonValue]:
    """Accept an agent's JSON Schema for arguments, or raise Invalid (`where` is a JSON pointer into the schema)."""
    if type(schema) is not dict:
        raise Invalid('a schema must be a JSON object such as {"type": "object", "properties": {…}}')
    check_value(schema)
    if len(canonical(schema)) > MAX_BYTES:
        raise Invalid(
            "the schema is larger than 64 kB; send only what describes this tool's arguments", code="too_large"
        )
    checked = cast("dict[str, JsonValue]", schema)
    if checked.get("type", "object") != "object":
        raise Invalid('arguments are an object, so the schema must say "type": "object"', where="/type")
    if checked.get("$schema") and not str(checked["$schema"]).startswith(
        ("http://json-schema.org/", "https://json-schema.org/")
    ):
        raise Invalid("name a standard JSON Schema draft in $schema, or leave it out", where="/$schema")
    check_references(checked)
    _compile(canonical(checked))
    return checked


def validate(schema: dict[str, JsonValue], arguments: Arguments) -> tuple[Fault, ...]:
    """What is wrong with `arguments`, in plain words with JSON pointers; empty when they fit. At most MAX_FAULTS are
    listed.

    What can't be checked with bounded work counts as not fitting. Raises Invalid when the schema itself isn't usable.
    """
    effort = work(schema, arguments, limit=MAX_WORK)
    if effort >= MAX_WORK:
        return (Fault(where="", words="too much to check against this schema; send fewer items, or a simpler schema"),)
    validator = _compile(canonical(schema))
    if validator.is_valid(arguments):
        return ()
    if effort > MAX_EXPLAINED_WORK:
        return (Fault(where="", words="the arguments don't fit the tool's schema; they are too many to say where"),)
    errors = chain.from_iterable(map(_meant, validator.iter_errors(arguments)))
    return tuple(dict.fromkeys(_fault(error) for error in islice(errors, MAX_FAULTS)))


@lru_cache(maxsize=256)
def _compile(schema: bytes) -> jsonschema_rs.Validator:
    """A pure function of the schema's canonical bytes, so remembering the answer changes nothing but the time."""
    import jsonschema_rs  # 3 MB that an idle gateway doesn't need

    document = json.loads(schema)
    if schema.count(b'"pattern') > MAX_PATTERNS:
        raise Invalid(f"more than {MAX_PATTERNS} patterns in one schema; leave some out")
    patterns = jsonschema_rs.RegexOptions(size_limit=MAX_PATTERN_BYTES, dfa_size_limit=MAX_PATTERN_BYTES)
    try:
        return jsonschema_rs.validator_for(document, retriever=_refuse, validate_formats=True, pattern_options=patterns)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        where = pointer(*getattr(error, "instance_path", ()))
        words = str(getattr(error, "message", error)).splitlines()[0][:300]
        hint = "; patterns can't look around or refer back" if "regex" in words else ""
        raise Invalid(f"the schema isn't valid JSON Schema: {words}{hint}", where=where) from error


def _refuse(uri: str) -> dict[str, JsonValue]:
    raise ValueError("remote references are refused; put the referenced schema under $defs")


def _meant(error: jsonschema_rs.ValidationError, depth: int = 0) -> Iterator[jsonschema_rs.ValidationError]:
    """What is wrong with the one form that a value of several forms was meant to have, where that is plain: the others
    are of another type, or are told apart from it by a fixed value.
    """
    forms = error.kind.as_dict().get("context", []) if error.kind.name in ("anyOf", "oneOf") else []
    here = list(error.instance_path)
    likely = [faults for faults in forms if faults and not any(_is_other(fault, here) for fault in faults)]
    if depth >= _DEEPEST_FORM or len(likely) != 1:
        yield error
        return
    for fault in likely[0]:
        yield from _meant(fault, depth + 1)


def _is_other(fault: jsonschema_rs.ValidationError, here: list[str | int]) -> bool:
    """Does this fault say that the value at `here` was meant to have another form?"""
    place = list(fault.instance_path)
    return (fault.kind.name == "type" and place == here) or (fault.kind.name == "const" and place[:-1] == here)


def _fault(error: jsonschema_rs.ValidationError) -> Fault:
    path = list(error.instance_path)
    kind, told = error.kind.name, error.kind.as_dict()
    name = _name(path)
    if kind in ("required", "dependentRequired"):
        missing = str(told["property"])
        return Fault(where=pointer(*path, missing), words=f"{missing} is missing")
    if kind in ("additionalProperties", "unevaluatedProperties"):
        extra = ", ".join(str(one) for one in told["unexpected"][:5])
        return Fault(where=pointer(*path), words=f"{name} has what the tool doesn't know: {extra}")
    phrase = _PHRASES.get(kind)
    words = phrase(told) if phrase else "doesn't fit the tool's schema"
    return Fault(where=pointer(*path), words=f"{name} {words}")


def _name(path: list[str | int]) -> str:
    """The last place of `path` as a reader would say it: a key, or `item 2 of recipients`."""
    if not path:
        return "the call"
    last = path[-1]
    return f"item {last + 1} of {_name(path[:-1])}" if isinstance(last, int) else last


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _kinds(told: Mapping[str, list[str]]) -> str:
    named = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}
    named |= {"array": "a list", "object": "an object", "null": "null"}
    return "must be " + " or ".join(named.get(one, one) for one in told["types"])


def _choices(told: Mapping[str, list[object]]) -> str:
    shown = ", ".join(_quoted(option) for option in told["options"][:8])
    return f"must be one of {shown}" + (", …" if len(told["options"]) > 8 else "")


_PHRASES: Mapping[str, Callable[[dict[str, object]], str]] = {
    "type": lambda told: _kinds(cast("Mapping[str, list[str]]", told)),
    "enum": lambda told: _choices(cast("Mapping[str, list[object]]", told)),
    "const": lambda told: f"must be {_quoted(told['expected_value'])}",
    "minimum": lambda told: f"must be at least {told['limit']}",
    "maximum": lambda told: f"must be at most {told['limit']}",
    "exclusiveMinimum": lambda told: f"must be more than {told['limit']}",
    "exclusiveMaximum": lambda told: f"must be less than {told['limit']}",
    "multipleOf": lambda told: f"must be a multiple of {told['multiple_of']}",
    "minLength": lambda told: f"must have at least {told['limit']} characters",
    "maxLength": lambda told: f"must have at most {told['limit']} characters",
    "minItems": lambda told: f"must have at least {told['limit']} items",
    "maxItems": lambda told: f"must have at most {told['limit']} items",
    "minProperties": lambda told: f"must have at least {told['limit']} entries",
    "maxProperties": lambda told: f"must have at most {told['limit']} entries",
    "uniqueItems": lambda told: "must not repeat an item",
    "pattern": lambda told: f"must match the pattern {_quoted(told['pattern'])}",
    "format": lambda told: f"must be a valid {told['format']}",
    "anyOf": lambda told: "fits none of the allowed forms",
    "oneOf": lambda told: "must fit exactly one of the allowed forms",
    "not": lambda told: "has a form that is not allowed",
    "falseSchema": lambda told: "is not allowed here",
}
