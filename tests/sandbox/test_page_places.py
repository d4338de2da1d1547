"""Finding one's way on the page: permalinks, the drawer of a phone, group messages, shortcuts, a lost connection."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.sandbox.page_app import Office, browser_tests, open_browser, open_office, option, watched_page
from tests.sandbox.stock_app import actions, button, plain
from tests.sandbox_process import ROOT, SandboxProcess

pytestmark = browser_tests()

PAGE = ROOT / "sandbox" / "page"
MODULES = sorted(path.name for path in PAGE.glob("*.js"))
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened


async def permalink(office: Office, channel: str, ts: str) -> str:
    answer = await office.sandbox.api("chat.getPermalink", {"channel": channel, "message_ts": ts})
    return str(answer["permalink"])


async def test_every_module_of_the_page_loads_by_itself(office: Office) -> None:
    async with office.page("U0ANA", "C0GENERAL") as page:
        for name in MODULES:
            await page.evaluate("name => import(`/page/${name}`)", name)


async def test_every_module_says_what_it_is_for_and_none_reaches_outside() -> None:
    for name in MODULES:
        text = (PAGE / name).read_text()
        assert text.startswith("// "), name
        assert "innerHTML" not in text, name
        assert "eval(" not in text, name
        assert all(line.split('from "')[1].startswith("./") for line in text.splitlines() if ' from "' in line), name


async def test_the_address_alone_opens_the_workspace_for_its_first_person(office: Office) -> None:
    async with watched_page(office.browser, f"{office.sandbox.url}/") as page:
        await expect(page.get_by_label("Acting as")).to_have_value("U0ANA")
        await expect(page.get_by_role("heading", name="approvals")).to_be_visible()


async def test_a_permalink_leads_to_a_message_however_far_up(office: Office) -> None:
    ts = await office.post("C0FINANCE", "the one that is meant")
    for number in range(130):
        await office.post("C0FINANCE", f"later {number}")
    async with watched_page(office.browser, await permalink(office, "C0FINANCE", ts)) as page:
        pointed = page.locator(".message.pointed")
        await expect(pointed).to_contain_text("the one that is meant")
        await expect(pointed).to_be_in_viewport()


async def test_a_permalink_to_a_reply_opens_its_thread(office: Office) -> None:
    parent = await office.post("C0AGENTS", "the errand")
    reply = await office.post("C0AGENTS", "the reply that is meant", thread_ts=parent)
    async with watched_page(office.browser, await permalink(office, "C0AGENTS", reply)) as page:
        thread = page.get_by_role("complementary", name="Thread")
        await expect(thread.locator(".message.pointed")).to_contain_text("the reply that is meant")


async def test_a_copied_link_leads_back_to_the_message(office: Office) -> None:
    rights = {"permissions": ["clipboard-read", "clipboard-write"]}
    async with office.page("U0ANA", "C0AGENTS", **rights) as page:
        ts = await office.post("C0AGENTS", "worth sharing")
        message = page.locator(f'.message[data-ts="{ts}"]')
        await message.hover()
        await message.get_by_role("button", name="Message actions").click()
        await page.get_by_role("menuitem", name="Copy link").click()
        await expect(page.locator(".toast")).to_contain_text("Link copied")
        assert await page.evaluate("navigator.clipboard.readText()") == await permalink(office, "C0AGENTS", ts)


async def test_on_a_phone_the_conversations_are_a_drawer(office: Office) -> None:
    async with office.page("U0ANA", "C0APPROVALS", **PHONE) as page:
        sidebar = page.get_by_role("navigation", name="Conversations")
        toggle = page.get_by_role("button", name="Conversations", exact=True)
        await expect(sidebar).not_to_be_visible()
        await toggle.click()
        await expect(sidebar.locator(".place.here")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(sidebar).not_to_be_visible()
        await expect(toggle).to_be_focused()
        await toggle.click()
        await page.locator("[data-channel=C0GENERAL]").click()
        await expect(sidebar).not_to_be_visible()
        await expect(page.get_by_role("heading", name="general")).to_be_visible()


async def test_on_a_phone_a_modal_fills_the_screen_and_nothing_is_wider_than_it(office: Office) -> None:
    wide = "x" * 300
    async with office.page("U0ANA", "C0APPROVALS", **PHONE) as page:
        fields = {"type": "section", "fields": [plain(wide[:90]), plain("b")]}
        ts = await office.post("C0APPROVALS", wide, fields, actions(button("modify"), button("approve")))
        await page.locator(f'.message[data-ts="{ts}"]').get_by_role("button", name="modify").click()
        box = await page.get_by_role("dialog", name="Form").bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (390, 844)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        outside = (
            "[...document.querySelectorAll('.pane *')].filter((one) => one.getBoundingClientRect().right > 391).length"
        )
        assert await page.evaluate(outside) == 0


async def test_an_overflow_menu_lies_above_everything_and_sends_what_was_chosen(office: Office) -> None:
    menu = {"type": "overflow", "action_id": "nothing", "options": [option("explain"), option("snooze")]}
    async with office.page("U0ANA", "C0APPROVALS") as page:
        ts = await office.post("C0APPROVALS", "card", actions(menu))
        toggle = page.locator(f'.message[data-ts="{ts}"]').get_by_role("button", name="More actions")
        await toggle.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem", name="explain")).to_be_focused()
        await expect(page.get_by_role("menuitem", name="snooze")).to_be_in_viewport(ratio=1)
        await page.keyboard.press("Escape")
        await expect(toggle).to_be_focused()
        since = len(await office.sandbox.control.record())
        await page.keyboard.press("Enter")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(toggle).to_have_attribute("aria-busy", "true")
        sent = [call for call in await office.sandbox.control.record(since) if call["direction"] == "out"]
        assert [_chosen(call) for call in sent] == ["snooze"]


def _chosen(call: dict[str, Any]) -> str:
    payload = call["body"].get("payload", call["body"])
    return str(payload["actions"][0]["selected_option"]["value"])


async def test_shortcuts_of_the_app_are_offered_on_messages_and_beside_the_composer(
    office: Office, tmp_path: Path
) -> None:
    lines = (
        (ROOT / "sandbox" / "workspace.yml")
        .read_text()
        .replace(
            "    - {callback_id: signoff.open, name: Open in Signoff, type: message}\n",
            "    - {callback_id: ask, name: Ask an agent about this, type: message}\n"
            "    - {callback_id: start, name: Start an agent, type: global}\n",
            1,
        )
    )
    file = tmp_path / "workspace.yml"
    file.write_text(lines)
    async with SandboxProcess("--workspace", str(file)) as sandbox:
        offered = Office(sandbox=sandbox, browser=office.browser)
        async with offered.page("U0ANA", "C0GENERAL") as page:
            ts = await offered.post("C0GENERAL", "look at this")
            message = page.locator(f'.message[data-ts="{ts}"]')
            await message.hover()
            await message.get_by_role("button", name="Message actions").click()
            await page.get_by_role("menuitem", name="Ask an agent about this").click()
            await expect(page.locator(".toast")).to_contain_text("The app is not connected")
            await page.get_by_role("button", name="Shortcuts").click()
            await expect(page.get_by_role("menuitem", name="Start an agent")).to_be_visible()


async def test_a_status_stands_beside_its_persons_name(office: Office) -> None:
    await office.sandbox.control.person("U0BEN", status_text="On holiday", status_emoji=":palm_tree:")
    async with office.page("U0ANA", "C0GENERAL") as page:
        await office.sandbox.people.say("U0BEN", "C0GENERAL", "Back on Monday")
        message = page.locator(".message", has_text="Back on Monday")
        await expect(message.get_by_role("img", name="status: On holiday")).to_have_text("🌴")
        await expect(page.locator("option[value=U0BEN]")).to_contain_text("🌴 On holiday")


async def test_a_group_message_is_called_by_the_others_in_it(office: Office) -> None:
    await office.sandbox.control.app(scopes=["mpim:write", "im:write", "chat:write"])
    opened = await office.sandbox.api("conversations.open", {"users": "U0ANA,U0BEN"})
    async with office.page("U0ANA", "C0GENERAL") as page:
        await page.locator(f"[data-channel={opened['channel']['id']}]").click()
        await expect(page.get_by_role("heading", name="Ben Okafor, Signoff")).to_be_visible()


async def test_a_lost_connection_is_said_and_what_was_missed_is_caught_up_with() -> None:
    async with open_browser() as browser:
        first = SandboxProcess().start()
        port = first.url.rsplit(":", 1)[1]
        async with watched_page(browser, f"{first.url}/#as=U0ANA&channel=C0GENERAL", expected="ERR_") as page:
            lost = page.get_by_text("The connection to the workspace is lost")
            await expect(lost).to_have_count(0)
            await first.aclose()
            first.stop()
            await expect(lost).to_be_visible()
            async with SandboxProcess("--port", port) as again:
                await Office(sandbox=again, browser=browser).post("C0GENERAL", "while you were away")
                await expect(page.get_by_text("while you were away")).to_be_visible(timeout=15_000)
                await expect(lost).to_have_count(0)


async def test_deleting_a_reply_is_counted_and_arrow_keys_walk_the_messages(office: Office) -> None:
    async with office.page("U0ANA", "C0AGENTS") as page:
        await office.post("C0AGENTS", "the message before")
        parent = await office.post("C0AGENTS", "an errand with replies")
        replies = [await office.post("C0AGENTS", f"reply {number}", thread_ts=parent) for number in range(2)]
        message = page.locator(f'.message[data-ts="{parent}"]')
        await expect(message.get_by_role("button", name="2 replies")).to_be_visible()
        await office.sandbox.api("chat.delete", {"channel": "C0AGENTS", "ts": replies[0]})
        await expect(message.get_by_role("button", name="1 reply")).to_be_visible()
        await message.focus()
        await page.keyboard.press("ArrowUp")
        await expect(message).not_to_be_focused()
        await page.keyboard.press("ArrowDown")
        await expect(message).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(office: Office, scheme: str) -> None:
    async with office.page("U0ANA", "C0APPROVALS", color_scheme=scheme) as page:
        await office.post("C0APPROVALS", "card", actions(button("approve", style="primary")))
        for name, ground in [
            ("--ink", "--ground"),
            ("--ink-soft", "--ground"),
            ("--link", "--ground"),
            ("--primary-ink", "--primary"),
            ("--danger-ink", "--danger"),
            ("--ink-soft", "--sunken"),
        ]:
            assert await page.evaluate(CONTRAST, [name, ground]) >= 4.5, (name, ground)


CONTRAST = """([ink, ground]) => {
    const style = getComputedStyle(document.documentElement);
    const light = (name) => {
        const hex = style.getPropertyValue(name).trim().slice(1);
        const parts = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
        const [r, g, b] = parts.map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""
