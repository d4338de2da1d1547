"""`signoff serve` as a real process against a sandbox, for tests: ask as an agent, kill it, look inside."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from bot.api.auth import mint
from bot.gateway import new_id
from storage.store import Key, Store, workspaces
from tests import warm
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parent.parent
DEMO_POLICY = ROOT / "bot" / "demo" / "policy.yml"
START_SECONDS = 60.0
_OURS = ("SLACK_", "SIGNOFF_", "ANTHROPIC_", "DATABASE_URL", "PORT")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer: its status and its JSON."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Agent:
    """An agent with a key of its own, over HTTP. Usable for as long as the `ServeProcess` that made it."""

    def __init__(self, serve: "ServeProcess", key: str) -> None:
        self._serve = serve
        self.key = key

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """One call; `body` is JSON or bytes as they are, `key` the idempotency key. Raises aiohttp's errors."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        sent = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        url = f"{self._serve.url}{path}"
        async with self._serve.session.request(method, url, headers=headers, **sent) as response:
            return Answer(status=response.status, body=dict(await response.json(content_type=None)))

    async def submit(self, tool: str, arguments: Mapping[str, Any], *, key: str | None = None, **rest: Any) -> Answer:
        """`POST /v1/requests`."""
        return await self.call("POST", "/v1/requests", {"tool": tool, "arguments": dict(arguments), **rest}, key=key)

    async def read(self, request_id: str, *, wait: int = 0, revision: int | None = None) -> Answer:
        """`GET /v1/requests/{id}`, as a long poll where `wait` says so."""
        newer = f"&revision={revision}" if revision is not None else ""
        return await self.call("GET", f"/v1/requests/{request_id}?wait={wait}{newer}")

    async def claim(self, request_id: str, digest: str, *, key: str | None = None) -> Answer:
        """`POST /v1/requests/{id}/claim`."""
        return await self.call("POST", f"/v1/requests/{request_id}/claim", {"digest": digest}, key=key)

    async def report(self, request_id: str, status: str, **rest: Any) -> Answer:
        """`POST /v1/requests/{id}/report`."""
        return await self.call("POST", f"/v1/requests/{request_id}/report", {"status": status, **rest})

    async def withdraw(self, request_id: str) -> Answer:
        """`DELETE /v1/requests/{id}`."""
        return await self.call("DELETE", f"/v1/requests/{request_id}")


class ServeProcess:
    """The gateway with a database, policy and company of its own in a temporary directory; use `async with`.

    `policy` is the text of a policy file (default: the demo's), `http` serves Slack over signed HTTP instead of Socket
    Mode, `env` adds settings or takes them away (None). The port stays the same over restarts. What it wrote to stderr
    is in `log()`. To be used on one event loop.
    """

    def __init__(
        self,
        sandbox: SandboxProcess,
        *,
        policy: str | None = None,
        http: bool = False,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        self.sandbox = sandbox
        self._http = http
        self._folder = tempfile.TemporaryDirectory(prefix="signoff-test-")
        self.folder = Path(self._folder.name)
        self.database = self.folder / "signoff.db"
        self.policy = self.folder / "policy.yml"
        self.policy.write_text(policy if policy is not None else DEMO_POLICY.read_text(encoding="utf-8"), "utf-8")
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = self._environment(env or {})
        self._process: warm.Started | None = None

    def _environment(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        own = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SIGNOFF_POLICY": str(self.policy),
            "SIGNOFF_COMPANY": str(self.folder / "company"),
            "ANTHROPIC_API_KEY": "sandbox",
            "ANTHROPIC_BASE_URL": f"{self.sandbox.url}/anthropic",
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        changed: dict[str, str | None] = {**inherited, **self.sandbox.env(http=self._http), **own, **changes}
        return {name: value for name, value in changed.items() if value is not None}

    @property
    def pid(self) -> int:
        """The running process's id."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> Self:
        """Start it and wait until Slack and the agents reach it. Raises RuntimeError with what it said otherwise."""
        with (self.folder / "stderr").open("ab") as errors, (self.folder / "stdout").open("wb") as out:
            self._process = warm.start("bot", "serve", env=self.env, stdout=out.fileno(), stderr=errors.fileno())
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await self._greeting(self._process)
        except TimeoutError:
            said = b""
        if b"Signoff serves" not in said:
            await self.kill9()
            raise RuntimeError(f"serve did not start: {said!r} {self.log()}")
        await self._reachable()
        return self

    async def _greeting(self, process: warm.Started) -> bytes:
        """Its first line, or what it said before it ended."""
        ended = False
        while b"\n" not in (said := (self.folder / "stdout").read_bytes()) and not ended:
            ended = process.poll() is not None
            await asyncio.sleep(0.005)
        return said

    async def _reachable(self) -> None:
        if self._http:
            await self.sandbox.control.app(mode="http", request_url=f"{self.url}/slack/events")
        else:
            await self.sandbox.control.connected()

    def strike(self) -> None:
        """SIGKILL, this instant; `kill9` waits for the end as well. A second strike finds nobody and is no error."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def kill9(self) -> None:
        """SIGKILL it and wait until it is gone; what it held in memory is lost."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM it and wait until it is gone."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        await asyncio.to_thread(process.wait)

    async def restart(self) -> Self:
        """Start it again on the same database; one that still runs is killed first."""
        await self.kill9()
        await self._socket_gone()
        return await self.start()

    async def _socket_gone(self) -> None:
        """Wait until the sandbox has noticed that the old connection is dead; Slack would deliver into it."""
        while not self._http and (await self.sandbox.control.get("ready"))["sockets"]:
            await asyncio.sleep(0.005)

    async def signoff(self, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        """Run a command of the program `signoff` beside the server, on the same database."""
        both = {**self.env, **(env or {})}
        done = await asyncio.to_thread(warm.run, "bot", *arguments, cwd=ROOT, env=both, timeout=START_SECONDS)
        return Finished(code=done.returncode, out=done.stdout, err=done.stderr)

    async def agent(self, name: str, owner: str | None = None) -> Agent:
        """A new agent. Its key is stored from here, as `signoff keys create` does, without another process's start."""
        secret, secret_hash = mint("agent")
        now = datetime.now(UTC)
        key = Key(
            name=name,
            id=new_id("key"),
            owner=owner,
            kind="agent",
            created_at=now,
            expires_at=None,
            revoked_at=None,
        )
        url = self.env["DATABASE_URL"]
        (workspace,) = workspaces(url)
        store = await Store.open(url, workspace_id=workspace)
        try:
            await store.add_key(key, secret_hash)
        finally:
            await store.close()
        return self.agent_with(secret)

    def agent_with(self, secret: str) -> Agent:
        """The agent whose key this is."""
        return Agent(self, secret)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What stands in the database, read by sqlite3 alone: the independent judge."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def log(self) -> str:
        """The end of what the process wrote to stderr."""
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")[-6_000:]

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            return await self.start()
        except BaseException:
            await self.session.close()
            self._folder.cleanup()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.stop()
        if error is not None:
            error.add_note(f"serve said:\n{self.log()}")
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
