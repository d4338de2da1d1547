"""A run of Signoff's own agent runner, as it is stored after each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """Where a run stands. ``active`` covers thinking, running tools and waiting for people; the others are final."""

    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentRun:
    """One errand that a person gave the agent. It lives in the thread (``channel``, ``thread_ts``).

    ``thread_ts`` is None until the run's first message was posted. ``transcript`` is the list of messages for the
    Messages API; ``calls`` maps each open tool use's id to the id of its request. ``note`` says how it ended.
    """

    id: str
    owner: str
    owner_name: str
    channel: str
    errand: str
    created_at: datetime
    thread_ts: str | None = None
    state: RunState = RunState.ACTIVE
    transcript: tuple[Mapping[str, Any], ...] = ()
    calls: Mapping[str, str] | None = None
    note: str | None = None
    version: int = 0
