"""One agent floods the gateway while calm agents ask now and then: how long their cards take, beside no flood at all.

    python -m benchmarks.budget [--calls 10000] [--seconds 30] [--agents 20] [--each 10]

A real gateway process and the local workspace, which enforces one message a second a channel. The calm agents ask every
``--each`` seconds into four channels; the flooding agent, whose budget is 20 waiting calls, asks ``--calls`` in
``--seconds``, into a channel of its own, then into one of theirs. *p50*, *p95*: from the call to its card in the
channel, of the calm agents; *beside it*: of those in the flood's channel. The run fails where more than the budget was
posted, or where a refusal names no time to ask again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import Agent, ServeProcess

WAITING = 20
ROOMS = tuple(f"C0CALM{number}" for number in range(4))
OWN = "C0FLOOD"
GROUPS = "".join(f"  g{room}: {{channel: {room}, users: [U0ANA]}}\n" for room in (*ROOMS, OWN))
RULES = "".join(
    f"  - {{name: {room}, match: ask_{room}, checkpoint: hard, reviewers: g{room}, ladder: standard}}\n"
    for room in (*ROOMS, OWN)
)
POLICY = f"""
version: 1
reviewers:
{GROUPS}
ladders: {{standard: [{{after: 4h, then: expire}}]}}
rules:
{RULES}
budgets:
  - {{agents: flood, waiting: {WAITING}}}
default: {{checkpoint: hard, reviewers: g{OWN}, ladder: standard}}
"""
AT_ONCE = 32
"""Connections of the flooding agent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """The flood's calls and seconds; how many calm agents ask, each every so many seconds."""

    calls: int
    seconds: float
    agents: int
    each: float


@dataclass(kw_only=True, slots=True)
class Told:
    """What became of the flood."""

    statuses: Counter[int] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    vague: int = 0
    slowest: float = 0.0
    seconds: float = 0.0


async def flood(serve: ServeProcess, key: str, tool: str, calls: int, seconds: float) -> Told:
    """Ask ``calls`` times, spread over ``seconds``, each call another one."""
    told, began, left = Told(), time.monotonic(), iter(range(calls))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def connection(session: aiohttp.ClientSession) -> None:
        for number in left:
            await asyncio.sleep(max(0.0, began + number * seconds / calls - time.monotonic()))
            body = json.dumps({"tool": tool, "arguments": {"number": number, "began": began}})
            asked = time.monotonic()
            async with session.post(f"{serve.url}/v1/requests", data=body, headers=headers) as answer:
                said = await answer.json(content_type=None)
            told.ids |= {said["id"]} if answer.status == 201 else set()
            told.statuses[answer.status] += 1
            told.vague += answer.status == 429 and not answer.headers.get("Retry-After", "").isdigit()
            told.slowest = max(told.slowest, time.monotonic() - asked)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        await asyncio.gather(*(connection(session) for _ in range(AT_ONCE)))
    told.seconds = time.monotonic() - began
    return told


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """When a calm agent asked, and into which channel."""

    at: float
    room: str


async def calm(agent: Agent, room: str, asked: dict[str, Asked], each: float, delay: float) -> None:
    """Ask every ``each`` seconds until cancelled, noting when."""
    await asyncio.sleep(delay)
    while True:
        at = time.time()
        answer = await agent.submit(f"ask_{room}", {"at": at})
        assert answer.status == 201, answer
        asked[str(answer.body["id"])] = Asked(at=at, room=room)
        await asyncio.sleep(max(0.0, each - (time.time() - at)))


def requests_in(message: dict[str, object]) -> set[str]:
    """The requests that have a button in the message."""
    return set(re.findall(r"\breq_\w+(?=:\d)", str(message["blocks"])))


async def cards(sandbox: SandboxProcess) -> dict[str, float]:
    """Each request's card, with its time."""
    found: dict[str, float] = {}
    for room in (*ROOMS, OWN):
        for message in await sandbox.people.history("U0ANA", room):
            found |= dict.fromkeys(requests_in(message) - found.keys(), float(message["ts"]))
    return found


