"""A courier over the sandbox's Slack and a real store, in a time that passes as fast as the courier likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.courier import Courier
from bot.pacing import Pace
from bot.slack.delivery import SlackCarrier
from bot.slack.directory import Directory
from bot.slack.listeners import web_client
from bot.slack.looks import Looks
from bot.slack.response_urls import ResponseUrls
from bot.waiting import Waiting, changed_within
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.events import Event, Reviewed
from policies.lifecycle import apply
from policies.people import Person, Reviewers, Standing
from policies.request import Request
from policies.review import Verdict
from storage.store import Store
from tests.sandbox_process import SandboxProcess
from tests.storage.samples import WORKSPACE, opened

SENIORS = Reviewers(name="seniors", users=("U0SAM",))
LADDER = Ladder(
    name="standard",
    steps=(
        Step(after=timedelta(minutes=10), act=Act.REMIND),
        Step(after=timedelta(minutes=30), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(hours=48), act=Act.EXPIRE),
    ),
)


def checkpoint(channel: str | None = "#approvals", users: tuple[str, ...] = ("U0ANA", "U0BEN")) -> Checkpoint:
    """A hard gate whose cards go to ``channel``."""
    group = Reviewers(name="support", channel=channel, users=users)
    return Checkpoint(kind=Kind.HARD, rule="all", reason="people look", reviewers=group, ladder=LADDER)


class Racing:
    """Time for the courier and its sandbox alike: whoever sleeps moves it on, and nobody really waits."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._sandbox = sandbox
        self._moving = asyncio.Lock()
        self._began = datetime.now(UTC)
        self._looks = 0
        self.seconds = 0.0

    def __call__(self) -> datetime:
        self._looks += 1  # no real clock shows the same twice
        return self._began + timedelta(seconds=self.seconds, microseconds=self._looks)

    def now(self) -> float:
        """Seconds since the test began."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let at least so much time pass."""
        target = self.seconds + seconds
        async with self._moving:
            if target > self.seconds:
                await self._sandbox.control.advance(target - self.seconds)
                self.seconds = target
        await asyncio.sleep(0)


@dataclass(kw_only=True)
class Post:
    """What a test of the courier needs."""

    sandbox: SandboxProcess
    store: Store
    waiting: Waiting
    carrier: SlackCarrier
    time: Racing
    running: list[asyncio.Task[None]] = field(default_factory=list)

    def serve(self) -> None:
        """Start a courier, as a gateway that begins does."""
        self._start(Pace(self.time.now, self.time.sleep))

    def _start(self, pace: Pace) -> None:
        courier = Courier(self.store, self.carrier, self.waiting, self.time, pace=pace)
        self.running.append(asyncio.create_task(courier.run()))

    async def serve_busy(self, channel: str = "#approvals") -> None:
        """Start a courier that has just sent to ``channel`` what may be sent at once: the next must wait."""
        pace = Pace(self.time.now, self.time.sleep)
        while pace.room(channel):
            await pace.turn(channel)
        self._start(pace)

    async def kill(self) -> None:
        """End the courier wherever it is."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        self.running.clear()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass and the courier look."""
        await self.time.sleep(seconds)
        self.waiting.wake(("outbox",))

    async def ask(self, request_id: str, gate: Checkpoint | None = None) -> None:
        """Store a request that is to be announced."""
        await self.store.add(opened(request_id, created_at=self.time(), checkpoint=gate or checkpoint()))

    async def change(self, request_id: str, event: Event) -> Request:
        """Let ``event`` happen now."""
        return await self.store.change(request_id, lambda request: apply(request, event, self.time()))

    async def approve(self, request_id: str) -> Request:
        """Ana approves."""
        ana = Person(id="U0ANA", name="Ana Reyes", standing=Standing.MEMBER, looked_up_at=self.time())
        return await self.change(request_id, Reviewed(person=ana, verdict=Verdict.APPROVE, revision=1))

    async def drained(self, within: float = 60.0) -> None:
        """Wait until nothing is owed any more. Raises TimeoutError."""
        await self.once(self._nothing_owed, within)

    async def drained_in_time(self, within: float = 60.0) -> None:
        """Let time pass, to what is due next, until nothing is owed any more.

        Where something is due already, hardly any: else a busy machine would see hours go by, with all their reminders.
        """
        async with asyncio.timeout(within):
            while (due := await self.store.next_owed()) is not None:
                await self.pass_time(max(0.25, (due - self.time()).total_seconds()))
                await asyncio.sleep(0.01)

    async def _nothing_owed(self) -> bool:
        return await self.store.next_owed() is None

    async def once(self, look: Callable[[], Any], within: float = 30.0) -> Any:
        """The first true answer of ``look``, asked again at every change."""
        async with asyncio.timeout(within):
            with self.waiting.watch("outbox") as changed:
                while not (found := await look()):
                    await changed_within(changed, 0.02)
        return found

    async def cards(self, channel: str = "C0APPROVALS", person: str = "U0ANA") -> list[dict[str, Any]]:
        """The messages in a channel, oldest first."""
        return await self.sandbox.people.history(person, channel)

    async def dm(self, person: str) -> list[dict[str, Any]]:
        """The messages between the bot and a person."""
        channels = (await self.sandbox.people.workspace(person))["channels"]
        ours = [one["id"] for one in channels if one["kind"] == "im" and one.get("with") == "U0SIGNOFF"]
        return [message for one in ours for message in await self.sandbox.people.history(person, one)]

    async def posts(self) -> list[dict[str, Any]]:
        """The calls of chat.postMessage, by the sandbox's own record."""
        return await self.sandbox.control.calls("chat.postMessage")


@asynccontextmanager
async def post_office(sandbox: SandboxProcess, folder: Path) -> AsyncIterator[Post]:
    """A store, a carrier and the time; the test starts the courier."""
    waiting = Waiting()
    store = await Store.open(
        f"sqlite:///{folder}/signoff.db", workspace_id=WORKSPACE, exclusive=True, on_commit=waiting.wake
    )
    time = Racing(sandbox)
    async with aiohttp.ClientSession() as session:
        client = web_client(sandbox.bot_token, sandbox.api_url, session)
        directory = Directory(client, time, team_id=WORKSPACE, usergroups=frozenset)
        looks = Looks(directory=directory, key=b"test", clock=time)
        urls = ResponseUrls(session, time, origins=(sandbox.url,))
        carrier = SlackCarrier(client, directory, looks, urls)
        made = Post(sandbox=sandbox, store=store, waiting=waiting, carrier=carrier, time=time)
        try:
            yield made
        finally:
            await made.kill()
            await store.close()
