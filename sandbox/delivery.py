"""Getting interactions, commands and events to the app, over Socket Mode or signed HTTP, with Slack's retries."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox import limits
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.json_types import Json
from sandbox.record import Record
from sandbox.reply import Reply, within
from sandbox.socket_mode import Sockets
from sandbox.workspace import Workspace

_WITH_ANSWER = ("view_submission", "block_suggestion")


class Delivery:
    """Carries payloads to the app. Interactions are tried once; events again at once, after a minute and after five."""

    def __init__(self, workspace: Workspace, clock: Clock, record: Record, sockets: Sockets, faults: Faults) -> None:
        self._workspace = workspace
        self._clock = clock
        self._record = record
        self._sockets = sockets
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None
        self._events: set[asyncio.Task[None]] = set()

    async def interaction(self, payload: Json) -> Reply:
        """A click, a submission or a slash command: delivered once, acknowledged within three seconds or failed."""
        return await self._suffering(payload, partial(self._send_interaction, payload))

    async def _suffering(self, payload: Json, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Send, with the fault that was planned for this delivery, if any."""
        fault = self._faults.delivery_of(str(payload.get("type", payload.get("command"))))
        if not fault:
            return await send()
        self._record.add("out", "fault", method=fault, body=payload)["status"] = fault
        if fault == "drop":
            await self._clock.until(self._clock.now() + limits.ACK_SECONDS)
            return Reply(outcome="timeout", reason="timeout")
        if fault == "duplicate":
            first, _ = await asyncio.gather(send(), send())
            return first
        reply = await send()
        return Reply(outcome="timeout", reason="timeout") if reply.outcome == "acked" else reply

    async def _send_interaction(self, payload: Json) -> Reply:
        is_command = "command" in payload
        if self._workspace.app.mode == "socket":
            kind = "slash_commands" if is_command else "interactive"
            return await self._sockets.send(kind, payload, accepts=is_command or payload["type"] in _WITH_ANSWER)
        form = payload if is_command else {"payload": json.dumps(payload)}
        kind = "application/x-www-form-urlencoded"
        return await self.post(urlencode(form).encode(), kind, method=payload.get("type", payload.get("command")))

    def event(self, name: str, payload: Json) -> None:
        """An event that the app has subscribed to by this name; delivered in the background, again when it must be."""
        if name not in self._workspace.app.events:
            return
        delivering = asyncio.ensure_future(self._deliver_event(payload))
        self._events.add(delivering)
        delivering.add_done_callback(self._events.discard)

    async def _deliver_event(self, payload: Json) -> None:
        sent_at = self._clock.now()
        reply = await self._suffering(payload, partial(self._send_event, payload, 0, ""))
        for attempt, seconds in enumerate(limits.EVENT_RETRIES, start=1):
            if reply.outcome == "acked" or reply.no_retry:
                return
            await self._clock.until(sent_at + seconds)
            sent_at = self._clock.now()
            reply = await self._suffering(payload, partial(self._send_event, payload, attempt, reply.reason))

    async def _send_event(self, payload: Json, attempt: int, reason: str) -> Reply:
        if self._workspace.app.mode == "socket":
            return await self._sockets.send("events_api", payload, accepts=False, attempt=attempt, reason=reason)
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        return await self.post(json.dumps(payload).encode(), "application/json", method=payload["type"], headers=retry)

    async def verify_url(self, url: str) -> bool:
        """Whether a request URL answers Slack's challenge."""
        challenge = hashlib.sha256(url.encode()).hexdigest()[:32]
        body = {"token": "sandbox-verification-token", "challenge": challenge, "type": "url_verification"}
        self._workspace.app = replace(self._workspace.app, request_url=url)
        reply = await self.post(json.dumps(body).encode(), "application/json", method="url_verification")
        found = reply.body.get("challenge") if isinstance(reply.body, dict) else reply.body
        return reply.outcome == "acked" and found == challenge

    async def post(
        self, body: bytes, content_type: str, *, method: Any, headers: Mapping[str, str | None] | None = None
    ) -> Reply:
        """A signed request to the app's URL. Headers given here replace the true ones; None leaves one out."""
        url = self._workspace.app.request_url
        text = body.decode(errors="replace")
        entry = self._record.add("out", "http", method=method, body=text, url=url, headers=dict(headers or {}))
        if not url:
            entry["status"] = "no_connection"
            return Reply(outcome="no_connection", reason="connection_failed")
        true: dict[str, str | None] = {"Content-Type": content_type, **self._signature(body)}
        sent = {name: value for name, value in {**true, **(headers or {})}.items() if value is not None}
        exchange = asyncio.ensure_future(self._exchange(url, body, sent))
        reply = exchange.result() if await self._answered(exchange) else Reply(outcome="timeout", reason="http_timeout")
        exchange.cancel()
        entry.update(status=reply.status or reply.outcome, answer=reply.body)
        entry["acked_at"] = time.time() if reply.outcome == "acked" else None
        return reply

    async def _answered(self, exchange: "asyncio.Future[Reply]") -> bool:
        return await within(self._clock, limits.ACK_SECONDS, exchange)

    async def _exchange(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                found = await _read(response)
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
        except (aiohttp.ClientError, OSError):
            return Reply(outcome="no_connection", reason="connection_failed")
        if 200 <= response.status < 300:
            return Reply(outcome="acked", body=found, status=response.status)
        return Reply(outcome="refused", body=found, status=response.status, reason="http_error", no_retry=no_retry)

    def _signature(self, body: bytes) -> dict[str, str]:
        """Slack's v0 signature; by real time, because the app looks at its own clock."""
        stamp = str(int(time.time()))
        secret = self._workspace.app.signing_secret.encode()
        digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def close(self) -> None:
        """Stop delivering; for the end of the process."""
        for delivering in self._events:
            delivering.cancel()
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse) -> Any:
    text = await response.text()
    if "json" in response.headers.get("Content-Type", "") and text:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text or None
