"""A run's progress as the lines of one message. Pure: transcript and what is known of the open calls in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.agent.transcript import Message, ToolUse, tool_uses
from policies.agent_run import AgentRun, RunState
from policies.request import ExecutionState, Request, State

SHOWN = 25
"""Lines of progress shown; earlier ones are counted."""

HEADINGS: Mapping[RunState, str] = {
    RunState.ACTIVE: "Working on it …",
    RunState.DONE: "Done.",
    RunState.FAILED: "This run failed.",
    RunState.STOPPED: "This run was stopped.",
}


def progress(run: AgentRun, requests: Mapping[str, Request]) -> str:
    """The text of the progress message; ``requests`` by tool use's id, as far as they are known."""
    lines = [_line(use, results.get(use.id), requests.get(use.id)) for use, results in _uses(run.transcript)]
    hidden = len(lines) - SHOWN
    shown = [f"… {hidden} earlier steps", *lines[-SHOWN:]] if hidden > 0 else lines
    heading = HEADINGS[run.state] if run.note is None else f"{HEADINGS[run.state]} {run.note}"
    return "\n".join([heading, *shown])


def _uses(transcript: Sequence[Message]) -> Iterator[tuple[ToolUse, Mapping[str, bool]]]:
    for place, message in enumerate(transcript):
        if message["role"] == "assistant":
            after = transcript[place + 1] if place + 1 < len(transcript) else {"content": []}
            results = {
                block["tool_use_id"]: bool(block.get("is_error"))
                for block in after["content"]
                if block["type"] == "tool_result"
            }
            yield from ((use, results) for use in tool_uses(message))


def _line(use: ToolUse, failed: bool | None, request: Request | None) -> str:
    if request is not None and (words := _words(request)) is not None:
        return f"{words[0]} {use.name}: {words[1]}"
    if failed is None:
        return f"• {use.name}"
    return f"✗ {use.name}: not run" if failed else f"✓ {use.name}"


def _words(request: Request) -> tuple[str, str] | None:
    if request.state is State.PENDING:
        return "⏸", f"waits for {' or '.join(group.name for group in request.reviewers)}"
    if request.execution is None:
        return "✗", "nobody answered in time" if request.state is State.EXPIRED else request.state.value
    ran = request.execution.state is ExecutionState.SUCCEEDED
    if ran and not request.reviews:
        return None
    ended = {ExecutionState.UNCLAIMED: "approved", ExecutionState.CLAIMED: "running"}
    words = ended.get(request.execution.state, request.execution.state.value)
    return "✓" if ran else "•", f"{words}, changed by a reviewer" if request.modified else words
