"""What stands in a LangGraph thread: the interrupts that wait, the calls that a model made, what became of them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage, convert_to_messages
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.types import Interrupt, StateSnapshot
from pydantic import BaseModel

from signoff.interrupts import Asked, Asking, Decision, UnknownInterrupt, asking_of
from signoff.models import Request

log = logging.getLogger("signoff")
PARKED = "signoff_request"
"""The ``type`` of the interrupt of a gate that waits without holding its process."""

MOST_TOGETHER = 50
"""Calls of one group, the most that the gateway takes."""


@dataclass(kw_only=True, slots=True)
class Open:
    """One call of an interrupt, and how far it has come. ``decision``: what the graph is told, once it is known."""

    asked: Asked
    key: str
    group: dict[str, Any] | None = None
    call_id: str | None = None
    request: Request | None = None
    decision: Decision | None = None
    permit: Any = None

    @property
    def settled(self) -> bool:
        """Is there nothing to wait for?"""
        return self.decision is not None or (self.request is not None and not self.request.pending)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An interrupt that waits for its answer. ``parked``: the request's id where the gate behind it looks itself."""

    id: str
    calls: list[Open]
    asking: Asking | None = None
    parked: str | None = None

    @classmethod
    def of(cls, interrupt: Interrupt, thread: str, snapshot: StateSnapshot) -> Standing:
        """The interrupt as this package reads it. Raises ``UnknownInterrupt``."""
        value = interrupt.value
        if isinstance(value, dict) and value.get("type") == PARKED and "request_id" in value:
            asked = Asked(tool=str(value.get("name")), arguments={})
            return cls(id=interrupt.id, calls=[Open(asked=asked, key="")], parked=str(value["request_id"]))
        asking = asking_of(value, getattr(interrupt, "response_schema", None))
        made, size = iter(_calls(snapshot)), len(asking.asked)
        group = {"id": interrupt.id, "size": size} if 1 < size <= MOST_TOGETHER else None
        calls = [
            Open(
                asked=one, key=_key(thread, interrupt.id, place), group=group, call_id=one.call_id or _id_in(made, one)
            )
            for place, one in enumerate(asking.asked)
        ]
        return cls(id=interrupt.id, calls=calls, asking=asking)

    @property
    def settled(self) -> bool:
        """Can it be answered?"""
        return all(call.settled for call in self.calls)


def known(snapshot: StateSnapshot, thread: str) -> list[Standing]:
    """The interrupts that this package can answer; what it can't read is for whoever knows it."""
    found: list[Standing] = []
    for one in snapshot.interrupts:
        try:
            found.append(Standing.of(one, thread, snapshot))
        except UnknownInterrupt as error:
            log.warning("%s", error)
    return found


def thread_of(config: Mapping[str, Any]) -> str:
    """The thread's id. Raises ``ValueError`` without one: then nothing could be taken up again."""
    thread = config.get("configurable", {}).get("thread_id")
    if thread is None:
        raise ValueError('People\'s answers need a thread: pass {"configurable": {"thread_id": …}}.')
    return str(thread)


def latest(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config for the thread as it stands, wherever in its past the run began."""
    told = {name: value for name, value in config.get("configurable", {}).items() if name != "checkpoint_id"}
    return {**config, "configurable": told}


def told_of(tool: BaseTool) -> dict[str, Any]:
    """A tool's arguments as JSON Schema, without what LangChain injects, and what it says of itself."""
    schema = tool.tool_call_schema
    if isinstance(schema, type):
        schema = schema.model_json_schema() if issubclass(schema, BaseModel) else {"type": "object"}
    return {"schema": schema, "description": tool.description}


def tools_in(graph: Any) -> dict[str, BaseTool]:
    """The tools of an agent's graph by their names; none where it is elsewhere, at LangGraph's server."""
    nodes = getattr(graph, "nodes", None)
    bound = [getattr(node, "bound", None) for node in nodes.values()] if isinstance(nodes, dict) else []
    return {name: tool for each in bound if isinstance(each, ToolNode) for name, tool in each.tools_by_name.items()}


def heard(snapshot: StateSnapshot) -> dict[str, ToolMessage]:
    """The results of calls by their ids, of a step that is not yet complete as well."""
    done = [task.result for task in snapshot.tasks if isinstance(task.result, dict)]
    found = [one for state in (snapshot.values, *done) for one in _messages(state) if isinstance(one, ToolMessage)]
    return {one.tool_call_id: one for one in found}


def cut_off(snapshot: StateSnapshot, request: Request) -> bool:
    """Would LangGraph, going on with this thread, run the call of this request again?

    A graph without a model's messages doesn't tell which calls are left: then any that has no end may be.
    """
    calls, ended = _calls(snapshot), heard(snapshot)
    if not calls:
        failed = request.execution is not None and request.execution.state == "failed"
        return not failed or any(task.error is not None for task in snapshot.tasks)
    left = [call for call in calls if call["id"] not in ended]
    return any(call["name"] == request.tool and call["args"] == request.proposed_arguments for call in left)


def stranded(snapshot: StateSnapshot, requests: list[Request], before: datetime) -> bool:
    """Are calls of the thread's turn left over that people decided about ``before``, while none waits or was begun?"""
    left = [request for request in requests if _calls(snapshot) and cut_off(snapshot, request)]
    idle = ("unclaimed", "lapsed", "revoked")
    return bool(left) and all(
        request.decision is not None
        and request.decision.at <= before
        and (request.execution is None or request.execution.state in idle)
        for request in left
    )


def _calls(snapshot: StateSnapshot) -> list[Any]:
    """The calls that the model made last."""
    made = [one for one in _messages(snapshot.values) if isinstance(one, AIMessage)]
    return list(made[-1].tool_calls) if made else []


def _messages(state: Any) -> list[Any]:
    """A state's messages; LangGraph's server gives them as JSON. Where there are none, or others, nothing is known."""
    found = state.get("messages") if isinstance(state, dict) else None
    try:
        return convert_to_messages(found) if isinstance(found, list) else []
    except (ValueError, NotImplementedError):
        return []


def _id_in(made: Iterator[Any], asked: Asked) -> str | None:
    """The id of the next of the model's calls that is this one: they are asked about in the order they were made."""
    return next((call["id"] for call in made if (call["name"], call["args"]) == (asked.tool, asked.arguments)), None)


def _key(thread: str, interrupt: str, place: int) -> str:
    return hashlib.sha256(json.dumps(["langgraph", thread, interrupt, place]).encode()).hexdigest()
