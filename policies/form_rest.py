"""What a form has no room for: which properties share one field, and how much of a call is left as JSON text."""

from __future__ import annotations

from collections.abc import Mapping

from policies.arguments import JsonValue
from policies.changes import Found
from policies.display import display
from policies.field_values import pretty
from policies.field_words import MAX_HINT
from policies.fields import MAX_TEXT, Field, Place, guarded
from policies.form import Group, flow
from policies.form_schema import Kind


def unused(parts: Mapping[str, tuple[JsonValue, bool]], value: Found) -> tuple[str, ...]:
    """The properties that an object may have and hasn't, where they are several."""
    named = value if isinstance(value, dict) else {}
    found = tuple(name for name, (_, required) in parts.items() if not required and name not in named)
    return found if len(found) > 1 else ()


def rest_of(
    covers: tuple[str, ...],
    parts: Mapping[str, tuple[JsonValue, bool]],
    value: Found,
    place: Place,
    number: int,
    key: bytes,
) -> Field:
    """The properties `covers` of an object at `place` as one JSON object; empty where the call has none of them.

    Without any, the field takes what is to be added to an object that may have whatever it likes.
    """
    name = "other_arguments"
    while name in parts:
        name += "_"
    named = value if isinstance(value, dict) else {}
    held: JsonValue = {one: named[one] for one in covers if one in named}
    inner = place.inside(str(number), name, key=False)
    hint = f"A JSON object with those of {len(covers)} that have no field of their own: {', '.join(covers)}"
    hint = hint if covers else "A JSON object with what is to be added."
    made = Field(
        id=inner.id,
        name=name,
        kind=Kind.JSON,
        path=inner.path,
        label=" › ".join((*inner.way, "Others" if place.path else "Other arguments")),
        hint=display(hint, key=key, limit=MAX_HINT).text,
        present=bool(held),
        shown=pretty(held) if held else "",
        max_length=MAX_TEXT,
        sensitive=inner.is_secret,
        covers=covers,
        adds=not covers,
    )
    return guarded(made, inner, held, key) if held else made


def unread(root: Group) -> int:
    """How much of the call stands as JSON text because it has no fields of its own, in characters."""
    fields = (part for part in flow(root) if isinstance(part, Field))
    return sum(len(one.shown) for one in fields if one.kind is Kind.JSON and one.present and not one.is_rest)
