"""The words beside a field: its label and its hint, fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from policies.arguments import JsonValue
from policies.display import SHORTEST_WITH_NOTICE, display
from policies.field_values import CHOOSING, style_of
from policies.form_schema import COMPOUND, Described, Kind
from policies.redaction import redact_text

MAX_LABEL = 150
MAX_STEP = 60
"""Characters of each name on the way to a field ("Customer › Address › City")."""
MAX_HINT = 500
LONGEST_DESCRIPTION = 300
"""Characters of a description that is shown whole; of a longer one its beginning and its end are."""
MAX_CHOICE_LABEL = 75

TEXTS = frozenset({Kind.TEXT, Kind.LONG_TEXT})
_MADE_OF: Mapping[Kind, type] = {Kind.OBJECT: dict, Kind.ROWS: list}
_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]+")
"""Where a word begins inside a name such as `dueDate`."""
_A_LINE = {
    Kind.LIST: "one a line", Kind.NUMBERS: "one number a line", Kind.PAIRS: "one “name: text” a line",
}  # fmt: skip
IDENTIFIER = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*|[A-Z]?[a-z0-9]+(?:[A-Z][a-z0-9]+)+", re.ASCII)
"""A title that is a program's name for a type and tells people nothing: `param`, `optional_fields`, `TaskRequest`."""


def label_of(name: str, told: Described, key: bytes, limit: int = MAX_LABEL) -> str:
    """The schema's title never hides the argument's name: a title is the agent's word, the name is what the tool
    gets.
    """
    name = redact_text(name, key=key)  # first: between the words that are made of it nobody would find a secret
    human = _HUMP.sub(
        lambda found: f" {found[0].lower() if len(found[0]) == 1 else found[0]}", name.replace("_", " ").strip()
    )
    human = human[:1].upper() + human[1:]
    titled = "" if IDENTIFIER.fullmatch(told.title.strip()) else told.title.strip()
    words = (
        f"{titled} ({name})"
        if titled and titled.casefold() not in (human.casefold(), name.casefold())
        else human or '""'
    )
    return display(words, key=key, limit=limit).text


def is_cut(title: str) -> bool:
    """Would a list show less of an option than there is? Nobody may choose what they can't read."""
    return display(title, key=b"", limit=MAX_CHOICE_LABEL).cut


def hint_of(told: Described, kind: Kind, note: str, value: JsonValue, key: bytes) -> str:
    said = [note, told.limits, _format_note(told, kind, value)]
    return words_below("\n".join(filter(None, said)), told.description, key)


def words_below(said: str, description: str, key: bytes) -> str:
    """What stands below a field: a long description gives way to what Signoff itself says."""
    told = display(description, key=key, limit=LONGEST_DESCRIPTION)
    told = display(description, key=key, limit=SHORTEST_WITH_NOTICE - 1) if told.cut else told
    return "\n".join(filter(None, (told.text, display(said, key=key, limit=MAX_HINT).text)))


def _format_note(told: Described, kind: Kind, value: JsonValue) -> str:
    """What the input itself doesn't say about how the value is written."""
    style = style_of(kind, value)
    if kind is Kind.TIME:
        zone = style[3:] if style.startswith(":00") and "." not in style else style.lstrip(":.0")
        return f"time zone: {'UTC' if zone in 'Zz' else zone}" if zone else ""
    if kind is Kind.MOMENT:
        return f"chosen in your own time zone, sent as {'UTC' if style == 'Z' else style}"
    if kind in TEXTS and told.kind not in (None, *TEXTS):
        return f"format: {told.part['format']}"
    if kind is Kind.JSON:
        return f"written as JSON: {_why_json(told, value)}"
    return _A_LINE.get(kind, "")


def _why_json(told: Described, value: JsonValue) -> str:
    """Why a value has no input of its own."""
    if told.kind in CHOOSING and any(is_cut(option.title) for option in told.options):
        return "a list would cut what can be chosen"
    if told.kind is Kind.JSON and isinstance(told.part.get("items"), dict):
        return "its entries have no form of their own"
    if told.kind in (None, Kind.JSON):
        return "the tool doesn't say what is in it"
    if told.kind in COMPOUND and (value is None or isinstance(value, _MADE_OF.get(told.kind, (dict, list)))):
        return "it has more parts than this form has room for"
    return "it isn't what the tool's schema describes"
