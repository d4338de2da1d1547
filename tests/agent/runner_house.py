"""A runner over its real wires: the sandbox's Slack and Messages API, a real store, and tools that leave traces."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bot.agent.kit import Kit
from bot.agent.model import Model
from bot.agent.runner import Runner
from bot.agent.tools import ToolBox, ToolFailed, tool
from bot.courier import Courier
from bot.gateway import Gateway
from bot.shelf import PolicyShelf
from bot.slack.delivery import SlackCarrier
from bot.slack.directory import Directory
from bot.slack.listeners import web_client
from bot.slack.looks import Looks
from bot.slack.response_urls import ResponseUrls
from bot.waiting import Waiting, changed_within
from policies.agent_run import AgentRun, RunState
from policies.loader import load
from policies.people import Person, Standing
from policies.request import ExecutionState, Request
from policies.review import Verdict
from policies.scope import may_ask
from storage.store import Store
from tests.sandbox_process import SandboxProcess, until

T = TypeVar("T")

STORIES = Path(__file__).parent / "stories"
EFFECTS = "SIGNOFF_TEST_EFFECTS"
POLICY = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN, U0NEWT]}
ladders:
  standard: [{after: 2h, then: expire}]
  day: [{after: 24h, then: expire}]
agents: {start: [support]}
rules:
  - {name: reads, match: read_order, checkpoint: allow}
  - {name: refunds, match: [issue_refund, slow_refund], checkpoint: hard, reviewers: support, ladder: standard}
  - {name: notes, match: file_note, checkpoint: inbox, reviewers: support, ladder: day}
  - {name: never, match: drop_table, checkpoint: deny}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


class Elapsing:
    """Real time, which a test may move forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def effect(**what: Any) -> None:
    """Leave a trace that outlives the process: one line, whole or not at all."""
    with Path(os.environ[EFFECTS]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


@tool
def read_order(order_id: str) -> dict[str, Any]:
    """Read one order."""
    return {"order_id": order_id, "total": 140}


@tool
def issue_refund(order_id: str, amount: float) -> dict[str, Any]:
    """Pay money back."""
    if amount > 1000:
        raise ToolFailed("The bank refuses more than 1000.")
    effect(refund=order_id, amount=amount)
    if order_id == os.environ.get("SIGNOFF_TEST_DIE_AFTER"):
        os.kill(os.getpid(), 9)
    return {"refunded": amount}


@tool
async def slow_refund(order_id: str) -> str:
    """Pay money back, taking as long as the file that lets it end isn't there."""
    effect(begun=order_id)
    gate = Path(os.environ[EFFECTS]).with_name("let-end")
    while not gate.exists():
        await asyncio.sleep(0.005)
    effect(refund=order_id)
    return "slowly done"


@tool
def file_note(text: str) -> str:
    """File a note."""
    effect(note=text)
    return f"filed {text}"


@tool
def drop_table(name: str) -> str:
    """Drop a table."""
    effect(dropped=name)
    return "gone"


TOOLS = ToolBox.of(read_order, issue_refund, slow_refund, file_note, drop_table)


@dataclass(kw_only=True)
class House:
    """What a test of the runner needs."""

    sandbox: SandboxProcess
    folder: Path
    store: Store
    waiting: Waiting
    gateway: Gateway
    kit: Kit
    courier: Courier
    clock: Elapsing
    parts: list[asyncio.Task[None]] = field(default_factory=list)

    def serve(self) -> None:
        """Start the runner and the courier."""
        self.parts = [
            asyncio.create_task(Runner(self.kit, pause=0.05).run()),
            asyncio.create_task(self.courier.run()),
        ]

    async def stop_serving(self) -> None:
        """Stop them, as a gateway that is told to end does."""
        for part in self.parts:
            part.cancel()
        await asyncio.gather(*self.parts, return_exceptions=True)
        self.parts = []

    def person(self, user_id: str = "U0ANA", name: str = "Ana Reyes") -> Person:
        """A member of the workspace, looked up just now."""
        return Person(id=user_id, name=name, standing=Standing.MEMBER, looked_up_at=self.clock())

    async def start(self, errand: str, owner: str = "U0NEWT", channel: str = "C0AGENTS") -> AgentRun:
        """Have a person start an errand."""
        return await self.gateway.start_run(self.person(owner, "Nia Newton"), channel, None, errand)

    async def over(self, run: AgentRun, within: float = 30.0) -> AgentRun:
        """The run when it is over. Raises TimeoutError."""
        return await self.once(f"run:{run.id}", lambda: self._if_over(run.id), within)

    async def _if_over(self, run_id: str) -> AgentRun | None:
        run = await self.store.run(run_id)
        return run if run is not None and run.state is not RunState.ACTIVE else None

    async def asked(self, tool: str, when: Callable[[Request], bool] = lambda each: True) -> Request:
        """The newest request for ``tool`` that is as ``when`` says, as soon as there is one."""

        async def found() -> Request | None:
            page = await self.store.requests(limit=100)
            return next((each for each in page.requests if each.call.tool == tool and when(each)), None)

        return await self.once("outbox", found, 10.0)

    async def once(self, topic: str, look: Callable[[], Awaitable[T | None]], within: float) -> T:
        """What ``look`` gives as soon as that is anything, looked at again at every change."""
        async with asyncio.timeout(within):
            with self.waiting.watch(topic) as changed:
                while (found := await look()) is None:
                    await changed_within(changed, 0.05)
        return found

    async def review(self, request: Request, verdict: Verdict = Verdict.APPROVE, **rest: Any) -> Request:
        """Ana's verdict."""
        return await self.gateway.review(request.id, self.person(), verdict, request.revision, **rest)

    def effects(self) -> list[dict[str, Any]]:
        """What the tools did, by their own traces."""
        file = self.folder / "effects.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    async def thread(self, run: AgentRun) -> list[str]:
        """The texts of the run's messages in Slack, oldest first."""
        current = await self.store.run(run.id)
        assert current is not None
        if current.thread_ts is None:
            return []
        found = await self.sandbox.people.history("U0ANA", current.channel, current.thread_ts)
        return ["\n".join(block["text"]["text"] for block in one["blocks"] if "text" in block) for one in found]

    async def thread_says(self, run: AgentRun, words: str) -> list[str]:
        """The thread as soon as ``words`` are in it. Raises TimeoutError."""

        async def said() -> list[str] | None:
            texts = await self.thread(run)
            return texts if any(words in text for text in texts) else None

        return list(await until(said))


def use(use_id: str, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool use in a model's message."""
    return {"type": "tool_use", "id": use_id, "name": tool, "input": arguments}


def execution_of(request: Request) -> ExecutionState | None:
    """How far an approved call is."""
    return request.execution.state if request.execution else None


def is_claimed(request: Request) -> bool:
    """Is it being run?"""
    return execution_of(request) is ExecutionState.CLAIMED


def of_order(order: str) -> Callable[[Request], bool]:
    """Is a request about this order?"""
    return lambda request: request.call.arguments["order_id"] == order


async def resumed(home: House, errand: str, *uses: dict[str, Any], **fields: Any) -> AgentRun:
    """A run whose model has just asked for ``uses``."""
    transcript = (
        {"role": "user", "content": [{"type": "text", "text": errand}]},
        {"role": "assistant", "content": list(uses)},
    )
    made = {"id": f"run_{errand}", "owner": "U0NEWT", "owner_name": "Nia", "channel": "C0AGENTS", "errand": errand}
    run = AgentRun(**{**made, "created_at": datetime.now(UTC), "transcript": transcript, **fields})
    await home.store.add_run(run)
    home.waiting.wake(("runs",))
    return run


def results(run: AgentRun, place: int) -> Mapping[str, tuple[str, bool]]:
    """The tool results in one message of the transcript, by tool use: the words, and whether it failed."""
    found = [block for block in run.transcript[place]["content"] if block["type"] == "tool_result"]
    return {block["tool_use_id"]: (block["content"][0]["text"], block["is_error"]) for block in found}


def said(run: AgentRun) -> str:
    """The last words of the run's agent."""
    return str(run.transcript[-1]["content"][0]["text"])


@asynccontextmanager
async def house(
    sandbox: SandboxProcess,
    folder: Path,
    *,
    policy: str = POLICY,
    on_commit: Callable[[frozenset[str]], None] = lambda topics: None,
    tools: ToolBox = TOOLS,
) -> AsyncIterator[House]:
    """The parts of a gateway that concern runs, on the database in ``folder``."""
    os.environ[EFFECTS] = str(folder / "effects.jsonl")
    clock, waiting = Elapsing(), Waiting()

    def committed(topics: frozenset[str]) -> None:
        waiting.wake(topics)
        on_commit(topics)

    url = f"sqlite:///{folder}/signoff.db"
    store = await Store.open(url, workspace_id="T0SANDBOX", exclusive=True, on_commit=committed)
    model = Model(
        api_key="sandbox", name="claude-sandbox", base_url=f"{sandbox.url}/anthropic", pauses=(0.01, 0.02, 0.03)
    )
    async with aiohttp.ClientSession() as session:
        client = web_client(sandbox.bot_token, sandbox.api_url, session)
        shelf = PolicyShelf(store, load(policy, source="policy.yml"))
        await shelf.keep(clock())
        gateway = Gateway(store, shelf, clock, waiting, workspace_id="T0SANDBOX")
        directory = Directory(client, clock, team_id="T0SANDBOX", usergroups=frozenset)
        looks = Looks(directory=directory, key=b"test", clock=clock)
        carrier = SlackCarrier(client, directory, looks, ResponseUrls(session, clock, origins=(sandbox.url,)))
        kit = Kit(
            gateway=gateway,
            store=store,
            waiting=waiting,
            tools=tools,
            model=model,
            asks=lambda name: may_ask(shelf.current, name),
        )
        made = House(
            sandbox=sandbox,
            folder=folder,
            store=store,
            waiting=waiting,
            gateway=gateway,
            kit=kit,
            courier=Courier(store, carrier, waiting, clock),
            clock=clock,
        )
        try:
            yield made
        finally:
            await made.stop_serving()
            await model.close()
            await store.close()
