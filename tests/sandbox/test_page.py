"""The workspace's page in a real browser: what a person sees and does reaches a stock Bolt app and comes back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.sandbox.page_app import Office, browser_tests, open_office
from tests.sandbox.stock_app import actions, button, plain
from tests.sandbox_process import SandboxProcess, until

pytestmark = browser_tests()

HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>\"'><svg onload=window.pwned=1>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


def message(page: Page, ts: str) -> Any:
    return page.locator(f'.message[data-ts="{ts}"]').first


async def open_amount_form(office: Office, page: Page) -> Any:
    ts = await office.post("C0APPROVALS", "card", actions(button("modify")))
    await message(page, ts).locator("[data-action-id=modify]").click()
    dialog = page.get_by_role("dialog", name="Form")
    await expect(dialog).to_be_visible()
    return dialog


async def test_a_new_card_appears_by_itself_and_a_press_changes_it_on_every_page(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as ana, office.page("U0BEN", "C0APPROVALS") as ben:
        ts = await office.post("C0APPROVALS", "card", actions(button("approve", style="primary")))
        await message(ana, ts).get_by_role("button", name="approve").click()
        for page in (ana, ben):
            await expect(message(page, ts)).to_contain_text("Approved by @Ana Reyes")
            await expect(message(page, ts).get_by_role("button", name="approve")).to_have_count(0)


async def test_what_is_not_confirmed_is_not_sent(office: Office) -> None:
    question = {
        "title": plain("Sure?"),
        "text": plain("It cannot be undone."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    async with office.page("U0ANA", "C0GENERAL") as page:
        ts = await office.post("C0GENERAL", "card", actions(button("approve", confirm=question)))
        office.clicked.clear()
        since = len(await office.sandbox.control.record())
        await message(page, ts).get_by_role("button", name="approve").click()
        await page.get_by_role("alertdialog", name="Sure?").get_by_role("button", name="No").click()
        await message(page, ts).get_by_role("button", name="approve").click()
        await page.keyboard.press("Escape")
        assert [call for call in await office.sandbox.control.record(since) if call["direction"] == "out"] == []
        await message(page, ts).get_by_role("button", name="approve").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Yes").click()
        await expect(message(page, ts)).to_contain_text("Approved by")
        assert office.clicked == ["approve"]


async def test_a_button_waits_for_its_acknowledgement_and_says_when_there_is_none(office: Office) -> None:
    async with office.page("U0ANA", "C0AGENTS") as page:
        ts = await office.post("C0AGENTS", "card", actions(button("nobody_listens")))
        press = message(page, ts).get_by_role("button", name="nobody_listens")
        await press.click()
        await expect(press).to_have_attribute("aria-busy", "true")
        await expect(message(page, ts).get_by_role("alert")).to_contain_text("did not answer in time")
        await expect(page.locator(".toast")).to_have_count(1)
        await expect(press).not_to_have_attribute("aria-busy", "true")


async def test_a_modal_keeps_what_was_entered_through_faults_and_updates(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as page:
        dialog = await open_amount_form(office, page)
        await expect(dialog.get_by_label("amount")).to_be_focused()
        await dialog.get_by_label("amount").fill("900")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog.get_by_role("alert").filter(has_text="At most 500.")).to_be_visible()
        await expect(dialog.get_by_label("amount")).to_have_value("900")
        await dialog.get_by_label("kind").select_option("part")
        await expect(dialog.get_by_label("why")).to_be_visible()
        await expect(dialog.get_by_label("amount")).to_have_value("900")
        await dialog.get_by_label("amount").fill("40.00")
        await dialog.get_by_label("why").fill("first line\nsecond line")
        office.submitted.clear()
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_have_count(0)
    (values,) = office.submitted
    assert values["amount"]["value"]["value"] == "40.00"
    assert values["kind"]["kind"]["selected_option"]["value"] == "part"
    assert values["why"]["value"]["value"] == "first line\nsecond line"


async def test_a_stray_enter_submits_nothing_and_escape_leaves(office: Office) -> None:
    async with office.page("U0BEN", "C0APPROVALS") as page:
        dialog = await open_amount_form(office, page)
        office.submitted.clear()
        await dialog.get_by_label("amount").press("Enter")
        await dialog.get_by_role("button", name="more").click()
        await expect(page.get_by_role("dialog", name="Everything")).to_contain_text("All there is to see")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Form")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert await office.sandbox.people.views("U0BEN") == []
        assert office.submitted == []


async def test_the_keyboard_stays_inside_a_modal(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS") as page:
        await open_amount_form(office, page)
        for _ in range(9):
            await page.keyboard.press("Tab")
            inside = "document.activeElement === document.body || !!document.activeElement.closest('[role=dialog]')"
            assert await page.evaluate(inside)


async def test_text_of_apps_and_agents_never_becomes_markup(office: Office) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain(HOSTILE)},
        {"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE + " <javascript:alert(1)|press> `" + HOSTILE}},
        {"type": "markdown", "text": f"**{HOSTILE}** [press](javascript:alert(1))"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "```" + HOSTILE + "```"}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
        actions(button("approve") | {"text": plain(HOSTILE[:34])}),
    ]
    async with office.page("U0ANA", "C0GENERAL") as page:
        ts = await office.post("C0GENERAL", HOSTILE, *blocks)
        await expect(message(page, ts).get_by_role("heading", name="<img src=x")).to_be_visible()
        assert await message(page, ts).locator("img, script, svg, [onerror], a[href^='javascript']").count() == 0
        assert await page.evaluate("window.pwned === undefined")


async def test_only_you_means_only_you_and_the_switcher_changes_who_acts(office: Office) -> None:
    note = {"channel": "C0AGENTS", "user": "U0BEN", "text": "Just between us"}
    assert (await office.sandbox.api("chat.postEphemeral", note))["ok"]
    async with office.page("U0ANA", "C0AGENTS") as page:
        await expect(page.locator(".message").first).to_be_visible()
        await expect(page.get_by_text("Just between us")).to_have_count(0)
        await page.get_by_label("Acting as").select_option("U0BEN")
        await expect(page.locator(".message.ephemeral", has_text="Just between us")).to_contain_text(
            "Only visible to you"
        )
        assert "as=U0BEN&channel=C0AGENTS" in page.url


async def test_a_mention_starts_a_thread_that_can_be_opened_and_answered(office: Office) -> None:
    async with office.page("U0NEWT", "C0AGENTS") as page:
        composer = page.get_by_role("textbox", name="Message #agents")
        await composer.press_sequentially("@Sig")
        await page.get_by_role("option", name="Signoff").wait_for()
        await composer.press("Enter")
        await composer.press_sequentially("refund <b>1042</b> & tell me")
        await composer.press("Enter")
        mine = page.locator(".message", has_text="@Signoff refund <b>1042</b> & tell me")
        await mine.get_by_role("button", name="1 reply").click()
        thread = page.get_by_role("complementary", name="Thread")
        await expect(thread).to_contain_text("On my way.")
        await thread.get_by_role("textbox").fill("Thanks")
        await thread.get_by_role("textbox").press("Enter")
        await expect(thread.locator(".message", has_text="Thanks")).to_be_visible()
        await expect(mine.get_by_role("button", name="2 replies")).to_be_visible()


async def test_a_slash_command_completes_and_its_answer_is_for_the_asker(office: Office) -> None:
    async with office.page("U0ANA", "C0GENERAL") as page:
        composer = page.get_by_role("textbox", name="Message #general")
        await composer.press_sequentially("/app")
        await composer.press("Tab")
        await expect(composer).to_have_value("/approvals ")
        await composer.press_sequentially("mine")
        await composer.press("Enter")
        await expect(page.locator(".message.ephemeral", has_text="Nothing waits for you.")).to_be_visible()
        await expect(composer).to_have_value("")


async def test_home_shows_what_the_app_published_and_its_buttons_work(office: Office) -> None:
    async with office.page("U0SAM", "C0APPROVALS") as page:
        await page.get_by_role("button", name="Signoff Home").click()
        await expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
        office.clicked.clear()
        await page.get_by_role("button", name="approve_home").click()
        await until(lambda: _is(office.clicked, ["approve_home"]))


async def _is(found: list[str], wanted: list[str]) -> bool:
    return found == wanted


async def test_other_channels_are_marked_unread_until_they_are_opened(office: Office) -> None:
    async with office.page("U0FAY", "C0GENERAL") as page:
        await office.post("C0FINANCE", "A payment waits")
        channel = page.locator("[data-channel=C0FINANCE]")
        await expect(channel.get_by_role("img", name="unread")).to_be_visible()
        await channel.click()
        await expect(page.get_by_text("A payment waits")).to_be_visible()
        await expect(channel.get_by_role("img", name="unread")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 900])
async def test_nothing_is_wider_than_the_page(office: Office, width: int) -> None:
    wide = "x" * 400
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": wide}]}
    blocks: list[dict[str, Any]] = [
        {"type": "rich_text", "elements": [code]},
        {"type": "section", "fields": [plain(wide), plain(wide)]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": wide}] * 3] * 2},
    ]
    async with office.page("U0ANA", "C0GENERAL") as page:
        ts = await office.post("C0GENERAL", wide, *blocks)
        await office.post("C0GENERAL", wide, thread_ts=ts)
        await page.set_viewport_size({"width": width, "height": 700})
        await message(page, ts).get_by_role("button", name="1 reply").click()
        await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("xxx")
        outside = """[...document.querySelectorAll('.message, .block, .pane, .composer')]
            .filter((node) => !node.matches('.table-frame') && node.scrollWidth > node.clientWidth + 1
                || node.getBoundingClientRect().right > innerWidth + 1)
            .map((node) => node.className)"""
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate(outside) == []


async def test_the_inspector_shows_the_recorded_traffic(office: Office) -> None:
    async with office.page("U0ANA", "C0GENERAL") as page:
        await page.get_by_role("button", name="Inspector").click()
        await page.locator(".traffic", has_text="chat.postMessage").first.click()
        await expect(page.locator(".traffic[open] pre").first).to_contain_text('"method": "chat.postMessage"')


async def test_the_first_screen_is_shown_until_it_is_dismissed(office: Office, tmp_path: Path) -> None:
    welcome = {"title": "Welcome", "paragraphs": ["You are <@U0ANA>."], "steps": ["Press *Modify*.", "<b>Look</b>"]}
    file = tmp_path / "welcome.json"
    file.write_text(json.dumps(welcome))
    async with SandboxProcess("--welcome", str(file)) as sandbox:
        welcomed = Office(sandbox=sandbox, browser=office.browser)
        async with welcomed.page("U0ANA", "C0APPROVALS") as page:
            panel = page.get_by_role("region", name="Welcome")
            await expect(panel).to_contain_text("You are @Ana Reyes.")
            await expect(panel.get_by_role("listitem").last).to_have_text("<b>Look</b>")
            await panel.get_by_role("button", name="Dismiss").click()
            await expect(panel).to_have_count(0)
            await page.reload()
            await expect(page.locator("[data-pane]")).to_be_visible()
            await expect(panel).to_have_count(0)
