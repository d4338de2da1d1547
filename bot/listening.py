"""The two doors: Slack's (Socket Mode, or signed HTTP) and the HTTP API's, on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.api.health import Figures, Ready
from bot.api.routes import add_routes
from bot.gateway import Gateway
from bot.logs import get_logger
from bot.settings import Settings
from bot.slack.front import Front, Seen
from bot.slack.listeners import Identity, identify
from bot.webhooks.sender import Sender
from policies.errors import Invalid, Unavailable
from storage.store import Store

log = get_logger("signoff")

PAUSE = 2.0
"""Seconds between two attempts to reach Slack at the start."""

UNREACHED = (TimeoutError, aiohttp.ClientError, OSError)
Connected = Callable[[], Awaitable[bool]]


async def recognise(client: AsyncWebClient) -> Identity:
    """Who we are, by ``auth.test``; waits for a Slack that can't be reached, refuses a token that isn't valid."""
    while True:
        try:
            return await identify(client)
        except SlackApiError as error:
            if error.response.status_code < 500 and error.response.status_code != 429:
                name = error.response.get("error")
                raise Invalid(f"Slack refuses SLACK_BOT_TOKEN ({name}). Copy it again from your app's page.") from None
        except UNREACHED as error:
            log.warning("Slack can't be reached yet", why=type(error).__name__)
        await asyncio.sleep(PAUSE)


async def listen_to_slack(stack: AsyncExitStack, settings: Settings, app: AsyncApp) -> Connected:
    """Connect by Socket Mode where an app token is set. Returns what tells whether Slack can reach us."""
    if settings.slack_app_token is None:
        return _always
    token = settings.slack_app_token.get_secret_value()
    client = AsyncWebClient(token=token, base_url=settings.slack_api, timeout=10)
    handler = AsyncSocketModeHandler(app, token, web_client=client)
    stack.push_async_callback(handler.close_async)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        raise Invalid(
            f"Slack refuses SLACK_APP_TOKEN ({error.response.get('error')}). It must be an app-level token (xapp-…) "
            "with the scope connections:write."
        ) from None
    except UNREACHED as error:
        raise Unavailable(f"Slack's Socket Mode can't be reached ({type(error).__name__}). Start again.") from None
    return handler.client.is_connected


async def _always() -> bool:
    return True


def wall_clock() -> datetime:
    """The machine's own time, in UTC: Slack's stamps are compared with it, and follow it when it is set right."""
    return datetime.now(UTC)


def readiness(store: Store, connected: Connected) -> Ready:
    """What keeps the gateway from deciding now: Slack that isn't connected, a database that doesn't answer."""

    async def missing() -> tuple[str, ...]:
        faults = () if await connected() else ("Slack is not connected",)
        try:
            await store.next_due()
        except Unavailable:
            return (*faults, "the database does not answer")
        return faults

    return missing


async def listen_to_http(
    stack: AsyncExitStack,
    settings: Settings,
    app: AsyncApp,
    gateway: Gateway,
    clock: Callable[[], datetime],
    connected: Connected,
    figures: Figures,
    sender: Sender,
) -> str:
    """Serve the HTTP API, and where Slack comes by HTTP its door as well. Returns the address."""
    served = web.Application(client_max_size=1024 * 1024)
    ready = readiness(gateway.store, connected)
    add_routes(served, gateway, gateway.store, clock, ready=ready, figures=figures, sender=sender)
    if settings.slack_app_token is None and settings.slack_signing_secret is not None:
        secret = settings.slack_signing_secret.get_secret_value()
        served.router.add_post("/slack/events", Front(app=app, secret=secret, clock=wall_clock, seen=Seen()).events)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, settings.signoff_host, settings.port).start()
    except OSError as error:
        place = f"Port {settings.port} on {settings.signoff_host}"
        raise Invalid(f"{place} can't be used ({error.strerror}). Choose another: --port.") from None
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
