"""A request as AAP shows it: what was sent, given back as it came, the protocol's five states, and no nulls.

What the protocol has no word for reads as a no: a call approved with other arguments is ``denied`` with the edit in its
note, and so is one that a person stopped after it was approved.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.api.aap.asks import span
from policies.dialect import uuid_of
from policies.errors import NotFound
from policies.question import in_words
from policies.request import Execution, ExecutionState, Request, State
from policies.review import Decision, Verdict

STATUS: Mapping[State, str] = {
    State.PENDING: "pending",
    State.APPROVED: "approved",
    State.REJECTED: "denied",
    State.EXPIRED: "expired",
    State.WITHDRAWN: "cancelled",
}
REPORTED: Mapping[ExecutionState, str] = {ExecutionState.SUCCEEDED: "succeeded", ExecutionState.FAILED: "failed"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def id_of(address: str, *, kind: str = "req") -> str:
    """The gateway's own id of this kind, from the UUID in an address. Raises ``NotFound`` for what is none."""
    if not _UUID.fullmatch(address.lower()):
        raise NotFound("No such id.")
    return f"{kind}_{uuid.UUID(address).hex}"


def stamp(at: datetime) -> str:
    """``at`` (UTC) as AAP writes times: ``2026-11-22T21:30:00.000Z``."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def shown(request: Request) -> dict[str, Any]:
    """A request that was made through AAP, by the names of the protocol."""
    if request.dialect is None:
        raise NotFound("No such request.")
    sent = request.dialect.sent
    told: dict[str, Any] = {
        "id": uuid_of(request.id),
        **sent,
        "arguments": dict(request.proposed),
        "status": status_of(request),
        "created_at": stamp(request.created_at),
        "deadline_at": stamp(request.created_at + span(sent["timeout"])),
    }
    if request.decision is not None:
        told["decision"] = _decided(request, request.decision)
    if request.execution is not None and request.execution.claimed_at is not None:
        told["consumption"] = _consumed(request.execution, request.execution.claimed_at)
    return told


def status_of(request: Request) -> str:
    """The one of the five states that says what the agent may do."""
    execution = request.execution
    if execution is None or execution.state is not ExecutionState.REVOKED:
        return STATUS[request.state]
    return "cancelled" if execution.by == "requester" else "denied"


def _decided(request: Request, decision: Decision) -> dict[str, Any]:
    status, revoked = status_of(request), _revoked(request)
    told = {"status": status, "decided_at": stamp(revoked.at if revoked else decision.at)}
    if status == "approved":
        told["expires_at"] = stamp(decision.at + request.checkpoint.permit)
    if request.purged_at is None and (note := " ".join(_said(request, decision))):
        told["note"] = note
    return told


def _revoked(request: Request) -> Execution | None:
    """The end of a permit that was taken back before anybody used it."""
    execution = request.execution
    return execution if execution is not None and execution.state is ExecutionState.REVOKED else None


def _said(request: Request, decision: Decision) -> Iterator[str]:
    """What the agent is told beside the verdict: reviewers' words, the edit that it can't take, the answer it got."""
    people = _names(request, decision)
    if request.sent_back:
        yield _edit(request, people)
    elif (revoked := _revoked(request)) is not None and revoked.by != "requester":
        yield f"It was approved, and then stopped before it ran. {revoked.note or ''}".strip()
    if request.state is State.REJECTED and not people:
        yield f"The policy refuses this call: {decision.note}" if decision.note else "The policy refuses this call."
    elif decision.note:
        yield f"{decision.note} ({people})" if people else decision.note
    elif request.state is State.REJECTED:
        yield f"Rejected by {people}."
    question, answer = request.question, request.answer
    if question is not None and answer is not None and (said := in_words(question, answer)):
        yield f"Asked “{question.text}”, people answered “{said}”."


def _edit(request: Request, people: str) -> str:
    arguments = json.dumps(dict(request.call.arguments), ensure_ascii=False)
    return (
        f"{f'{people} says: not' if people else 'Not'} as it is, but with exactly these arguments: {arguments} "
        "Nothing was run. To run it so, call the tool again with exactly these; people are asked anew."
    )


def _names(request: Request, decision: Decision) -> str:
    """The names of the people who decided it."""
    names = {review.by: review.name for review in request.reviews if review.verdict is not Verdict.ANSWER}
    return ", ".join(names[who] for who in decision.by if who in names)


def _consumed(execution: Execution, at: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {"consumed_at": stamp(at)}
    if execution.state in REPORTED:
        note = {"note": execution.note} if execution.note else {}
        told["outcome"] = {"status": REPORTED[execution.state], "reported_at": stamp(execution.at), **note}
    return told
