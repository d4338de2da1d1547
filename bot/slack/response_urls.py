"""The addresses under which Slack lets an app answer a click: outside the pace of chat.update, for a short time.

Slack admits 5 uses in 30 minutes each. One use is kept for a private answer to the click itself, and five minutes for
clocks that differ.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.slack.views.look import Message

USES = 4
FRESH = timedelta(minutes=25)
MOST = 10_000
TIMEOUT = aiohttp.ClientTimeout(total=5)
SLACK = "https://hooks.slack.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    url: str
    until: datetime
    uses: int = USES


class ResponseUrls:
    """Remembers the newest address for each message. ``origins`` are the hosts to which it may lead besides Slack's."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Callable[[], datetime], origins: tuple[str, ...] = ()
    ) -> None:
        self._session = session
        self._clock = clock
        self._origins = (SLACK, *(_origin(one) for one in origins))
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def remember(self, channel: str, ts: str, url: str) -> None:
        """A click on the message brought ``url``."""
        if _origin(url) not in self._origins:
            return
        self._known[channel, ts] = _Known(url=url, until=self._clock() + FRESH)
        self._known.move_to_end((channel, ts))
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    async def replace(self, channel: str, ts: str, message: Message) -> bool:
        """Put ``message`` in the place of the one that was clicked; False where that has to be done otherwise."""
        known = self._known.get((channel, ts))
        if known is None:
            return False
        if known.until < self._clock() or known.uses < 1:
            del self._known[channel, ts]
            return False
        self._known[channel, ts] = replace(known, uses=known.uses - 1)
        body = {"replace_original": True, "text": message.text, "blocks": list(message.blocks)}
        if await self._send(known.url, body):
            return True
        self._known.pop((channel, ts), None)
        return False

    async def answer(self, url: str, message: Message) -> bool:
        """Put ``message`` in the place of the one that only the person sees who clicked in it."""
        body = {"replace_original": True, "text": message.text, "blocks": list(message.blocks)}
        return _origin(url) in self._origins and await self._send(url, body)

    async def whisper(self, url: str, text: str) -> bool:
        """Answer a click with words that only its person sees; False where Slack didn't take them."""
        body = {"response_type": "ephemeral", "replace_original": False, "text": text}
        return _origin(url) in self._origins and await self._send(url, body)

    async def _send(self, url: str, body: Mapping[str, Any]) -> bool:
        try:
            async with self._session.post(url, json=body, timeout=TIMEOUT, allow_redirects=False) as answer:
                return answer.status == 200
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
