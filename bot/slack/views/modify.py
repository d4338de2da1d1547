"""The form in which a reviewer changes the arguments: one input for each, drawn from the tool's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views.blocks import Block, context, entry, mrkdwn, named, plain, section, titled
from bot.slack.views.look import Look
from bot.slack.views.modals import modal, phrase_field
from bot.slack.views.text import clip, one_line
from policies.checkpoint import Kind as Checkpoint
from policies.fields import Field
from policies.form_schema import Kind
from policies.request import Request

LOCKED_SHOWN = 1_000
HINT = 1_500
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def modify_form(
    request: Request, fields: tuple[Field, ...], look: Look, memo: Memo, *, asks_phrase: bool = False, remark: str = ""
) -> Block:
    """The form for ``fields``.

    ``asks_phrase`` adds the typed confirmation that the edit turned out to need; so does a ``manual`` checkpoint.
    ``remark`` is a sentence (mrkdwn) above the fields: why the form is shown again.
    """
    asks = asks_phrase or request.checkpoint.kind is Checkpoint.MANUAL
    tool = one_line(request.call.tool, look.key, 60)
    what = f"Change what {tool} will do. Your change counts as your approval of the new version."
    blocks: list[Block] = [section(plain(what))]
    if remark:
        blocks.append(context(mrkdwn(remark)))
    for number, field in enumerate(fields):
        blocks.extend(_locked(field) if field.locked else _input(field, number))
    if asks:
        blocks.append(phrase_field(request, look))
    kept = memo.model_copy(update={"asks_phrase": asks})
    return modal(ids.MODIFY_FORM, "Modify the call", kept, named(blocks, f"r{request.revision}"), "Save and approve")


def hides(fields: tuple[Field, ...]) -> bool:
    """Does the form cut a field that it only shows? Then what would be approved isn't all before the reviewer."""
    return any(field.locked and clip(field.shown, LOCKED_SHOWN) != field.shown for field in fields)


def block_of(number: int) -> str:
    """The ``block_id`` of the field at this position; names can be too long for one."""
    return f"{ids.FIELD}{number}"


def _locked(field: Field) -> Iterator[Block]:
    yield titled(f"{field.label} (can't be changed here: {field.locked})", clip(field.shown, LOCKED_SHOWN) or " ")


def _input(field: Field, number: int) -> Iterator[Block]:
    yield entry(
        field.label,
        block_of(number),
        {"action_id": ids.ENTRY, **_element(field)},
        hint=clip(field.hint, HINT),
        optional=_may_be_empty(field),
    )


def _may_be_empty(field: Field) -> bool:
    """Slack refuses to send an empty field that isn't optional, and what nobody touched must always be sendable."""
    chooses = field.kind in (Kind.ENUM, Kind.BOOLEAN, Kind.MULTI_ENUM)
    return not field.required or field.nullable or not (field.selected if chooses else field.shown.strip())


def _element(field: Field) -> dict[str, Any]:
    match field.kind:
        case Kind.ENUM | Kind.BOOLEAN | Kind.MULTI_ENUM:
            return _choices(field)
        case Kind.NUMBER | Kind.INTEGER if not field.shown or _NUMBER.fullmatch(field.shown):
            return _number(field)
        case Kind.DATE:
            return {"type": "datepicker", **({"initial_date": field.shown} if field.shown else {})}
        case _:
            return _text(field)


def _choices(field: Field) -> dict[str, Any]:
    options = [{"text": plain(choice.label or "—"), "value": str(place)} for place, choice in enumerate(field.choices)]
    chosen = [options[place] for place in field.selected]
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
        "multiline": field.kind in (Kind.LONG_TEXT, Kind.LIST, Kind.JSON),
        **({"max_length": field.max_length} if field.max_length is not None else {}),
        **({"min_length": field.min_length} if field.min_length else {}),
        **({"initial_value": field.shown} if field.shown else {}),
    }
