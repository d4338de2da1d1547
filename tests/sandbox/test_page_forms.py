"""Every kind of input on the page arrives at the app as Slack would send it, filled in or left alone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.sandbox.page_app import Office, boxes_form, browser_tests, open_office, option
from tests.sandbox.stock_app import actions, button, field, modal

pytestmark = browser_tests()

COLORS = [option("red"), option("green"), option("blue")]
INPUTS: dict[str, dict[str, Any]] = {
    "line": {"type": "plain_text_input", "initial_value": "as  it was"},
    "text": {"type": "plain_text_input", "multiline": True, "initial_value": "one\r\ntwo\n"},
    "number": {"type": "number_input", "is_decimal_allowed": True, "initial_value": "1.50"},
    "email": {"type": "email_text_input", "initial_value": "ana@example.com"},
    "url": {"type": "url_text_input", "initial_value": "https://example.com/a?b=c"},
    "date": {"type": "datepicker", "initial_date": "2026-12-01"},
    "time": {"type": "timepicker", "initial_time": "14:30"},
    "moment": {"type": "datetimepicker", "initial_date_time": 1790000000},
    "one": {"type": "static_select", "options": COLORS, "initial_option": COLORS[1]},
    "several": {"type": "multi_static_select", "options": COLORS, "initial_options": COLORS[:2]},
    "person": {"type": "users_select", "initial_user": "U0SAM"},
    "persons": {"type": "multi_users_select", "initial_users": ["U0ANA", "U0BEN"]},
    "room": {"type": "conversations_select", "initial_conversation": "C0GENERAL"},
    "boxes": {"type": "checkboxes", "options": COLORS, "initial_options": [COLORS[2]]},
    "radio": {"type": "radio_buttons", "options": COLORS, "initial_option": COLORS[0]},
}
UNTOUCHED = {
    "line": "as  it was",
    "text": "one\r\ntwo\n",
    "number": "1.50",
    "email": "ana@example.com",
    "url": "https://example.com/a?b=c",
    "date": "2026-12-01",
    "time": "14:30",
    "moment": 1790000000,
    "one": "green",
    "several": ["red", "green"],
    "person": "U0SAM",
    "persons": ["U0ANA", "U0BEN"],
    "room": "C0GENERAL",
    "boxes": ["blue"],
    "radio": "red",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


def plain_values(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(next(value for key, value in entry["value"].items() if key != "type"))
        for name, entry in values.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value["value"] if isinstance(value, dict) else value


async def opened_form(office: Office, page: Page, *, empty: bool = False) -> Any:
    bare = {
        name: {key: value for key, value in one.items() if not key.startswith("initial")}
        for name, one in INPUTS.items()
    }
    inputs = [field(name, one) for name, one in (bare if empty else INPUTS).items()]
    office.form = modal(*inputs, callback_id="everything")
    office.submitted.clear()
    await office.post("C0APPROVALS", "card", actions(button("open_form")))
    await page.locator("[data-action-id=open_form]").last.click()
    dialog = page.get_by_role("dialog", name="Form")
    await expect(dialog).to_be_visible()
    return dialog


async def test_an_untouched_form_returns_every_initial_value_byte_for_byte(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as page:
        dialog = await opened_form(office, page)
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_have_count(0)
    assert plain_values(office.submitted[0]) == UNTOUCHED


async def test_every_kind_of_input_can_be_filled_in(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS", timezone_id="Europe/Berlin") as page:
        dialog = await opened_form(office, page)
        texts = {
            "line": "new",
            "text": "a\nb",
            "number": "40.00",
            "email": "b@example.com",
            "url": "https://example.org/",
        }
        times = {"date": "2027-01-31", "time": "08:05", "moment": "2027-01-31T09:00"}
        for name, value in {**texts, **times}.items():
            await dialog.get_by_label(name, exact=True).fill(value)
        for name, value in {
            "one": "blue",
            "several": "blue",
            "person": "U0FAY",
            "persons": "U0FAY",
            "room": "C0AGENTS",
        }.items():
            await dialog.get_by_label(name, exact=True).select_option(value)
        await dialog.get_by_role("button", name="Remove red").click()
        await dialog.get_by_role("group", name="boxes").get_by_label("red").check()
        await dialog.get_by_role("radiogroup", name="radio").get_by_label("green").check()
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_have_count(0)
    assert plain_values(office.submitted[0]) == {
        **texts,
        **times,
        "moment": 1801382400,  # 31 January 2027, 9:00 in Berlin
        "one": "blue",
        "several": ["green", "blue"],
        "person": "U0FAY",
        "persons": ["U0ANA", "U0BEN", "U0FAY"],
        "room": "C0AGENTS",
        "boxes": ["red", "blue"],
        "radio": "green",
    }


async def test_required_fields_left_empty_are_pointed_at_and_nothing_is_sent(office: Office) -> None:
    async with office.page("U0BEN", "C0APPROVALS") as page:
        dialog = await opened_form(office, page, empty=True)
        await dialog.get_by_label("line", exact=True).fill("kept")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog.locator(".fault")).to_have_count(len(INPUTS) - 1)
        await expect(dialog.get_by_label("line", exact=True)).to_have_value("kept")
        await expect(dialog.get_by_label("number", exact=True)).to_have_attribute("aria-invalid", "true")
    assert office.submitted == []


async def test_the_workspaces_view_of_a_form_survives_a_reload(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as page:
        dialog = await opened_form(office, page)
        (view,) = await office.sandbox.people.views("U0ANA")
        await office.sandbox.people.submit(
            "U0ANA", view["id"], {"line": {"value": "from elsewhere"}, "email": {"value": ""}}
        )
        await page.reload()
        await expect(dialog.get_by_label("line", exact=True)).to_have_value("from elsewhere")
        await expect(dialog.locator(".fault")).to_have_count(1)


async def test_a_menu_that_the_app_fills_offers_what_fits_and_sends_its_value(office: Office) -> None:
    menu = {"type": "external_select", "action_id": "fruit", "min_query_length": 2}
    office.form = modal(field("fruit", menu), callback_id="everything")
    office.submitted.clear()
    async with office.page("U0ANA", "C0APPROVALS") as page:
        await office.post("C0APPROVALS", "card", actions(button("open_form")))
        await page.locator("[data-action-id=open_form]").last.click()
        dialog = page.get_by_role("dialog", name="Form")
        await dialog.get_by_label("fruit").fill("ap")
        await expect(dialog.locator("datalist option")).to_have_count(2)
        await dialog.get_by_label("fruit").fill("apricot")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_have_count(0)
    assert office.submitted[0]["fruit"]["fruit"]["selected_option"]["value"] == "apricot"


async def test_a_box_keeps_the_keyboard_when_its_app_draws_the_form_anew(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as page:
        office.form = boxes_form("Ticked: none")
        await office.post("C0APPROVALS", "card", actions(button("open_form")))
        await page.locator("[data-action-id=open_form]").last.click()
        dialog = page.get_by_role("dialog", name="Form")
        green = dialog.get_by_role("checkbox", name="green")
        await green.focus()
        for ticked in ("Ticked: 1", "Ticked: 0"):
            await page.keyboard.press("Space")
            await expect(dialog.get_by_text(ticked, exact=True)).to_be_visible()
            await expect(green).to_be_focused()
