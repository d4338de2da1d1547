"""Each field of a form as one of Slack's inputs, with nothing in it that may not be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.slack import ids
from bot.slack.views.blocks import Block, entry, plain, titled
from bot.slack.views.text import clip
from policies.field_values import CHOOSING
from policies.fields import MAX_TEXT, Field, holds_secret
from policies.form_schema import Kind
from policies.typed import Submitted

LOCKED_SHOWN = 1_000
HINT = 1_500
SHORT_MASK = 300
"""A longer mask (a secret inside a longer text) stands above its input, not in the hint."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def block_of(field_id: str, turn: int = 0) -> str:
    """The ``block_id`` of a field. Slack keeps what was typed under a known id, so a form that must not gets new
    ones, by its ``turn``.
    """
    return f"{ids.FIELD}{field_id}~{turn}" if turn else f"{ids.FIELD}{field_id}"


def cuts(field: Field) -> bool:
    """Is less shown of a field than there is of it to show?"""
    seen = field.masked or (field.shown if field.locked else "")
    return clip(seen, LOCKED_SHOWN) != seen


def drawn(field: Field, turn: int) -> Iterator[Block]:
    """The blocks of one field."""
    if field.locked:
        yield titled(f"{field.label} (can't be changed here: {field.locked})", clip(field.shown, LOCKED_SHOWN) or " ")
        return
    if _is_long(field):
        yield titled(f"{field.label} (holds a secret)", clip(field.masked, LOCKED_SHOWN))
    action_id = ids.CHOOSE if field.redraws else ids.ENTRY
    block = entry(
        field.label,
        block_of(field.id, turn),
        {"action_id": action_id, **_element(field)},
        hint=clip(_hint(field), HINT),
        optional=_may_be_empty(field),
    )
    yield {**block, "dispatch_action": True} if field.redraws else block


def as_typed(field: Field, given: Submitted, key: bytes) -> Field:
    """The field as somebody left it; a secret that was typed isn't shown again."""
    if field.locked:
        return field
    if field.kind in CHOOSING:
        return replace(field, selected=given if isinstance(given, tuple) else ())
    text = given if isinstance(given, str) else ""
    return field if field.sensitive or holds_secret(text, key) else replace(field, shown=text[:MAX_TEXT])


def _is_long(field: Field) -> bool:
    return len(field.masked) > SHORT_MASK or "\n" in field.masked


def _hint(field: Field) -> str:
    mask = "" if _is_long(field) else f" ({field.masked})"
    kept = f"Never shown, and kept unless you enter a new one{mask}." if field.masked else ""
    lonely = field.required and not field.nullable and not field.present and _may_be_empty(field)
    needed = "Needed where the fields beside it are filled in." if lonely and not field.redraws else ""
    return "\n".join(filter(None, (kept, needed, field.hint)))


def _may_be_empty(field: Field) -> bool:
    """Slack refuses to send an empty field that isn't optional, and what nobody touched must always be sendable."""
    filled = field.selected if field.kind in CHOOSING else field.shown.strip()
    return not field.required or field.nullable or bool(field.masked) or not (filled or field.fresh)


def _element(field: Field) -> dict[str, Any]:
    shown = field.shown
    match field.kind:
        case Kind.ENUM | Kind.BOOLEAN | Kind.MULTI_ENUM:
            return _choices(field)
        case Kind.NUMBER | Kind.INTEGER if not shown or _NUMBER.fullmatch(shown):
            return _number(field)
        case Kind.DATE:
            return {"type": "datepicker", **({"initial_date": shown} if shown else {})}
        case Kind.TIME if not shown or _TIME.fullmatch(shown):
            return {"type": "timepicker", **({"initial_time": shown} if shown else {})}
        case Kind.MOMENT:
            return {"type": "datetimepicker", **({"initial_date_time": int(shown)} if shown else {})}
        case Kind.EMAIL | Kind.LINK:
            kind = "email_text_input" if field.kind is Kind.EMAIL else "url_text_input"
            return {"type": kind, **({"initial_value": shown} if shown else {})}
        case _:
            return _text(field)


def _choices(field: Field) -> dict[str, Any]:
    options = [{"text": plain(choice.label or "—"), "value": str(place)} for place, choice in enumerate(field.choices)]
    chosen = [options[place] for place in field.selected if place < len(options)]
    if field.kind is Kind.MULTI_ENUM:
        return {"type": "multi_static_select", "options": options, **({"initial_options": chosen} if chosen else {})}
    return {"type": "static_select", "options": options, **({"initial_option": chosen[0]} if chosen else {})}


def _number(field: Field) -> dict[str, Any]:
    limits = {"min_value": field.minimum, "max_value": field.maximum}
    return {
        "type": "number_input",
        "is_decimal_allowed": field.kind is Kind.NUMBER,
        **{name: str(limit) for name, limit in limits.items() if limit is not None and _NUMBER.fullmatch(str(limit))},
        **({"initial_value": field.shown} if field.shown else {}),
    }


def _text(field: Field) -> dict[str, Any]:
    return {
        "type": "plain_text_input",
        "multiline": field.kind in (Kind.LONG_TEXT, Kind.LIST, Kind.NUMBERS, Kind.PAIRS, Kind.JSON),
        **({"max_length": field.max_length} if field.max_length is not None else {}),
        **({"min_length": field.min_length} if field.min_length else {}),
        **({"initial_value": field.shown} if field.shown else {}),
    }
