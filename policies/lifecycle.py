"""The two lifecycles, one table each, and ``apply``: what an event does to a request.

Laws (each an invariant of ``tests/storage/test_laws.py`` on the real store): settled is final; time is looked at
first; one vote a person; one reject ends it; nobody decides whom the policy doesn't name; each group fills its own
places; what nobody could approve is refused at opening; an approved call is claimed once and only with the approved
digest; a modification makes a new revision and voids earlier approvals, and what an agent's protocol gives it no way to
take isn't permitted at all: the permit is revoked as it is given; a question authorises nothing: nobody approves
before it is answered, it is answered once, and then the call meets its gate as a new revision; what people ask the
agent, and what it answers, settles nothing, and moves the end by what was waited, half an hour at most; whoever asks
somebody else to decide asks only whom the policy names, and lowers no quorum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from policies import answering, delegating, granting, inquiring, reviewing, snoozing
from policies.arguments import digest
from policies.checkpoint import Checkpoint, Kind
from policies.effects import Announce, Entry, Refresh
from policies.errors import AlreadySettled, Conflict, Invalid
from policies.escalation import elapse, steps_at_delivery
from policies.events import (
    Answered,
    Attested,
    AuditMarked,
    Claimed,
    Delegated,
    Delivered,
    Elapsed,
    Event,
    Granted,
    Inquired,
    Lost,
    Outcome,
    Replied,
    Reported,
    Reviewed,
    Snoozed,
    Stopped,
    Withdrawn,
)
from policies.preview import bound
from policies.question import Question
from policies.request import ExecutionState, Request, Requester, State, Submission
from policies.settling import entry, execute, settle


def open_request(
    submission: Submission,
    checkpoint: Checkpoint,
    *,
    request_id: str,
    workspace_id: str,
    requester: Requester,
    policy_digest: str,
    now: datetime,
    question: Question | None = None,
) -> Outcome:
    """The request as it is born: pending, approved (``allow``) or rejected (``deny``).

    With a ``question`` it is pending until that is answered; what is denied is denied at once.
    """
    arguments = submission.call.arguments
    request = Request(
        id=request_id,
        workspace_id=workspace_id,
        requester=requester,
        call=submission.call,
        proposed=arguments,
        digest=digest(tool=submission.call.tool or None, arguments=arguments, revision=1, requester=requester.id),
        checkpoint=checkpoint,
        policy_digest=policy_digest,
        created_at=now,
        on_behalf_of=submission.on_behalf_of,
        reason=submission.reason,
        confidence=submission.confidence,
        context=submission.context,
        run=submission.run,
        group=submission.group,
        expires_at=now + submission.expires_in if submission.expires_in else None,
        preview=bound(submission.preview, arguments),
        question=question if checkpoint.kind is not Kind.DENY else None,
        dialect=submission.dialect,
    )
    return _begun(Outcome(request=request, entries=(_opening(request),)), now)


def _opening(request: Request) -> Entry:
    """The first line of a request in the journal."""
    gate, question = request.checkpoint, request.question
    asked = {"asked_by": question.rule or "agent"} if question else {}
    spoken = {"dialect": request.dialect.name} if request.dialect else {}
    return entry(
        request,
        "opened",
        request.requester.id,
        request.created_at,
        tool=request.call.tool,
        digest=request.digest,
        checkpoint=gate.kind.value,
        rule=gate.rule,
        policy=request.policy_digest,
        **asked,
        **spoken,
    )


def _begun(opened: Outcome, now: datetime) -> Outcome:
    """What the checkpoint makes of a request at once."""
    request, checkpoint = opened.request, opened.request.checkpoint
    if checkpoint.kind is Kind.ALLOW and request.question is None:
        return opened.then(settle(request, State.APPROVED, ("policy",), now, checkpoint.reason, show=False))
    if checkpoint.kind is Kind.DENY:
        return opened.then(settle(request, State.REJECTED, ("policy",), now, checkpoint.reason, show=False))
    return opened.then(Outcome(request=request, effects=(Announce(request_id=request.id),)))


def apply(request: Request, event: Event, now: datetime) -> Outcome:
    """What ``event`` does to ``request`` at ``now`` (UTC). Time is looked at first.

    Raises a ``Refused`` where the event isn't admitted; then nothing changed.
    """
    elapsed = elapse(request, now)
    standing = elapsed.request
    table: Mapping[Any, Callable[..., Outcome]] = EXECUTION if standing.settled else REVIEW
    place = standing.execution.state if standing.settled and standing.execution else standing.state
    step = table.get((place, type(event)))
    if step is None:
        raise _not_admitted(standing, event)
    return elapsed.then(step(standing, event, now))


def _not_admitted(request: Request, event: Event) -> Conflict:
    decision = request.decision
    if isinstance(event, Answered):
        answering.refuse_second(request)
    if decision is None:
        return Conflict("The request is still pending; wait until it is settled.", code="not_approved")
    if isinstance(event, (Claimed, Reported)) and request.execution is not None:
        state = request.execution.state.value
        return Conflict(f"The approved call is {state}; it can't be claimed or reported now.", code=f"call_{state}")
    if isinstance(event, Claimed):
        return Conflict(f"The request is {request.state.value}, not approved.", code="not_approved")
    return AlreadySettled(
        f"This was {decision.verdict} already; nothing was changed.",
        verdict=decision.verdict,
        by=decision.by,
        at=decision.at,
    )


def _deliver(request: Request, event: Delivered, now: datetime) -> Outcome:
    if request.delivered_at is not None:
        return Outcome(request=request)
    written = entry(request, "delivered", "courier", now)
    restarted = replace(request, delivered_at=now)
    if request.waits_for_delivery:
        restarted = replace(restarted, steps_done=steps_at_delivery(request), pause=request.pause.restarted(now))
    effects = (Refresh(request_id=request.id),) if request.waits_for_delivery else ()
    return Outcome(request=restarted, effects=effects, entries=(written,))


def _withdraw(request: Request, event: Withdrawn, now: datetime) -> Outcome:
    return settle(request, State.WITHDRAWN, ("requester",), now, None)


def _revoke(request: Request, event: Withdrawn, now: datetime) -> Outcome:
    return execute(request, ExecutionState.REVOKED, "requester", now, note="withdrawn by the requester")


def _claim(request: Request, event: Claimed, now: datetime) -> Outcome:
    if event.digest != request.digest:
        raise Conflict(
            "The digest isn't the one that was approved. Read the request again and claim with its digest.",
            code="digest_mismatch",
        )
    return execute(request, ExecutionState.CLAIMED, request.requester.id, now, key=event.key)


def _claim_again(request: Request, event: Claimed, now: datetime) -> Outcome:
    execution = request.execution
    if request.purged_at is not None:
        raise Conflict("The contents of this call were blanked since it ended; nothing can run.", code="call_purged")
    if execution and event.key is not None and execution.key == event.key and event.digest == request.digest:
        return Outcome(request=request)
    raise Conflict("This call was claimed already; it runs once only.", code="already_claimed")


def _report(request: Request, event: Reported, now: datetime) -> Outcome:
    if event.state not in (ExecutionState.SUCCEEDED, ExecutionState.FAILED):
        raise Invalid("A report's status must be succeeded or failed.", where="/status")
    return execute(request, event.state, request.requester.id, now, note=event.note, result=event.result)


def _report_again(request: Request, event: Reported, now: datetime) -> Outcome:
    if request.execution is not None and event.state is request.execution.state:
        return Outcome(request=request)
    raise Conflict("Another outcome was reported already; the first one stands.", code="already_reported")


def _lose(request: Request, event: Lost, now: datetime) -> Outcome:
    return execute(request, ExecutionState.UNKNOWN, "runner", now, note="interrupted between claim and report")


def _nothing(request: Request, event: Event, now: datetime) -> Outcome:
    return Outcome(request=request)


Place = tuple[State | ExecutionState, type[Any]]

REVIEW: Mapping[Place, Callable[..., Outcome]] = {
    (State.PENDING, Reviewed): reviewing.review,
    (State.PENDING, Granted): granting.grant,
    (State.PENDING, Answered): answering.answer,
    (State.PENDING, Inquired): inquiring.inquire,
    (State.PENDING, Replied): inquiring.reply,
    (State.PENDING, Stopped): reviewing.stop_pending,
    (State.PENDING, Withdrawn): _withdraw,
    (State.PENDING, Snoozed): snoozing.snooze,
    (State.PENDING, Delegated): delegating.delegate,
    (State.PENDING, Delivered): _deliver,
    (State.PENDING, Elapsed): _nothing,
}

EXECUTION: Mapping[Place, Callable[..., Outcome]] = {
    (ExecutionState.UNCLAIMED, Claimed): _claim,
    (ExecutionState.UNCLAIMED, Stopped): reviewing.stop_unclaimed,
    (ExecutionState.UNCLAIMED, Withdrawn): _revoke,
    (ExecutionState.CLAIMED, Claimed): _claim_again,
    (ExecutionState.CLAIMED, Reported): _report,
    (ExecutionState.CLAIMED, Lost): _lose,
    (ExecutionState.SUCCEEDED, Claimed): _claim_again,
    (ExecutionState.FAILED, Claimed): _claim_again,
    (ExecutionState.UNKNOWN, Claimed): _claim_again,
    (ExecutionState.UNKNOWN, Reported): _report,
    (ExecutionState.UNKNOWN, Attested): reviewing.attest,
    (ExecutionState.SUCCEEDED, Reported): _report_again,
    (ExecutionState.FAILED, Reported): _report_again,
    (ExecutionState.REVOKED, Withdrawn): _nothing,
    (State.WITHDRAWN, Withdrawn): _nothing,
    **{(place, event): _nothing for place in (*State, *ExecutionState) for event in (Elapsed, Delivered)},
    **{(place, AuditMarked): reviewing.mark_audit for place in ExecutionState},
}
