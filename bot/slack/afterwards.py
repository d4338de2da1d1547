"""What is done after an interaction was acknowledged: answers that the person need not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.logs import get_logger
from policies.redaction import shortened

log = get_logger("signoff.slack")


class Afterwards:
    """Runs what was put off, and holds on to it so that it isn't collected half-way."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin ``work``; what goes wrong in it is logged and harms nobody."""
        task = asyncio.create_task(_logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Wait until everything that was begun is over."""
        while self._running:
            await asyncio.gather(*self._running)


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception as error:
        log.warning("an answer could not be given", error=type(error).__name__, why=shortened(str(error), 200))
