"""One JSON value as something to fill in; which widget draws it is the business of the surface.

A form must never lie: what a text box can't hold unchanged is locked and stays as it is, with the reason; a secret is
never shown, and stays unless a new one is typed. Everything in a field that a person reads has gone the way of all
untrusted text. Limits here only help to type; what counts is the validation of the edited arguments by the schema.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import cast

from policies.arguments import JsonValue
from policies.changes import ABSENT, Found
from policies.display import display
from policies.field_values import CHOOSING, as_input, holds, positions, pretty, style_of, units
from policies.field_words import MAX_CHOICE_LABEL, TEXTS, hint_of, is_cut, label_of
from policies.form_schema import COMPOUND, Described, Kind, Option
from policies.redaction import redact, redact_text, sensitive_kind
from policies.visible import hidden_characters

MAX_TEXT = 3000
ONE_LINE = 80

_BOOLEAN = (Option(title="true", value=True), Option(title="false", value=False))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a value stands: its `id` in the form, its `path` and the object `keys` on it, the shown names on the `way`
    from the nearest heading, and that heading. `fresh`: it is part of something that the call doesn't have yet.
    """

    id: str = ""
    path: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    fresh: bool = False

    def inside(self, step: str, name: str, *, key: bool = True) -> Place:
        """The place of a part: `step` is its number or mark among the parts, `name` what it is called in the value."""
        return replace(
            self,
            id=f"{self.id}/{step}" if self.id else step,
            path=(*self.path, name),
            keys=(*self.keys, name) if key else self.keys,
        )

    @property
    def depth(self) -> int:
        """How many objects, lists and choices it stands in."""
        return len(self.path)

    @property
    def is_secret(self) -> bool:
        """Does a name on the way to it say that it holds a secret?"""
        return any(map(sensitive_kind, self.keys))


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One thing to choose: submitted by its position, because values can be any JSON."""

    label: str
    value: JsonValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One value as something to fill in.

    `id` names it in its form, `path` in the arguments (list entries as `#0`, new ones as `#n0`). `shown` is the text
    (and `selected` the positions in `choices`) that the form starts with; `present` says whether the call has this
    value at all. `locked` is the reason why it can't be edited, else empty; then `shown` is fit to be shown, not to be
    sent back. `masked` is what may be shown of a secret, which an empty input keeps; `sensitive` says that what is
    typed is a secret too. Lengths count characters. `style` is what a time has besides what a picker shows. `covers` is
    only set for the field that holds those of an object's properties that the form has no room for, `adds` for the one
    that takes new ones; `redraws` for a choice of which other
    fields there are; `fresh` in what is new, where a required field must be filled in.
    """

    id: str
    name: str
    kind: Kind
    label: str
    path: tuple[str, ...] = ()
    hint: str = ""
    required: bool = False
    nullable: bool = False
    present: bool = False
    shown: str = ""
    selected: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = field(default=())
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    locked: str = ""
    masked: str = ""
    sensitive: bool = False
    style: str = ""
    covers: tuple[str, ...] = ()
    adds: bool = False
    redraws: bool = False
    fresh: bool = False

    @property
    def is_rest(self) -> bool:
        """Does it hold several properties of the object in which it stands, instead of one?"""
        return bool(self.covers) or self.adds


def leaf(name: str, told: Described, value: Found, place: Place, key: bytes, *, note: str = "") -> Field:
    """The field of one value. `key` is the installation's redaction key, `note` a sentence before the hint."""
    given: JsonValue = None if value is ABSENT else value
    present = value is not ABSENT
    kind = _kind(told, given, present=present)
    options = _BOOLEAN if kind is Kind.BOOLEAN else told.options if kind in CHOOSING else ()
    shown = as_input(kind, given) if present else ""
    made = Field(
        id=place.id,
        name=name,
        kind=kind,
        path=place.path,
        label=" › ".join((*place.way, label_of(name, told, key))),
        hint=hint_of(told, kind, note, given, key),
        required=told.required,
        nullable=told.nullable,
        present=present,
        shown=shown,
        selected=positions(kind, options, given) if present else (),
        choices=tuple(choice_of(option, key) for option in options),
        minimum=_unless(told.minimum, given, below=True),
        maximum=_unless(told.maximum, given, below=False),
        min_length=_min_length(told, kind, shown),
        max_length=_max_length(told, kind, shown),
        sensitive=place.is_secret and kind is not Kind.BOOLEAN,
        style=style_of(kind, given),
        fresh=place.fresh,
    )
    return guarded(made, place, given, key) if present else made


