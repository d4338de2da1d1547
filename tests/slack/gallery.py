"""``python -m tests.slack.gallery``: whatever people see, each state once, in a local workspace to look at.

The same samples as the golden files: cards and notes stand in channels of their kinds, each under its name; in
``#forms`` a button opens each form and shows each Home. ``--shots FOLDER`` takes a picture of each, light and dark,
puts some of them together in ``some.png``, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.carrier import WholeFile
from bot.slack.views.card import card
from bot.slack.views.look import Message
from bot.slack.views.whole import whole_file
from tests.sandbox.page_app import open_browser, watched_page
from tests.sandbox.stock_app import actions, button, in_socket_mode, stock_app
from tests.sandbox_process import SandboxProcess
from tests.slack import test_batch, test_cards, test_digest_view, test_forms, test_grant_views
from tests.slack.samples import LOOK, PLACES

VIEWER, FORMS, REST = "U0ANA", "forms", "settled"
KINDS = ("pending", "asking", "answered", "guessed", "note", "grant", "batch", "digest")
IN_A_ROW = 5
SOME = {
    "light": ("pending_headline", "batch_same", "form_view_manual", "pending_mail", "digest", "form_modify", "asking"),
    "dark": ("pending_by_groups", "form_delegate", "pending_diff", "pending_cut"),
}
SHEET = """<!doctype html><style>
main { columns: 3; width: 1500px; padding: 16px; column-gap: 16px; background: #888 }
img { width: 100%; margin-bottom: 16px; border-radius: 8px }
</style>"""
DRAWN = """count => new Set(
  [...document.querySelectorAll(".home-body [data-block-id]")].map((block) => block.dataset.blockId)
).size === count"""


def messages() -> dict[str, Message]:
    """Every card and note by its golden file's name."""
    cards = {name: card(request, LOOK) for name, request in PLACES.items()}
    notes = {**test_cards.NOTES, **test_grant_views.NOTES}
    return {**cards, **notes, **test_batch.BATCHES, **test_digest_view.DIGESTS}


def views() -> dict[str, dict[str, Any]]:
    """Every modal and Home by its golden file's name."""
    return {**test_forms.FORMS, **test_grant_views.FORMS, **test_batch.FORMS, **test_digest_view.FORMS}


@asynccontextmanager
async def gallery(*arguments: str) -> AsyncIterator[SandboxProcess]:
    """The workspace with everything in it. Raises ``AssertionError`` where the workspace refuses a payload."""
    async with SandboxProcess(*arguments) as sandbox:
        app = stock_app(sandbox)

        @app.action(re.compile("show:.*"))
        async def show(ack: Any, action: dict[str, Any], body: dict[str, Any], client: Any) -> None:
            view = views()[action["value"]]
            if view["type"] == "home":
                await client.views_publish(user_id=body["user"]["id"], view=view)
            else:
                await client.views_open(trigger_id=body["trigger_id"], view=view)
            await ack()

        @app.event("app_home_opened")
        async def opened() -> None:
            """Homes are shown by their buttons."""

        @app.action(re.compile("signoff.*"))
        async def pressed(ack: Any) -> None:
            await ack()

        async with in_socket_mode(sandbox, app):
            await _hang(sandbox)
            yield sandbox


def _channel(name: str) -> str:
    """Where a message stands: beside others of its kind, so that a channel's page holds them all."""
    kind = name.split("_")[0]
    return channel_id(kind if kind in KINDS else REST)


def channel_id(kind: str) -> str:
    """The id of the channel where messages of a kind (or the forms) stand."""
    return f"C0{kind.upper()}"


async def _hang(sandbox: SandboxProcess) -> None:
    people = list((await sandbox.people.workspace(VIEWER))["people"])
    for kind in (*KINDS, REST, FORMS):
        everybody = [one["id"] for one in people]
        await sandbox.control.channel(channel_id(kind), name=kind, topic="Gallery", members=everybody)
    for name, message in messages().items():
        await _post(sandbox, _channel(name), text=f"`{name}`")
        ts = await _post(sandbox, _channel(name), text=message.text, blocks=list(message.blocks))
        if message.cut and name in PLACES:
            await _attach(sandbox, _channel(name), ts, whole_file(PLACES[name], LOOK))
    names = list(views())
    for start in range(0, len(names), IN_A_ROW):
        row = [button(f"show:{name}", value=name) for name in names[start : start + IN_A_ROW]]
        await _post(sandbox, channel_id(FORMS), text="Forms and Homes", blocks=[actions(*row)])


async def _post(sandbox: SandboxProcess, channel: str, **message: Any) -> str:
    """Post a message; where it stands in the channel."""
    answer = await sandbox.api("chat.postMessage", {"channel": channel, **message})
    assert answer["ok"], answer
    return str(answer["ts"])


async def _attach(sandbox: SandboxProcess, channel: str, ts: str, file: WholeFile) -> None:
    """Put what a card can't show beside it."""
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    await client.files_upload_v2(
        channel=channel, thread_ts=ts, content=file.text, filename=file.name, initial_comment=file.comment
    )


async def shoot(sandbox: SandboxProcess, folder: Path) -> None:
    """A picture of everything as ``<name>-<light or dark>.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    async with open_browser() as browser:
        for scheme in ("light", "dark"):
            size = {"width": 1100, "height": 1500}
            at = f"{sandbox.url}/#as={VIEWER}&channel={channel_id(FORMS)}"
            async with watched_page(browser, at, color_scheme=scheme, viewport=size) as page:
                await _shoot_views(page, folder, scheme)
                for name in messages():
                    await _go(page, _channel(name))
                    await page.mouse.move(0, 0)
                    await _under(page, name).screenshot(path=folder / f"{name}-{scheme}.png")
        await _put_together(browser, folder)


async def _put_together(browser: Browser, folder: Path) -> None:
    images = [f'<img src="{name}-{scheme}.png">' for scheme, names in SOME.items() for name in names]
    (folder / "some.html").write_text(f"{SHEET}<main>{''.join(images)}</main>", encoding="utf-8")
    page = await browser.new_page(viewport={"width": 1550, "height": 900})
    await page.goto((folder / "some.html").absolute().as_uri())
    await page.locator("main").screenshot(path=folder / "some.png")


async def _go(page: Page, channel: str) -> None:
    await page.evaluate("place => { location.hash = place }", f"#as={VIEWER}&channel={channel}")


def _under(page: Page, name: str) -> Locator:
    """The message below the one that says this name."""
    label = page.locator(".message-row").filter(has=page.get_by_text(name, exact=True))
    return label.locator("xpath=following-sibling::*[1]")


async def _shoot_views(page: Page, folder: Path, scheme: str) -> None:
    for name, view in views().items():
        picture = folder / f"{name}-{scheme}.png"
        await page.locator(f'[data-action-id="show:{name}"]').click()
        if view["type"] == "home":
            await _shoot_home(page, view, picture)
            continue
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await dialog.screenshot(path=picture)
        await dialog.locator('[data-modal="clear"]').click()
        await expect(dialog).to_be_hidden()


async def _shoot_home(page: Page, view: dict[str, Any], picture: Path) -> None:
    await _go(page, "home")
    await page.wait_for_function(DRAWN, arg=len(view["blocks"]))
    await page.locator(".home-body").screenshot(path=picture)
    await _go(page, channel_id(FORMS))


async def main() -> None:
    """Hang everything up; then wait for the end, or take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.slack.gallery", description="Everything that people see.")
    parser.add_argument("--shots", type=Path, metavar="FOLDER", help="take a picture of each, and end")
    options = parser.parse_args()
    async with gallery() as sandbox:
        if options.shots:
            await shoot(sandbox, options.shots)
            return
        print(f"{sandbox.url}/#as={VIEWER}&channel={channel_id(KINDS[0])} (forms: #forms; Control and C ends it)")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
