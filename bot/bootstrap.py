"""The only place that wires things: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.auditor import Auditor
from bot.clock import SteadyClock
from bot.courier import Courier
from bot.digests import Digests
from bot.gateway import Gateway
from bot.listening import listen_to_http, listen_to_slack, recognise
from bot.metrics import Metrics
from bot.pacing import Pace
from bot.settings import Settings, environment, require_slack
from bot.shelf import PolicyShelf
from bot.slack.afterwards import Afterwards
from bot.slack.delivery import SlackCarrier
from bot.slack.desk import Desk
from bot.slack.directory import Directory
from bot.slack.homes import Homes
from bot.slack.listeners import Identity, build_app, web_client
from bot.slack.looks import Looks
from bot.slack.open_forms import OpenForms
from bot.slack.response_urls import ResponseUrls
from bot.ticker import Ticker
from bot.waiting import Waiting
from bot.webhooks.deliveries import Deliveries
from bot.webhooks.sender import Sender
from policies.errors import Invalid
from policies.policy import Policy
from policies.scope import may_ask
from storage.store import Changed, Store
from storage.writer import OnChanged

if TYPE_CHECKING:
    from bot.agent.mcp_file import ServerAddress
    from bot.agent.tools import ToolBox

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """A running gateway. ``url`` is its own address; ``ended`` completes only where a part of it fell over."""

    url: str
    gateway: Gateway
    store: Store
    identity: Identity
    metrics: Metrics
    auditor: Auditor
    ticker: Ticker
    digests: Digests
    ended: asyncio.Future[Any]


@asynccontextmanager
async def serving(
    settings: Settings, policy: Policy, *, clock: Clock | None = None, pace: Pace | None = None
) -> AsyncIterator[Serving]:
    """Everything that ``signoff serve`` is, from the database to the listening port, for as long as the block lasts.

    ``clock`` (UTC) and ``pace`` (Slack's) are the machine's where none are given.
    """
    require_slack(settings)
    tools, servers = load_tools(settings), load_servers(settings)
    runner = tools is not None or servers is not None
    now, metrics = clock or SteadyClock(), Metrics()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = web_client(settings.bot_token, settings.slack_api, session, called=metrics.slack_call)
        identity = await recognise(client)
        homes = Homes(now)
        forms = OpenForms()
        on_changed = _each(metrics.changed, homes.changed, forms.changed)
        gateway = await _open_gateway(stack, settings, policy, now, identity, client, on_changed, metrics)
        await homes.restore(gateway.store)
        desk = _slack_desk(stack, settings, gateway, now, identity, client, session, homes, forms)
        app = build_app(desk, identity)
        connected = await listen_to_slack(stack, settings, app)
        auditor = Auditor(gateway, now, metrics, runs_driven=runner)
        sender = Sender(settings.webhook_networks)
        stack.callback(sender.close)
        url = await listen_to_http(stack, settings, app, gateway, now, connected, auditor.figures, sender)
        ticker = Ticker(gateway, now, jump=now.jump if isinstance(now, SteadyClock) else None, metrics=metrics)
        for hand in (ticker, auditor):
            hand.start()
            stack.callback(hand.stop)
        pace = pace or Pace()
        digests = Digests(gateway, desk.directory, desk.carrier, now, pace)
        courier = Courier(
            gateway.store,
            desk.carrier,
            gateway.waiting,
            now,
            pace=pace,
            metrics=metrics,
            least=settings.signoff_batch_from,
            post_digest=digests.post,
        )
        deliveries = Deliveries(gateway.store, sender, gateway.waiting, now, metrics=metrics)
        parts = [
            courier.run(),
            deliveries.run(),
            homes.keep(desk.show_home),
            forms.keep(desk.show_settled),
            digests.run(),
        ]
        if runner:
            parts.append(_runner(stack, settings, gateway, tools, servers or ()))
        ended = _run_together(stack, parts)
        yield Serving(
            url=url,
            gateway=gateway,
            store=gateway.store,
            identity=identity,
            metrics=metrics,
            auditor=auditor,
            ticker=ticker,
            digests=digests,
            ended=ended,
        )


async def _open_gateway(
    stack: AsyncExitStack,
    settings: Settings,
    policy: Policy,
    now: Clock,
    identity: Identity,
    client: AsyncWebClient,
    on_changed: OnChanged,
    metrics: Metrics,
) -> Gateway:
    waiting = Waiting()
    store = await Store.open(
        settings.database_url,
        workspace_id=identity.team_id,
        exclusive=True,
        on_commit=waiting.wake,
        on_changed=on_changed,
    )
    stack.push_async_callback(store.close)
    shelf = PolicyShelf(store, policy)
    await shelf.keep(now())
    # A directory of its own: who decides is looked up at the click, never taken from what opening a request learnt.
    people = _directory(client, now, identity, shelf)
    return Gateway(
        store,
        shelf,
        now,
        waiting,
        workspace_id=identity.team_id,
        people=people,
        environment=settings.signoff_environment,
        over_budget=metrics.over_budget,
    )


def _slack_desk(
    stack: AsyncExitStack,
    settings: Settings,
    gateway: Gateway,
    now: Clock,
    identity: Identity,
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    homes: Homes,
    forms: OpenForms,
) -> Desk:
    shelf = gateway.shelf
    directory = _directory(client, now, identity, shelf)
    looks = Looks(directory=directory, key=settings.secret_key, clock=now)
    urls = ResponseUrls(session, now, origins=(settings.slack_api_url,))
    afterwards = Afterwards()
    stack.push_async_callback(afterwards.drain)
    return Desk(
        gateway=gateway,
        directory=directory,
        looks=looks,
        carrier=SlackCarrier(client, directory, looks, urls, files=settings.signoff_files),
        client=client,
        response_urls=urls,
        afterwards=afterwards,
        homes=homes,
        forms=forms,
    )


def _each(*told: OnChanged) -> OnChanged:
    """Tells each of ``told`` what was committed."""

    def tell(changes: Sequence[Changed]) -> None:
        for one in told:
            one(changes)

    return tell


def _directory(client: AsyncWebClient, now: Clock, identity: Identity, shelf: PolicyShelf) -> Directory:
    return Directory(
        client,
        now,
        team_id=identity.team_id,
        usergroups=lambda: shelf.current.usergroups,
        channels=lambda: shelf.current.channels,
        bot=identity.bot_user_id,
    )


def load_tools(settings: Settings) -> ToolBox | None:
    """The runner's tools, found from the working directory too; None where no module is set."""
    if settings.signoff_tools is None:
        return None
    from bot.agent.tools import ToolBox, ToolsNotLoaded  # a gateway without a runner doesn't pay for it

    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        return ToolBox.load(settings.signoff_tools)
    except ToolsNotLoaded as error:
        raise Invalid(str(error)) from error


def load_servers(settings: Settings) -> tuple[ServerAddress, ...] | None:
    """The MCP servers whose tools the runner has, none of them reached yet; None where no file is set."""
    if settings.signoff_mcp is None:
        return None
    from bot.agent.mcp_file import read_servers

    if importlib.util.find_spec("mcp") is None:
        raise Invalid("SIGNOFF_MCP is set, so the gateway needs MCP's own package: pip install 'signoff-gateway[mcp]'.")
    return read_servers(settings.signoff_mcp, environment())


def _runner(
    stack: AsyncExitStack,
    settings: Settings,
    gateway: Gateway,
    tools: ToolBox | None,
    servers: Sequence[ServerAddress],
) -> Coroutine[Any, Any, None]:
    from bot.agent.kit import Kit
    from bot.agent.mcp_servers import McpServers
    from bot.agent.model import Model
    from bot.agent.runner import Runner
    from bot.agent.tools import ToolBox

    if settings.anthropic_api_key is None:
        which = "SIGNOFF_TOOLS" if tools is not None else "SIGNOFF_MCP"
        raise Invalid(f"{which} is set, so the runner needs ANTHROPIC_API_KEY for its model.")
    key = settings.anthropic_api_key.get_secret_value()
    model = Model(api_key=key, name=settings.signoff_model, base_url=settings.anthropic_base_url)
    stack.push_async_callback(model.close)

    def asks(tool: str) -> bool:
        return may_ask(gateway.shelf.current, tool)

    reached = McpServers(servers)
    stack.push_async_callback(reached.close)
    kit = Kit(
        gateway=gateway,
        store=gateway.store,
        waiting=gateway.waiting,
        tools=tools or ToolBox(),
        servers=reached,
        model=model,
        asks=asks,
    )
    return Runner(kit).run()


def _run_together(stack: AsyncExitStack, parts: list[Coroutine[Any, Any, None]]) -> asyncio.Future[Any]:
    """Start ``parts``; they are cancelled at the end. The future completes as soon as one of them ends by itself."""
    running = [asyncio.create_task(part) for part in parts]

    async def end() -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    stack.push_async_callback(end)
    ended = asyncio.ensure_future(asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))
    stack.callback(ended.cancel)
    return ended
