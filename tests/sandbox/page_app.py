"""A small approval app on stock slack-bolt and a browser before the page: what the tests of the page drive."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from slack_bolt.async_app import AsyncApp

from tests.sandbox.stock_app import actions, button, in_socket_mode, modal, plain, stock_app
from tests.sandbox.stock_app import field as form_field
from tests.sandbox_process import SandboxProcess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "there is no Chromium on this machine: install the package chromium"


def browser_tests(*, loop_scope: str = "module") -> list[pytest.MarkDecorator]:
    """The marks of a module that drives Chromium. Without one its tests are skipped; in CI (`CI` is set) they fail."""
    missing = CHROMIUM is None and not os.environ.get("CI")
    return [
        pytest.mark.browser,
        pytest.mark.skipif(missing, reason=NO_CHROMIUM),
        pytest.mark.asyncio(loop_scope=loop_scope),
    ]


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A headless Chromium, gone when the block ends."""
    if CHROMIUM is None:
        pytest.fail(NO_CHROMIUM)
    expect.set_options(timeout=20_000)  # a busy machine may be late
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def watched_page(browser: Browser, address: str, *, expected: str = "", **options: Any) -> AsyncIterator[Page]:
    """A page at an address. What the browser complains about fails the test, unless it contains `expected`."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    complaints: list[str] = []
    page = await context.new_page()
    page.set_default_timeout(30_000)
    page.on("console", lambda said: _note(said, complaints))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(address)
    await page.wait_for_selector("[data-pane]")
    try:
        yield page
    finally:
        await context.close()
    assert [said for said in complaints if not expected or expected not in said] == []


def option(value: str) -> dict[str, Any]:
    """A select's option whose label is its value."""
    return {"text": plain(value), "value": value}


def amount_form(*more: dict[str, Any]) -> dict[str, Any]:
    """A modal with an amount, a select that its app answers at once, and a button that opens another modal."""
    kinds = {"type": "static_select", "options": [option("full"), option("part")], "initial_option": option("full")}
    return modal(
        form_field("amount", {"type": "number_input", "is_decimal_allowed": True, "initial_value": "140.00"}),
        form_field("kind", {**kinds, "action_id": "kind"}, dispatch_action=True),
        actions(button("more"), block_id="inner"),
        *more,
        callback_id="amount",
    )


def boxes_form(said: str) -> dict[str, Any]:
    """A modal that says which of its boxes are ticked; its app draws it anew at each change."""
    ticks = {"type": "checkboxes", "action_id": "boxes", "options": [option("red"), option("green"), option("blue")]}
    return modal({"type": "section", "text": plain(said)}, actions(ticks, block_id="ticks"))


@dataclass(kw_only=True, slots=True)
class Office:
    """The running sandbox, the app behind it and the browser before it."""

    sandbox: SandboxProcess
    browser: Browser
    clicked: list[str] = field(default_factory=list)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)

    async def post(self, channel: str, text: str, *blocks: dict[str, Any], **rest: Any) -> str:
        """Post as the app; answers the message's ts."""
        body = {"channel": channel, "text": text, **({"blocks": list(blocks)} if blocks else {}), **rest}
        answer = await self.sandbox.api("chat.postMessage", body)
        assert answer["ok"], answer
        return str(answer["ts"])

    @asynccontextmanager
    async def page(self, person: str, channel: str, **options: Any) -> AsyncIterator[Page]:
        """The page of one person at one place. Whatever the browser complains about fails the test; no modal stays."""
        address = f"{self.sandbox.url}/#as={person}&channel={channel}"
        async with watched_page(self.browser, address, **options) as page:
            try:
                yield page
            finally:
                for view in (await self.sandbox.people.views(person))[:1]:
                    await self.sandbox.people.close(person, view["id"], clear=True)


def _note(said: ConsoleMessage, complaints: list[str]) -> None:
    if said.type in ("error", "warning"):
        complaints.append(said.text)


@asynccontextmanager
async def open_office() -> AsyncIterator[Office]:
    """Everything started, and gone when the block ends."""
    async with SandboxProcess() as sandbox, open_browser() as browser:
        office = Office(sandbox=sandbox, browser=browser)
        async with in_socket_mode(sandbox, _approval_app(office)):
            yield office


def _approval_app(office: Office) -> AsyncApp:
    app = stock_app(office.sandbox)
    _add_buttons(app, office)
    _add_form(app, office)

    @app.command("/approvals")
    async def approvals(ack: Any) -> None:
        await ack("Nothing waits for you.")

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: Any) -> None:
        blocks = [{"type": "header", "text": plain("Waiting for you")}, actions(button("approve_home"))]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.event("app_mention")
    async def mention(event: dict[str, Any], client: Any) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="On my way.")

    return app


def _add_buttons(app: AsyncApp, office: Office) -> None:
    @app.action("approve")
    async def approve(ack: Any, body: dict[str, Any], client: Any) -> None:
        office.clicked.append("approve")
        await ack()
        text = f"Approved by <@{body['user']['id']}>"
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text=text)

    @app.action("approve_home")
    async def approve_home(ack: Any) -> None:
        office.clicked.append("approve_home")
        await ack()

    @app.action("modify")
    async def modify(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=amount_form())
        await ack()

    @app.action("more")
    async def more(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        text = {"type": "section", "text": plain("All there is to see")}
        view = {"type": "modal", "title": plain("Everything"), "close": plain("Back"), "blocks": [text]}
        await client.views_push(trigger_id=body["trigger_id"], view=view)

    @app.action("kind")
    async def kind(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        why = form_field("why", {"type": "plain_text_input", "multiline": True})
        await client.views_update(view_id=body["view"]["id"], view=amount_form(why))

    @app.action("boxes")
    async def boxes(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        ticked = body["actions"][0]["selected_options"]
        await client.views_update(view_id=body["view"]["id"], view=boxes_form(f"Ticked: {len(ticked)}"))


def _add_form(app: AsyncApp, office: Office) -> None:
    @app.view("amount")
    async def amount(ack: Any, body: dict[str, Any]) -> None:
        values = body["view"]["state"]["values"]
        if float(values["amount"]["value"]["value"]) > 500:
            await ack(response_action="errors", errors={"amount": "At most 500."})
            return
        office.submitted.append(values)
        await ack()

    @app.options("fruit")
    async def fruit(ack: Any, payload: dict[str, Any]) -> None:
        await ack(options=[option(name) for name in ("apple", "apricot", "pear") if payload["value"] in name])

    @app.action("open_form")
    async def open_form(ack: Any, body: dict[str, Any], client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=office.form)
        await ack()

    @app.view("everything")
    async def everything(ack: Any, body: dict[str, Any]) -> None:
        office.submitted.append(body["view"]["state"]["values"])
        await ack()
