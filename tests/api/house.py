"""A gateway's API over real HTTP, with a real store and a real policy, for the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from bot.api.auth import Kind, mint
from bot.api.routes import add_routes
from bot.auditor import Auditor
from bot.gateway import Gateway
from bot.metrics import Metrics
from bot.shelf import PolicyShelf
from bot.waiting import Waiting
from bot.webhooks.sender import Sender
from policies.addresses import read_networks
from policies.allowance import EVERYTHING, Scope
from policies.events import Delivered, Outcome
from policies.lifecycle import apply
from policies.loader import load
from policies.people import Person, Standing
from policies.request import Request
from storage.store import Key, Store
from tests.api.contract import Contract, contract_of

POLICY = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN]}
  finance: {channel: "#finance", users: [U0FAY, U0FRED]}
ladders:
  standard:
    - {after: 30m, remind: true}
    - {after: 2h, then: expire}
rules:
  - {name: reads, match: "read_*", checkpoint: allow}
  - {name: never, match: drop_database, checkpoint: deny}
  - {name: payments, match: execute_payment, checkpoint: hard, reviewers: finance, quorum: 2, required_by: SOX 404}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""

MAIL: Mapping[str, Any] = {"tool": "send_email", "arguments": {"to": ["max@example.com"], "subject": "Hello"}}
PAYMENT: Mapping[str, Any] = {"tool": "execute_payment", "arguments": {"payee": "Nordkai Shipping", "amount": 4200}}


class MovableClock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class House:
    """What a test needs of a running API. Whatever it answers to ``call`` must be described."""

    store: Store
    gateway: Gateway
    waiting: Waiting
    clock: MovableClock
    runner: web.AppRunner
    session: ClientSession
    metrics: Metrics
    sender: Sender
    missing: list[str | Exception] = field(default_factory=list)
    agent: str = ""
    other_agent: str = ""

    @property
    def contract(self) -> Contract:
        """What the API's own document says of it."""
        return contract_of(self.runner.app)

    def address(self, path: str) -> str:
        """The address of ``path``."""
        host, port = self.runner.addresses[0][:2]
        return f"http://{host}:{port}{path}"

    async def key(
        self,
        name: str,
        *,
        kind: Kind = "agent",
        owner: str | None = None,
        days: int | None = None,
        agent: str = "",
        may: tuple[Scope, ...] = EVERYTHING,
        tools: tuple[str, ...] = (),
    ) -> str:
        """A stored key's secret."""
        secret, secret_hash = mint(kind)
        now = self.clock()
        expires_at = now + timedelta(days=days) if days is not None else None
        key = Key(
            id=f"key_{name}",
            name=name,
            owner=owner,
            kind=kind,
            created_at=now,
            expires_at=expires_at,
            agent=agent,
            may=may,
            tools=tools,
        )
        await self.store.add_key(key, secret_hash)
        return secret

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        described: bool = True,
        **sent: Any,
    ) -> Answer:
        """One HTTP call with the agent's key (or ``key``; none for an empty one).

        Fails where what comes back isn't ``described`` by the API's own document.
        """
        secret = self.agent if key is None else key
        carried = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with self.session.request(
            method, self.address(path), headers={**carried, **(headers or {})}, **sent
        ) as answer:
            found = Answer(status=answer.status, body=await answer.json(content_type=None), headers=answer.headers)
        if described:
            self.contract.check(method, path, found.status, found.headers, found.body)
        return found

    async def ask(self, call: Mapping[str, Any] = MAIL, **more: Any) -> dict[str, Any]:
        """A stored request as the API shows it."""
        answer = await self.call("POST", "/v1/requests", json={**call, **more})
        assert answer.status == 201, answer.body
        shown: dict[str, Any] = answer.body
        return shown

    def person(self, user_id: str) -> Person:
        """A member of the workspace, looked up just now."""
        return Person(id=user_id, name=user_id.title(), standing=Standing.MEMBER, looked_up_at=self.clock())

    def delivered(self, request: Request) -> Outcome:
        """Its card was posted: what the courier says where there is one."""
        return apply(request, Delivered(), self.clock())

    async def ready(self) -> tuple[str, ...]:
        """What the test says is missing; an exception among it is raised."""
        for one in self.missing:
            if isinstance(one, Exception):
                raise one
        return tuple(str(one) for one in self.missing)


@asynccontextmanager
async def open_house(directory: Path, policy: str = POLICY, *, again: House | None = None) -> AsyncIterator[House]:
    """The API on a free port, its database in ``directory``, under ``policy``; ``again`` stood there before."""
    clock, waiting = MovableClock(), Waiting()
    metrics = Metrics()
    store = await Store.open(
        f"sqlite:///{directory}/signoff.db",
        workspace_id="T0TEST",
        on_commit=waiting.wake,
        on_changed=metrics.changed,
    )
    shelf = PolicyShelf(store, load(policy, source="test.yml"))
    await shelf.keep(clock())
    gateway = Gateway(store, shelf, clock, waiting, workspace_id="T0TEST", over_budget=metrics.over_budget)
    app = web.Application()
    runner = web.AppRunner(app)  # not aiohttp's TestServer: that one cancels the handlers of clients that went away
    session = ClientSession()
    house = House(
        store=store,
        gateway=gateway,
        waiting=waiting,
        clock=clock,
        runner=runner,
        session=session,
        metrics=metrics,
        sender=Sender(read_networks("127.0.0.0/8")),
    )
    figures = Auditor(gateway, clock, metrics).figures
    add_routes(app, gateway, store, clock, ready=house.ready, figures=figures, sender=house.sender)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    if again is not None:
        house.agent, house.other_agent = again.agent, again.other_agent
    else:
        house.agent, house.other_agent = await house.key("mailer", owner="U0OWNER"), await house.key("other")
    try:
        yield house
    finally:
        await session.close()
        await runner.cleanup()
        house.sender.close()
        await store.close()


async def until(met: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return as soon as ``met`` holds; fail after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.01)
