"""The demo's view of the local Slack workspace: a process of its own, and what people do in it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from policies.errors import Invalid

Found = TypeVar("Found")

LOOK_EACH = 0.05


@asynccontextmanager
async def local_workspace(port: int, folder: Path, welcome: dict[str, Any]) -> AsyncIterator[str]:
    """``python -m sandbox`` on ``port`` (0: any free one) as a child process; yields its address."""
    welcome_file = folder / "welcome.json"
    welcome_file.write_text(json.dumps(welcome), encoding="utf-8")
    told, tells = os.pipe()
    words = ["--port", str(port), "--ready-fd", str(tells), "--welcome", str(welcome_file)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *words, "--quiet", "--die-with-parent", pass_fds=(tells,), stderr=PIPE
    )
    os.close(tells)
    try:
        yield f"http://127.0.0.1:{await _port(process, told)}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _port(process: asyncio.subprocess.Process, told: int) -> int:
    """The port that the workspace tells as soon as it listens; the pipe closes where it ends instead."""
    with open(told, encoding="ascii") as pipe:  # noqa: ASYNC230 - read in a thread
        answer = await asyncio.to_thread(pipe.readline)
    if answer.strip():
        return int(answer)
    said = (await process.communicate())[1].decode(errors="replace").strip().splitlines()
    raise Invalid(said[-1] if said else "The local workspace did not start.")


class NotSeen(Exception):
    """Something that the story needs did not appear in time; ``str(error)`` says what."""


class People:
    """What people do in the workspace at ``url``, through the same signed interactions as in the page."""

    def __init__(self, url: str, session: aiohttp.ClientSession, patience: float) -> None:
        self._url = url
        self._session = session
        self._patience = patience

    async def command(self, person: str, channel: str, text: str) -> None:
        """Type a slash command."""
        await self._post("command", {"as": person, "channel": channel, "text": text})

    async def direct_messages(self, person: str) -> list[dict[str, Any]]:
        """Everything that stands in the person's direct messages."""
        workspace = await self._get("workspace", {"as": person})
        ims = [channel["id"] for channel in workspace["channels"] if channel["kind"] == "im"]
        return [message for im in ims for message in await self.history(person, im)]

    async def history(self, person: str, channel: str, thread_ts: str | None = None) -> list[dict[str, Any]]:
        """The messages of a channel or thread that the person sees, oldest first."""
        query = {"as": person, "channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        return list((await self._get("history", query))["messages"])

    async def card(self, person: str, channel: str, request_id: str) -> dict[str, Any]:
        """The card of a request in a channel, as soon as it is there."""

        async def found() -> dict[str, Any] | None:
            for message in await self.history(person, channel):
                if message.get("metadata", {}).get("event_payload", {}).get("request_id") == request_id:
                    return message
            return None

        return await self.until(found, f"a card of {request_id} in {channel}")

    async def press(self, person: str, channel: str, card: dict[str, Any], action_id: str) -> None:
        """Press a card's button; once more where the card is drawn anew in that very moment, as a person would."""

        async def pressed() -> bool | None:
            shown = next(one for one in await self.history(person, channel) if one["ts"] == card["ts"])
            for block in shown["blocks"]:
                if any(element.get("action_id") == action_id for element in block.get("elements", ())):
                    place = {
                        "channel": channel,
                        "ts": card["ts"],
                        "block_id": block["block_id"],
                        "action_id": action_id,
                    }
                    answer = await self._send("click", {"as": person, **place})
                    return None if answer.get("error") == "unknown_action" else _done("click", person, answer)
            raise NotSeen(f"{person} sees no button {action_id}")

        await self.until(pressed, f"a button {action_id} that {person} can press")

    async def form(self, person: str) -> dict[str, Any]:
        """The modal in front of the person, as soon as there is one."""

        async def found() -> dict[str, Any] | None:
            views = (await self._get("views", {"as": person}))["views"]
            return views[-1] if views else None

        return await self.until(found, f"a form in front of {person}")

    async def submit(self, person: str, form: dict[str, Any], typed: dict[str, str]) -> dict[str, str]:
        """Fill in the fields whose label contains a key of ``typed`` and submit; the faults at the fields, if any."""
        values: dict[str, dict[str, str]] = {}
        for block in form["view"]["blocks"]:
            for words, value in typed.items():
                if block["type"] == "input" and words in block["label"]["text"]:
                    values[block["block_id"]] = {block["element"]["action_id"]: value}
        answer = await self._send("submit", {"as": person, "view_id": form["id"], "values": values})
        return dict(answer.get("errors") or {})

    async def until(self, look: Callable[[], Awaitable[Found | None]], what: str) -> Found:
        """The first thing that ``look`` finds. Raises ``NotSeen`` when patience ends."""
        deadline = asyncio.get_running_loop().time() + self._patience
        while (found := await look()) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise NotSeen(f"{what} did not appear within {self._patience:g} s")
            await asyncio.sleep(LOOK_EACH)
        return found

    async def _post(self, name: str, body: dict[str, Any]) -> None:
        _done(name, body["as"], await self._send(name, body))

    async def _send(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(f"{self._url}/people/{name}", json=body) as response:
            return dict(await response.json())

    async def _get(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        async with self._session.get(f"{self._url}/people/{name}", params=query) as response:
            return dict(await response.json())


def _done(name: str, person: str, answer: dict[str, Any]) -> bool:
    """Whether the workspace did it. Raises ``NotSeen`` with its error."""
    if not answer.get("ok"):
        raise NotSeen(f"{person} could not {name}: {answer.get('error') or answer}")
    return True
