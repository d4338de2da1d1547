"""Modify: opens its form, redraws it when its lists or choices change, and reads what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.slack import answers, ids
from bot.slack.desk import Desk, memo_of
from bot.slack.memo import Memo
from bot.slack.payloads import Click, Entered
from bot.slack.views.card import is_cut
from bot.slack.views.inputs import block_of
from bot.slack.views.look import Look
from bot.slack.views.modals import is_last_page
from bot.slack.views.modify import hides, json_form, modify_form
from policies.arguments import Arguments
from policies.carrying import carry_over, touched
from policies.changes import changes
from policies.draft_fields import draft_fields, redrafted
from policies.edits import Edited, apply_edits
from policies.errors import Fault, Faulty, Invalid, Refused, Stale
from policies.field_values import CHOOSING
from policies.fields import Field
from policies.form import AS_IT_IS, Form, Shape
from policies.form_building import build_form
from policies.request import Request
from policies.tool_schema import validate
from policies.typed import Submitted as Typed
from policies.whole_call import json_text

NO_DRAFTS: Mapping[int, str] = {}
UNROOMY = "There is no room for this in one form. Save what you have changed first, or press Edit as JSON."


class Editing:
    """What the buttons and choices inside the Modify form do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def open(self, click: Click, request: Request) -> None:
        """Show the form, unless it would have somebody approve what neither it nor the card shows."""
        look = self._desk.looks.at_once((request,))
        memo = memo_of(click, request).shaped(AS_IT_IS)
        form = form_of(request, memo, look.key)
        if hides(form) and await asyncio.to_thread(_unseen, click, request, look):
            raise Refused(answers.MODIFY_CUT)
        await self._desk.show(click, modify_form(request, form, look, memo))

    async def add(self, click: Click) -> None:
        """One entry more in a list."""
        place = ids.place(click.value)
        await self._reshape(click, lambda shape: shape.adding(place))

    async def remove(self, click: Click) -> None:
        """One entry less."""
        place = ids.place(click.value)
        await self._reshape(click, lambda shape: shape.removing(place), leaving=place)

    async def choose(self, click: Click) -> None:
        """Another form of a value that may have several."""
        place = ids.place(click.block_id.removeprefix(ids.FIELD).partition("~")[0])
        chosen = click.value
        if chosen.isascii() and chosen.isdigit() and len(chosen) < 4:
            await self._reshape(click, lambda shape: shape.choosing(place, int(chosen)), leaving=place)

    async def _reshape(self, click: Click, change: Callable[[Shape], Shape], leaving: str = "") -> None:
        """Draw the form anew with its shape changed; whatever was typed outside of ``leaving`` must still be there."""
        request, memo = await self._edited(click)
        look = self._desk.looks.at_once((request,))
        before = form_of(request, memo, look.key)
        form = form_of(request, memo.shaped(change(before.shape)), look.key)
        typed = typed_into(before, click.values, memo.turn)
        known = {field.id for field in form.fields}
        lost = (field for field in touched(before, typed) if field.id not in known)
        if not all(leaving and f"{field.id}/".startswith(f"{leaving}/") for field in lost):
            raise Refused(UNROOMY)
        view = modify_form(request, form, look, memo, asks_phrase=memo.asks_phrase, typed=typed)
        await self._desk.redraw(click, view)

    async def as_json(self, click: Click) -> None:
        """The call as JSON text, with what was typed so far, over the form."""
        request, memo = await self._edited(click)
        look = self._desk.looks.at_once((request,))
        form = form_of(request, memo, look.key)
        typed = typed_into(form, click.values, memo.turn)
        try:
            drafts, edited = redrafted(form.drafts, typed), apply_edits(form, typed)
        except Faulty as error:
            raise Refused(f"Some fields can't be read yet. {_with_labels(form, error)}") from error
        if drafts:
            raise Refused("The JSON is the call alone, without its drafts. Save what you changed in them first.")
        text = json_text(edited.arguments, look.key)
        if text is None:
            raise Refused("With what was typed the call holds a secret, or is too long to be edited as JSON.")
        await self._desk.show(click, json_form(request, text, look, memo.shaped(AS_IT_IS)))

    async def _edited(self, click: Click) -> tuple[Request, Memo]:
        if click.memo is None:
            raise Invalid("This button belongs to a form that is closed. Press Modify again.")
        person = await self._desk.directory.person(click.user_id)
        request = await self._desk.gateway.editable(click.memo.request_id, person)
        if request.settled:
            raise Refused("This has been decided meanwhile; close the form and look at the card.")
        return request, click.memo


