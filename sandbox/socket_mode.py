"""Socket Mode: WebSockets that the app opens with single-use tickets; each envelope goes to one of them."""

import asyncio
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox import limits
from sandbox.clock import Clock
from sandbox.json_types import Json
from sandbox.record import Record
from sandbox.reply import Reply, within
from sandbox.tickets import Tickets

_CLOSE_AFTER = {"refresh_requested": 10.0, "warning": 10.0}
"""Seconds between a `disconnect` message and the end of the connection; other reasons end it at once."""


@dataclass(kw_only=True, eq=False, slots=True)
class _Connection:
    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False
    waiting: dict[str, "asyncio.Future[Any]"] = field(default_factory=dict)


class Sockets:
    """The open connections, used in turn."""

    def __init__(self, app_id: str, clock: Clock, record: Record, tickets: Tickets) -> None:
        self._app_id = app_id
        self._clock = clock
        self._record = record
        self._tickets = tickets
        self._open: list[_Connection] = []
        self._turn = 0
        self._closings: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def new_ticket(self) -> str:
        """A ticket that opens one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.sockets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection from its first to its last frame; 401 for a ticket that was used or never given."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets.sockets:
            return web.Response(status=401, text="invalid ticket")
        self._tickets.sockets.remove(ticket)
        socket = web.WebSocketResponse(max_msg_size=16 * 1024 * 1024, heartbeat=30.0)
        await socket.prepare(request)
        if len(self._open) >= limits.SOCKETS:
            await socket.send_json(_farewell("too_many_websockets"))
            await socket.close()
            return socket
        await self._keep(
            _Connection(socket=socket, request=request), debug=request.query.get("debug_reconnects") == "true"
        )
        return socket

    async def _keep(self, connection: _Connection, *, debug: bool) -> None:
        self._open.append(connection)
        seconds = limits.DEBUG_SOCKET_SECONDS if debug else limits.SOCKET_SECONDS
        try:
            await connection.socket.send_json(_hello(len(self._open), seconds, self._app_id))
            self._later(self._refresh(connection, seconds))
            async for frame in connection.socket:
                if frame.type == WSMsgType.TEXT:
                    self._acknowledge(connection, frame.data)
        finally:
            self._forget(connection)

    def _forget(self, connection: _Connection) -> None:
        if connection in self._open:
            self._open.remove(connection)
        for future in connection.waiting.values():
            if not future.done():
                future.set_result(None)

    def _acknowledge(self, connection: _Connection, text: str) -> None:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self._record.add("in", "socket", method="unreadable", body=text)
            return
        future = connection.waiting.get(str(found.get("envelope_id")))
        if future is not None and not future.done():
            future.set_result(found)
        else:
            self._record.add("in", "socket", method="late_ack", body=found, envelope_id=found.get("envelope_id"))

    async def send(self, kind: str, payload: Json, *, accepts: bool, attempt: int = 0, reason: str = "") -> Reply:
        """Deliver an envelope to one connection and wait three seconds for its acknowledgement."""
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "payload": payload,
            "type": kind,
            "accepts_response_payload": accepts,
        }
        if kind == "events_api":
            envelope.update(retry_attempt=attempt, retry_reason=reason)
        method = payload.get("type", payload.get("command"))
        entry = self._record.add(
            "out", "socket", method=method, body=envelope, envelope_id=envelope["envelope_id"], acked_at=None
        )
        connection = self._next()
        if connection is None:
            entry["status"] = "no_connection"
            return Reply(outcome="no_connection", reason="connection_failed")
        reply = await self._exchange(connection, envelope, entry)
        entry.update(status=reply.outcome, answer=reply.body)
        return reply

    async def _exchange(self, connection: _Connection, envelope: Json, entry: Json) -> Reply:
        name = envelope["envelope_id"]
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        connection.waiting[name] = future
        try:
            await connection.socket.send_json(envelope)
            done = await within(self._clock, limits.ACK_SECONDS, future)
        except (ConnectionError, RuntimeError):
            return Reply(outcome="timeout", reason="timeout")
        finally:
            del connection.waiting[name]
        if not done or future.result() is None:
            return Reply(outcome="timeout", reason="timeout")
        entry["acked_at"] = time.time()
        body = future.result().get("payload") if envelope["accepts_response_payload"] else None
        return Reply(outcome="acked", body=body, status=200)

    def _next(self) -> _Connection | None:
        ready = [connection for connection in self._open if not connection.leaving] or self._open
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def disconnect(self, reason: str) -> int:
        """Send `disconnect` to every connection and end them as Slack would; `drop` cuts them off without a word."""
        leaving = list(self._open)
        for connection in leaving:
            connection.leaving = True
            if reason == "drop":
                _cut(connection)
                continue
            await connection.socket.send_json(_farewell(reason))
            self._later(self._close_after(connection, _CLOSE_AFTER.get(reason, 0.0)))
        return len(leaving)

    async def close(self) -> None:
        """End every connection; for the end of the process."""
        for closing in self._closings:
            closing.cancel()
        for connection in list(self._open):
            await connection.socket.close(code=1001)

    async def _refresh(self, connection: _Connection, seconds: float) -> None:
        await self._clock.until(self._clock.now() + seconds - _CLOSE_AFTER["warning"])
        if connection in self._open:
            connection.leaving = True
            await connection.socket.send_json(_farewell("warning"))
            await self._close_after(connection, _CLOSE_AFTER["warning"])

    async def _close_after(self, connection: _Connection, seconds: float) -> None:
        await self._clock.until(self._clock.now() + seconds)
        await connection.socket.close()

    def _later(self, coroutine: Any) -> None:
        closing = asyncio.ensure_future(coroutine)
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)


def _hello(connections: int, seconds: int, app_id: str) -> Json:
    return {
        "type": "hello",
        "num_connections": connections,
        "debug_info": {
            "host": "applink-sandbox",
            "started": time.strftime("%Y-%m-%d %H:%M:%S"),
            "build_number": 1,
            "approximate_connection_time": seconds,
        },
        "connection_info": {"app_id": app_id},
    }


def _farewell(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}}


def _cut(connection: _Connection) -> None:
    if connection.request.transport is not None:
        connection.request.transport.abort()
