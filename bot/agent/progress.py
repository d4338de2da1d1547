"""A run's progress as the lines of one message. Pure: transcript and what is known of the open calls in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.agent.outcomes import CHANGED, LATER, NOT_DONE, QUEUED
from bot.agent.transcript import Message, ToolUse, blocks_of, tool_uses
from policies.agent_run import AgentRun, RunState
from policies.quorum import waiting_for
from policies.redaction import shortened
from policies.request import ExecutionState, Request, State

SHOWN = 25
"""Lines of progress shown; earlier ones are counted."""

WHY = 120
"""Characters of the reason why a call did not work."""

HEADINGS: Mapping[RunState, str] = {
    RunState.ACTIVE: "Working on it …",
    RunState.DONE: "Done.",
    RunState.FAILED: "This run failed.",
    RunState.STOPPED: "This run was stopped.",
}

RUNNING: Mapping[ExecutionState, str] = {
    ExecutionState.UNCLAIMED: "approved",
    ExecutionState.CLAIMED: "running",
    ExecutionState.SUCCEEDED: "done",
    ExecutionState.UNKNOWN: "nobody knows whether it ran; say so on its card",
    ExecutionState.LAPSED: "approved too long ago, not run",
    ExecutionState.REVOKED: "stopped before it ran",
}


def progress(run: AgentRun, requests: Mapping[str, Request]) -> str:
    """The text of the progress message; ``requests`` by tool use's id, as far as they are known.

    What the transcript answers is told from the transcript, so that a restart changes no line of it.
    """
    lines = [_line(use, said, requests.get(use.id)) for use, said in _uses(run.transcript)]
    hidden = len(lines) - SHOWN
    shown = [f"… {hidden} earlier steps", *lines[-SHOWN:]] if hidden > 0 else lines
    return "\n".join([_heading(run), *shown])


def _heading(run: AgentRun) -> str:
    if run.note is None:
        return HEADINGS[run.state]
    return f"This run was {run.note}." if run.state is RunState.STOPPED else f"{HEADINGS[run.state]} {run.note}"


def _uses(transcript: Sequence[Message]) -> Iterator[tuple[ToolUse, tuple[str, bool] | None]]:
    """Each tool use with what was answered to it, if anything: the words, and whether it failed."""
    given = {
        block["tool_use_id"]: (str(block["content"][0]["text"]), bool(block.get("is_error")))
        for message in transcript
        for block in blocks_of(message)
        if block.get("type") == "tool_result"
    }
    later = [block["text"] for message in transcript[1:] for block in blocks_of(message) if _came_later(message, block)]
    for message in transcript:
        for use in tool_uses(message) if message["role"] == "assistant" else ():
            yield use, _with_later(given.get(use.id), later)


def _came_later(message: Message, block: Message) -> bool:
    return message["role"] == "user" and block.get("type") == "text" and str(block["text"]).startswith(LATER)


def _with_later(said: tuple[str, bool] | None, later: Sequence[str]) -> tuple[str, bool] | None:
    """What a queued call came to, where that has entered the conversation."""
    if said is None or not said[0].startswith(f"{QUEUED} ("):
        return said
    lead = f"{LATER} ({said[0].removeprefix(f'{QUEUED} (').partition(')')[0]})"
    entered = next((text.removeprefix(lead) for text in later if text.startswith(lead)), None)
    return None if entered is None else (entered.partition(": ")[2], entered.startswith(NOT_DONE))


def _line(use: ToolUse, said: tuple[str, bool] | None, request: Request | None) -> str:
    if said is not None:
        return _ended(use, *said)
    return f"• {use.name}" if request is None else f"{_mark(request)} {use.name}: {_standing(request)}"


def _ended(use: ToolUse, words: str, failed: bool) -> str:
    changed = words.startswith(CHANGED)
    if not failed:
        return f"✓ {use.name}{', changed by a reviewer' if changed else ''}"
    why = words.splitlines()[-1 if changed else 0]
    return f"✗ {use.name}: {shortened(why, WHY)}"


def _mark(request: Request) -> str:
    if request.state is State.PENDING:
        return "⏸"
    return "✗" if request.execution is None else "•"


def _standing(request: Request) -> str:
    if request.asking:
        return "waits for an answer"
    if request.state is State.PENDING:
        if request.checkpoint.shares:
            return f"waits for {' and '.join(waiting_for(request)) or 'one more approval'}"
        return f"waits for {' or '.join(group.name for group in request.reviewers)}"
    if request.execution is None:
        return "nobody answered in time" if request.state is State.EXPIRED else request.state.value
    words = RUNNING.get(request.execution.state, request.execution.state.value)
    return f"{words}, changed by a reviewer" if request.edited else words
