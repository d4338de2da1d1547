"""What the schema of an object, a list or a choice between forms is made of, and what a new one starts with."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass

from policies.arguments import JsonValue
from policies.changes import ABSENT, Found
from policies.field_values import as_input, holds, units
from policies.field_words import IDENTIFIER
from policies.fields import MAX_TEXT
from policies.form_schema import COMPOUND, Described, Kind, alternatives, describe, resolved
from policies.schema_limits import Part

MOST_VARIANTS = 20
_MOST_PROPERTIES = 60
"""An object of more is told from others by its required properties alone."""
_SEED_WORK = 300
_WORDS = {
    Kind.TEXT: "text", Kind.NUMBER: "a number", Kind.INTEGER: "a whole number", Kind.BOOLEAN: "true or false",
    Kind.DATE: "a date", Kind.TIME: "a time", Kind.MOMENT: "a date and time", Kind.EMAIL: "an e-mail address",
    Kind.LINK: "a link", Kind.LIST: "a list of texts",
    Kind.NUMBERS: "a list of numbers", Kind.PAIRS: "names with texts", Kind.ROWS: "a list",
    Kind.MULTI_ENUM: "several of a list",
}  # fmt: skip
_MADE_OF = {"object": "an object", "array": "a list"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One of the forms that a value may have. `title` is as the agent sent it; `part` is its schema."""

    title: str
    part: JsonValue
    told: Described


def properties(schema: Part, told: Part, value: Found = ABSENT) -> dict[str, tuple[JsonValue, bool]]:
    """The properties that `told` names and then the others that `value` has: each its schema and whether it must be
    there.
    """
    named, required = told.get("properties"), told.get("required")
    needed = set(map(str, required)) if isinstance(required, list) else set()
    found = {name: (part, name in needed) for name, part in named.items()} if isinstance(named, dict) else {}
    others = told.get("additionalProperties")
    if isinstance(value, dict):
        found |= {name: (others, name in needed) for name in value if name not in found}
    return found


def variants(schema: Part, told: Described) -> tuple[Variant, ...]:
    """The forms of a value, in the schema's order, with titles by which they can be told apart; none where they are
    many.
    """
    found = _flat(schema, told) if len(alternatives(told.part)) <= MOST_VARIANTS else []
    titles = [_title(schema, one) for _, one in found]
    return tuple(
        Variant(title=f"{title}, form {number}" if titles.count(title) > 1 else title, part=part, told=one)
        for number, (title, (part, one)) in enumerate(zip(titles, found, strict=True), 1)
        if len(found) <= MOST_VARIANTS
    )


def _flat(schema: Part, told: Described, depth: int = 2) -> list[tuple[JsonValue, Described]]:
    """The forms with those of a form that is itself nothing but a choice in its place."""
    found: list[tuple[JsonValue, Described]] = []
    for part in alternatives(told.part):
        one = describe(schema, part, required=True)
        inner = one.kind is Kind.VARIANTS and not one.nullable and not one.title and depth
        found.extend(_flat(schema, one, depth - 1) if inner else [(part, one)])
        if len(found) > MOST_VARIANTS:
            break
    return found


def _title(schema: Part, told: Described) -> str:
    """The form's title is the agent's word; the fixed values that the tool tells it by stand beside it."""
    fixed = [_text(value) for value in _constants(schema, told).values()]
    if told.kind is Kind.ENUM:
        fixed = [option.title for option in told.options]
    title = "" if IDENTIFIER.fullmatch(told.title.strip()) else told.title.strip()
    named = title or ("" if fixed else _shape(told))
    fixed = [one for one in fixed if one.casefold() != named.casefold()]
    return f"{named} ({', '.join(fixed)})" if named and fixed else named or ", ".join(fixed)


