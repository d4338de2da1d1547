"""The gateway behind the agents of one test module; a module that needs another policy has a fixture of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway.stage import Stage, staged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Lanes enough for three dialects in a module; more would share them, and with them their tools' names."""
    async with staged(lanes=24, kinds=("hard", "quick")) as found:
        yield found
