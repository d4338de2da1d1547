"""Wires the listeners to Bolt: which payload goes to which of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import get_logger
from bot.slack import ids
from bot.slack.counted import Called, CountedClient
from bot.slack.desk import Desk
from bot.slack.hands import Hands
from bot.slack.pointing import Pointing
from bot.slack.talk import Talk

log = get_logger("signoff.slack")

API_SECONDS = 15
BUTTONS = re.compile(r"signoff\..*")
FORMS = re.compile(r"signoff\.form\..*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The app in its workspace, as ``auth.test`` told once at the start."""

    team_id: str
    bot_id: str
    bot_user_id: str


def web_client(
    token: str, base_url: str, session: aiohttp.ClientSession, *, called: Called | None = None
) -> AsyncWebClient:
    """A client that shares one session (a new one for each call costs a TLS connection) and never repeats a call.

    ``called`` is told the method and the outcome of each call.
    """
    client = CountedClient(token=token, base_url=base_url, session=session, timeout=API_SECONDS, retry_handlers=[])
    client.called = called
    return client


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who the app is. Raises what the client raises."""
    told = await client.auth_test()
    return Identity(team_id=str(told["team_id"]), bot_id=str(told["bot_id"]), bot_user_id=str(told["user_id"]))


def new_app(client: AsyncWebClient, identity: Identity) -> AsyncApp:
    """A Bolt app without listeners. Verification is the front's, or the socket's own; who it is, it knows unasked."""
    app = AsyncApp(
        name="signoff",  # without one Bolt looks through all modules for its caller's file: an eighth of a start
        client=AsyncWebClient(base_url=client.base_url, session=client.session),
        authorize=_always(identity, client.token or ""),
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
    )
    app.error(_unreadable)
    return app


async def _unreadable(error: Exception) -> BoltResponse:
    """The listeners answer for their own errors; what arrives here is a shape of payload that Slack never sends."""
    log.error("a payload from Slack could not be worked with", error=type(error).__name__)
    return BoltResponse(status=400)


def build_app(desk: Desk, identity: Identity) -> AsyncApp:
    """The Bolt app with everything that people can do to it."""
    app = new_app(desk.client, identity)
    talk, hands = Talk(desk), Hands(desk)
    app.action(BUTTONS)(hands.click)
    app.view(FORMS)(hands.submit)
    app.shortcut(ids.OPEN)(Pointing(desk).open)
    app.command("/approvals")(talk.approvals)
    app.command("/agent")(talk.agent)
    app.event("app_mention")(talk.mention)
    app.event("message")(talk.message)
    app.event("app_home_opened")(talk.home_opened)
    return app


def _always(identity: Identity, token: str) -> Callable[[], Awaitable[AuthorizeResult]]:
    """The answer to Bolt's question on whose behalf it works; asking Slack would cost a call for each click."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user_id,
            bot_token=token,
        )

    return authorize
