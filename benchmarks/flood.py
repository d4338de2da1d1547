"""How soon people see 500 calls that come at once into one channel, with Slack's own pace and an outage in the middle.

    python -m benchmarks.flood [--calls 500] [--outage 120]

A real gateway process and the local workspace, which enforces one message a second a channel; agents ask over HTTP.
All times are the workspace's: *first* and *all* say how long after the first question the first call, and every call,
stood in the channel. With ``--outage`` Slack answers no post for that many seconds, from five seconds after the first
message on: half of the posts are dropped before they happen, half after. *back*: from the end of the outage to the
last call. *busiest ten seconds*: messages in the channel, of which Slack would take eleven or so. Beside the flood
calm agents ask one call a second, each into a channel of its own: how long their cards take, alone and beside the
flood. The run fails where a call stands in no message or in several, or where Slack had to slow the gateway down.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from statistics import median, quantiles
from typing import Any

from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import Agent, ServeProcess

ROOM = "C0APPROVALS"
A_BUDGET = 150
CALM = 4
IDLE_SECONDS = 30
RULE = "  - {{name: calm {0}, match: calm_{0}, checkpoint: hard, reviewers: calm{0}}}\n"
POLICY = """
version: 1
reviewers:
  support: {{channel: "#approvals", users: [U0ANA]}}
{groups}
ladders: {{standard: [{{after: 4h, then: expire}}]}}
rules:
{rules}
default: {{checkpoint: hard, reviewers: support, ladder: standard}}
""".format(
    groups="\n".join(f'  calm{n}: {{channel: "#calm-{n}", users: [U0ANA]}}' for n in range(CALM)),
    rules="".join(RULE.format(n) for n in range(CALM)),
)
SCOPES = [
    *("app_mentions:read", "chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read"),
    *("channels:history", "groups:history", "im:history", "channels:read", "groups:read"),
]
"""With leave to look for a post whose end nobody knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request and when it was asked for, in seconds of the wall's clock."""

    id: str
    at: float


def requests_in(message: dict[str, Any]) -> set[str]:
    """The requests that have a button in the message."""
    return set(re.findall(r"\breq_\w+(?=:\d)", str(message["blocks"])))


async def ask(agent: Agent, tool: str, number: int) -> Asked:
    """Submit one call."""
    at = time.time()
    answer = await agent.submit(tool, {"ticket": number})
    return Asked(id=str(answer.body["id"]), at=at)


async def calmly(agents: list[Agent], done: asyncio.Event, asked: list[Asked]) -> None:
    """Each agent asks about once a second, in turn, until ``done``."""
    for number in count():
        if done.is_set():
            return
        asked.append(await ask(agents[number % CALM], f"calm_{number % CALM}", number))
        await asyncio.sleep(1 / CALM)


async def waits(sandbox: SandboxProcess, asked: list[Asked]) -> list[float]:
    """How many seconds the calm agents' cards took."""
    rooms = [await sandbox.people.history("U0ANA", f"C0CALM{n}") for n in range(CALM)]
    posted = {one: float(message["ts"]) for room in rooms for message in room for one in requests_in(message)}
    return [posted[one.id] - one.at for one in asked if one.id in posted]


async def outage(sandbox: SandboxProcess, seconds: float) -> None:
    """Slack answers no post for a while."""
    for effect in ("before", "after"):
        await sandbox.control.faults({"method": "chat.postMessage", "times": 10**6, "reset": True, "effect": effect})
        await asyncio.sleep(seconds / 2)
    await sandbox.control.faults()


async def all_shown(sandbox: SandboxProcess, wanted: set[str]) -> list[dict[str, Any]]:
    """The channel's messages, once each call has one. Raises AssertionError where one has several."""

    async def everything() -> list[dict[str, Any]]:
        await asyncio.sleep(5)  # the workspace has other things to do
        found = await sandbox.people.history("U0ANA", ROOM)
        return found if set[str]().union(*map(requests_in, found)) >= wanted else []

    found = await until(everything, 900)
    shown = Counter(one for message in found for one in requests_in(message))
    assert shown == dict.fromkeys(wanted, 1), "each call stands in exactly one message"
    return list(found)


def busiest(times: list[float], seconds: float) -> int:
    """The most messages in any stretch of so many seconds."""
    return max(sum(start <= at < start + seconds for at in times) for start in times)


async def run(calls: int, outage_seconds: float) -> None:
    """One flood. Raises AssertionError where something was lost, repeated or too fast."""
    async with SandboxProcess(pace=True) as sandbox:
        await sandbox.control.app(scopes=SCOPES)
        for n in range(CALM):
            await sandbox.control.channel(f"C0CALM{n}", name=f"calm-{n}", members=["U0ANA", "U0SIGNOFF"])
        async with ServeProcess(sandbox, policy=POLICY) as serve:
            agents = [await serve.agent(f"agent-{number}") for number in range(-(-calls // A_BUDGET))]
            alone, beside = [], []
            calm = [await serve.agent(f"calm-{n}") for n in range(CALM)]
            over = asyncio.Event()
            idle = asyncio.create_task(calmly(calm, over, alone))
            await asyncio.sleep(IDLE_SECONDS)
            over.set()
            await idle
            over.clear()
            began = time.time()
            calmed = asyncio.create_task(calmly(calm, over, beside))
            asking = asyncio.gather(*(ask(agents[n % len(agents)], "close_ticket", n) for n in range(calls)))
            if outage_seconds:
                await until(lambda: sandbox.people.history("U0ANA", ROOM), 30)
                await asyncio.sleep(5)
                await outage(sandbox, outage_seconds)
            back = time.time()
            wanted = {one.id for one in await asking}
            messages = await all_shown(sandbox, wanted)
            over.set()
            await calmed
            await asyncio.sleep(2)
            times = [float(message["ts"]) for message in messages]
            posts = await sandbox.control.calls("chat.postMessage")
            assert not [post for post in posts if post["status"] == 429], "Slack never had to slow the gateway down"
            since = f" ({max(times) - back:.1f} s after its return)" if outage_seconds else ""
            print(
                f"{calls} calls, {outage_seconds:.0f} s without Slack: first {min(times) - began:.2f} s, "
                f"all {max(times) - began:.1f} s{since}; {len(messages)} messages, busiest second "
                f"{busiest(times, 1)}, busiest ten seconds {busiest(times, 10)}"
            )
            for name, asked in (("alone", alone), ("beside the flood", beside)):
                seconds = await waits(sandbox, asked)
                print(
                    f"  calm agents {name}: {len(seconds)} cards of {len(asked)}, median {median(seconds) * 1000:.0f} "
                    f"ms, p95 {quantiles(seconds, n=20)[-1] * 1000:.0f} ms"
                )


def main() -> None:
    """Both floods: with Slack there all the time, and with the outage."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=500)
    options.add_argument("--outage", type=float, default=120)
    chosen, _ = options.parse_known_args()
    for seconds in (0.0, chosen.outage):
        asyncio.run(run(chosen.calls, seconds))


if __name__ == "__main__":
    main()
