"""How the end of a request is told to the model: rejected, expired and modified are three different things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.agent.transcript import Answer
from policies.changes import ABSENT, Change, changes
from policies.checkpoint import Kind
from policies.question import Question, in_words
from policies.request import Execution, ExecutionState, Request, State

LONGEST_RESULT = 30_000
"""Characters of a tool's result that the model is given; the rest is announced."""

LARGEST_RESULT = 64 * 1024
"""Bytes of a tool's result that are stored whole."""

QUEUED = "Queued for review"
NOBODY = "Nobody answered"
LATER = "The call that was queued for review"
NOT_DONE = ", not done"
CHANGED = "A reviewer changed the arguments before this ran."
"""How answers begin that the thread's progress tells apart."""

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
        "Nobody knows whether this ran: it was interrupted while it did. Do not run it again; "
        "say that somebody must look."
    ),
}


def queued(request: Request) -> Answer:
    """The answer to a call that waits in the inbox while the agent goes on."""
    return Answer(text=f"{QUEUED} ({request.id}). Go on with other work; the result follows when it is there.")


def held_back(words: str) -> Answer:
    """The answer to a call that wasn't put before people, since the agent's budget is used up; ``words`` say which."""
    return Answer(
        text=f"{words} It was not run. Do not try it again in this run; say plainly that it is still open.", failed=True
    )


def entered_later(request_id: str, answer: Answer) -> str:
    """How the end of a queued call enters the conversation."""
    return f"{LATER} ({request_id}){NOT_DONE if answer.failed else ''}: {answer.text}"


def told(request: Request) -> Answer:
    """What the model hears about a settled request whose execution, if any, is over."""
    if request.question is not None and request.bare:
        return _of_question(request, request.question)
    ended = _ended(request)
    return replace(ended, text=f"{ended.text}{_asked(request)}{_inquired(request)}")


def _inquired(request: Request) -> str:
    """What people asked about the call while it waited, and what the model answered them."""
    lines = [
        f"\nWhile it waited, {inquiry.name} asked you: {inquiry.text}\nYou answered: {inquiry.answer}"
        for inquiry in request.inquiries
        if inquiry.answer is not None
    ]
    return "".join(lines)


def _of_question(request: Request, question: Question) -> Answer:
    """What came of a question that the model asked."""
    answer = request.answer
    if answer is None:
        declined = request.state is State.REJECTED and request.reviews
        who = f"{request.reviews[-1].name} declined to answer" if declined else "Nobody answered"
        why = f": {request.decision.note}" if declined and request.decision and request.decision.note else ""
        return Answer(text=f"{who}{why}. Go on only with what is certain, and say what stays open.", failed=True)
    words = in_words(question, answer)
    return Answer(
        text=f"{NOBODY}; your best guess stands: {words}" if answer.guessed else f"{answer.name} answered: {words}"
    )


def _asked(request: Request) -> str:
    """The question that was put before the call, and its answer; nothing where there was none."""
    if request.question is None or request.answer is None:
        return ""
    words = in_words(request.question, request.answer)
    if request.answer.guessed:
        return f"\nBefore it, people were asked “{request.question.text}”. {NOBODY}, so it went on as proposed."
    return f"\nBefore it, people were asked “{request.question.text}”. {request.answer.name} answered: {words}"


def _ended(request: Request) -> Answer:
    if request.state is State.REJECTED:
        return _rejected(request)
    if request.state in ENDED:
        return Answer(text=ENDED[request.state], failed=True)
    execution = request.execution
    if execution is None:
        return Answer(text="This was not run.", failed=True)
    if execution.state in NEVER_RAN:
        return Answer(text=NEVER_RAN[execution.state].format(who=_who(request, execution)), failed=True)
    return _ran(request, execution)


def storable(result: Any) -> Any:
    """A tool's result as it may be stored: plain JSON, or its beginning as text where it is larger than 64 kB."""
    text = _visible(json.dumps(result, ensure_ascii=False))
    if len(text.encode()) <= LARGEST_RESULT:
        return json.loads(text, parse_constant=str)
    return _cut(text)


def storable_words(words: str) -> str:
    """A tool's words of failure, without what no database takes."""
    return _visible(words)


def _visible(text: str) -> str:
    """``text`` with lone surrogates replaced: they are no Unicode text, and neither UTF-8 nor a database takes them."""
    return text.encode("utf-8", "replace").decode()


def _who(request: Request, execution: Execution) -> str:
    if execution.by == "requester":
        return "the requester"
    return next((review.name for review in request.reviews if review.by == execution.by), "a reviewer")


def _rejected(request: Request) -> Answer:
    decision = request.decision
    if request.checkpoint.kind is Kind.DENY:
        return Answer(text=f"The policy refuses this call: {request.checkpoint.reason}. It was not run.", failed=True)
    refused = decision is not None and decision.by == ("policy",)
    last = "the policy" if refused else request.reviews[-1].name if request.reviews else "a reviewer"
    words = decision.note if decision and decision.note else "no reason was given"
    return Answer(text=f"Rejected by {last}: {words}\nIt was not run. Do not try the same call again.", failed=True)


def _ran(request: Request, execution: Execution) -> Answer:
    failed = execution.state is ExecutionState.FAILED
    words = _failure(execution) if failed else _result(execution)
    if not request.edited:
        return Answer(text=words, failed=failed)
    made = changes(dict(request.proposed), dict(request.call.arguments))
    lines = "\n".join(f"- {_change_in_words(each)}" for each in made)
    return Answer(text=f"{CHANGED}\n{lines}\n{'It failed' if failed else 'Result'}: {words}", failed=failed)


def _failure(execution: Execution) -> str:
    return (execution.note or "").strip() or "it failed"


def _result(execution: Execution) -> str:
    """The result as text; where there is none, what was said of it instead (a person's "it ran", for example)."""
    result = execution.result
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    known = "" if result is None else _cut(text)
    return (known.strip() and known) or (execution.note or "done")


def _change_in_words(change: Change) -> str:
    before = "(absent)" if change.before is ABSENT else json.dumps(change.before, ensure_ascii=False)
    after = "(removed)" if change.after is ABSENT else json.dumps(change.after, ensure_ascii=False)
    return f"{change.label}: {before} → {after}"


def _cut(text: str) -> str:
    hidden = len(text) - LONGEST_RESULT
    return text if hidden <= 0 else f"{text[:LONGEST_RESULT]}\n… {hidden} more characters were left out."
