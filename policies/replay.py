"""The past under another policy: what it would have said to every call that was asked for.

A call is judged as it was proposed, at its own time, with the agent's counts of that time rebuilt from the past itself.
Nothing is changed by it. Two calls of one agent within the same instant may be counted in another order than they came.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from policies.arguments import digest
from policies.checkpoint import Checkpoint, Kind
from policies.errors import Invalid
from policies.judgement import BEFORE, Facts, counts, judge
from policies.policy import Policy
from policies.policy import proceeds as proceeding
from policies.request import TAKEN, Request, Submission

Times = Mapping[bool | str, Sequence[datetime]]
"""When one agent asked before, in order: for the tool in question (True), for any (False), and of the tool's those
calls that ran (``BEFORE``)."""


def lookback(policy: Policy) -> timedelta:
    """How far before the first replayed call the past must reach, for the counts that ``policy`` reads to be whole."""
    return max((span for span, _ in counts(policy).values()), default=timedelta(0))


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
        return Change.SAME if after.kind is Kind.DENY or _effect(before) == _effect(after) else _beside(before, after)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """``judged`` in the order of time; ``unreadable`` are ids whose stored arguments are not those of their digest."""

    judged: tuple[Replayed, ...]
    unreadable: tuple[str, ...]


def replay(
    past: Sequence[Request],
    policy: Policy,
    *,
    since: datetime,
    earlier: Mapping[str, Policy] | None = None,
    environment: str = "",
) -> Replay:
    """What ``policy`` says of every request of ``past`` made since then; older ones only count as recent calls.

    ``earlier`` are policies by digest. A request that was modified may stand behind a stricter checkpoint than the one
    it met when it was proposed: that one is told by the policy of its time, where ``earlier`` has it. ``environment``
    is where the gateway stands; all of the past counts as asked for there.
    """
    judged: list[Replayed] = []
    unreadable: list[str] = []
    for request, times in _in_time(past):
        if request.created_at < since or request.bare:
            continue
        if not _intact(request):
            unreadable.append(request.id)
            continue
        of_its_time = (earlier or {}).get(request.policy_digest) if request.revision > 1 else None
        before = _judged(of_its_time, request, times, environment) if of_its_time else request.checkpoint
        after = _judged(policy, request, times, environment)
        judged.append(Replayed(request=request, before=before, after=after))
    return Replay(judged=tuple(judged), unreadable=tuple(unreadable))


def _judged(policy: Policy, request: Request, times: Times, environment: str) -> Checkpoint:
    now = request.created_at
    recent = {
        name: len(asked) - bisect_left(asked, now - span)
        for name, (span, of_this_tool) in counts(policy).items()
        for asked in (times[BEFORE if name == BEFORE else of_this_tool],)
    }
    facts = Facts(agent=request.requester.name, now=now, recent=recent, environment=environment)
    return judge(policy, _proposal(request), facts)


def _effect(gate: Checkpoint) -> tuple[Any, ...]:
    if gate.kind is Kind.ALLOW:
        return (gate.permit, gate.required_by, _question(gate))
    return (
        gate.reviewers,
        gate.places,
        gate.quorum,
        (gate.ladder.steps, gate.ladder.calendar),
        gate.phrase,
        gate.permit,
        gate.report,
        gate.self_approval,
        gate.required_by,
        gate.batch,
        _question(gate),
    )


def _question(gate: Checkpoint) -> tuple[Any, ...] | None:
    """The question that comes first, whichever rule asks it."""
    asked = gate.clarify
    return (asked.question, asked.choices, asked.ladder.steps) if asked else None


def _beside(before: Checkpoint, after: Checkpoint) -> Change:
    """What differs between two checkpoints of one kind."""
    if (before.clarify is None) != (after.clarify is None):
        return Change.RELAXED if after.clarify is None else Change.TIGHTENED
    proceeds = (proceeding(before.ladder), proceeding(after.ladder))
    eased = after.self_approval > before.self_approval or after.batch > before.batch
    if after.quorum < before.quorum or eased or proceeds == (False, True):
        return Change.RELAXED
    if (before.reviewers, before.places) != (after.reviewers, after.places):
        return Change.SENT_ELSEWHERE
    hardened = after.self_approval < before.self_approval or after.batch < before.batch
    if after.quorum > before.quorum or hardened or proceeds == (True, False):
        return Change.TIGHTENED
    return Change.REARRANGED


def _in_time(past: Sequence[Request]) -> Iterator[tuple[Request, Times]]:
    """Each request in the order of time, with when its agent had asked before it."""
    asked: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
    ran: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for request in sorted(past, key=lambda each: (each.created_at, each.id)):
        who, tool = request.requester.id, request.call.tool
        of_this, of_any, before = asked[(who, tool)], asked[(who, None)], ran[(who, tool)]
        yield request, {True: of_this, False: of_any, BEFORE: before}
        of_this.append(request.created_at)
        of_any.append(request.created_at)
        if request.execution is not None and request.execution.state in TAKEN:
            before.append(request.created_at)


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
    call, requester = request.call, request.requester.id
    try:
        named = digest(tool=call.tool or None, arguments=call.arguments, revision=request.revision, requester=requester)
    except Invalid:
        return False
    return named == request.digest
