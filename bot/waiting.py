"""Who waits for what: events by topic, set by the store's signal after a commit. No polling, no thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

OF_AGENTS = ("req_", "group:")
"""How the topics begin that agents wait for; the gateway's own parts watch others."""


class Waiting:
    """Watchers by topic (a request's id, ``run:ID``, ``outbox``, ``deadline``). Only for one event loop."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = {}

    def wake(self, topics: Iterable[str]) -> None:
        """Wake everybody who watches one of ``topics``."""
        for topic in topics:
            for event in self._watchers.get(topic, ()):
                event.set()

    @contextmanager
    def watch(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of ``topics`` changes, for as long as the block lasts.

        Look at the truth after you began to watch, never before: then no change is missed.
        """
        event = asyncio.Event()
        watched = set(topics)
        for topic in watched:
            self._watchers.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            for topic in watched:
                self._forget(topic, event)

    def _forget(self, topic: str, event: asyncio.Event) -> None:
        watchers = self._watchers[topic]
        watchers.discard(event)
        if not watchers:
            del self._watchers[topic]

    @property
    def agents(self) -> int:
        """How many long polls and streams wait for a request or a group now."""
        return sum(len(events) for topic, events in self._watchers.items() if topic.startswith(OF_AGENTS))

    @property
    def topics(self) -> int:
        """How many topics are watched now."""
        return len(self._watchers)


async def changed_within(event: asyncio.Event, seconds: float) -> bool:
    """True as soon as ``event`` is set, False after ``seconds``; clears it for the next wait."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True
