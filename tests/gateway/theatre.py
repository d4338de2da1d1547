"""A whole gateway in this process, over its real wires, whose hours pass when a test says so."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.api.auth import mint
from bot.bootstrap import Serving, serving
from bot.gateway import new_id
from bot.pacing import Pace
from bot.settings import Settings
from policies.loader import load
from storage.store import Key
from tests.sandbox_process import SandboxProcess, until

Json = dict[str, Any]
SCHEMA = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}


class Hand:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = self.began = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.time


class _Unhurried:
    """Slack's pace, with time of its own that passes whenever somebody has to wait."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(kw_only=True)
class Theatre:
    """One gateway on one database; `start` and `stop` it as often as needed. An agent asks over the HTTP API.

    Its time is the `hand`'s, unless another `clock` is set before the start.
    """

    sandbox: SandboxProcess
    folder: Path
    policy: str
    session: aiohttp.ClientSession
    hand: Hand = field(default_factory=Hand)
    clock: Callable[[], datetime] | None = None
    secret: str = ""
    serving: Serving | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, *, settle: bool = True) -> None:
        """Start the gateway, the first time with a key for the agent, and let it catch up with what is due."""
        told = {**self.sandbox.env(), "DATABASE_URL": f"sqlite:///{self.folder}/signoff.db", "PORT": "0"}
        told["SIGNOFF_BATCH_FROM"] = "0"
        settings = Settings.model_validate({name.lower(): value for name, value in told.items()})
        pace = _Unhurried()
        policy = load(self.policy, source="policy.yml")
        if "digest:" not in self.policy:
            policy = replace(policy, mornings=None)  # a test that lets days pass counts its messages
        opened = serving(settings, policy, clock=self.clock or self.hand, pace=Pace(pace.now, pace.sleep))
        self.serving = await self._running.enter_async_context(opened)
        await self.sandbox.control.connected()
        if settle:
            await self.drained()
        if not self.secret:
            self.secret, stored = mint("agent")
            made = {"created_at": self.hand(), "expires_at": None, "revoked_at": None}
            await self.serving.store.add_key(
                Key(name="a", id=new_id("key"), owner="U0NEWT", kind="agent", **made), stored
            )

    async def stop(self) -> None:
        """Stop it and wait until Slack knows."""
        self.serving = None
        await self._running.aclose()

        async def gone() -> bool:
            return not (await self.sandbox.control.get("ready"))["sockets"]

        await until(gone)

    async def at(self, minute: float, seconds: int = 0) -> None:
        """Let it be so many minutes after the beginning, let what is due happen, and let people see it."""
        target = self.hand.began + timedelta(minutes=minute, seconds=seconds)
        await self.sandbox.control.advance((target - self.hand.time).total_seconds())
        self.hand.time = target
        if self.serving is not None:
            await self.serving.ticker.tick()
            await self.drained()

    async def drained(self) -> None:
        """Wait until nothing is due and nothing is owed to Slack any more."""
        due = round(self.hand.time.timestamp() * 1_000_000)

        async def all_done() -> bool:
            late = self.raw("SELECT count(*) FROM requests WHERE next_action_at <= ?", due)
            return [late, self.raw("SELECT count(*) FROM outbox")] == [[(0,)], [(0,)]]

        await until(all_done)

    def raw(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What stands in the database, read by sqlite3 alone."""
        with closing(sqlite3.connect(f"file:{self.folder}/signoff.db?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(statement, values).fetchall()

    async def call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        """The agent's call of the HTTP API: status and JSON."""
        assert self.serving is not None
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with self.session.request(method, f"{self.serving.url}{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ask(self, tool: str, **more: Any) -> Json:
        """Have a call judged."""
        body = {"tool": tool, "arguments": {"amount": 100}, "schema": SCHEMA, **more}
        status, asked = await self.call("POST", "/v1/requests", body)
        assert status == 201, asked
        return asked

    async def request(self, request_id: str) -> Json:
        """The request as its agent reads it."""
        return (await self.call("GET", f"/v1/requests/{request_id}"))[1]

    def places(self, request_id: str) -> list[tuple[str, str]]:
        """Where its cards stand: channel and ts, those in channels before those in direct messages."""
        return [
            (channel, ts)
            for channel, ts in self.raw(
                "SELECT channel, ts FROM copies WHERE request_id = ? ORDER BY channel, ts", request_id
            )
        ]

    async def thread(self, request_id: str) -> list[Json]:
        """Its first card and what was said in its thread; nothing where there is no card."""
        for channel, ts in self.places(request_id)[:1]:
            person = f"U{channel[1:]}" if channel.startswith("D") else "U0ANA"
            return list(await self.sandbox.people.history(person, channel, ts))
        return []

    async def press(self, person: str, request_id: str, action_id: str) -> None:
        """Press a button: on the card, or where there is none in the form that `/approvals ID` opens.

        A card that is drawn anew between the look and the press is looked at again, as a person would.
        """
        for _ in range(5):
            places = self.places(request_id)
            if places:
                answer = await self.sandbox.people.press(person, *places[0], action_id)
            else:
                await self.open(person, request_id)
                answer = await self.press_in_form(person, action_id)
            if answer.get("error") != "unknown_action":
                break
        assert answer["ok"], answer

    async def open(self, person: str, request_id: str) -> Json:
        """Look at the request by `/approvals ID`; the form."""
        assert (await self.sandbox.people.command(person, "C0APPROVALS", f"/approvals {request_id}"))["ok"]
        return await self.form(person)

    async def press_in_form(self, person: str, action_id: str) -> Json:
        """Press the first button of that action in the form in front of a person."""
        form = await self.form(person)
        for block in form["view"]["blocks"]:
            buttons = (*block.get("elements", ()), block.get("accessory") or {})
            if any(element.get("action_id") == action_id for element in buttons):
                place = {"view_id": form["id"], "block_id": block["block_id"], "action_id": action_id}
                return dict(await self.sandbox.people.click(person, **place))
        raise LookupError(f"{person} sees no {action_id} in the form")

    async def form(self, person: str, callback_id: str = "") -> Json:
        """The form in front of a person, once there is one (of this kind)."""

        async def opened() -> Json | None:
            views = await self.sandbox.people.views(person)
            return views[-1] if views and views[-1]["view"]["callback_id"].startswith(callback_id) else None

        return dict(await until(opened))

    async def submit(self, person: str, callback_id: str, **typed: str) -> Json:
        """Send the form of this kind; what is typed goes by block id, `field_0` for the first argument."""
        form = await self.form(person, callback_id)
        values = {name.replace("field_", "field:"): {"value": value} for name, value in typed.items()}
        return dict(await self.sandbox.people.submit(person, form["id"], values))

    async def close_forms(self, person: str) -> None:
        """Close whatever is open before a person."""
        for form in (await self.sandbox.people.views(person))[-1:]:
            await self.sandbox.people.close(person, form["id"], clear=True)


@asynccontextmanager
async def theatre(sandbox: SandboxProcess, folder: Path, policy: str) -> AsyncIterator[Theatre]:
    """A theatre on a workspace that was started over; its gateway is not started yet."""
    await sandbox.control.reset()
    async with aiohttp.ClientSession() as session:
        stage = Theatre(sandbox=sandbox, folder=folder, policy=policy, session=session)
        try:
            yield stage
        finally:
            await stage.stop()
