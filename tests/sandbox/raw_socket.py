"""Socket Mode by hand: the frames themselves, for tests of what Slack sends and expects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.sandbox_process import SandboxProcess


class RawSocket:
    """One WebSocket of an app."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: dict[str, Any]) -> None:
        self._socket = socket
        self.hello = hello

    async def receive(self, within: float = 5.0) -> dict[str, Any]:
        """The next envelope. Raises TimeoutError, or TypeError when the socket was closed instead."""
        return dict(await self._socket.receive_json(timeout=within))

    async def acknowledge(self, envelope: dict[str, Any], payload: dict[str, Any] | None = None) -> None:
        """Acknowledge an envelope."""
        answer = {"envelope_id": envelope["envelope_id"]}
        await self._socket.send_json(answer if payload is None else {**answer, "payload": payload})

    async def closed(self) -> bool:
        """Wait for the end of the connection."""
        return (await self._socket.receive(timeout=5.0)).type in (
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.ERROR,
        )


@asynccontextmanager
async def raw_socket(sandbox: SandboxProcess, extra: str = "") -> AsyncIterator[RawSocket]:
    """An open connection whose `hello` has been read."""
    url = (await sandbox.api("apps.connections.open", token=sandbox.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url + extra) as socket:
        yield RawSocket(socket, dict(await socket.receive_json(timeout=5)))
