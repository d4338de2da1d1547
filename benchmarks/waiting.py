"""Thousands of agents that wait, half of which vanish: what is left of them, and how soon the others hear.

    python -m benchmarks.waiting [--waits 2000] [--pace 50]

A real gateway process holds as many long polls as ``--waits``, each for a request of its own, and then as many streams
of server-sent events. Half of the clients vanish: a third of those close their connection, a third reset it, and of the
last third nothing more is heard (the host lost its power). The other calls are then decided, so many a second.
*wake-up*: from the decision's time to the client's having its answer. *bare event*: the same clients at an aiohttp
server in a process of its own that holds each on an ``asyncio.Event`` and answers as many bytes. In the end everybody
goes: the run fails where more sockets, tasks or waits are open than before, or memory grew by ``GROWTH``. *before*
is after as many had waited and gone once: Python keeps what it once needed (so does the bare server), to use it again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import ServeProcess

GROWTH = 10.0
"""Megabytes that the gateway may weigh more when everybody has gone."""
QUIET = 15.0
"""Seconds for which nothing happens, to see what the waiting itself costs."""
OTHERS = 2
"""Connections to Slack, and tasks of the gateway's own, that may have come up meanwhile."""
A_BUDGET = 150
"""Requests of one agent: fewer than the 200 that may wait."""
POLICY = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA]}
ladders: {standard: [{after: 4h, then: expire}]}
rules: [{name: queue, match: "*", checkpoint: inbox, reviewers: support, ladder: standard}]
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
"""No card is posted for what waits in an inbox: it is the waiting that is measured, not Slack."""
ARGUMENTS = {"order_id": "HG-1042", "amount": 140, "reason": "The lamp arrived cracked, the customer sent photos."}
TCP_REPAIR = 19
"""Linux's way to take a socket away without a word to the other side; for root alone."""


class Client(asyncio.Protocol):
    """One waiting client on a bare connection: sends its request, and notes when the answer's body said ``mark``."""

    def __init__(self, sent: bytes, mark: bytes) -> None:
        self._sent = sent
        self._mark = mark
        self.read = b""
        self.answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._sent)

    def data_received(self, data: bytes) -> None:
        self.read += data
        if self._mark in self.read and not self.answered.done():
            self.answered.set_result(time.time())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answered.done():
            self.answered.cancel()

    def leave(self, way: int) -> None:
        """Vanish: 0 closes, 1 resets, 2 says nothing at all (where that is allowed, else resets)."""
        found = self.transport.get_extra_info("socket")
        if way == 2 and _silently(found):
            self.transport.abort()
        elif way:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()


