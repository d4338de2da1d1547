"""A reviewer in the browser changes one field of a real tool's call; the API must then tell exactly that change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from playwright.async_api import Page, expect

from bot.slack.views.inputs import block_of
from policies.arguments import canonical
from policies.changes import changes
from policies.edits import apply_edits
from policies.errors import Faulty
from policies.fields import Field
from policies.form_building import build_form
from policies.form_schema import Kind
from policies.tool_schema import validate
from policies.typed import Submitted
from tests.gateway.stage import Stage
from tests.slack.real_calls import RealCall, call
from tests.slack.samples import KEY
from tests.slack.schemas import another, changeable

WRITTEN = frozenset(
    {
        Kind.TEXT,
        Kind.LONG_TEXT,
        Kind.NUMBER,
        Kind.INTEGER,
        Kind.EMAIL,
        Kind.LINK,
        Kind.LIST,
        Kind.NUMBERS,
        Kind.PAIRS,
        Kind.JSON,
    }
)
CHOSEN = frozenset({Kind.ENUM, Kind.BOOLEAN})
MOST = 2_500
"""Characters of a call that a card shows whole; a larger one is opened before it is changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One change that a person makes: what goes into the field, and the arguments that it comes to."""

    tried: RealCall
    field: Field
    typed: Submitted
    arguments: dict[str, Any]


def edit_of(name: str, seed: int = 0) -> Edit:
    """A call of the tool `name`, and a change of one of its fields that its schema allows."""
    for tried in (call(name, seed + one * 1_000) for one in range(100)):
        found = list(_edits(tried))
        if found and len(json.dumps(tried.arguments)) < MOST:
            return Random(seed).choice(found)
    raise AssertionError(f"no field of {name} can be changed alone")


def _edits(tried: RealCall) -> Any:
    form = build_form(tried.schema, dict(tried.arguments), key=KEY)
    for field in changeable(form):
        typed = another(field)
        if field.masked or field.sensitive or field.kind not in WRITTEN | CHOSEN:
            continue
        try:
            arguments = apply_edits(form, {field.id: typed}).arguments
        except Faulty:
            continue
        if changes(tried.arguments, arguments) and not validate(tried.schema, arguments):
            yield Edit(tried=tried, field=field, typed=typed, arguments=arguments)


async def drive(stage: Stage, page: Page, edit: Edit, *, picture: str = "") -> None:
    """Ask, open the card's form, change the field, save; the approved call is the one that was meant."""
    asked = await stage.ask("hard", edit.tried.arguments, schema=edit.tried.schema)
    shown = await stage.card(asked["id"])
    await page.evaluate(f"location.hash = 'as=U0ANA&channel={shown.channel}'")
    waiting = page.locator(f'.message[data-ts="{shown.ts}"]')
    await waiting.get_by_role("button", name="Modify", exact=True).click()
    form = page.get_by_role("dialog", name="Modify the call")
    await expect(form).to_be_visible()
    if picture:
        await page.screenshot(path=picture)
    await _enter(page, edit)
    await form.get_by_role("button", name="Save and approve").click()
    await expect(form).to_have_count(0)
    body = await stage.settled(asked["id"])
    assert body["state"] == "approved"
    assert canonical(body["arguments"]) == canonical(edit.arguments), (edit.field.label, body["arguments"])


async def _enter(page: Page, edit: Edit) -> None:
    """By typing, or by choosing where it is a menu."""
    control = page.locator(f'dialog [data-action-id][data-block-id="{block_of(edit.field.id)}"]')
    if isinstance(edit.typed, tuple):
        await control.select_option(str(edit.typed[0]))
        return
    await control.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(edit.typed or "")
