"""How the end of a request is told to the model: rejected, expired and modified are three different things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.agent.transcript import Answer
from policies.changes import ABSENT, changes, label
from policies.checkpoint import Kind
from policies.request import ExecutionState, Request, State

LONGEST_RESULT = 30_000
"""Characters of a tool's result that the model is given; the rest is announced."""

ENDED: Mapping[State, str] = {
    State.EXPIRED: (
        "Nobody answered in time, so this was not run. That is not a no: nobody has decided. "
        "Do not try it again in this run; say that it is still open."
    ),
    State.WITHDRAWN: "This was withdrawn before anybody decided. It was not run.",
}

NEVER_RAN: Mapping[ExecutionState, str] = {
    ExecutionState.LAPSED: "This was approved, but the approval lapsed before the call ran. It was not run.",
    ExecutionState.REVOKED: "Stopped by {who} before it ran. It was not run.",
    ExecutionState.UNKNOWN: (
        "Nobody knows whether this ran: Signoff was interrupted while it did. Do not run it again; "
        "say that somebody must look."
    ),
}


def queued(request: Request) -> Answer:
    """The answer to a call that waits in the inbox while the agent goes on."""
    return Answer(text=f"Queued for review ({request.id}). Go on with other work; the result follows when it is there.")


def told(request: Request, names: Mapping[str, str]) -> Answer:
    """What the model hears about a settled request whose execution, if any, is over. ``names`` by user id."""
    if request.state is State.REJECTED:
        return _rejected(request)
    if request.state in ENDED:
        return Answer(text=ENDED[request.state], failed=True)
    execution = request.execution
    if execution is None:
        return Answer(text="This was not run.", failed=True)
    if execution.state in NEVER_RAN:
        who = names.get(execution.by or "", "the requester" if execution.by == "requester" else "a reviewer")
        return Answer(text=NEVER_RAN[execution.state].format(who=who), failed=True)
    return _ran(request, execution.state, execution.result, execution.note)


def _rejected(request: Request) -> Answer:
    decision = request.decision
    if request.checkpoint.kind is Kind.DENY:
        return Answer(text=f"The policy refuses this call: {request.checkpoint.reason}. It was not run.", failed=True)
    last = request.reviews[-1].name if request.reviews else "a reviewer"
    words = decision.note if decision and decision.note else "no reason was given"
    return Answer(text=f"Rejected by {last}: {words}\nIt was not run. Do not try the same call again.", failed=True)


def _ran(request: Request, state: ExecutionState, result: Any, note: str | None) -> Answer:
    failed = state is ExecutionState.FAILED
    text = (
        _cut(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False))
        if result is not None
        else ""
    )
    words = (note or "it failed") if failed else (text or note or "done")
    if not request.modified:
        return Answer(text=words, failed=failed)
    lines = "\n".join(
        f"- {_change_in_words(each)}" for each in changes(dict(request.proposed), dict(request.call.arguments))
    )
    heading = "A reviewer changed the arguments before this ran."
    return Answer(text=f"{heading}\n{lines}\n{'It failed' if failed else 'Result'}: {words}", failed=failed)


def _change_in_words(change: Any) -> str:
    before = "(absent)" if change.before is ABSENT else json.dumps(change.before, ensure_ascii=False)
    after = "(removed)" if change.after is ABSENT else json.dumps(change.after, ensure_ascii=False)
    return f"{label(change.path)}: {before} → {after}"


def _cut(text: str) -> str:
    hidden = len(text) - LONGEST_RESULT
    return text if hidden <= 0 else f"{text[:LONGEST_RESULT]}\n… {hidden} more characters were left out."