def memory(pid: int) -> float:
    """What the process holds, in MB."""
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def spread(times: list[float]) -> str:
    """Their median and their 95th percentile, in words."""
    return f"p50 {statistics.median(times) * 1000:4.0f} ms, p95 {p95_of(times) * 1000:5.0f} ms"


def p95_of(times: list[float]) -> float:
    """Their 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


async def run(title: str, room: str | None, sizes: Sizes) -> float:
    """One round with its own gateway; the calm agents' p95. Raises AssertionError where the budget didn't hold."""
    async with SandboxProcess(pace=True) as sandbox:
        for each in (*ROOMS, OWN):
            await sandbox.control.channel(each, name=each.lower(), members=["U0ANA", "U0SIGNOFF"])
        async with ServeProcess(sandbox, policy=POLICY) as serve:
            asked: dict[str, Asked] = {}
            told, memories = await _played(serve, room, asked, sizes)

            async def everything() -> bool:
                await asyncio.sleep(0.3)
                return asked.keys() <= (await cards(sandbox)).keys()

            await until(everything, 120)
            posted = await cards(sandbox)
    waits = {one: posted[one] - asked[one].at for one in asked}
    print(f"{title:<12} {len(waits):>3} calm cards: {spread(list(waits.values()))}", end="")
    if room in ROOMS:
        beside = [wait for one, wait in waits.items() if asked[one].room == room]
        print(f"; beside it {len(beside)}: {spread(beside)}", end="")
    if told is not None:
        mine = len(posted.keys() & told.ids)
        assert told.statuses == {201: WAITING, 429: sizes.calls - WAITING}, told.statuses
        assert (told.vague, mine) == (0, WAITING), (told.vague, mine)
        asked_and_told = f"{sizes.calls} calls in {told.seconds:.1f} s: {mine} cards, {told.statuses[429]} refused"
        grown = f"memory {memories[0]:.0f} MB {memories[1] - memories[0]:+.1f}"
        print(f"\n{'':<12} {asked_and_told}, slowest answer {told.slowest * 1000:.0f} ms, {grown}", end="")
    print()
    return p95_of(list(waits.values()))


async def _played(
    serve: ServeProcess, room: str | None, asked: dict[str, Asked], sizes: Sizes
) -> tuple[Told | None, tuple[float, float]]:
    """The calm agents, and the flood into ``room`` if there is one; the process's memory before and after it."""
    flooding = await serve.agent("flood")
    quiet = [await serve.agent(f"calm-{number}") for number in range(sizes.agents)]
    asking = [
        asyncio.create_task(
            calm(agent, ROOMS[place % len(ROOMS)], asked, sizes.each, sizes.each * place / sizes.agents)
        )
        for place, agent in enumerate(quiet)
    ]
    await asyncio.sleep(sizes.each)
    before = memory(serve.pid)
    told = None
    if room is None:
        await asyncio.sleep(sizes.seconds)
    else:
        told = await flood(serve, flooding.key, f"ask_{room}", sizes.calls, sizes.seconds)
    after = memory(serve.pid)
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return told, (before, after)


def main() -> None:
    """No flood, a flood next door, a flood into one of the calm agents' channels."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--agents", type=int, default=20)
    options.add_argument("--each", type=float, default=10.0)
    chosen, _ = options.parse_known_args()
    sizes = Sizes(calls=chosen.calls, seconds=chosen.seconds, agents=chosen.agents, each=chosen.each)
    idle = asyncio.run(run("idle", None, sizes))
    for title, room in (("next door", OWN), ("same channel", ROOMS[0])):
        p95 = asyncio.run(run(title, room, sizes))
        print(f"{'':<12} {p95 / idle:.1f} times the idle p95")


if __name__ == "__main__":
    main()
