"""Settings, log and store for a command that runs beside a serving gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings, load_settings, require_slack
from policies.errors import Invalid, Unavailable
from storage.store import Store

SECONDS = 10


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
    """The id of the workspace that ``SLACK_BOT_TOKEN`` belongs to: the one whose rows ``serve`` reads and writes."""
    require_slack(settings)
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    base = f"{settings.slack_api_url.rstrip('/')}/"
    try:
        told = await AsyncWebClient(token=token, base_url=base, timeout=SECONDS).auth_test()
    except SlackApiError as error:
        raise Invalid(f"Slack refuses SLACK_BOT_TOKEN ({error.response.get('error')}). Copy it again.") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(
            f"Slack can't be asked which workspace this is ({type(error).__name__}). Try again in a moment."
        ) from None
    return str(told["team_id"])
