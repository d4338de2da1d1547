"""An API whose agent `mailer` has a webhook, the deliveries at work, and receivers on this machine that do as told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.webhooks.deliveries import Deliveries
from bot.webhooks.sender import Sender
from bot.webhooks.signing import new_secret
from policies.addresses import read_networks
from policies.webhook import Webhook
from storage.webhooks import TOPIC
from tests.api.house import House, open_house, until

LOOPBACK = read_networks("127.0.0.0/8")
READ = {"tool": "read_mail", "arguments": {"box": "in"}}


@dataclass(frozen=True, kw_only=True)
class Got:
    """One message as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its `webhook-id`."""
        return self.headers["webhook-id"]


@dataclass(kw_only=True)
class Receiver:
    """Answers each POST with the next of `answers` (a status, or what makes an answer), then with 204."""

    got: list[Got] = field(default_factory=list)
    answers: list[int | Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(default_factory=list)
    always: int = 204
    url: str = ""

    async def take(self, http: web.Request) -> web.StreamResponse:
        """One delivery."""
        headers = {name.casefold(): value for name, value in http.headers.items()}
        self.got.append(Got(headers=headers, body=await http.read()))
        answer = self.answers.pop(0) if self.answers else self.always
        return web.Response(status=answer) if isinstance(answer, int) else await answer(http)


@asynccontextmanager
async def receiving(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on this machine."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/{rest:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass(kw_only=True)
class HookHouse:
    """The house, and what delivers for it."""

    house: House
    sender: Sender
    deliveries: Deliveries | None = None

    async def hook(self, url: str, *, key: str = "key_mailer", **more: Any) -> Webhook:
        """A webhook of a key."""
        made = Webhook(
            id=f"hook_{key}", key_id=key, url=url, secret=new_secret(), created_at=self.house.clock(), **more
        )
        await self.house.store.set_webhook(made)
        return made

    @asynccontextmanager
    async def delivering(self, *, chance: float = 0.0, places: int = 64) -> AsyncIterator[None]:
        """Deliver for as long as the block lasts, as `serve` does."""
        house = self.house
        self.deliveries = Deliveries(
            house.store,
            self.sender,
            house.waiting,
            house.clock,
            metrics=house.metrics,
            chance=lambda: chance,
            places=places,
        )
        running = asyncio.create_task(self.deliveries.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def look(self) -> None:
        """Let the deliveries look again, as they do by themselves each few seconds."""
        self.house.waiting.wake((TOPIC,))

    async def waits(self) -> tuple[int, int]:
        """How many messages wait and how many were given up, of all webhooks."""
        found = await self.house.store.endpoints()
        return sum(each.waiting for each in found), sum(each.failed for each in found)

    async def tried(self, receiver: Receiver, number: int) -> None:
        """Wait until so many attempts have come and the last is written down."""
        await until(lambda: len(receiver.got) >= number)
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nothing is on its way."""
        deliveries = self.deliveries
        assert deliveries is not None
        await until(lambda: not deliveries.busy)


@asynccontextmanager
async def hook_house(directory: Path, *, seconds: float = 10.0) -> AsyncIterator[HookHouse]:
    """The house with a sender that may reach this machine."""
    async with open_house(directory) as house:
        sender = Sender(LOOPBACK, seconds=seconds)
        try:
            yield HookHouse(house=house, sender=sender)
        finally:
            sender.close()
