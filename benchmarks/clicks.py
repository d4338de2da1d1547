"""From a signed click to its acknowledgement: the decision is committed in between.

    python -m benchmarks.clicks [--clicks 400] [--waiting 64] [--rounds 3]

*floor*: append 12 KiB to a file and flush it. *bare*: aiohttp answering the same bytes with nothing done. *click*: the
whole way: signature, parsing, Bolt, who the person is, judgement, commit at FULL, acknowledgement; ``--waiting`` at
once, and alone. The client runs in the same process, so the figures are what one core and a half give.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from benchmarks.decisions import Timing, floor, measured, show
from bot.bootstrap import Serving, serving
from bot.settings import Settings
from bot.slack import ids
from policies.loader import load
from policies.request import Requester, Submission, ToolCall
from tests.sandbox_process import SandboxProcess

SECRET = "sandbox-signing-secret"
POLICY = """
version: 1
reviewers: {team: {users: [U0ANA]}}
ladders: {standard: [{after: 2h, then: expire}]}
rules: [{name: pay, match: pay, checkpoint: inbox, reviewers: team, ladder: standard}]
default: {checkpoint: hard, reviewers: team, ladder: standard}
"""


async def pending(served: Serving, count: int) -> list[str]:
    """The buttons' values of so many pending requests."""
    agents = [Requester(id=f"key:bench{number // 100}", name="bench") for number in range(count)]  # each has a budget
    calls = [Submission(call=ToolCall(tool="pay", arguments={"n": number})) for number in range(count)]
    added = await asyncio.gather(*map(served.gateway.submit, calls, agents))
    return [f"{each.request.id}:{each.request.revision}" for each in added]


def click(value: str) -> tuple[bytes, dict[str, str]]:
    """The body and headers of one press on Approve, signed now, in what only this person sees: no card is behind it."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U0ANA", "username": "ana", "team_id": "T0SANDBOX"},
        "team": {"id": "T0SANDBOX", "domain": "harbour"},
        "api_app_id": "A0SIGNOFF",
        "trigger_id": "1.2.3",
        "response_url": "",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0APPROVALS", "is_ephemeral": True},
        "channel": {"id": "C0APPROVALS", "name": "approvals"},
        "message": {"ts": "1.2", "text": "", "blocks": []},
        "actions": [
            {
                "type": "button",
                "action_id": ids.APPROVE,
                "block_id": "b",
                "action_ts": "1.2",
                "value": value,
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    }
    body = b"payload=" + quote(json.dumps(payload)).encode()
    stamp = str(int(time.time()))
    signed = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signed}"}
    return body, {**headers, "Content-Type": "application/x-www-form-urlencoded"}


async def press(session: aiohttp.ClientSession, url: str, values: list[str], waiting: int) -> Timing:
    """Press every button, ``waiting`` at once."""
    left, waits = list(values), []
    started, cpu = time.perf_counter(), time.process_time()

    async def person() -> None:
        while left:
            body, headers = click(left.pop())
            begun = time.perf_counter()
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
            waits.append(time.perf_counter() - begun)

    await asyncio.gather(*(person() for _ in range(waiting)))
    return measured(len(values), started, cpu, waits)


async def settled(served: Serving) -> None:
    """Wait until the outbox is empty, so that no round pays for the one before."""
    while await served.store.next_owed() is not None:
        await asyncio.sleep(0.1)


async def bare(stack: AsyncExitStack) -> str:
    """A server that reads the body and answers."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/"


async def compare(rounds: int, clicks: int, waiting: int) -> dict[str, list[Timing]]:
    """Interleaved rounds of every way."""
    found: dict[str, list[Timing]] = {"floor": [], "one by one": [], "click": [], "click alone": []}
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(SandboxProcess())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            slack_bot_token=SecretStr(sandbox.bot_token),
            slack_signing_secret=SecretStr(SECRET),
            slack_api_url=sandbox.api_url,
            database_url=f"sqlite:///{folder}/signoff.db",
            port=0,
        )
        served = await stack.enter_async_context(serving(settings, load(POLICY, source="bench")))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        peer = await bare(stack)
        url = f"{served.url}/slack/events"
        for _ in range(rounds):
            await settled(served)
            found["floor"].append(await floor(folder, clicks, waiting))
            found["one by one"].append(await press(session, peer, ["x:1"] * clicks, waiting))
            found["click"].append(await press(session, url, await pending(served, clicks), waiting))
            await settled(served)
            found["click alone"].append(await press(session, url, await pending(served, clicks // 8), 1))
    return found


def main() -> None:
    """Run the comparison as the command line says."""
    parser = argparse.ArgumentParser(description="From a signed click to its acknowledgement.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clicks", type=int, default=400)
    parser.add_argument("--waiting", type=int, default=64)
    arguments, _ = parser.parse_known_args()
    print("(one by one: a bare aiohttp server that answers the same bytes)")
    show(asyncio.run(compare(arguments.rounds, arguments.clicks, arguments.waiting)))


if __name__ == "__main__":
    main()