def guarded(made: Field, place: Place, value: JsonValue, key: bytes) -> Field:
    """`made` as a form may show it: a secret masked, and what a text box would change locked."""
    masked = mask_of(place, value, key)
    if masked is not None:
        return replace(made, shown="", selected=(), masked=masked, sensitive=True, min_length=None, max_length=MAX_TEXT)
    locked = why_locked(made.shown)
    shown = value if isinstance(value, str) else pretty(value)
    return replace(made, shown=display(shown, key=key, limit=MAX_TEXT).text, locked=locked) if locked else made


def mask_of(place: Place, value: JsonValue, key: bytes) -> str | None:
    """What may be shown of a value that is or holds a secret; None where there is none."""
    found = value
    for name in reversed(place.keys):
        found = {name: found}
    redacted = redact(found, key=key)
    if not redacted.paths:
        return None
    only = redacted.value
    for _ in place.keys:
        only = next(iter(cast("dict[str, JsonValue]", only).values()))
    return display(only if isinstance(only, str) else pretty(only), key=key, limit=MAX_TEXT).text


def why_locked(shown: str) -> str:
    """Why a text box can't hold this text, or the empty string."""
    if units(shown) > MAX_TEXT:
        return f"longer than the {MAX_TEXT:,} characters that a form can hold; it stays as it is"
    return why_garbled(shown)


def why_garbled(shown: str) -> str:
    """What a text box would silently change in this text, or the empty string."""
    text = shown.replace("\r\n", "")
    if "\r\n" in shown and "\n" in text:
        return "has two kinds of line ends, which a form would make one; it stays as it is"
    if hidden_characters(text):
        return "has hidden characters, which a form would lose; it stays as it is"
    return ""


def holds_secret(text: str, key: bytes) -> bool:
    """Is or holds what somebody typed a secret of a known shape, or JSON with one under a telling name?"""
    if redact_text(text, key=key) != text:
        return True
    try:
        return bool(redact(json.loads(text), key=key).paths)
    except (ValueError, RecursionError):
        return False


def _kind(told: Described, value: JsonValue, *, present: bool) -> Kind:
    """What the schema asks for, where the value fits it; JSON text can show whatever else the call holds."""
    if told.kind is None:
        return _inferred(value) if present else Kind.JSON
    if told.kind in COMPOUND:
        return Kind.JSON
    if told.kind in CHOOSING and any(is_cut(option.title) for option in told.options):
        return Kind.JSON
    kind = told.kind
    if kind in (Kind.TIME, Kind.MOMENT, Kind.EMAIL, Kind.LINK) and present and not holds(kind, told, value):
        kind = Kind.TEXT
    if present and not holds(kind, told, value):
        return Kind.JSON
    if kind is Kind.TEXT and (_is_long(value) or (told.max_length or 0) > ONE_LINE):
        return Kind.LONG_TEXT
    return kind


def _inferred(value: JsonValue) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.LONG_TEXT if _is_long(value) else Kind.TEXT
    lists = (kind for kind in (Kind.LIST, Kind.NUMBERS) if value and holds(kind, Described(), value))
    return next(lists, Kind.JSON)


def _is_long(value: JsonValue) -> bool:
    return isinstance(value, str) and ("\n" in value or len(value) > ONE_LINE)


def choice_of(option: Option, key: bytes) -> Choice:
    return Choice(label=display(option.title, key=key, limit=MAX_CHOICE_LABEL).text, value=option.value)


def _unless(limit: int | float | None, value: JsonValue, *, below: bool) -> int | float | None:
    """A limit that the value already breaks would keep people from submitting what they didn't touch."""
    if limit is None or not isinstance(value, int | float) or isinstance(value, bool):
        return limit
    return None if (value < limit if below else value > limit) else limit


def _min_length(told: Described, kind: Kind, shown: str) -> int | None:
    fits = kind in TEXTS and told.min_length and told.required and len(shown) >= told.min_length
    return min(cast(int, told.min_length), MAX_TEXT) if fits else None


def _max_length(told: Described, kind: Kind, shown: str) -> int | None:
    if kind not in (*TEXTS, Kind.LIST, Kind.NUMBERS, Kind.PAIRS, Kind.JSON):
        return None
    asked = told.max_length if kind in TEXTS and told.max_length else MAX_TEXT
    return max(1, min(MAX_TEXT, max(asked, units(shown))))
