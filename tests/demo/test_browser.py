"""The demo as a newcomer lives it: the real gateway behind the workspace's page, by mouse and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.demo.demo_process import running_demo
from tests.demo.hands import Hands, Keyboard, Mouse
from tests.sandbox.page_app import browser_tests, open_browser, watched_page

pytestmark = browser_tests()

REFUND = "The lamp of order HG-1042 arrived cracked: refund Mara Holm and let her know."
COMPLAINT = "Answer Ines Duarte's complaint about her late parcel."
PAYMENT = "Pay the November freight invoice of Nordkai Shipping, 4,200.00 EUR."
MAIL_WAITS = re.compile(r"Send “Your order .+” to wren\S+ needs your approval")
KETTLE = "Tell Wren Ashdown that her storm kettle is packed."


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """The running demo and the browser before it."""

    url: str
    browser: Browser

    def page(self, person: str, place: str, **options: Any) -> AbstractAsyncContextManager[Page]:
        """The page of one person; whatever the browser complains about fails the test."""
        return watched_page(self.browser, f"{self.url}/#as={person}&channel={place}", **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    async with running_demo(tmp_path_factory.mktemp("demo")) as url, open_browser() as browser:
        yield Demo(url=url, browser=browser)


@pytest.fixture(params=["mouse", "keyboard"])
def hands(request: pytest.FixtureRequest) -> Hands:
    return Mouse() if request.param == "mouse" else Keyboard()


async def begun(hands: Hands, page: Page, errand: str) -> Locator:
    """Nia types the errand and opens its thread; the thread."""
    before = await page.locator(".message", has_text=errand).count()
    composer = page.get_by_role("textbox", name="Message #agents")
    await hands.write(composer, f"/agent {errand}")
    await composer.press("Enter")
    await expect(page.locator(".message", has_text=errand)).to_have_count(before + 1)
    await hands.press(page.locator(".message", has_text=errand).last.locator(".replies"))
    return page.get_by_role("complementary", name="Thread")


def card(page: Page, words: str) -> Locator:
    """The card that has these words and still waits."""
    waits = page.locator('[data-action-id="signoff.approve"]')
    return page.locator(".message", has_text=words).filter(has=waits).last


async def opened(stack: AsyncExitStack, demo: Demo, *places: tuple[str, str]) -> list[Page]:
    return [await stack.enter_async_context(demo.page(*place)) for place in places]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_newcomer_sees_the_whole_card_at_once(demo: Demo, scheme: str) -> None:
    async with demo.page("U0ANA", "C0APPROVALS", color_scheme=scheme) as page:
        await expect(page.get_by_role("region", name="An AI agent is at work here")).to_be_visible()
        waiting = page.locator(".message", has_text="for HG-1042 needs your approval").last
        await expect(waiting.get_by_role("heading", level=3)).to_be_in_viewport(ratio=1)
        await expect(waiting.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport(ratio=1)


async def test_on_a_phone_nothing_overflows_and_the_conversations_are_in_a_drawer(demo: Demo) -> None:
    async with demo.page("U0ANA", "C0APPROVALS", viewport={"width": 390, "height": 844}) as page:
        waiting = page.locator(".message", has_text="for HG-1042 needs your approval").last
        await expect(waiting.get_by_role("heading", level=3)).to_be_in_viewport(ratio=1)
        await expect(waiting.get_by_role("button", name="Approve", exact=True)).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("navigation", name="Conversations")).not_to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await page.get_by_role("button", name="Conversations").click()
        await page.locator("[data-channel=C0AGENTS]").click()
        await expect(page.get_by_role("navigation", name="Conversations")).not_to_be_visible()
        await page.locator(".replies").first.click()
        await expect(page.get_by_role("complementary", name="Thread")).to_be_in_viewport()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_an_approved_call_runs_and_the_agent_says_so(demo: Demo, hands: Hands) -> None:
    async with AsyncExitStack() as stack:
        nia, ana = await opened(stack, demo, ("U0NEWT", "C0AGENTS"), ("U0ANA", "C0APPROVALS"))
        thread = await begun(hands, nia, KETTLE)
        waiting = card(ana, "wren")
        ts = await waiting.get_attribute("data-ts")
        await hands.press(waiting.get_by_role("button", name="Approve", exact=True))
        settled = ana.locator(f'.message[data-ts="{ts}"]')
        await expect(settled).to_contain_text("Approved")
        await expect(settled.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        await expect(thread.locator(".message").last).to_contain_text("wren", ignore_case=True)
        await expect(thread).to_contain_text("✓ send_email")


async def test_a_rejection_reaches_the_agent_with_its_reason(demo: Demo, hands: Hands) -> None:
    async with AsyncExitStack() as stack:
        nia, ben = await opened(stack, demo, ("U0NEWT", "C0AGENTS"), ("U0BEN", "C0APPROVALS"))
        thread = await begun(hands, nia, COMPLAINT)
        await hands.press(card(ben, "ines.duarte").get_by_role("button", name="Reject"))
        form = ben.get_by_role("dialog", name="Reject the request")
        await hands.write(form.get_by_label("Why?"), "Apologise first; she is right.")
        await hands.press(form.get_by_role("button", name="Reject"))
        await expect(form).to_have_count(0)
        await expect(thread).to_contain_text("Ben Okafor said: “Apologise first; she is right.”")
        await hands.press(card(ben, "About your late parcel").get_by_role("button", name="Approve", exact=True))
        await expect(thread).to_contain_text("Sent to ines.duarte@example.com")


async def test_what_a_reviewer_changed_is_what_runs_and_what_the_agent_goes_on_with(demo: Demo) -> None:
    """By mouse alone; `test_forms_in_browser` changes a call by keyboard."""
    hands, amount = Mouse(), "40"
    async with AsyncExitStack() as stack:
        nia, ana = await opened(stack, demo, ("U0NEWT", "C0AGENTS"), ("U0ANA", "C0APPROVALS"))
        thread = await begun(hands, nia, REFUND)
        await hands.press(card(ana, REFUND).get_by_role("button", name="Modify"))
        form = ana.get_by_role("dialog", name="Modify the call")
        await hands.write(form.get_by_label("Amount in EUR"), "a lot")
        await hands.press(form.get_by_role("button", name="Save and approve"))
        await expect(form.locator(".fault")).to_have_count(1)
        await hands.write(form.get_by_label("Amount in EUR"), amount)
        await hands.press(form.get_by_role("button", name="Save and approve"))
        await expect(form).to_have_count(0)
        await expect(thread).to_contain_text(f"A reviewer changed the refund before it ran: {amount}.00 EUR instead of")
        await hands.press(card(ana, REFUND).get_by_role("button", name="Approve", exact=True))
        await expect(thread).to_contain_text(f"Done: {amount}.00 EUR refunded for HG-1042")


async def test_a_manual_call_takes_two_people_and_its_phrase_typed_exactly(demo: Demo, hands: Hands) -> None:
    async with AsyncExitStack() as stack:
        nia, fay, fred = await opened(
            stack, demo, ("U0NEWT", "C0AGENTS"), ("U0FAY", "C0FINANCE"), ("U0FRED", "C0FINANCE")
        )
        thread = await begun(hands, nia, PAYMENT)
        form = await confirmation(hands, fay)
        await hands.write(form.get_by_label("Type the confirmation"), "Nordkai")
        await hands.press(form.get_by_role("button", name="Approve"))
        await expect(form.locator(".fault")).to_be_visible()
        await hands.write(form.get_by_label("Type the confirmation"), "Nordkai Shipping")
        await hands.press(form.get_by_role("button", name="Approve"))
        await expect(form).to_have_count(0)
        await expect(card(fred, "Nordkai Shipping")).to_contain_text("1 of 2 approvals: Fay Lindqvist")
        assert "Paid:" not in await thread.inner_text()
        form = await confirmation(hands, fred)
        await hands.write(form.get_by_label("Type the confirmation"), "Nordkai Shipping")
        await hands.press(form.get_by_role("button", name="Approve"))
        await expect(thread).to_contain_text("Paid: 4,200.00 EUR to Nordkai Shipping")


async def confirmation(hands: Hands, page: Page) -> Locator:
    await hands.press(card(page, "Nordkai Shipping").get_by_role("button", name="Approve"))
    form = page.get_by_role("dialog", name="Review the request")
    await expect(form).to_be_visible()
    return form


async def test_the_slash_command_and_home_lead_to_what_waits(demo: Demo, hands: Hands) -> None:
    async with AsyncExitStack() as stack:
        nia, ben = await opened(stack, demo, ("U0NEWT", "C0AGENTS"), ("U0BEN", "C0GENERAL"))
        thread = await begun(hands, nia, KETTLE)
        await expect(thread).to_contain_text("waits for support")
        composer = ben.get_by_role("textbox", name="Message #general")
        await hands.write(composer, "/approvals")
        await composer.press("Enter")
        listed = ben.locator(".message.ephemeral").last
        await expect(listed).to_contain_text(MAIL_WAITS)
        await hands.press(ben.get_by_role("button", name="Signoff Home"))
        row = ben.locator(".block", has_text=MAIL_WAITS).first
        await hands.press(row.get_by_role("button", name="Review"))
        form = ben.get_by_role("dialog", name="Review the request")
        await expect(form).to_contain_text("wren")
        await hands.press(form.get_by_role("button", name="Approve", exact=True))
        await expect(thread).to_contain_text("✓ send_email")
        await expect(ben.get_by_role("region", name="Signoff Home")).not_to_contain_text(MAIL_WAITS)
