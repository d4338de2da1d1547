"""A workspace that is kept in a file: what people said, files, people and Home tabs are there again after a restart.

Kept is what Slack would keep. What is short-lived goes with the process: connections, triggers, open modals, faults,
rate limits and the record. Tokens, scopes and commands always come from the workspace's own file.
"""

import asyncio
import base64
import json
import os
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.json_types import Json
from sandbox.members import Channel, Group, Message, Person
from sandbox.parts import Sandbox
from sandbox.tickets import Upload

_VERSION = 1
_PAUSE = 0.5


class Keeper:
    """Writes the file whenever something may have changed, as a whole and at once, so that it is never half a file."""

    def __init__(self, sandbox: Sandbox, path: Path) -> None:
        self._sandbox = sandbox
        self._path = path
        self._changed = asyncio.Event()

    def restore(self) -> None:
        """Take what the file holds, if there is one. Raises ValueError with words when it cannot be read."""
        if not self._path.exists():
            return
        try:
            _restore(self._sandbox, json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            words = "not a workspace kept by this version; move it away to start anew"
            raise ValueError(f"{self._path}: {words} ({error})") from error

    def middleware(self) -> Middleware:
        """Notices every request that may change something."""

        @web.middleware
        async def notice(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            finally:
                if request.method != "GET" or request.path.startswith("/api/"):
                    self._changed.set()

        return notice

    async def run(self) -> None:
        """Save after each change, with pauses that grow with the file, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            started = time.monotonic()
            self.save()
            await asyncio.sleep(_PAUSE + 10 * (time.monotonic() - started))

    def save(self) -> None:
        """Write the file now."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(_state(self._sandbox), default=_plain))
        fresh.replace(self._path)


def _state(sandbox: Sandbox) -> Json:
    workspace = sandbox.workspace
    homes = [view for person in workspace.people if (view := sandbox.views.home(person)) is not None]
    return {
        "version": _VERSION,
        "address": workspace.base_url,
        "clock": sandbox.clock.offset,
        "team": workspace.team,
        "people": list(workspace.people.values()),
        "channels": list(workspace.channels.values()),
        "groups": list(workspace.groups.values()),
        "homes": [{"id": view.id, "person": view.person, "definition": view.definition} for view in homes],
        "files": [asdict(upload) for upload in sandbox.tickets.uploads.values() if upload.completed],
    }


def _plain(value: Any) -> Any:
    """People, channels and messages by their fields; bytes in base 64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return {entry.name: getattr(value, entry.name) for entry in fields(value) if entry.name != "offered"}


def _restore(sandbox: Sandbox, found: Json) -> None:
    if found["version"] != _VERSION:
        raise ValueError(f"version {found['version']}")
    workspace = sandbox.workspace
    sandbox.clock.advance(found["clock"])
    workspace.team.update(found["team"])
    workspace.people.update({entry["id"]: Person(**entry) for entry in found["people"]})
    workspace.channels.update({entry["id"]: _channel(entry, found["address"]) for entry in found["channels"]})
    groups = [Group(**{**entry, "users": tuple(entry["users"])}) for entry in found["groups"]]
    workspace.groups.update({group.id: group for group in groups})
    for entry in found["homes"]:
        sandbox.views.restore_home(entry["id"], entry["person"], entry["definition"])
    for entry in found["files"]:
        upload = Upload(**{**entry, "content": base64.b64decode(entry["content"])})
        sandbox.tickets.uploads[upload.id] = upload


def _channel(entry: Json, address: str) -> Channel:
    messages = {ts: Message(**message) for ts, message in entry["messages"].items()}
    for message in messages.values():
        message.files = [{**each, "url_private": each["url_private"].removeprefix(address)} for each in message.files]
    return Channel(**{**entry, "messages": messages})
