"""A past to look back on: requests opened by the real lifecycle and decided by real people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.checkpoint import Kind
from policies.events import Claimed, Delivered, Edit, Elapsed, Reported, Reviewed
from policies.judgement import Facts, counts, judge
from policies.lifecycle import apply, open_request
from policies.people import Person, Standing
from policies.policy import Policy
from policies.request import ExecutionState, Request, Requester, Submission, ToolCall
from policies.review import Verdict

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BOT = Requester(id="key:till", name="till", owner="U0NEWT")


def opened(
    policy: Policy,
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    number: int = 0,
    at: datetime | None = None,
    recent: Mapping[str, int] | None = None,
    requester: Requester = BOT,
    **said: Any,
) -> Request:
    """The ``number``-th request, a minute after the one before, judged by ``policy`` and delivered at once."""
    now = at or START + timedelta(minutes=number)
    submission = Submission(call=ToolCall(tool=tool, arguments=dict(arguments or {})), **said)
    facts = Facts(agent=requester.name, now=now, recent={**dict.fromkeys(counts(policy), 0), **(recent or {})})
    outcome = open_request(
        submission,
        judge(policy, submission, facts),
        request_id=f"req_{number:05d}",
        workspace_id="T1",
        requester=requester,
        policy_digest=policy.digest,
        now=now,
    )
    if outcome.request.settled:
        return outcome.request
    return apply(outcome.request, Delivered(), now).request


def approved(request: Request, *people: str) -> Request:
    """Approved by these people, ten seconds after it came."""
    for who in people or ("U0ANA",):
        request = _reviewed(request, who, Verdict.APPROVE)
    return request


def rejected(request: Request, by: str = "U0ANA") -> Request:
    return _reviewed(request, by, Verdict.REJECT)


def modified(request: Request, policy: Policy, arguments: Mapping[str, Any], by: str = "U0ANA") -> Request:
    """Modified by one person, the edit judged by ``policy``; settled where one is enough."""
    call = Submission(call=ToolCall(tool=request.call.tool, arguments=arguments), confidence=request.confidence)
    facts = Facts(agent=request.requester.name, now=request.created_at, recent=dict.fromkeys(counts(policy), 0))
    edit = Edit(arguments=arguments, checkpoint=judge(policy, call, facts))
    return _reviewed(request, by, Verdict.MODIFY, edit=edit, phrase=edit.checkpoint.phrase)


def expired(request: Request) -> Request:
    return apply(request, Elapsed(), request.created_at + timedelta(days=30)).request


def done(request: Request) -> Request:
    """Claimed and reported as succeeded, twenty seconds after it came."""
    then = request.created_at + timedelta(seconds=20)
    claimed = apply(request, Claimed(digest=request.digest), then).request
    return apply(claimed, Reported(state=ExecutionState.SUCCEEDED), then).request


def many(policy: Policy, tool: str, count: int, first: int = 0, **rest: Any) -> list[Request]:
    """So many requests that Ana approved as they were."""
    return [approved(opened(policy, tool, number=first + index, **rest)) for index in range(count)]


def _reviewed(request: Request, who: str, verdict: Verdict, **rest: Any) -> Request:
    now = request.created_at + timedelta(seconds=10)
    person = Person(id=who, name=who.removeprefix("U0").title(), standing=Standing.MEMBER, looked_up_at=now)
    if request.checkpoint.kind is Kind.MANUAL:
        rest = {"phrase": request.checkpoint.phrase, **rest}
    return apply(request, Reviewed(person=person, verdict=verdict, revision=request.revision, **rest), now).request
