"""What one property of a JSON Schema asks of a form: its kind, its words, its limits.

Only what a form can promise is read: one type (or one type and null), choices, alternatives, plain limits. All else is
a `json` field, and the schema itself judges what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from policies.arguments import JsonValue
from policies.errors import Invalid
from policies.schema_limits import Part, as_text, count, least, limits, most
from policies.schema_work import reference_target

MAX_CHOICES = 100
_LONGEST_CHAIN = 10
_FORMS = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "$ref"})
"""Keywords that say more of a value than its type does."""


class Kind(Enum):
    """What is filled into a field: `list` is one text a line, `numbers` one number, `pairs` one name with
    its text; `json` is the text of any JSON value.

    The last three are made of fields: an object's properties, a list's entries, a choice between several forms.
    """

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ENUM = "enum"
    MULTI_ENUM = "multi_enum"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    EMAIL = "email"
    LINK = "link"
    LIST = "list"
    NUMBERS = "numbers"
    PAIRS = "pairs"
    JSON = "json"
    OBJECT = "object"
    ROWS = "rows"
    VARIANTS = "variants"


COMPOUND = frozenset({Kind.OBJECT, Kind.ROWS, Kind.VARIANTS})
FORMATS = {"date": Kind.DATE, "time": Kind.TIME, "date-time": Kind.MOMENT, "email": Kind.EMAIL, "uri": Kind.LINK}


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One of the values that a schema allows, with its title there, or the value as JSON text."""

    title: str
    value: JsonValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """A property as its schema describes it; `kind` is None where the schema says nothing, so that the value decides.

    All texts are as the agent sent them: not yet fit to be shown. `part` is the property's schema with its references
    followed, for what has parts of its own.
    """

    kind: Kind | None = None
    title: str = ""
    description: str = ""
    limits: str = ""
    required: bool = False
    nullable: bool = False
    options: tuple[Option, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    part: Part = field(default_factory=dict)


def describe(schema: Part, part: JsonValue, *, required: bool) -> Described:
    """One property, its references followed inside `schema`."""
    if not isinstance(part, dict):
        return Described(required=required)
    told, nullable = _without_null(schema, resolved(schema, part))
    told = _together(schema, told)
    options = _options(told)
    return Described(
        kind=_kind(schema, told, options),
        title=_text(part, "title") or _text(told, "title"),
        description=_text(part, "description") or _text(told, "description"),
        limits="; ".join(limits(told)),
        required=required,
        nullable=nullable,
        options=options or _options(_items(schema, told)),
        minimum=least(told),
        maximum=most(told),
        min_length=count(told, "minLength"),
        max_length=count(told, "maxLength"),
        part=told,
    )


def _kind(schema: Part, told: Part, options: tuple[Option, ...]) -> Kind | None:
    if options:
        return Kind.ENUM if len(options) <= MAX_CHOICES else Kind.JSON
    if isinstance(told.get("properties"), dict) and told.get("type", "object") == "object":
        return Kind.OBJECT
    if told.get("type") == "array":
        return _list_kind(schema, _items(schema, told))
    if _is_map_of_texts(schema, told):
        return Kind.PAIRS
    if alternatives(told):
        return Kind.VARIANTS
    if told.get("type") == "string" and _text(told, "format") in FORMATS:
        return FORMATS[_text(told, "format")]
    if not set(told) - {"title", "description", "default", "examples"}:
        return None
    plain = {"string": Kind.TEXT, "number": Kind.NUMBER, "integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}
    return plain.get(_text(told, "type"), Kind.JSON)


def _list_kind(schema: Part, items: Part) -> Kind:
    options = _options(items)
    if options:
        return Kind.MULTI_ENUM if len(options) <= MAX_CHOICES else Kind.JSON
    if items.get("type") == "string":
        return Kind.LIST
    if items.get("type") in ("integer", "number"):
        return Kind.NUMBERS
    return Kind.ROWS if _kind(schema, _together(schema, items), ()) in (Kind.OBJECT, Kind.VARIANTS) else Kind.JSON


def _is_map_of_texts(schema: Part, told: Part) -> bool:
    """Labels, headers, metadata: names of the call's own choice, each with a text."""
    texts = told.get("additionalProperties")
    free = told.get("type", "object") == "object" and not told.keys() & {"properties", "patternProperties", *_FORMS}
    return free and isinstance(texts, dict) and _is_plain_text(_together(schema, resolved(schema, texts)))


def _is_plain_text(told: Part) -> bool:
    return told.get("type") == "string" and not told.keys() & {"enum", "const", *_FORMS}


def alternatives(told: Part) -> tuple[Part, ...]:
    """The forms that a value may have, where there are several beside null; empty where `told` isn't just that."""
    kinds = told.get("type")
    if isinstance(kinds, list):
        one_each = tuple({**told, "type": kind} for kind in kinds if kind != "null")
        return one_each if 2 <= len(one_each) <= MAX_CHOICES and not told.keys() & _FORMS else ()
    for keyword in ("anyOf", "oneOf"):
        forms = told.get(keyword)
        if isinstance(forms, list) and len(forms) <= MAX_CHOICES:
            found = [form for form in forms if isinstance(form, dict) and form != {"type": "null"}]
            alone = not told.keys() & (_FORMS - {keyword})
            return tuple(found) if alone and len(found) >= 2 and len(forms) - len(found) <= 1 else ()
    return ()


def _items(schema: Part, told: Part) -> Part:
    items = told.get("items")
    return resolved(schema, items) if told.get("type") == "array" and isinstance(items, dict) else {}


def _together(schema: Part, told: Part) -> Part:
    """`told` with the parts of its `allOf` written into it, where no two of them say different things."""
    parts = told.get("allOf")
    if not isinstance(parts, list):
        return told
    whole: Part = {name: value for name, value in told.items() if name != "allOf"}
    for part in parts:
        if not isinstance(part, dict) or "allOf" in part:
            return told
        for name, value in resolved(schema, part).items():
            if name in ("title", "description"):
                whole.setdefault(name, value)
            elif name == "properties" and isinstance(value, dict):
                standing = whole.get(name, {})
                if not isinstance(standing, dict) or standing.keys() & value.keys():
                    return told
                whole[name] = {**standing, **value}
            elif name == "required" and isinstance(value, list):
                standing = whole.get(name, [])
                whole[name] = [*standing, *value] if isinstance(standing, list) else value
            elif whole.setdefault(name, value) != value:
                return told
    return whole


def resolved(schema: Part, part: Part) -> Part:
    """`part` with its references followed; what stands beside a reference counts too. A chain too long is left as it
    is.
    """
    for _ in range(_LONGEST_CHAIN):
        if "$ref" not in part:
            return part
        try:
            target = reference_target(schema, part["$ref"])
        except Invalid:
            return part
        beside = {name: value for name, value in part.items() if name != "$ref"}
        part = {**target, **beside} if beside else target
    return part


def _without_null(schema: Part, told: Part) -> tuple[Part, bool]:
    """The one form beside null: how optional values are written (`anyOf: [X, null]`, `type: [X, null]`)."""
    kinds = told.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        others = [kind for kind in kinds if kind != "null"]
        return {**told, "type": others[0] if len(others) == 1 else others}, True
    for keyword in ("anyOf", "oneOf"):
        forms = told.get(keyword)
        if isinstance(forms, list) and len(forms) == 2 and {"type": "null"} in forms:
            other = next((form for form in forms if form != {"type": "null"}), None)
            around = {name: value for name, value in told.items() if name != keyword}
            return ({**resolved(schema, other), **around}, True) if isinstance(other, dict) else (told, False)
        if isinstance(forms, list) and {"type": "null"} in forms:
            return told, True
    return told, False


def _options(told: Part) -> tuple[Option, ...]:
    values = told.get("enum")
    if isinstance(values, list) and values:
        return tuple(Option(title=as_text(value), value=value) for value in values)
    if "const" in told:
        return (Option(title=as_text(told["const"]), value=told["const"]),)
    for forms in (told.get("oneOf"), told.get("anyOf")):
        if isinstance(forms, list) and forms and all(isinstance(form, dict) and "const" in form for form in forms):
            return tuple(_titled(form) for form in forms if isinstance(form, dict))
    return ()


def _titled(form: Part) -> Option:
    """The value stands beside the title: a title is the agent's word, and two may be alike."""
    value, title = as_text(form["const"]), _text(form, "title")
    return Option(title=f"{value} ({title})" if title and title != value else value, value=form["const"])


def _text(told: Part, name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""
