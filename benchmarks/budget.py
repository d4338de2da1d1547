"""One agent floods the gateway while calm agents ask now and then: how long their cards take, beside no flood at all.

    python -m benchmarks.budget [--calls 10000] [--seconds 30] [--agents 20] [--each 40]

A real gateway process and the local workspace, which enforces one message a second a channel. The calm agents share
one channel and ask every ``--each`` seconds; the flooding agent, whose budget is 20 waiting calls, asks ``--calls`` in
``--seconds``, into a channel of its own, then into theirs. *p50*, *p95*: from the call to its card in the channel, of
the calm agents. *cards*: of the flooding agent. The run fails where more than its budget was posted, or where a refusal
names no time to ask again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import Agent, ServeProcess

WAITING = 20
ROOM, OTHER = "C0APPROVALS", "C0FINANCE"
POLICY = f"""
version: 1
reviewers:
  support: {{channel: {ROOM}, users: [U0ANA]}}
  finance: {{channel: {OTHER}, users: [U0FAY]}}
ladders: {{standard: [{{after: 4h, then: expire}}]}}
rules:
  - {{name: apart, match: pay, checkpoint: hard, reviewers: finance, ladder: standard}}
budgets:
  - {{agents: flood, waiting: {WAITING}}}
default: {{checkpoint: hard, reviewers: support, ladder: standard}}
"""
AT_ONCE = 32
"""Connections of the flooding agent."""


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


async def calm(agent: Agent, asked: dict[str, float], each: float, delay: float) -> None:
    """Ask every ``each`` seconds until cancelled, noting when."""
    await asyncio.sleep(delay)
    while True:
        at = time.time()
        answer = await agent.submit("close_ticket", {"at": at})
        assert answer.status == 201, answer
        asked[str(answer.body["id"])] = at
        await asyncio.sleep(max(0.0, each - (time.time() - at)))


def requests_in(message: dict[str, object]) -> set[str]:
    """The requests that have a button in the message."""
    return set(re.findall(r"\breq_\w+(?=:\d)", str(message["blocks"])))


async def cards(sandbox: SandboxProcess, person: str, room: str) -> dict[str, float]:
    """Each request's card in the channel, with its time."""
    found: dict[str, float] = {}
    for message in await sandbox.people.history(person, room):
        found |= dict.fromkeys(requests_in(message) - found.keys(), float(message["ts"]))
    return found


def memory(pid: int) -> float:
    """What the process holds, in MB."""
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def spread(times: list[float]) -> tuple[float, float]:
    """Their median and their 95th percentile."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


async def run(title: str, tool: str | None, calls: int, seconds: float, agents: int, each: float) -> float:
    """One round with its own gateway; the calm agents' p95. Raises AssertionError where the budget didn't hold."""
    async with SandboxProcess(pace=True) as sandbox, ServeProcess(sandbox, policy=POLICY) as serve:
        flooding = await serve.agent("flood")
        quiet = [await serve.agent(f"calm-{number}") for number in range(agents)]
        asked: dict[str, float] = {}
        asking = [
            asyncio.create_task(calm(agent, asked, each, each * place / agents)) for place, agent in enumerate(quiet)
        ]
        await asyncio.sleep(2)
        before = memory(serve.pid)
        told = await flood(serve, flooding.key, tool, calls, seconds) if tool else None
        if told is None:
            await asyncio.sleep(seconds)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

        async def everything() -> bool:
            await asyncio.sleep(0.3)
            return asked.keys() <= (await cards(sandbox, "U0ANA", ROOM)).keys()

        await until(everything, 120)
        mine = await cards(sandbox, "U0ANA", ROOM)
        waits = [mine[one] - at for one, at in asked.items()]
        p50, p95 = spread(waits)
        grown = memory(serve.pid) - before
        print(f"{title:<12} {len(waits):>3} calm cards, p50 {p50 * 1000:5.0f} ms, p95 {p95 * 1000:5.0f} ms", end="")
        if told is not None:
            posted = len((mine | await cards(sandbox, "U0FAY", OTHER)).keys() & told.ids)
            assert told.statuses == {201: WAITING, 429: calls - WAITING}, told.statuses
            assert told.vague == 0
            assert posted <= WAITING, posted
            print(
                f"; {calls} calls in {told.seconds:.1f} s: {posted} cards, {told.statuses[429]} refused,"
                f" slowest answer {told.slowest * 1000:.0f} ms, memory {before:.0f} MB {grown:+.1f}",
                end="",
            )
        print()
        return p95


def main() -> None:
    """No flood, a flood next door, a flood into the calm agents' own channel."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--agents", type=int, default=20)
    options.add_argument("--each", type=float, default=40.0)
    chosen, _ = options.parse_known_args()
    sizes = (chosen.calls, chosen.seconds, chosen.agents, chosen.each)
    idle = asyncio.run(run("idle", None, *sizes))
    for title, tool in (("next door", "pay"), ("same channel", "close_ticket")):
        p95 = asyncio.run(run(title, tool, *sizes))
        print(f"{'':<12} {p95 / idle:.1f} times the idle p95")


if __name__ == "__main__":
    main()
