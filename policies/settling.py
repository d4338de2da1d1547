"""The small steps that every event is made of: settle, execute, and the journal's line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from policies.checkpoint import Kind
from policies.dialect import SENT_BACK
from policies.effects import Entry, Refresh
from policies.events import Outcome
from policies.request import Execution, ExecutionState, Request, Requester, State
from policies.review import Decision


def settle(
    request: Request, state: State, by: tuple[str, ...], now: datetime, note: str | None, *, show: bool = True
) -> Outcome:
    """``request`` with its decision written; ``show`` False where there is no card to refresh (allow, deny).

    Approved with arguments that its agent can't take, it runs no more than if it were rejected.
    """
    decision = Decision(verdict=state.value, by=by, at=now, note=note)
    execution = Execution(state=ExecutionState.UNCLAIMED, at=now) if state is State.APPROVED else None
    settled = replace(request, state=state, decision=decision, execution=execution, former=None)
    written = entry(request, "settled", ",".join(by), now, verdict=state.value, digest=request.digest)
    outcome = Outcome(request=settled, effects=(Refresh(request_id=request.id),) if show else (), entries=(written,))
    if execution is None or not settled.unusable:
        return outcome
    return outcome.then(execute(settled, ExecutionState.REVOKED, SENT_BACK, now))


def execute(
    request: Request,
    state: ExecutionState,
    actor: str,
    now: datetime,
    *,
    note: str | None = None,
    key: str | None = None,
    result: Any = None,
) -> Outcome:
    """``request`` with its execution in ``state``; an allowed call has no card to refresh unless it was asked about."""
    before = request.execution
    taken = now if state is ExecutionState.CLAIMED else before.claimed_at if before else None
    execution = Execution(
        state=state,
        at=now,
        note=note,
        key=key or (before.key if before else None),
        result=result,
        by=actor,
        claimed_at=taken,
    )
    shown = request.checkpoint.kind is not Kind.ALLOW or request.question is not None
    return Outcome(
        request=replace(request, execution=execution),
        effects=(Refresh(request_id=request.id),) if shown else (),
        entries=(entry(request, state.value, actor, now, digest=request.digest),),
    )


def entry(request: Request, what: str, actor: str, now: datetime, **detail: Any) -> Entry:
    """A journal line about ``request``."""
    return Entry(what=what, actor=actor, at=now, subject=request.id, detail=detail)


def by_key(outcome: Outcome, requester: Requester) -> Outcome:
    """``outcome`` with the key in the journal's lines of what the requester did, where it was another than its own."""
    if requester.via is None:
        return outcome
    own = (requester.id, "requester")
    entries = tuple(
        replace(line, detail={**line.detail, "key": requester.via}) if line.actor in own else line
        for line in outcome.entries
    )
    return replace(outcome, entries=entries)
