"""One gateway over its real wires for all tests of a module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway.stage import Stage, staged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """A gateway in Socket Mode with twenty lanes."""
    async with staged(lanes=20) as found:
        yield found
