"""How fast the local workspace is and how much memory it takes, beside a bare aiohttp server that answers the same.

    python benchmarks/workspace.py [--rounds 3] [--cards 1200] [--messages 5000]

*floor*: a POST that aiohttp parses and answers, nothing else. *cards*: chat.postMessage with five blocks, validated,
kept, recorded. *updates*: chat.update of one of them. *history*: the newest fifty of a channel with ``--messages``.
The rounds are interleaved: only the ratios within a run mean something. Memory is the growth of the server's resident
size over all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"
AT_ONCE = 8
LINE = "An agent asks to refund order 1042, because the parcel never arrived. "
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": LINE * 8, "verbatim": True}}
BUTTON = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}, "value": "r1"}
CARD = {"channel": ROOM, "text": LINE, "blocks": [*[SECTION] * 4, {"type": "actions", "elements": [BUTTON]}]}

Send = Callable[[aiohttp.ClientSession, int], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Requests a second, median and 99th percentile wait in milliseconds."""

    rate: float
    p50: float
    p99: float


async def timed(session: aiohttp.ClientSession, count: int, send: Send) -> Timing:
    """Send ``count`` requests, a few at once. Raises RuntimeError when one is refused."""
    numbers, waits = iter(range(count)), list[float]()

    async def one_client() -> None:
        for number in numbers:
            asked = time.perf_counter()
            if not (answer := await send(session, number)).get("ok"):
                raise RuntimeError(f"refused: {answer}")
            waits.append(time.perf_counter() - asked)

    started = time.perf_counter()
    await asyncio.gather(*(one_client() for _ in range(AT_ONCE)))
    elapsed, ordered = time.perf_counter() - started, sorted(waits)
    p99 = ordered[int(len(ordered) * 0.99)] * 1e3
    return Timing(rate=count / elapsed, p50=statistics.median(ordered) * 1e3, p99=p99)


def posting(url: str, content: Callable[[int], dict[str, Any]]) -> Send:
    """A POST of JSON."""

    async def send(session: aiohttp.ClientSession, number: int) -> dict[str, Any]:
        async with session.post(url, json=content(number)) as response:
            return dict(await response.json())

    return send


def reading(url: str) -> Send:
    """A GET."""

    async def send(session: aiohttp.ClientSession, number: int) -> dict[str, Any]:
        async with session.get(url) as response:
            return dict(await response.json())

    return send


@asynccontextmanager
async def bare_server() -> AsyncIterator[str]:
    """aiohttp alone, in a process of its own."""
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--floor", stdout=asyncio.subprocess.PIPE)
    if process.stdout is None:
        raise RuntimeError("the bare server has no output")
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def serve_floor() -> None:
    """Answer every POST with what it brought, as JSON, until killed."""

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "message": await request.json()})

    app = web.Application()
    app.router.add_post("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
    await asyncio.Event().wait()


def resident(pid: int) -> float:
    """The resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def compare(rounds: int, cards: int, messages: int) -> None:
    """Run all ways in turn and print the medians."""
    found: dict[str, list[Timing]] = {}
    async with bare_server() as floor, SandboxProcess() as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
        api, before = sandbox.api_url, resident(sandbox.pid)
        async with aiohttp.ClientSession(headers=headers) as session:
            content = {"channel": ROOM, "text": "x"}
            await timed(session, messages, posting(f"{api}chat.postMessage", lambda number: content))
            filled = resident(sandbox.pid) - before
            ts = (await sandbox.api("chat.postMessage", CARD))["ts"]
            ways = {
                "floor": posting(floor, lambda number: CARD),
                "cards": posting(f"{api}chat.postMessage", lambda number: CARD),
                "updates": posting(f"{api}chat.update", lambda number: {**CARD, "ts": ts, "text": str(number)}),
                "history": reading(f"{sandbox.url}/people/history?as=U0ANA&channel={ROOM}&limit=50"),
            }
            for _ in range(rounds):
                for name, send in ways.items():
                    found.setdefault(name, []).append(await timed(session, cards, send))
        show(found)
        grown, share = resident(sandbox.pid) - before, 20 / median(found["cards"])
        print(f"{messages} messages took {filled:.0f} MiB; with {rounds * cards} cards and updates {grown:.0f} MiB")
        print(f"twenty cards a second are {share:.1%} of what it can do")


def median(timings: list[Timing]) -> float:
    """The median rate."""
    return statistics.median(timing.rate for timing in timings)


def show(found: dict[str, list[Timing]]) -> None:
    """A table of medians, with the ratio to the floor."""
    print(f"{'way':<9} {'per s':>8} {'x floor':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for name, timings in found.items():
        ratio = statistics.median(one.rate / other.rate for one, other in zip(timings, found["floor"], strict=True))
        p50, p99 = (statistics.median(getattr(one, of) for one in timings) for of in ("p50", "p99"))
        print(f"{name:<9} {median(timings):8.0f} {ratio:8.2f} {p50:8.2f} {p99:8.2f}")


def main() -> None:
    """Run the comparison as the command line says."""
    parser = argparse.ArgumentParser(description="The local workspace beside a bare aiohttp server.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=1200)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    asyncio.run(serve_floor() if options.floor else compare(options.rounds, options.cards, options.messages))


if __name__ == "__main__":
    main()
