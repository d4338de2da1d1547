"""The sandbox as a real process on a free port, for tests: act as people, turn its controls, read its record."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import aiohttp

from tests import warm

ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0


class _Client:
    """JSON over one path of the sandbox. The session belongs to the running loop and is opened when first used."""

    def __init__(self, base: str, sessions: "_Sessions") -> None:
        self._base = base
        self._sessions = sessions

    async def get(self, name: str, **query: Any) -> dict[str, Any]:
        """GET `<base>/<name>?…` and read the JSON answer."""
        async with self._sessions.current().get(f"{self._base}/{name}", params=query) as response:
            return dict(await response.json())

    async def post(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST JSON and read the JSON answer."""
        async with self._sessions.current().post(f"{self._base}/{name}", json=body) as response:
            return dict(await response.json())


class _Sessions:
    def __init__(self) -> None:
        self._by_loop: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    def current(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if loop not in self._by_loop:
            self._by_loop[loop] = aiohttp.ClientSession()
        return self._by_loop[loop]

    async def close(self) -> None:
        session = self._by_loop.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()


class People(_Client):
    """What people do. Every method acts as the person whose id stands first; all answer the JSON of `/people/*`."""

    async def workspace(self, person: str) -> dict[str, Any]:
        """The workspace as this person sees it."""
        return await self.get("workspace", **{"as": person})

    async def history(self, person: str, channel: str, thread_ts: str = "") -> list[dict[str, Any]]:
        """The messages of a channel (or of a thread) that this person sees, oldest first."""
        query = {"as": person, "channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        return list((await self.get("history", **query))["messages"])

    async def home(self, person: str) -> dict[str, Any] | None:
        """The Home view that the app has published for this person."""
        found: dict[str, Any] | None = (await self.get("home", **{"as": person}))["view"]
        return found

    async def views(self, person: str) -> list[dict[str, Any]]:
        """The open modals, the one in front last: `{id, hash, view, errors?}`."""
        return list((await self.get("views", **{"as": person}))["views"])

    async def open_home(self, person: str) -> dict[str, Any]:
        """Open the Home tab."""
        return await self.post("open_home", {"as": person})

    async def say(self, person: str, channel: str, text: str, thread_ts: str = "") -> dict[str, Any]:
        """Post a message."""
        return await self.post("say", {"as": person, "channel": channel, "text": text, "thread_ts": thread_ts})

    async def command(self, person: str, channel: str, text: str) -> dict[str, Any]:
        """Type a slash command, for example `/approvals mine`."""
        return await self.post("command", {"as": person, "channel": channel, "text": text})

    async def click(self, person: str, **rest: Any) -> dict[str, Any]:
        """Use an element: `channel` and `ts`, or `view_id`; `block_id`, `action_id`; `selected`, `values` at need."""
        return await self.post("click", {"as": person, **rest})

    async def press(self, person: str, channel: str, ts: str, action_id: str, selected: Any = None) -> dict[str, Any]:
        """Press the button (or choose `selected` from the menu) with this action id, whatever its block is called."""
        for message in await self.history(person, channel, ts):
            for block in message.get("blocks", []) if message["ts"] == ts else []:
                if any(element.get("action_id") == action_id for element in _elements(block)):
                    place = {"channel": channel, "ts": ts, "block_id": block["block_id"], "action_id": action_id}
                    return await self.click(person, **place, selected=selected)
        raise LookupError(f"{person} sees no {action_id} in {channel} {ts}")

    async def shortcut(self, person: str, callback_id: str, channel: str, ts: str) -> dict[str, Any]:
        """Choose a shortcut of the app from a message's menu."""
        return await self.post("shortcut", {"as": person, "callback_id": callback_id, "channel": channel, "ts": ts})

    async def submit(
        self, person: str, view_id: str, values: dict[str, dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Press a modal's submit button; fields that are not named stay as they are."""
        return await self.post("submit", {"as": person, "view_id": view_id, "values": values or {}})

    async def close(self, person: str, view_id: str, *, clear: bool = False) -> dict[str, Any]:
        """Close a modal, or the whole stack."""
        return await self.post("close", {"as": person, "view_id": view_id, "clear": clear})


class Control(_Client):
    """What a test turns and reads."""

    async def record(self, since: int = 0) -> list[dict[str, Any]]:
        """Everything sent and received from a number on."""
        return list((await self.get("record", since=since))["calls"])

    async def calls(self, method: str, since: int = 0) -> list[dict[str, Any]]:
        """The recorded calls of one method, for example `chat.postMessage`."""
        return [call for call in await self.record(since) if call.get("method") == method]

    async def faults(self, *faults: dict[str, Any]) -> None:
        """Plan trouble; replaces what was planned."""
        await self._done("faults", {"faults": list(faults)})

    async def advance(self, seconds: float) -> None:
        """Move the workspace's clock forward."""
        await self._done("clock", {"advance": seconds})

    async def pace(self, *, enabled: bool) -> None:
        """Turn rate limits on or off."""
        await self._done("pace", {"enabled": enabled})

    async def person(self, name: str, /, **changes: Any) -> None:
        """Change a person, for example `deleted=True`; an unknown id is added."""
        await self._done("person", {"id": name, **changes})

    async def channel(self, name: str, /, **changes: Any) -> None:
        """Change a channel, for example its `members`; an unknown id is added."""
        await self._done("channel", {"id": name, **changes})

    async def usergroup(self, name: str, /, **changes: Any) -> None:
        """Change a user group, for example its `users`."""
        await self._done("usergroup", {"id": name, **changes})

    async def app(self, **changes: Any) -> None:
        """Change how the app is reached (`mode`, `request_url`) or what it may do (`scopes`, `events`)."""
        await self._done("app", changes)

    async def reset(self) -> None:
        """Start over: messages, views, faults, clock, record and people as at the beginning; connections end."""
        await self._done("reset", {})

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """End every Socket Mode connection as Slack would; `drop` cuts them."""
        await self._done("disconnect", {"reason": reason})

    async def deliver(self, kind: str, payload: dict[str, Any], **rest: Any) -> dict[str, Any]:
        """Deliver a payload as it is; answers `{outcome, status, body, error}`."""
        return await self.post("deliver", {"kind": kind, "payload": payload, **rest})

    async def connected(self, sockets: int = 1, within: float = 30.0) -> None:
        """Wait until so many sockets are open. Raises TimeoutError."""

        async def enough() -> bool:
            return int((await self.get("ready"))["sockets"]) >= sockets

        await until(enough, within)

    async def _done(self, name: str, body: dict[str, Any]) -> None:
        answer = await self.post(name, body)
        if not answer["ok"]:
            raise ValueError(f"/control/{name}: {answer['error']}")


async def until(condition: Callable[[], Any], within: float = 30.0) -> Any:
    """The first true answer of an async condition, asked again and again. Raises TimeoutError at the deadline."""
    deadline = time.monotonic() + within
    while not (found := await condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} was not true within {within} s")
        await asyncio.sleep(0.01)
    return found


class SandboxProcess:
    """`python -m sandbox` on a free port, as a context manager; the process is gone when the block ends.

    `url` is the page's address without a slash at its end, `api_url` what SLACK_API_URL wants. Rate limits are off
    unless `pace=True`. Use `async with`, or call `await aclose()` at the end of each async test that used `people`,
    `control` or `api`. `await control.reset()` makes one process serve many tests.
    """

    def __init__(self, *arguments: str, pace: bool = False) -> None:
        self._arguments = (*arguments, *(() if pace else ("--no-pace",)))
        self._sessions = _Sessions()
        self._process: warm.Started | None = None
        self.url = ""
        self.bot_token = "xoxb-sandbox"
        self.app_token = "xapp-sandbox"
        self.signing_secret = "sandbox-signing-secret"

    @property
    def api_url(self) -> str:
        """The Web API's address, as SLACK_API_URL wants it."""
        return f"{self.url}/api/"

    @property
    def pid(self) -> int:
        """The process id, for tests that pause or kill it."""
        assert self._process is not None
        return self._process.pid

    def env(self, *, http: bool = False) -> dict[str, str]:
        """The settings that point an app here: Socket Mode's, or with `http` the signing secret's."""
        shared = {"SLACK_API_URL": self.api_url, "SLACK_BOT_TOKEN": self.bot_token}
        reached = {"SLACK_SIGNING_SECRET": self.signing_secret} if http else {"SLACK_APP_TOKEN": self.app_token}
        return shared | reached

    def start(self) -> Self:
        """Start it and wait until it listens. Raises RuntimeError with what it said when it does not."""
        with tempfile.TemporaryDirectory() as directory:
            port_file = Path(directory) / "port"
            words = ("--port", "0", "--port-file", str(port_file), "--quiet", "--die-with-parent", *self._arguments)
            with (Path(directory) / "stderr").open("w+") as errors:
                self._process = warm.start("sandbox", *words, stderr=errors.fileno())
                self.url = f"http://127.0.0.1:{self._wait_for(port_file, errors)}"
        self.people = People(f"{self.url}/people", self._sessions)
        self.control = Control(f"{self.url}/control", self._sessions)
        return self

    def _wait_for(self, port_file: Path, errors: IO[str]) -> int:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while not port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                errors.seek(0)
                raise RuntimeError(f"the sandbox did not start: {errors.read()}")
            time.sleep(0.005)
        return int(port_file.read_text())

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    async def aclose(self) -> None:
        """Close this loop's HTTP session; the process goes on."""
        await self._sessions.close()

    async def api(self, method: str, arguments: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        """Call the Web API directly, as JSON with the bot's token."""
        kind = "application/json; charset=utf-8"
        headers = {"Authorization": f"Bearer {token or self.bot_token}", "Content-Type": kind}
        body = json.dumps(arguments or {})
        async with self._sessions.current().post(f"{self.api_url}{method}", data=body, headers=headers) as response:
            return dict(await response.json())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
        self.stop()


def _elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    accessory = block.get("accessory")
    return [*block.get("elements", []), *block.get("actions", []), *([accessory] if accessory else [])]
