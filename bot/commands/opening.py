"""Settings, log and store for a command that runs beside a serving gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings, load_settings
from policies.errors import Invalid, Unavailable
from storage.store import Store, workspaces

SECONDS = 10
NOBODY = ""
"""The workspace of a database that has served none."""


@asynccontextmanager
async def open_store() -> AsyncIterator[tuple[Store, Settings]]:
    """The store of ``DATABASE_URL`` for a short look or change; never the one that serves."""
    settings = load_settings()
    store = await Store.open(settings.database_url, workspace_id=await workspace_of(settings))
    try:
        yield store, settings
    finally:
        await store.close()


async def workspace_of(settings: Settings) -> str:
    """The workspace whose rows ``serve`` reads and writes: as the database says, or for a new one as Slack does.

    A new database without Slack's tokens has nothing to show, and belongs to nobody yet.
    """
    known = await asyncio.to_thread(workspaces, settings.database_url)
    if len(known) == 1:
        return known[0]
    return await ask_slack(settings) if known or settings.slack_bot_token else NOBODY


async def ask_slack(settings: Settings) -> str:
    """The id of the workspace that ``SLACK_BOT_TOKEN`` belongs to."""
    client = AsyncWebClient(token=settings.bot_token, base_url=settings.slack_api, timeout=SECONDS)
    try:
        told = await client.auth_test()
    except SlackApiError as error:
        raise Invalid(f"Slack refuses SLACK_BOT_TOKEN ({error.response.get('error')}). Copy it again.") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(
            f"Slack can't be asked which workspace this is ({type(error).__name__}). Try again in a moment."
        ) from None
    return str(told["team_id"])