def _silently(found: socket.socket) -> bool:
    try:
        found.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiter:
    """Where one client waits, and how what it waits for is decided: the decision's time, in seconds since 1970."""

    path: str
    key: str
    decide: Callable[[], Awaitable[float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What a process holds: megabytes, sockets; and, if it tells them, tasks and open waits."""

    memory: float
    connections: int
    tasks: int = 0
    waits: int = 0

    def __str__(self) -> str:
        return f"{self.memory:6.1f} MB {self.connections:5} sockets {self.tasks:5} tasks {self.waits:5} waits"


def weigh(pid: int, tasks: int = 0, waits: int = 0) -> Weight:
    """What the process holds now."""
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")]
    held = Path(f"/proc/{pid}/fd")
    connections = sum(str(each.readlink()).startswith("socket:") for each in held.iterdir() if each.is_symlink())
    return Weight(memory=int(line.split()[1]) / 1024, connections=connections, tasks=tasks, waits=waits)


async def busy(pid: int) -> float:
    """How many percent of a core the process uses."""
    used = []
    for seconds in (QUIET, 0.0):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()  # noqa: ASYNC240
        used.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        await asyncio.sleep(seconds)
    return (used[1] - used[0]) / QUIET * 100


async def connect(port: int, waiters: Sequence[Waiter], mark: bytes) -> list[Client]:
    """All of them wait."""
    loop, clients = asyncio.get_running_loop(), []
    for waiter in waiters:
        sent = f"GET {waiter.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {waiter.key}\r\n\r\n".encode()
        _, client = await loop.create_connection(lambda sent=sent: Client(sent, mark), "127.0.0.1", port)  # type: ignore[misc]
        clients.append(client)
    return clients


async def decide(waiters: Sequence[Waiter], clients: Sequence[Client], pace: float) -> list[float]:
    """Decide what they wait for, so many a second; how many seconds each took to hear of it."""
    began, waits = time.monotonic(), []
    for place, (waiter, client) in enumerate(zip(waiters, clients, strict=True)):
        await asyncio.sleep(max(0.0, began + place / pace - time.monotonic()))
        decided = await waiter.decide()
        async with asyncio.timeout(10):
            waits.append(await client.answered - decided)
    return waits


def spread(waits: Sequence[float]) -> str:
    """Their median and their 99th percentile, in words."""
    p99 = statistics.quantiles(waits, n=100)[-1]
    return f"median {statistics.median(waits) * 1000:5.2f} ms, p99 {p99 * 1000:6.2f} ms of {len(waits)}"


# ---- the gateway


@dataclass(kw_only=True, slots=True)
class Gateway:
    """The gateway under test, its figures and its agents' keys."""

    serve: ServeProcess
    operator: str
    keys: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, key: str, body: object = None) -> dict[str, object]:
        """One call of the API."""
        headers = {"Authorization": f"Bearer {key}"}
        async with self.serve.session.request(method, f"{self.serve.url}{path}", headers=headers, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
            return dict(await answer.json())

    async def weight(self) -> Weight:
        """What it holds and how much is open in it, by its own metrics; this look's own task counts not."""
        headers = {"Authorization": f"Bearer {self.operator}"}
        async with self.serve.session.get(f"{self.serve.url}/metrics", headers=headers) as answer:
            told = await answer.text()
        found = {name: int(float(value)) for name, value in re.findall(r"^(signoff_\w+) (\S+)$", told, re.MULTILINE)}
        return weigh(self.serve.pid, found["signoff_tasks"], found["signoff_waits_open"])

    async def waiters(self, count: int, streams: bool) -> list[Waiter]:
        """So many requests, and who waits for each."""
        while len(self.keys) * A_BUDGET < count:
            self.keys.append((await self.serve.agent(f"agent-{len(self.keys)}")).key)
        return [await self._waiter(number, streams) for number in range(count)]

    async def _waiter(self, number: int, streams: bool) -> Waiter:
        key = self.keys[number // A_BUDGET]
        asked = await self.call("POST", "/v1/requests", key, {"tool": "issue_refund", "arguments": ARGUMENTS})
        path = f"/v1/requests/{asked['id']}"

        async def withdraw() -> float:
            decision = (await self.call("DELETE", path, key))["decision"]
            assert isinstance(decision, dict)
            return datetime.fromisoformat(decision["at"]).timestamp()

        return Waiter(path=f"{path}/events" if streams else f"{path}?wait=55", key=key, decide=withdraw)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A real one, warm: it has answered before."""
    async with SandboxProcess() as sandbox, ServeProcess(sandbox, policy=POLICY) as serve:
        made = await serve.signoff("keys", "create", "prometheus", "--operator")
        found = Gateway(serve=serve, operator=made.out.strip())
        (first,) = await found.waiters(1, streams=False)
        await first.decide()
        await found.call("GET", first.path, first.key)
        yield found


async def measure(count: int, pace: float, streams: bool) -> list[float]:
    """Many wait, half of them vanish, the others are told. Raises AssertionError where anything is left of them."""
    mark = b"event: settled" if streams else b'"withdrawn"'
    async with gateway() as found:
        waiters = await found.waiters(count, streams)
        weights = {"idle": await found.weight()}
        for client in await connect(found.serve.port, waiters, mark):
            client.leave(0)
        weights["before"] = before = await _weight_at(found, 0)
        clients = await connect(found.serve.port, waiters, mark)
        weights["waiting"] = waiting = await _weight_at(found, count)
        idle = await busy(found.serve.pid)
        for place, client in enumerate(clients[1::2]):
            client.leave(place % 3)
        await asyncio.sleep(2.0)
        weights["vanished"] = await found.weight()
        waits = await decide(waiters[::2], clients[::2], pace)
        for client in clients[::2]:
            client.leave(0)
        for waiter in waiters[1::2]:  # whose answers find nobody
            await waiter.decide()
        weights["after"] = after = await _weight_at(found, 0)
    for title, weight in weights.items():
        print(f"  {title:<9} {weight}")
    each = (waiting.memory - weights["idle"].memory) * 1024 / count
    kept = after.memory - before.memory
    print(f"  {each:.1f} kB for each that waits, all of them {idle:.2f} % of a core; {kept:+.1f} MB after all are gone")
    assert after.tasks <= before.tasks + OTHERS, "tasks are left"
    assert after.connections <= before.connections + OTHERS, "connections are left"
    assert kept < GROWTH, "memory is left"
    return waits


async def _weight_at(found: Gateway, waits: int) -> Weight:
    """What the gateway holds once so many wait, and it has come to rest."""

    async def reached() -> bool:
        return (await found.weight()).waits == waits

    await until(reached, 90)
    await asyncio.sleep(1.5)
    return await found.weight()


# ---- the bare event


class Bare:
    """The least that could do the same: an event for each, on the same HTTP server."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._at: dict[str, float] = {}

    async def wait(self, http: web.Request) -> web.Response:
        """Answer once it is decided."""
        name = http.match_info["name"]
        await self._events.setdefault(name, asyncio.Event()).wait()
        return web.json_response({"state": "withdrawn", "at": self._at[name], "rest": "x" * 1_500})

    async def decide(self, http: web.Request) -> web.Response:
        """Decide."""
        name = http.match_info["name"]
        self._at[name] = time.time()
        self._events[name].set()
        return web.json_response({"at": self._at[name]})


async def serve_bare() -> None:
    """Serve it until stdin ends; its port is the first line."""
    bare, app = Bare(), web.Application()
    app.add_routes([web.get("/wait/{name}", bare.wait), web.post("/decide/{name}", bare.decide)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def measure_bare(count: int, pace: float) -> list[float]:
    """The same clients at the bare server."""
    words = [sys.executable, "-m", "benchmarks.waiting", "--bare"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        before = weigh(process.pid)
        async with aiohttp.ClientSession() as session:

            def decided(name: str) -> Callable[[], Awaitable[float]]:
                async def say() -> float:
                    async with session.post(f"http://127.0.0.1:{port}/decide/{name}") as answer:
                        return float((await answer.json())["at"])

                return say

            waiters = [Waiter(path=f"/wait/{n}", key="none", decide=decided(str(n))) for n in range(count)]
            clients = await connect(port, waiters, b'"withdrawn"')
            await asyncio.sleep(2.0)
            each = (weigh(process.pid).memory - before.memory) * 1024 / count
            waits = await decide(waiters[::2], clients[::2], pace)
            for client, waiter in zip(clients, waiters, strict=True):
                client.leave(0)
                await waiter.decide()
        kept = weigh(process.pid).memory - before.memory
        process.stdin.close()
    print(f"  {each:.1f} kB for each that waits; {kept:+.1f} MB kept after all are gone")
    return waits


def main() -> None:
    """The bare event, then the gateway with either."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--waits", type=int, default=2_000)
    options.add_argument("--pace", type=float, default=50.0)
    options.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    chosen, _ = options.parse_known_args()
    if chosen.bare:
        asyncio.run(serve_bare())
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    bare = asyncio.run(measure_bare(chosen.waits, chosen.pace))
    print(f"bare event  {spread(bare)}")
    for title, streams in (("long polls", False), ("streams", True)):
        found = asyncio.run(measure(chosen.waits, chosen.pace, streams))
        ratio = statistics.median(found) / statistics.median(bare)
        print(f"{title:<11} {spread(found)}; {ratio:.1f} x the bare event")


if __name__ == "__main__":
    main()
