"""Live updates for the page: who hears what, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection

from sandbox import limits
from sandbox.json_types import Json

_PING_SECONDS = 15.0


class Stream:
    """Hands every event to the people whom it concerns and who listen at the moment."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[bytes | None], str] = {}

    def publish(self, event: str, data: Json, people: Collection[str] | None = None) -> None:
        """Tell these people (everybody when none are named)."""
        if not self._listeners:
            return
        line = f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
        for queue, person in self._listeners.items():
            if people is None or person in people:
                _tell(queue, line)

    async def listen(self, person: str) -> AsyncIterator[bytes]:
        """What one open page receives, with a comment ping each 15 s."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners[queue] = person
        try:
            yield b": connected\n\n"
            while (line := await _next(queue)) is not None:
                yield line
        finally:
            del self._listeners[queue]

    def close(self) -> None:
        """End every stream."""
        for queue in self._listeners:
            queue.put_nowait(None)


def _tell(queue: asyncio.Queue[bytes | None], line: bytes) -> None:
    """A page that does not read loses its stream (and starts over) instead of filling memory."""
    if queue.qsize() < limits.UNREAD_EVENTS:
        queue.put_nowait(line)
    elif queue.qsize() == limits.UNREAD_EVENTS:
        queue.put_nowait(None)


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        return await asyncio.wait_for(queue.get(), _PING_SECONDS)
    except TimeoutError:
        return b": ping\n\n"
