"""What people do with their hands: buttons and forms, loaded by the first of them.

The forms of Modify are the largest part of Signoff that an idle gateway doesn't need.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncAck

from bot.slack.desk import Desk

if TYPE_CHECKING:
    from bot.slack.clicks import Clicks
    from bot.slack.submissions import Submissions


class Hands:
    """Answers every button and every form: Bolt calls ``click`` and ``submit``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loaded: tuple[Clicks, Submissions] | None = None

    async def click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A button was pressed."""
        clicks, _ = await self._load()
        await clicks.click(ack, body)

    async def submit(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A form was sent."""
        _, submissions = await self._load()
        await submissions.submit(ack, body)

    async def _load(self) -> tuple[Clicks, Submissions]:
        """Beside the event loop, which must not stand still for it."""
        if self._loaded is None:
            clicks = await asyncio.to_thread(import_module, "bot.slack.clicks")
            submissions = await asyncio.to_thread(import_module, "bot.slack.submissions")
            self._loaded = self._loaded or (clicks.Clicks(self._desk), submissions.Submissions(self._desk))
        return self._loaded
