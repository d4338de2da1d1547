"""Settings, log and store for a command that runs beside a serving gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.settings import Settings, load_settings
from storage.store import Store

ANY_WORKSPACE = "any"


@asynccontextmanager
async def open_store() -> AsyncIterator[tuple[Store, Settings]]:
    """The store of ``DATABASE_URL`` for a short look or change; never the one that serves."""
    settings = load_settings()
    store = await Store.open(settings.database_url, workspace_id=ANY_WORKSPACE)
    try:
        yield store, settings
    finally:
        await store.close()
