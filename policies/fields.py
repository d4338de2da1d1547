"""A tool's JSON Schema and a call's arguments as neutral form fields; which widgets draw them is the business of the
surface.

A form must never lie: what a text box can't hold unchanged, and what must not be shown, is locked and stays as it is,
with the reason. Everything in a field that a person reads has gone the way of all untrusted text. Limits here only help
to type; what counts is the validation of the edited arguments by the schema.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import cast

from policies.arguments import Arguments, JsonValue, canonical
from policies.display import display
from policies.form_schema import Described, Kind, Option, described_properties
from policies.redaction import redact
from policies.visible import hidden_characters

MAX_FIELDS = 40
MAX_TEXT = 3000
MAX_LABEL = 150
MAX_HINT = 500
MAX_CHOICE_LABEL = 75
ONE_LINE = 80

CHOOSING = frozenset({Kind.BOOLEAN, Kind.ENUM, Kind.MULTI_ENUM})
_BOOLEAN = (Option(title="true", value=True), Option(title="false", value=False))


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One thing to choose: submitted by its position, because values can be any JSON."""

    label: str
    value: JsonValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One argument as something to fill in.

    `shown` is the text (and `selected` the positions in `choices`) that the form starts with; `present` says whether
    the call has this argument at all. `locked` is the reason why it can't be edited, else empty; then `shown` is fit to
    be shown, not to be sent back. Lengths count characters. `covers` is only set for the field that holds all the
    arguments beyond MAX_FIELDS.
    """

    name: str
    kind: Kind
    label: str
    hint: str = ""
    required: bool = False
    nullable: bool = False
    present: bool = False
    shown: str = ""
    selected: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    locked: str = ""
    covers: tuple[str, ...] = ()


def form_fields(schema: dict[str, JsonValue] | None, arguments: Arguments, *, key: bytes) -> tuple[Field, ...]:
    """One field for each argument that the schema knows or the call has, in the schema's order; at most MAX_FIELDS + 1.

    Without a schema the kinds follow the values, and every argument counts as required. `key` is the installation's
    redaction key.
    """
    known = described_properties(schema) if schema is not None else {}
    every = known | {name: Described(required=schema is None) for name in arguments if name not in known}
    names = list(every)
    if len(names) > MAX_FIELDS:
        names.sort(key=lambda name: (name not in arguments, not every[name].required))
    fields = tuple(_field(name, every[name], arguments, key) for name in names[:MAX_FIELDS])
    return fields if len(names) <= MAX_FIELDS else (*fields, _rest(names, arguments, key))


def field_at(fields: tuple[Field, ...], path: str) -> str:
    """The name of the field that a fault at the JSON pointer `path` belongs to; empty when it belongs to none."""
    if not path.startswith("/"):
        return ""
    name = path.split("/")[1].replace("~1", "/").replace("~0", "~")
    return next((field.name for field in fields if name in (field.covers or (field.name,))), "")


def _field(name: str, told: Described, arguments: Arguments, key: bytes) -> Field:
    present, value = name in arguments, arguments.get(name)
    kind = _kind(told, value, present=present)
    options = _BOOLEAN if kind is Kind.BOOLEAN else told.options if kind in CHOOSING else ()
    shown = _shown(kind, value) if present else ""
    locked = _locked(name, kind, shown, value, key) if present else ""
    return Field(
        name=name,
        kind=kind,
        label=_label(name, told, key),
        hint=display("\n".join(filter(None, (told.description, told.limits))), key=key, limit=MAX_HINT).text,
        required=told.required,
        nullable=told.nullable,
        present=present,
        shown=_fit_to_show(name, value, key) if locked else shown,
        selected=_selected(kind, options, value) if present else (),
        choices=tuple(_choice(option, key) for option in options),
        minimum=_unless(told.minimum, value, below=True),
        maximum=_unless(told.maximum, value, below=False),
        min_length=_min_length(told, kind, shown),
        max_length=_max_length(told, kind, shown),
        locked=locked,
    )


def _rest(names: list[str], arguments: Arguments, key: bytes) -> Field:
    """The arguments beyond MAX_FIELDS, as one JSON object."""
    name, covers = "other_arguments", tuple(names[MAX_FIELDS:])
    while name in names:
        name += "_"
    value: JsonValue = {one: arguments[one] for one in covers if one in arguments}
    shown = _shown(Kind.JSON, value)
    locked = _locked(name, Kind.JSON, shown, value, key)
    return Field(
        name=name,
        kind=Kind.JSON,
        label="Other arguments",
        hint=f"A JSON object with those of {len(covers)} arguments that have no field of their own.",
        required=True,
        present=True,
        shown=_fit_to_show(name, value, key) if locked else shown,
        max_length=MAX_TEXT,
        locked=locked,
        covers=covers,
    )


def _kind(told: Described, value: JsonValue, *, present: bool) -> Kind:
    """What the schema asks for, where the value fits it; JSON text can show whatever else the call holds."""
    if told.kind is None:
        return _inferred(value) if present else Kind.JSON
    if told.kind in CHOOSING and any(_is_cut(option) for option in told.options):
        return Kind.JSON
    if present and not _holds(told.kind, told, value):
        return Kind.JSON
    if told.kind is Kind.TEXT and (_is_long(value) or (told.max_length or 0) > ONE_LINE):
        return Kind.LONG_TEXT
    return told.kind


def _inferred(value: JsonValue) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.LONG_TEXT if _is_long(value) else Kind.TEXT
    return Kind.LIST if value and _holds(Kind.LIST, Described(), value) else Kind.JSON


def _is_long(value: JsonValue) -> bool:
    return isinstance(value, str) and ("\n" in value or len(value) > ONE_LINE)


def _holds(kind: Kind, told: Described, value: JsonValue) -> bool:
    """Can a field of this kind hold `value` so that reading it back gives the same?"""
    if value is None and told.nullable:
        return kind is not Kind.JSON and not any(option.value is None for option in told.options)
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    if kind in (Kind.NUMBER, Kind.INTEGER):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (kind is Kind.NUMBER or float(cast(float, value)).is_integer())
    if kind is Kind.DATE:
        return isinstance(value, str) and _is_date(value)
    if kind is Kind.ENUM:
        return bool(_selected(kind, told.options, value))
    if kind is Kind.MULTI_ENUM:
        return isinstance(value, list) and len(set(_selected(kind, told.options, value))) == len(value)
    if kind is Kind.LIST:
        return isinstance(value, list) and all(isinstance(one, str) and one.splitlines() == [one] for one in value)
    return kind is Kind.JSON or isinstance(value, str)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _selected(kind: Kind, options: tuple[Option, ...], value: JsonValue) -> tuple[int, ...]:
    """Positions of the chosen options. Compared as typed JSON: 1, 1.0 and true are three values."""
    if kind not in CHOOSING:
        return ()
    chosen = value if kind is Kind.MULTI_ENUM and isinstance(value, list) else [value]
    positions = {_exact(option.value): place for place, option in reversed(list(enumerate(options)))}
    return tuple(positions[_exact(one)] for one in chosen if _exact(one) in positions)


def _exact(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(kind: Kind, value: JsonValue) -> str:
    if kind in CHOOSING or (value is None and kind is not Kind.JSON):
        return ""
    if kind is Kind.LIST:
        return "\n".join(cast("list[str]", value))
    if isinstance(value, str) and kind is not Kind.JSON:
        return value
    if isinstance(value, float) and kind is Kind.NUMBER:
        return canonical(value).decode("ascii")
    return json.dumps(value, ensure_ascii=False, indent=2)


def _locked(name: str, kind: Kind, shown: str, value: JsonValue, key: bytes) -> str:
    """Why this argument can't be edited in a form, or the empty string."""
    if redact({name: value}, key=key).paths:
        return "holds a secret, which is never shown; it stays as it is"
    if _units(shown) > MAX_TEXT:
        return f"longer than the {MAX_TEXT:,} characters that a form can hold; it stays as it is"
    text = shown.replace("\r\n", "")
    if "\r\n" in shown and "\n" in text:
        return "has two kinds of line ends, which a form would make one; it stays as it is"
    if hidden_characters(text):
        return "has hidden characters, which a form would lose; it stays as it is"
    return ""


