"""A plain slack-bolt app, nothing of the gateway: what any Slack developer would point at the sandbox."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox_process import SandboxProcess


def plain(text: str) -> dict[str, Any]:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def button(action_id: str, **rest: Any) -> dict[str, Any]:
    """A button."""
    return {"type": "button", "text": plain(action_id), "action_id": action_id, **rest}


def actions(*elements: dict[str, Any], block_id: str = "buttons") -> dict[str, Any]:
    """An actions block."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def field(block_id: str, element: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """An input block whose element is called `value`."""
    inner = {"action_id": "value", **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": inner, **rest}


def modal(*blocks: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A modal with a submit button."""
    return {"type": "modal", "title": plain("Form"), "submit": plain("Send"), "blocks": list(blocks), **rest}


def text_input(**rest: Any) -> dict[str, Any]:
    """A plain text input."""
    return {"type": "plain_text_input", **rest}


def stock_app(sandbox: SandboxProcess) -> AsyncApp:
    """An app for this sandbox, by tokens and address alone."""
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    secret = sandbox.signing_secret
    return AsyncApp(name="stock", client=client, signing_secret=secret, raise_error_for_unhandled_request=False)


@asynccontextmanager
async def in_socket_mode(sandbox: SandboxProcess, app: AsyncApp) -> AsyncIterator[None]:
    """The app connected by Socket Mode."""
    web_client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    handler: Any = AsyncSocketModeHandler(app, sandbox.app_token, web_client=web_client)
    await handler.connect_async()
    await sandbox.control.connected()
    try:
        yield
    finally:
        await handler.close_async()
        await asyncio.sleep(0)


@asynccontextmanager
async def over_http(sandbox: SandboxProcess, app: AsyncApp) -> AsyncIterator[str]:
    """The app on a port of its own, known to the sandbox as the request URL."""
    runner = web.AppRunner(app.web_app("/slack/events", 0), access_log=None)
    await runner.setup()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site = web.SockSite(runner, free)
        await site.start()
        url = f"http://127.0.0.1:{free.getsockname()[1]}/slack/events"
        await sandbox.control.app(mode="http", request_url=url)
        try:
            yield url
        finally:
            await runner.cleanup()
