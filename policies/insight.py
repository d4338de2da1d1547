"""What the past says of the policy in force: how each rule's requests ended, and how well the agents knew themselves.

Where the rules come from: a checkpoint that is nearly always approved as proposed is too conservative, one that is
often modified shows an agent that needs work, one that nobody answers has the wrong reviewers, and a rejection after
irreversible calls of the same run came too late (``policies.advice`` draws these conclusions).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policies.checkpoint import Kind
from policies.dialect import SENT_BACK
from policies.policy import Policy
from policies.proportion import Proportion
from policies.replay import Replay, Replayed
from policies.request import ExecutionState, Request, State
from policies.review import Verdict

BANDS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0))
"""Stated confidence: each band from its first number up to, but not with, its second; the last with it."""
_RAN = (ExecutionState.CLAIMED, ExecutionState.SUCCEEDED, ExecutionState.UNKNOWN)


class Ending(StrEnum):
    """How a request ended. ``rejected`` counts as well what a person stopped afterwards or objected to."""

    AS_PROPOSED = "as proposed"
    MODIFIED = "modified"
    REJECTED = "rejected"
    UNANSWERED = "never answered"
    SHORT = "short of its quorum"
    PROCEEDED = "went ahead on silence"
    TAKEN_BACK = "taken back"
    OPEN = "still open"
    WITHOUT_PEOPLE = "decided without people"


DECIDED = (Ending.AS_PROPOSED, Ending.MODIFIED, Ending.REJECTED)
ENDED = (*DECIDED, Ending.UNANSWERED, Ending.SHORT)
"""The endings that say something of a checkpoint; of these its shares are taken, and they add up to one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """One rule's requests of one kind. ``tool`` is set where no rule but the default or the catalogue held them.

    ``people`` counts whose decisions settled them, by name; ``tools`` what was asked for; ``undelivered`` those of the
    never answered ones whose card nobody could see; ``required`` tells that a regulation demands some of them.
    ``hasty`` counts those of the decided ones that somebody first approved faster than one can read.
    """

    rule: str
    kind: Kind
    tool: str | None
    endings: Mapping[Ending, int]
    people: Mapping[str, int]
    tools: Mapping[str, int]
    undelivered: int
    required: bool
    evidence: tuple[Replayed, ...]
    hasty: int = 0

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.rule}, {self.tool}" if self.tool else self.rule

    @property
    def total(self) -> int:
        """All of its requests, whatever became of them."""
        return sum(self.endings.values())

    @property
    def decided(self) -> int:
        """Those that people decided."""
        return self.count(*DECIDED)

    @property
    def ended(self) -> int:
        """Those that people decided or should have decided."""
        return self.count(*ENDED)

    def count(self, *endings: Ending) -> int:
        """How many ended in one of these ways."""
        return sum(self.endings.get(ending, 0) for ending in endings)

    def of_ended(self, *endings: Ending) -> Proportion:
        """How many of the ``ended`` ended so."""
        return Proportion(count=self.count(*endings), of=self.ended)


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """How often people approved as proposed what one agent said it was so sure of (``low`` to ``high``)."""

    agent: str
    low: float
    high: float
    approved: Proportion


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """Calls that ``rule`` held were rejected after an irreversible ``tool`` had run in the same run, in ``runs``."""

    rule: str
    tool: str
    runs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Insight:
    """``total`` requests: those of the ``tallies``, those that ``asked_nobody`` and the ``outdated`` ones.

    An outdated request met another checkpoint than the policy in force would give it, so it says nothing of that.
    """

    total: int
    tallies: tuple[Tally, ...]
    asked_nobody: int
    outdated: int
    unreadable: int
    bands: tuple[Band, ...]
    late: tuple[Late, ...]


def insight(past: Replay, policy: Policy) -> Insight:
    """What ``past``, replayed under ``policy`` itself, says of it."""
    asked = [each for each in past.judged if each.before.kind not in (Kind.ALLOW, Kind.DENY)]
    standing = [each for each in asked if _still_so(each)]
    requests = [each.request for each in past.judged]
    return Insight(
        total=len(past.judged),
        tallies=_tallies(standing),
        asked_nobody=len(past.judged) - len(asked),
        outdated=len(asked) - len(standing),
        unreadable=len(past.unreadable),
        bands=_bands(requests),
        late=_late(requests, policy),
    )