def _fit_to_show(name: str, value: JsonValue, key: bytes) -> str:
    shown = cast("dict[str, JsonValue]", redact({name: value}, key=key).value)
    only = next(iter(shown.values()))
    text = only if isinstance(only, str) else json.dumps(only, ensure_ascii=False, indent=2)
    return display(text, key=key, limit=MAX_TEXT).text


def _label(name: str, told: Described, key: bytes) -> str:
    """The schema's title never hides the argument's name: a title is the agent's word, the name is what the tool
    gets.
    """
    human = name.replace("_", " ").strip()
    human = human[:1].upper() + human[1:]
    titled = told.title.strip()
    words = (
        f"{titled} ({name})"
        if titled and titled.casefold() not in (human.casefold(), name.casefold())
        else human or '""'
    )
    return display(words, key=key, limit=MAX_LABEL).text


def _is_cut(option: Option) -> bool:
    """Would a list show less of the option than there is? Nobody may choose what they can't read."""
    return display(option.title, key=b"", limit=MAX_CHOICE_LABEL).cut


def _choice(option: Option, key: bytes) -> Choice:
    return Choice(label=display(option.title, key=key, limit=MAX_CHOICE_LABEL).text, value=option.value)


def _unless(limit: int | float | None, value: JsonValue, *, below: bool) -> int | float | None:
    """A limit that the value already breaks would keep people from submitting what they didn't touch."""
    if limit is None or not isinstance(value, int | float) or isinstance(value, bool):
        return limit
    return None if (value < limit if below else value > limit) else limit


def _min_length(told: Described, kind: Kind, shown: str) -> int | None:
    fits = kind in (Kind.TEXT, Kind.LONG_TEXT) and told.min_length and told.required and len(shown) >= told.min_length
    return min(cast(int, told.min_length), MAX_TEXT) if fits else None


def _max_length(told: Described, kind: Kind, shown: str) -> int | None:
    if kind not in (Kind.TEXT, Kind.LONG_TEXT, Kind.LIST, Kind.JSON):
        return None
    asked = told.max_length if kind in (Kind.TEXT, Kind.LONG_TEXT) and told.max_length else MAX_TEXT
    return max(1, min(MAX_TEXT, max(asked, _units(shown))))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
