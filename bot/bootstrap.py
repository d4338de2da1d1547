"""The only place that wires things: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent.errand import Kit
from bot.agent.model import Model
from bot.agent.runner import Runner
from bot.agent.tools import ToolBox, ToolsNotLoaded
from bot.api.routes import add_routes
from bot.clock import SteadyClock
from bot.courier import Courier
from bot.gateway import Gateway
from bot.settings import Settings, require_slack
from bot.shelf import PolicyShelf
from bot.slack.afterwards import Afterwards
from bot.slack.delivery import SlackCarrier
from bot.slack.desk import Desk
from bot.slack.directory import Directory
from bot.slack.front import Front, Seen
from bot.slack.listeners import Identity, build_app, identify, web_client
from bot.slack.looks import Looks
from bot.slack.response_urls import ResponseUrls
from bot.ticker import Ticker
from bot.waiting import Waiting
from policies.errors import Invalid, Unavailable
from policies.policy import Policy
from policies.scope import may_ask
from storage.store import Store

log = structlog.get_logger("signoff")

SLACK_PAUSE = 2.0
"""Seconds between two attempts to reach Slack at the start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """A running gateway. ``url`` is its own address; ``ended`` completes only where a part of it fell over."""

    url: str
    gateway: Gateway
    store: Store
    identity: Identity
    ended: asyncio.Future[Any]


@asynccontextmanager
async def serving(
    settings: Settings, policy: Policy, *, clock: Callable[[], datetime] | None = None
) -> AsyncIterator[Serving]:
    """Everything that ``signoff serve`` is, from the database to the listening port, for as long as the block lasts."""
    require_slack(settings)
    tools = load_tools(settings)
    now = clock or SteadyClock()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
        client = web_client(token, _base(settings), session)
        identity = await recognise(client)
        waiting = Waiting()
        store = await Store.open(
            settings.database_url, workspace_id=identity.team_id, exclusive=True, on_commit=waiting.wake
        )
        stack.push_async_callback(store.close)
        shelf = PolicyShelf(store, policy)
        await shelf.keep(now())
        gateway = Gateway(store, shelf, now, waiting, workspace_id=identity.team_id)
        directory = Directory(client, now, team_id=identity.team_id, usergroups=lambda: shelf.current.usergroups)
        looks = Looks(directory=directory, key=settings.secret_key, clock=now)
        urls = ResponseUrls(session, now, origins=(settings.slack_api_url,))
        carrier = SlackCarrier(client, directory, looks, urls)
        afterwards = Afterwards()
        stack.push_async_callback(afterwards.drain)
        desk = Desk(
            gateway=gateway,
            directory=directory,
            looks=looks,
            carrier=carrier,
            client=client,
            response_urls=urls,
            afterwards=afterwards,
        )
        app = build_app(desk, identity)
        connected = await _listen_to_slack(stack, settings, app, client)
        url = await _listen_to_http(stack, settings, app, gateway, store, now, connected)
        ticker = Ticker(gateway, now)
        ticker.start()
        stack.callback(ticker.stop)
        parts = [Courier(store, carrier, waiting, now).run()]
        if tools is not None:
            model = _model(settings)
            stack.push_async_callback(model.close)
            asks = lambda tool: may_ask(shelf.current, tool)  # noqa: E731 - reads the policy in force at each call
            parts.append(
                Runner(Kit(gateway=gateway, store=store, waiting=waiting, tools=tools, model=model, asks=asks)).run()
            )
        running = [asyncio.create_task(part) for part in parts]
        stack.push_async_callback(_end, running)
        ended = asyncio.ensure_future(asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))
        stack.callback(ended.cancel)
        yield Serving(url=url, gateway=gateway, store=store, identity=identity, ended=ended)


async def recognise(client: AsyncWebClient) -> Identity:
    """Who we are, by ``auth.test``; waits for a Slack that can't be reached, refuses a token that isn't valid."""
    while True:
        try:
            return await identify(client)
        except SlackApiError as error:
            if error.response.status_code < 500 and error.response.status_code != 429:
                name = error.response.get("error")
                raise Invalid(f"Slack refuses SLACK_BOT_TOKEN ({name}). Copy it again from your app's page.") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            log.warning("Slack can't be reached yet", why=type(error).__name__)
        await asyncio.sleep(SLACK_PAUSE)


def load_tools(settings: Settings) -> ToolBox | None:
    """The runner's tools, found from the working directory too; None where no module is set."""
    if settings.signoff_tools is None:
        return None
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        return ToolBox.load(settings.signoff_tools)
    except ToolsNotLoaded as error:
        raise Invalid(str(error)) from error


def _model(settings: Settings) -> Model:
    if settings.anthropic_api_key is None:
        raise Invalid("SIGNOFF_TOOLS is set, so the runner needs ANTHROPIC_API_KEY for its model.")
    return Model(
        api_key=settings.anthropic_api_key.get_secret_value(),
        name=settings.signoff_model,
        base_url=settings.anthropic_base_url,
    )


def _base(settings: Settings) -> str:
    return settings.slack_api_url if settings.slack_api_url.endswith("/") else f"{settings.slack_api_url}/"


async def _listen_to_slack(
    stack: AsyncExitStack, settings: Settings, app: AsyncApp, client: AsyncWebClient
) -> Callable[[], Any]:
    """Connect by Socket Mode where an app token is set. Returns what tells whether Slack can reach us."""
    if settings.slack_app_token is None:
        return _always
    token = settings.slack_app_token.get_secret_value()
    handler = AsyncSocketModeHandler(
        app, token, web_client=AsyncWebClient(token=token, base_url=_base(settings), timeout=10)
    )
    stack.push_async_callback(handler.close_async)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        raise Invalid(
            f"Slack refuses SLACK_APP_TOKEN ({error.response.get('error')}). It must be an app-level token (xapp-…) "
            "with the scope connections:write."
        ) from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"Slack's Socket Mode can't be reached ({type(error).__name__}). Start again.") from None
    return handler.client.is_connected


async def _always() -> bool:
    return True


async def _listen_to_http(
    stack: AsyncExitStack,
    settings: Settings,
    app: AsyncApp,
    gateway: Gateway,
    store: Store,
    clock: Callable[[], datetime],
    connected: Callable[[], Any],
) -> str:
    async def missing() -> tuple[str, ...]:
        faults = () if await connected() else ("Slack is not connected",)
        try:
            await store.next_due()
        except Unavailable as error:
            return (*faults, error.words)
        return faults

    served = web.Application(client_max_size=1024 * 1024)
    add_routes(served, gateway, store, clock, ready=missing)
    if settings.slack_app_token is None and settings.slack_signing_secret is not None:
        secret = settings.slack_signing_secret.get_secret_value()
        front = Front(app=app, secret=secret, clock=clock, seen=Seen())
        served.router.add_post("/slack/events", front.events)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.signoff_host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise Invalid(
            f"Port {settings.port} on {settings.signoff_host} can't be used ({error.strerror}). Choose another: --port."
        ) from None
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
