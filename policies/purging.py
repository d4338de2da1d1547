"""What is blanked once it need not be kept any longer: contents go; who decided what, when, and all digests stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from policies.agent_run import AgentRun, RunState
from policies.dialect import Dialect
from policies.events import Outcome
from policies.inquiry import Inquiry
from policies.question import Choice, Question
from policies.request import ExecutionState, Request
from policies.settling import entry

_OPEN = frozenset({ExecutionState.UNCLAIMED, ExecutionState.CLAIMED, ExecutionState.UNKNOWN})
PURGED = "purged"
"""What stands in the place of words that were blanked and may not be empty."""


def blanked(request: Request, before: datetime, now: datetime) -> Outcome:
    """``request`` without its contents, if it was over ``before`` then and nothing about it is open; else unchanged.

    Gone are arguments, the agent's words, people's notes and the result: whatever may hold somebody's data.
    """
    if not _over(request, before):
        return Outcome(request=request)
    call = replace(request.call, arguments={}, schema=None, description=None)
    emptied = replace(
        request,
        call=call,
        proposed={},
        former=None,
        checkpoint=replace(request.checkpoint, phrase=None),  # it may be a value of the call
        preview=(),
        reason=None,
        context=None,
        reviews=tuple(replace(review, note=None) for review in request.reviews),
        decision=replace(request.decision, note=None) if request.decision else None,
        question=_asked(request.question) if request.question else None,
        answer=replace(request.answer, choice=None, text=None) if request.answer else None,
        inquiries=tuple(_inquired(inquiry) for inquiry in request.inquiries),
        execution=replace(request.execution, note=None, result=None) if request.execution else None,
        audit_note=None,
        delegations=tuple(replace(one, note=None) for one in request.delegations),
        dialect=_spoken(request.dialect) if request.dialect else None,
        purged_at=now,
    )
    return Outcome(request=emptied, entries=(entry(request, "purged", "operator", now, digest=request.digest),))


def _inquired(inquiry: Inquiry) -> Inquiry:
    return replace(inquiry, text=PURGED, answer=None if inquiry.answer is None else PURGED)


def _spoken(dialect: Dialect) -> Dialect:
    """What came in another protocol, without the words and the context."""
    kept = ("tool", "server", "timeout")
    return replace(dialect, sent={name: value for name, value in dialect.sent.items() if name in kept})


def _asked(question: Question) -> Question:
    """A question without its words, and without the calls that its choices would have made."""
    choices = tuple(Choice(id=str(number), label=PURGED) for number, _ in enumerate(question.choices, 1))
    return replace(question, text=PURGED, choices=choices, best_guess=None, on_silence=None, on_words=None)


def blanked_run(run: AgentRun, before: datetime) -> AgentRun | None:
    """An ended run that began ``before`` then, without its errand and transcript; None where it stays as it is."""
    if run.state is RunState.ACTIVE or run.created_at >= before or run.errand == PURGED:
        return None
    return replace(run, errand=PURGED, transcript=(), calls=None, note=None)


def _over(request: Request, before: datetime) -> bool:
    ends = [end.at for end in (request.decision, request.execution) if end is not None]
    running = request.execution is not None and request.execution.state in _OPEN
    if request.purged_at is not None or not request.settled or running or request.audit == "open":
        return False
    return max(ends, default=request.created_at) < before