def form_of(request: Request, memo: Memo, key: bytes) -> Form:
    """The form that the memo remembers. Raises ``Stale`` where the arguments that it was made from are gone."""
    arguments = request.arguments_at(memo.revision)
    if arguments is None:
        raise Stale(f"This is revision {request.revision} by now; look at it again before you change it.")
    form = build_form(schema_of(request), dict(arguments), key=key, shape=memo.shape)
    return replace(form, drafts=draft_fields(request.drafts_at(memo.revision), key))


def schema_of(request: Request) -> dict[str, Any] | None:
    """The tool's schema, where the agent sent one."""
    return dict(request.call.schema) if request.call.schema is not None else None


def typed_into(form: Form, values: Mapping[str, Entered], turn: int) -> dict[str, Typed]:
    """What the form's fields hold, by their ids. Raises ``Invalid`` for what no list offers."""
    blocks = ((field, block_of(field.id, turn)) for field in form.fields)
    return {field.id: _typed(field, values[block]) for field, block in blocks if block in values}


def _typed(field: Field, entered: Entered) -> Typed:
    if field.kind not in CHOOSING:
        return entered if isinstance(entered, str) else None
    chosen = (entered,) if isinstance(entered, str) else entered or ()
    if not all(place.isascii() and place.isdigit() and len(place) < 6 for place in chosen):
        raise Invalid("Choose from the list; nothing was changed.")
    return tuple(int(place) for place in chosen)


def chosen_since(form: Form, typed: Mapping[str, Typed]) -> Shape:
    """The form's shape with the choices that it doesn't show the fields of yet: its redrawing came to nothing."""
    shape = form.shape
    for field in form.fields:
        given = typed.get(field.id, field.selected)
        if field.redraws and isinstance(given, tuple) and len(given) == 1 and given != field.selected:
            shape = shape.choosing(field.id, given[0])
    return shape


def edit_of(request: Request, form: Form, typed: Mapping[str, Typed]) -> tuple[Arguments, Mapping[int, str]]:
    """The arguments as the form says, and the texts of changed drafts by their places in the request's ``preview``.

    Raises ``Faulty`` (``where`` names fields) for wrong entries or none changed.
    """
    edited, texts = apply_edits(form, typed), redrafted(form.drafts, typed)
    drafts = {request.drafts[place]: text for place, text in texts.items()}
    check_edit(request, form.root.value, edited, drafts)
    return edited.arguments, drafts


def check_edit(request: Request, original: Any, edited: Edited, drafts: Mapping[int, str] = NO_DRAFTS) -> None:
    """Is anything changed, and does it fit the tool's schema? Raises ``Faulty``, ``where`` the ids of fields, or
    JSON pointers where there are none.
    """
    if not drafts and not changes(original, edited.arguments):
        raise Faulty((Fault(where="", words=answers.UNTOUCHED),))
    schema = schema_of(request)
    faults = validate(schema, edited.arguments) if schema is not None else ()
    if faults:
        places = ((edited.field_at(fault.where) if edited.places else fault.where, fault.words) for fault in faults)
        raise Faulty(tuple(Fault(where=where, words=words) for where, words in places))


def carried(request: Request, form: Form, typed: Mapping[str, Typed], memo: Memo, look: Look) -> dict[str, Any]:
    """The form again, of the revision that somebody else has saved meanwhile, with what was typed put over it."""
    arguments = dict(request.call.arguments)
    drafts = draft_fields(request.drafts_at(request.revision), look.key)
    found = carry_over(form, typed, schema_of(request), arguments, key=look.key, drafts=drafts)
    remark = answers.meanwhile(request, memo.revision, found.lost, look)
    kept = memo.model_copy(update={"revision": request.revision, "turn": memo.turn + 1})
    return modify_form(request, found.form, look, kept, asks_phrase=memo.asks_phrase, remark=remark, typed=found.typed)


def _with_labels(form: Form, error: Faulty) -> str:
    labels = {field.id: field.label for field in form.fields}
    return "; ".join(f"{labels.get(fault.where, 'The call')}: {fault.words}" for fault in error.faults[:3])


def _unseen(click: Click, request: Request, look: Look) -> bool:
    """Does the card cut what this button is about, and wasn't all of it looked at?"""
    return is_cut(request, look) and not _saw_all(click, request, look)


def _saw_all(click: Click, request: Request, look: Look) -> bool:
    """Was the button pressed on the last page of View all? Saving an edit approves, so it takes what Approve takes."""
    return click.memo is not None and is_last_page(request, look, click.memo.page)
