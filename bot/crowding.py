"""Keeps an agent that floods the gateway from crowding the others out of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 4
"""How many calls of an agent that was just refused are worked on at a time; its others wait, in their order."""
AFTER = 10.0
"""For how many seconds after a refusal that holds."""


class Crowding:
    """To be used on the event loop alone. Agents are named by their requester's id."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._places: dict[str, asyncio.Semaphore] = {}

    def refused(self, agent: str) -> None:
        """A call of this agent was refused since its budget is used up."""
        self._until[agent] = asyncio.get_running_loop().time() + AFTER
        self._places.setdefault(agent, asyncio.Semaphore(AT_ONCE))

    @asynccontextmanager
    async def place(self, agent: str) -> AsyncIterator[None]:
        """Wait for a place where the agent was refused of late; who wasn't needs none."""
        if asyncio.get_running_loop().time() >= self._until.get(agent, 0.0):
            self._until.pop(agent, None)
            yield
            return
        async with self._places[agent]:
            yield
