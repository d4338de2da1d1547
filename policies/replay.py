"""The past under another policy: what it would have said to every call that was asked for.

A call is judged as it was proposed, at its own time, with the agent's counts of that time rebuilt from the past itself.
Nothing is changed by it. Two calls of one agent within the same instant may be counted in another order than they came.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from policies.arguments import digest
from policies.checkpoint import Checkpoint, Kind
from policies.errors import Invalid
from policies.judgement import RECENT, Facts, judge
from policies.policy import Policy
from policies.request import Request, Submission

LOOKBACK = max(span for span, _ in RECENT.values())
"""How far before the first replayed call the past must reach, for its counts to be whole."""


class Change(StrEnum):
    """What becomes of a call under the other policy, the gravest for safety first."""

    WAVED_THROUGH = "waved through"
    RELAXED = "relaxed"
    SENT_ELSEWHERE = "sent to others"
    REARRANGED = "otherwise changed"
    REFUSED = "refused"
    STOPPED = "stopped"
    TIGHTENED = "tightened"
    SAME = "the same"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """A past request with the checkpoint that it met (``before``) and the one that it would meet now (``after``)."""

    request: Request
    before: Checkpoint
    after: Checkpoint

    @property
    def change(self) -> Change:
        """What would be different; another rule with the same effect is no difference."""
        before, after = self.before, self.after
        if after.kind.strictness < before.kind.strictness:
            return Change.WAVED_THROUGH if after.kind is Kind.ALLOW else Change.RELAXED
        if after.kind.strictness > before.kind.strictness:
            if after.kind is Kind.DENY:
                return Change.REFUSED
            return Change.STOPPED if before.kind is Kind.ALLOW else Change.TIGHTENED
        if after.kind is Kind.DENY:
            return Change.SAME
        if _effect(before) == _effect(after):
            return Change.SAME
        return Change.SENT_ELSEWHERE if before.reviewers != after.reviewers else _weighed(before, after)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """``judged`` in the order of time; ``unreadable`` are ids whose stored arguments are not those of their digest."""

    judged: tuple[Replayed, ...]
    unreadable: tuple[str, ...]


def replay(
    past: Sequence[Request], policy: Policy, *, since: datetime, earlier: Mapping[str, Policy] | None = None
) -> Replay:
    """What ``policy`` says of every request of ``past`` made since then; older ones only count as recent calls.

    ``earlier`` are policies by digest. A request that was modified may stand behind a stricter checkpoint than the one
    it met when it was proposed: that one is told by the policy of its time, where ``earlier`` has it.
    """
    judged: list[Replayed] = []
    unreadable: list[str] = []
    for request, recent in _with_counts(past):
        if request.created_at < since:
            continue
        if not _intact(request):
            unreadable.append(request.id)
            continue
        facts = Facts(agent=request.requester.name, now=request.created_at, recent=recent)
        submission = _proposal(request)
        of_its_time = (earlier or {}).get(request.policy_digest) if request.modified else None
        before = judge(of_its_time, submission, facts) if of_its_time else request.checkpoint
        judged.append(Replayed(request=request, before=before, after=judge(policy, submission, facts)))
    return Replay(judged=tuple(judged), unreadable=tuple(unreadable))


def _effect(gate: Checkpoint) -> tuple[Any, ...]:
    if gate.kind is Kind.ALLOW:
        return (gate.permit, gate.required_by)
    return (
        gate.reviewers,
        gate.quorum,
        gate.ladder.steps,
        gate.phrase,
        gate.permit,
        gate.report,
        gate.self_approval,
        gate.required_by,
    )


def _weighed(before: Checkpoint, after: Checkpoint) -> Change:
    if after.quorum != before.quorum:
        return Change.RELAXED if after.quorum < before.quorum else Change.TIGHTENED
    if after.self_approval != before.self_approval:
        return Change.RELAXED if after.self_approval else Change.TIGHTENED
    return Change.REARRANGED


def _with_counts(past: Sequence[Request]) -> list[tuple[Request, dict[str, int]]]:
    """Each request in the order of time, with what its agent had asked for before it, as ``recent`` counts it."""
    asked: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
    found = []
    for request in sorted(past, key=lambda each: (each.created_at, each.id)):
        who, tool, now = request.requester.id, request.call.tool, request.created_at
        times = {of_this_tool: asked[(who, tool if of_this_tool else None)] for of_this_tool in (True, False)}
        counts = {
            name: len(times[of_this_tool]) - bisect_left(times[of_this_tool], now - span)
            for name, (span, of_this_tool) in RECENT.items()
        }
        found.append((request, counts))
        for each in times.values():
            each.append(now)
    return found


def _proposal(request: Request) -> Submission:
    return Submission(
        call=replace(request.call, arguments=request.proposed),
        reason=request.reason,
        confidence=request.confidence,
        on_behalf_of=request.on_behalf_of,
        context=request.context,
        run=request.run,
    )


def _intact(request: Request) -> bool:
    """Are the stored arguments those that the digest names? They are not once they were blanked."""
    named = {"tool": request.call.tool, "revision": request.revision, "requester": request.requester.id}
    try:
        return digest(arguments=request.call.arguments, **named) == request.digest  # type: ignore[arg-type]
    except Invalid:
        return False