def ending(request: Request) -> Ending:
    """How it ended."""
    if request.decision is None or request.state is State.PENDING:
        return Ending.OPEN
    if request.state in (State.WITHDRAWN, State.ANSWERED):
        return Ending.TAKEN_BACK if request.state is State.WITHDRAWN else Ending.WITHOUT_PEOPLE
    if request.state is State.EXPIRED:
        return _expiry(request)
    by_people = bool({review.by for review in request.reviews}.intersection(request.decision.by))
    if _stopped(request) or (request.state is State.REJECTED and by_people):
        return Ending.REJECTED
    if not by_people:
        return Ending.PROCEEDED if request.decision.by == ("silence",) else Ending.WITHOUT_PEOPLE
    return Ending.MODIFIED if request.edited else Ending.AS_PROPOSED


def _expiry(request: Request) -> Ending:
    if request.expires_at is not None and request.expires_at < request.checkpoint.ladder.ends_at(request.clock_from):
        return Ending.TAKEN_BACK
    decided = any(review.verdict is not Verdict.ANSWER for review in request.reviews)
    return Ending.SHORT if decided else Ending.UNANSWERED


def _stopped(request: Request) -> bool:
    """Did a person stop the approved call before it ran, or object to it afterwards?"""
    execution = request.execution
    by = execution.by if execution is not None and execution.state is ExecutionState.REVOKED else "requester"
    return by not in ("requester", SENT_BACK) or request.audit == "objected"


def _still_so(replayed: Replayed) -> bool:
    before, after = replayed.before, replayed.after
    return (before.rule, before.kind) == (after.rule, after.kind)


def _tallies(standing: Sequence[Replayed]) -> tuple[Tally, ...]:
    groups: dict[tuple[str, Kind, str | None], list[Replayed]] = defaultdict(list)
    for each in standing:
        tool = each.request.call.tool if each.before.rule in ("default", "catalogue") else None
        groups[(each.before.rule, each.before.kind, tool)].append(each)
    tallies = [_tally(*place, group) for place, group in groups.items()]
    return tuple(sorted(tallies, key=lambda tally: (-tally.total, tally.name, tally.kind)))


def _tally(rule: str, kind: Kind, tool: str | None, group: Sequence[Replayed]) -> Tally:
    requests = [each.request for each in group]
    silent = [request for request in requests if ending(request) is Ending.UNANSWERED]
    return Tally(
        rule=rule,
        kind=kind,
        tool=tool,
        endings=Counter(ending(request) for request in requests),
        people=Counter(name for request in requests if ending(request) in DECIDED for name in _deciders(request)),
        tools=Counter(request.call.tool for request in requests),
        undelivered=sum(request.delivered_at is None for request in silent),
        required=any(each.before.required_by or each.after.required_by for each in group),
        evidence=tuple(group),
        hasty=sum(_hasty(request) for request in requests if ending(request) in DECIDED),
    )


def _hasty(request: Request) -> bool:
    return any(review.asked_at is not None for review in request.reviews)


def _deciders(request: Request) -> frozenset[str]:
    by = request.decision.by if request.decision else ()
    names = {review.by: f"{review.name} ({review.by})" for review in request.reviews}
    return frozenset(names[who] for who in by if who in names)


def _bands(requests: Iterable[Request]) -> tuple[Band, ...]:
    told: dict[tuple[str, int], list[Ending]] = defaultdict(list)
    for request in requests:
        if request.confidence is not None and (end := ending(request)) in DECIDED:
            told[(request.requester.name, _band(request.confidence))].append(end)
    return tuple(
        Band(
            agent=agent,
            low=BANDS[band][0],
            high=BANDS[band][1],
            approved=Proportion(count=ends.count(Ending.AS_PROPOSED), of=len(ends)),
        )
        for (agent, band), ends in sorted(told.items())
    )


def _band(confidence: float) -> int:
    return next((index for index, (_, high) in enumerate(BANDS) if confidence < high), len(BANDS) - 1)


def _late(requests: Sequence[Request], policy: Policy) -> tuple[Late, ...]:
    runs: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in requests:
        if request.run is not None:
            runs[(request.requester.id, request.run)].append(request)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (_, run), members in runs.items():
        for rule, tool in {pair for each in members for pair in _too_late(each, members, policy)}:
            found[(rule, tool)].append(run)
    return tuple(Late(rule=rule, tool=tool, runs=tuple(ids)) for (rule, tool), ids in sorted(found.items()))


def _too_late(rejected: Request, run: Sequence[Request], policy: Policy) -> Iterable[tuple[str, str]]:
    if ending(rejected) is not Ending.REJECTED:
        return
    for other in run:
        done = other.execution
        ran_before = done is not None and done.state in _RAN and done.at <= rejected.created_at
        if ran_before and policy.irreversible(other.call.tool):
            yield rejected.checkpoint.rule, other.call.tool
