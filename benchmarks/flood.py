"""How soon people see 500 calls that come at once into one channel, with Slack's own pace and an outage in the middle.

    python -m benchmarks.flood [--calls 500] [--outage 120]

A real gateway process and the local workspace, which enforces one message a second a channel; agents ask over HTTP.
*asked*: all are stored and answered. *first*, *all*: the first call, and every call, stands in the channel. With
``--outage`` Slack answers nothing for that many seconds, from five seconds after the first message on: half of the
posts are dropped before they happen, half after. *back*: from the end of the outage to the last call. The run fails
where a call stands in no message or in several, or where Slack had to slow the gateway down.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter
from typing import Any

from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import Agent, ServeProcess

ROOM = "C0APPROVALS"
A_BUDGET = 150
POLICY = """
version: 1
reviewers: {support: {channel: "#approvals", users: [U0ANA]}}
ladders: {standard: [{after: 4h, then: expire}]}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


def requests_in(message: dict[str, Any]) -> set[str]:
    """The requests that have a button in the message."""
    return set(re.findall(r"\breq_\w+(?=:\d)", str(message["blocks"])))


async def ask(agents: list[Agent], calls: int) -> set[str]:
    """Submit so many calls at once; the requests' ids."""
    sent = (agents[number % len(agents)].submit("close_ticket", {"ticket": number}) for number in range(calls))
    answers = await asyncio.gather(*sent)
    return {str(answer.body["id"]) for answer in answers}


async def shown(sandbox: SandboxProcess) -> Counter[str]:
    """In how many messages each request stands."""
    return Counter(one for message in await sandbox.people.history("U0ANA", ROOM) for one in requests_in(message))


async def outage(sandbox: SandboxProcess, seconds: float) -> None:
    """Slack answers no post for a while."""
    for effect in ("before", "after"):
        await sandbox.control.faults({"method": "chat.postMessage", "times": 10**6, "reset": True, "effect": effect})
        await asyncio.sleep(seconds / 2)
    await sandbox.control.faults()


async def run(calls: int, outage_seconds: float) -> None:
    """One flood. Raises AssertionError where something was lost, repeated or too fast."""
    async with SandboxProcess(pace=True) as sandbox, ServeProcess(sandbox, policy=POLICY) as serve:
        await sandbox.control.app(scopes=SCOPES)
        agents = [await serve.agent(f"agent-{number}") for number in range(-(-calls // A_BUDGET))]
        began = time.monotonic()
        asking = asyncio.create_task(ask(agents, calls))
        await until(lambda: sandbox.people.history("U0ANA", ROOM), 30)
        first = time.monotonic() - began
        wanted = await asking
        asked = time.monotonic() - began
        back = began
        if outage_seconds:
            await asyncio.sleep(5)
            await outage(sandbox, outage_seconds)
            back = time.monotonic()

        async def everything() -> bool:
            await asyncio.sleep(0.2)
            return (await shown(sandbox)).keys() >= wanted

        await until(everything, 900)
        ended = time.monotonic()
        posts = await sandbox.control.calls("chat.postMessage")
        assert await shown(sandbox) == dict.fromkeys(wanted, 1), "each call stands in exactly one message"
        assert not [post for post in posts if post["status"] == 429], "Slack never had to slow the gateway down"
        since = f", back {ended - back:.1f} s" if outage_seconds else ""
        print(
            f"{calls} calls, {outage_seconds:.0f} s without Slack: asked {asked:.1f} s, first {first:.2f} s, "
            f"all {ended - began:.1f} s{since}; {len(posts)} posts"
        )


SCOPES = [
    *("app_mentions:read", "chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read"),
    *("channels:history", "groups:history", "im:history", "channels:read", "groups:read"),
]
"""With leave to look for a post whose end nobody knows."""


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
