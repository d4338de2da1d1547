"""What happens to a request, as server-sent events: each line of the journal that concerns its agent, as it is written.

An event's name is the journal's word, its id the line's place in the journal, so that a stream that broke off goes on
where it was (``Last-Event-ID``), also after a restart of the gateway. Its data says what happened, never the arguments:
an event reads the same whenever it is sent, and whoever needs the request reads it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from bot.api.addresses import request_id_of
from bot.api.auth import Doorkeeper
from bot.api.models import EventOut
from bot.api.operations import LAST_EVENT_ID, Operation, describes
from bot.api.problems import ANSWER_HEADERS
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from bot.waiting import changed_within
from policies.errors import Invalid, SignoffError, Unavailable
from policies.request import Requester
from storage.store import JournalRow

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent: proxies cut what says nothing for a minute or less."""
RETRY = b"retry: 1000\n"
"""After how many ms a client whose stream broke off is to connect again; said with a stream's first event."""
UNREAD = 64 * 1024
"""Bytes that may wait for a client that doesn't read; then its stream ends."""
SHOWN = frozenset(
    (
        *("opened", "delivered", "reviewed", "revised", "inquired", "replied", "answered", "settled"),
        *("claimed", "succeeded", "failed", "unknown", "lapsed", "revoked", "audited"),
    )
)
"""What of the journal is told: what an agent reads in its request anyway; reminders and such are people's matter."""
HEADERS = {**ANSWER_HEADERS, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_LONGEST_ID = 19
"""Digits of the largest number that a database counts to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRoutes:
    """What an agent can hear of its own requests while it happens."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits
    looked: dict[bytes, float] = field(default_factory=dict)

    @describes(
        Operation(
            id="follow_request",
            tag="requests",
            key="agent",
            headers=(LAST_EVENT_ID,),
            answers={200: "text/event-stream", 204: None},
            shapes=(EventOut,),
            codes=("not_found", "invalid"),
        )
    )
    async def follow(self, http: web.Request) -> web.StreamResponse:
        """Follow a request by server-sent events.

        A stream of what happens to it (``opened``, ``reviewed``, ``settled``, ``claimed`` and so on), each an
        ``EventOut``, until its last event; 204 where that was sent before. With ``Last-Event-ID`` it goes on behind
        that event.
        """
        requester = await self.doorkeeper.requester(http)
        request_id, last = request_id_of(http), _last_event_id(http)
        with self.gateway.waiting.watch(request_id) as changed:
            over, lines = await self._news(request_id, requester, 0)
            unsent = _after(lines, last)
            if over and not unsent:
                return web.Response(status=204, headers=ANSWER_HEADERS)
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(http)
            stream = Stream(
                http=http,
                response=response,
                request_id=request_id,
                requester=requester,
                last=lines[-1].seq if lines else 0,
            )
            with suppress(SignoffError, ConnectionError):  # the client or the gateway goes: the stream just ends
                await stream.say(RETRY + _written(unsent, requester) if unsent else b": nothing new\n\n")
                while not over:
                    over = await self._next(stream, changed)
        return response

    async def _next(self, stream: Stream, changed: asyncio.Event) -> bool:
        """Wait for the next events and send them, or a sign of life; True once there will be no more."""
        if not await self.waits.hold(stream.http, changed_within(changed, KEEP_ALIVE)):
            await self._check_key(stream.http)
            await stream.say(b": waiting\n\n")
            return False
        await self.doorkeeper.requester(stream.http)
        over, lines = await self._news(stream.request_id, stream.requester, stream.last)
        if lines:
            stream.last = lines[-1].seq
            await stream.say(_written(lines, stream.requester))
        return over

    async def _news(self, request_id: str, requester: Requester, after: int) -> tuple[bool, tuple[JournalRow, ...]]:
        """Is the request over, and what is told of it beyond the line ``after``? The lines are at least as new."""
        request = await self.gateway.own(request_id, requester)
        lines = await self.gateway.store.journal_of(request_id, after=after)
        return request.over, tuple(line for line in lines if line.what in SHOWN)

    async def _check_key(self, http: web.Request) -> None:
        """Does the key still stand? Looked up once for all of its streams. Raises ``Unauthenticated``."""
        secret, now = http.headers["Authorization"].rpartition(" ")[2], time.monotonic()
        key = hashlib.sha256(secret.encode()).digest()
        if now - self.looked.get(key, -KEEP_ALIVE) < KEEP_ALIVE / 2:
            return
        self.looked.pop(key, None)
        await self.doorkeeper.requester(http)
        self.looked[key] = now


@dataclass(kw_only=True, slots=True)
class Stream:
    """One open stream, and the last event that was sent on it."""

    http: web.Request
    response: web.StreamResponse
    request_id: str
    requester: Requester
    last: int

    async def say(self, text: bytes) -> None:
        """Send ``text``. Raises ``Unavailable`` where the client doesn't read what it was sent."""
        transport = self.http.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("The client went away.")
        if transport.get_write_buffer_size() > UNREAD:
            transport.abort()
            raise Unavailable("The client doesn't read.")
        await self.response.write(text)


def _last_event_id(http: web.Request) -> int | None:
    """The id of the last event that the client knows, None where it knows none. Raises ``Invalid``."""
    sent = http.headers.get("Last-Event-ID", "")
    if not sent:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= _LONGEST_ID):
        raise Invalid("Last-Event-ID must be the id of an event of this stream; leave it out to begin anew.")
    return int(sent)


def _after(lines: Sequence[JournalRow], last: int | None) -> tuple[JournalRow, ...]:
    """What comes after the event ``last``; everything where that is none of this request (a database put back)."""
    if last not in [line.seq for line in lines]:
        return tuple(lines)
    return tuple(line for line in lines if last is not None and line.seq > last)


def _written(lines: Sequence[JournalRow], requester: Requester) -> bytes:
    """``lines`` as events."""
    facts = ((line, EventOut.of(line, requester.id).body()) for line in lines)
    return b"".join(b"id: %d\nevent: %s\ndata: %s\n\n" % (line.seq, line.what.encode(), data) for line, data in facts)
