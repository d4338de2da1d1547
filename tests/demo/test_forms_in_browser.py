"""Modify in the workspace's page, by the mouse and by the keyboard alone, with the API as the witness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from random import Random

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.demo.form_drive import drive, edit_of
from tests.demo.hands import Keyboard
from tests.gateway.stage import REFUND, REFUND_SCHEMA, Stage, staged
from tests.sandbox.page_app import browser_tests, open_browser, watched_page
from tests.slack.real_calls import schemas

pytestmark = browser_tests()

MOST_TO_CHANGE, MOST_TO_APPROVE = 22, 14
"""Keys from a channel by way of Home, what is typed into the field not counted: 14 and 8 are enough, but Home may be
drawn anew on the way.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A gateway with an agent that asks, and the browser of those who decide."""

    stage: Stage
    browser: Browser

    def page(self, place: str = "C0GENERAL") -> AbstractAsyncContextManager[Page]:
        """Ana's page."""
        return watched_page(self.browser, f"{self.stage.sandbox.url}/#as=U0ANA&channel={place}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room() -> AsyncIterator[Room]:
    async with staged(lanes=4, kinds=("hard",)) as stage, open_browser() as browser:
        yield Room(stage=stage, browser=browser)


async def test_a_field_changed_in_the_page_is_what_the_agent_gets(room: Room) -> None:
    """One of the real tools a run; `python -m tests.demo.schemas_in_browser` drives them all."""
    name = Random().choice(sorted(schemas()))
    print(name)
    async with room.page() as page:
        await drive(room.stage, page, edit_of(name))


async def home_of(room: Room, page: Page, hands: Keyboard) -> str:
    """A call waits, and Ana opens it from Home; its id."""
    asked = await room.stage.ask("hard", REFUND, schema=REFUND_SCHEMA)
    await room.stage.card(asked["id"])
    await hands.press(page.get_by_role("button", name="Signoff Home"))
    home = page.get_by_role("region", name="Signoff Home")
    await expect(home).to_be_focused()
    await expect(home.get_by_role("button", name="Review")).to_have_count(1)  # what was decided before is gone
    await expect(home.locator(".block", has_text=asked["tool"]).first).to_be_visible()
    await hands.press(home.get_by_role("button", name="Review"))
    await expect(page.get_by_role("dialog", name="Review the request")).to_be_visible()
    return str(asked["id"])


async def test_a_newcomer_changes_and_approves_by_keyboard_alone(room: Room) -> None:
    hands = Keyboard()
    async with room.page() as page:
        request_id = await home_of(room, page, hands)
        review = page.get_by_role("dialog", name="Review the request")
        await hands.press(review.get_by_role("button", name="Modify"))
        form = page.get_by_role("dialog", name="Modify the call")
        await expect(form).to_be_visible()
        await hands.write(form.get_by_label("Amount"), "40")
        before = hands.keys
        await page.keyboard.press("Escape")
        await expect(review.get_by_role("button", name="Modify")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(form).to_be_visible()
        await hands.write(form.get_by_label("Amount"), "a lot")
        await hands.press(form.get_by_role("button", name="Save and approve"))
        await expect(form.locator(".fault")).to_have_count(1)
        await hands.write(form.get_by_label("Amount"), "40")
        hands.keys = before
        await hands.press(form.get_by_role("button", name="Save and approve"))
        await expect(page.get_by_role("dialog")).to_have_count(0)
        keys = hands.keys
        body = await room.stage.settled(request_id)
        assert body["arguments"] == {**REFUND, "amount": 40}
        assert not await page.evaluate("document.activeElement === document.body"), "the keyboard has a place again"
        assert keys - len("40") - 1 <= MOST_TO_CHANGE
        print(f"Home, Review, Modify, save: {keys} keys, with 2 typed")


async def test_a_newcomer_approves_by_keyboard_alone(room: Room) -> None:
    hands = Keyboard()
    async with room.page() as page:
        request_id = await home_of(room, page, hands)
        opened = hands.keys
        await hands.go(page.get_by_role("dialog").get_by_role("button", name="Approve", exact=True))
        by_tab = hands.keys + 1
        hands.keys = opened
        await hands.key(page, "Control+Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert (await room.stage.settled(request_id))["state"] == "approved"
        assert hands.keys <= MOST_TO_APPROVE
        print(f"Home, Review, approve: {hands.keys} keys, {by_tab} without knowing of Control and Enter")


async def test_a_short_id_typed_shows_and_approves(room: Room) -> None:
    asked = await room.stage.ask("hard", REFUND, schema=REFUND_SCHEMA)
    await room.stage.card(asked["id"])
    hands = Keyboard()
    async with room.page() as page:
        composer = page.get_by_role("textbox", name="Message #general")
        await expect(composer).to_be_focused()
        short = asked["id"][:12]
        await hands.write(composer, f"/approvals show {short}")
        await hands.key(page, "Enter")
        await expect(page.get_by_role("dialog", name="Review the request")).to_be_visible()
        await hands.key(page, "Escape")
        await expect(composer).to_be_focused()
        shown, hands.keys = hands.keys, 0
        await hands.write(composer, f"/approvals approve {short}")
        await hands.key(page, "Enter")
        assert (await room.stage.settled(asked["id"]))["state"] == "approved"
        print(f"/approvals show: {shown} keys; /approvals approve: {hands.keys} keys")
