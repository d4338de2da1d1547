"""Calls of the OpenAI Agents SDK: what each says, how those asked together wait, and where a run's state is kept."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents import RunState, ToolApprovalItem

from signoff.models import Request


class Together:
    """Lets calls that were asked together wait for each other's decisions, but none longer than its permit stands."""

    def __init__(self, marks: Sequence[str], run: str | None) -> None:
        self._open, self._none = len(marks), asyncio.Event()
        said = json.dumps([run or secrets.token_urlsafe(16), *marks])
        several = {"id": hashlib.sha256(said.encode()).hexdigest()[:32], "size": len(marks)}
        self.group = several if len(marks) > 1 else None

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *error: object) -> None:
        self._open -= 1
        if not self._open:
            self._none.set()

    async def over(self, settled: Request) -> None:
        """Wait until all are decided; at most half of the time that the permit has left."""
        until = settled.permit_expires_at
        left = (until - datetime.now(UTC)).total_seconds() / 2 if until is not None else 0.0
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), max(left, 0.0))


def arguments_of(text: str) -> dict[str, Any]:
    """A call's arguments. Raises ``ValueError`` in words for the model where people couldn't be shown them."""
    try:
        found = json.loads(text or "{}")
        json.dumps(found, allow_nan=False)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("The arguments are no JSON object, so nobody could approve the call; it did not run.")
    return found


def mark_of(call_id: str | None, name: str, text: str) -> str:
    """The same for the same call: its id, its tool, and its arguments however they are written."""
    try:
        said = json.dumps(json.loads(text or "{}"), sort_keys=True)
    except ValueError:
        said = text
    return hashlib.sha256(json.dumps([call_id, name, said]).encode()).hexdigest()


def raw(item: Any, name: str) -> Any:
    raw = item.raw_item
    return raw.get(name) if isinstance(raw, dict) else getattr(raw, name, None)


def name_of(item: ToolApprovalItem) -> str:
    """The tool's name as the policy knows it; of a hosted MCP server's tool ``label.tool``."""
    name, label = item.qualified_name or item.name or "", raw(item, "server_label")
    return f"{label}.{name}" if label else name


def words_of(item: ToolApprovalItem) -> str:
    """A waiting call's arguments as JSON: of a shell its action, of a patch its operation, of free text the text."""
    if item.arguments is not None:
        return item.arguments if raw(item, "type") != "custom_tool_call" else json.dumps({"input": item.arguments})
    found = raw(item, "action") or raw(item, "operation")
    dumped = found.model_dump(mode="json") if hasattr(found, "model_dump") else found
    return json.dumps(dumped, default=str)


def recall(path: Path | None) -> str | None:
    return path.read_text(encoding="utf-8") if path is not None and path.exists() else None


def keep_state(path: Path | None, state: RunState[Any, Any]) -> None:
    """Whole or not at all, and for this user's eyes only: it is the conversation."""
    if path is None:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.write(state.to_string())
    fresh.replace(path)


def forget(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