def _shape(told: Described) -> str:
    named = told.part.get("properties")
    if told.kind is Kind.OBJECT and isinstance(named, dict) and named:
        return "with " + ", ".join(named)
    return _WORDS.get(told.kind) or _MADE_OF.get(str(told.part.get("type")), "other JSON") if told.kind else "anything"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _constants(schema: Part, told: Described) -> dict[str, JsonValue]:
    """The properties that can only have one value: by these a tool tells one form from another."""
    found: dict[str, JsonValue] = {}
    known = properties(schema, told.part)
    for name, (part, _) in known.items() if len(known) <= _MOST_PROPERTIES else ():
        only = describe(schema, part, required=True).options if isinstance(part, dict) else ()
        if len(only) == 1 and _is_fixed(resolved(schema, part) if isinstance(part, dict) else {}):
            found[name] = only[0].value
    return found


def _is_fixed(part: Part) -> bool:
    return "const" in part or isinstance(part.get("enum"), list)


def constants(schema: Part, told: Described, value: Found) -> frozenset[str]:
    """The names in `value` that hold the fixed values of this form: choosing the form has said them already."""
    fixed = _constants(schema, told)
    return frozenset(name for name, one in fixed.items() if isinstance(value, dict) and _same(value.get(name), one))


def matching(schema: Part, forms: tuple[Variant, ...], value: JsonValue) -> int | None:
    """The position of the first form that `value` has the shape of. Only for drawing; the schema judges the value."""
    return next((place for place, form in enumerate(forms) if _fits(schema, form.told, value)), None)


def _fits(schema: Part, told: Described, value: JsonValue) -> bool:
    if told.kind is Kind.OBJECT:
        return isinstance(value, dict) and _has_shape(schema, told, value)
    if told.kind is Kind.ROWS:
        return isinstance(value, list)
    if told.kind is Kind.LIST:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if told.kind is Kind.PAIRS:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if told.kind in COMPOUND or told.kind in (None, Kind.JSON):
        return told.kind is not Kind.JSON or _is_of_type(told.part.get("type"), value)
    return holds(told.kind, told, value) and not (told.kind is Kind.INTEGER and isinstance(value, float))


def _has_shape(schema: Part, told: Described, value: dict[str, JsonValue]) -> bool:
    known = properties(schema, told.part)
    fixed = _constants(schema, told)
    closed = told.part.get("additionalProperties") is False
    return (
        all(name in value for name, (_, required) in known.items() if required)
        and all(_same(value[name], one) for name, one in fixed.items() if name in value)
        and not (closed and value.keys() - known.keys())
    )


def _is_of_type(kind: JsonValue, value: JsonValue) -> bool:
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool}
    return not isinstance(kind, str) or kind not in kinds or isinstance(value, kinds[kind])


def _same(one: JsonValue, other: JsonValue) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def seed(schema: Part, part: JsonValue) -> Found:
    """What a new value starts with: the schema's defaults and fixed values; ABSENT where it names none."""
    return _seed(schema, part, [_SEED_WORK])


def _seed(schema: Part, part: JsonValue, work: list[int]) -> Found:
    """`work` is what may still be looked at: objects that hold each other would never end."""
    work[0] -= 1
    told = describe(schema, part, required=True)
    if isinstance(part, dict) and "default" in (whole := {**told.part, **part}):
        return deepcopy(whole["default"])
    if told.kind is Kind.ENUM and len(told.options) == 1:
        return deepcopy(told.options[0].value)
    if told.kind is not Kind.OBJECT:
        return ABSENT
    made: dict[str, JsonValue] = {}
    for name, (child, required) in properties(schema, told.part).items():
        value = _seed(schema, child, work) if work[0] > 0 else ABSENT
        if value is not ABSENT and (value != {} or required):
            made[name] = value
    return made


def are_objects(value: Found) -> bool:
    """Is this a list of objects, and of nothing else?"""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def needs_boxes(told: Described, value: Found) -> bool:
    """Are these texts that don't fit into one box, one a line? Then each is an entry of its own."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return False
    return not holds(Kind.LIST, told, value) or units(as_input(Kind.LIST, value)) > MAX_TEXT


def needs_fields(told: Described, value: Found) -> bool:
    """Are these names with texts that don't fit into one box, one a line? Then each is a field of its own."""
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return False
    return not holds(Kind.PAIRS, told, value) or units(as_input(Kind.PAIRS, value)) > MAX_TEXT
