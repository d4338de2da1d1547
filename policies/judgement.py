"""Which checkpoint stands before a call, and why: every rule looked at, the strictest that matches wins.

Adding a rule to a call that some rule matches can only tighten: the kind of the strictest, the highest quorum, consent
to self-approval and to approving calls together only where all consent, silence lets go only where all let go. What the
agent says of itself can only raise the gate that the other rules give, and to state a lower confidence never loosens
it. A condition that can't be evaluated holds the call for people. A question that some rule puts before the call comes
with any gate but ``deny``; it changes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import Any

from policies.bundle import answered
from policies.checkpoint import Checkpoint, Clarify, GrantBound, Kind, Ladder, stricter
from policies.condition import Bound, Condition, bind
from policies.confidence import higher
from policies.duration import parse_duration
from policies.errors import ConditionError
from policies.expression import COUNTS
from policies.gathering import may_batch
from policies.policy import Policy, Rule, Tool, proceeds
from policies.request import Submission

RECENT: Mapping[str, tuple[timedelta, bool]] = {
    "hour": (timedelta(hours=1), False),
    "day": (timedelta(days=1), False),
    "tool_hour": (timedelta(hours=1), True),
    "tool_day": (timedelta(days=1), True),
    "tool_before": (timedelta(days=90), True),
}
"""The counts behind ``recent``: over how long, and whether of this tool only. ``tool_before`` tells the first use."""
BEFORE = "tool_before"
"""Counts the calls that ran, unlike the others: an agent that asks and takes it back has used nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the gateway knows of the call: who asks, when (UTC), how much that agent asked of late (those of ``counts``
    by name), and the ``environment`` in which the gateway stands, as its operator says; empty where they don't."""

    agent: str
    now: datetime
    recent: Mapping[str, int]
    environment: str = ""


class Standing(StrEnum):
    """How a rule stands to a call."""

    MATCHED = "matched"
    ERRED = "erred"
    OTHER_TOOL = "other_tool"
    CONDITION_FALSE = "condition_false"
    UNSAID = "unsaid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One rule's say: ``gate`` is the checkpoint that it asks for, None where it asks for none; ``why`` in words.

    ``clarify`` is the question that it puts first.
    """

    rule: Rule
    standing: Standing
    why: str
    gate: Checkpoint | None = None
    clarify: Clarify | None = None

    @property
    def asks(self) -> bool:
        """Does the rule ask for anything?"""
        return self.gate is not None or self.clarify is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The checkpoint, and each rule of the policy in its order with what it had to say."""

    checkpoint: Checkpoint
    findings: tuple[Finding, ...]


def counts(policy: Policy) -> Mapping[str, tuple[timedelta, bool]]:
    """The counts that the policy's conditions read, as in ``RECENT``; ``count(10m)`` and ``tool_count(10m)`` too."""
    read = {name.removeprefix("recent.") for name in policy.reads if name.startswith("recent.")}
    named = {name: RECENT[name] for name in RECENT if ("first_use" if name == "tool_before" else name) in read}
    spans = [(name, *name.rstrip(")").split("(")) for name in sorted(read) if name.endswith(")")]
    return named | {name: (parse_duration(span), word == "tool_count") for name, word, span in spans}


def judge(policy: Policy, submission: Submission, facts: Facts) -> Checkpoint:
    """The checkpoint before the call. Total: for arguments that passed intake it never raises."""
    bound, tool = _bind(submission, facts), submission.call.tool
    bundles = policy.about(tool)
    answers = answered(bundles, bound)
    findings = [
        _find(policy.rules[place], submission, bound, policy, answers.get(place))
        for place in sorted(place for bundle in bundles for place in bundle.places)
        if answers.get(place) is not False
    ]
    return _decide(policy, tool, findings, bound, facts.now)


def explain(policy: Policy, submission: Submission, facts: Facts) -> Explanation:
    """The checkpoint before the call, with what every rule said to it."""
    bound, tool = _bind(submission, facts), submission.call.tool
    findings = tuple(
        _find(rule, submission, bound, policy) if rule.names(tool) else _other_tool(rule) for rule in policy.rules
    )
    return Explanation(checkpoint=_decide(policy, tool, findings, bound, facts.now), findings=findings)


def _bind(submission: Submission, facts: Facts) -> Bound:
    values: dict[str, Any] = {
        "tool": submission.call.tool,
        "args": submission.call.arguments,
        "agent": facts.agent,
        "now": facts.now,
        "environment": facts.environment,
        "context": submission.context or "",
        "on_behalf_of": submission.on_behalf_of or "",
        **_recent(facts.recent),
    }
    if submission.confidence is not None:
        values["confidence"] = submission.confidence
    return bind(values)


def _recent(counts: Mapping[str, int]) -> dict[str, Any]:
    """The counts as conditions name them: by name, by duration, and whether there was any use of the tool before."""
    spans: dict[str, dict[str, int]] = {name: {} for name in COUNTS}
    names: dict[str, Any] = {}
    for name, count in counts.items():
        word, _, span = f"recent.{name}".rstrip(")").partition("(")
        if span:
            spans[word][span] = count
        elif name == "tool_before":
            names["recent.first_use"] = count == 0
        else:
            names[word] = count
    return names | spans


def _other_tool(rule: Rule) -> Finding:
    return Finding(rule=rule, standing=Standing.OTHER_TOOL, why=f"it is about {', '.join(rule.patterns)}")


def _find(rule: Rule, submission: Submission, bound: Bound, policy: Policy, answer: bool | None = None) -> Finding:
    """What ``rule`` has to say; ``answer`` is what a batch said of its condition, None where that is still to ask."""
    if rule.when is None:
        return _matched(rule, "it is about every call of this tool", submission, policy)
    if "confidence" not in rule.reads:
        return _ask(rule, rule.when, submission, bound, policy, answer)
    if submission.confidence is None:
        return Finding(rule=rule, standing=Standing.UNSAID, why="the agent said nothing of its confidence")
    stated = _ask(rule, rule.when, submission, bound, policy)
    if stated.gate is not None and stated.gate.kind.strictness >= Kind.HARD.strictness:
        return stated
    surer = [
        _ask(rule, rule.when, submission, bound.at(confidence), policy, surer=True)
        for confidence in higher(rule.when.thresholds, submission.confidence)
    ]
    return max([stated, *surer], key=lambda found: (found.gate.rank if found.gate else (-1, 0), found.asks))


def _ask(
    rule: Rule,
    when: Condition,
    submission: Submission,
    bound: Bound,
    policy: Policy,
    answer: bool | None = None,
    surer: bool = False,
) -> Finding:
    """What the condition says of ``bound``; ``surer``: of a higher confidence than the agent stated.

    What holds of a higher confidence holds of the stated one too, for to state less must never loosen.
    """
    beside = " of a higher confidence, and to state less never loosens" if surer else ""
    try:
        if when.holds(bound) if answer is None else answer:
            return _matched(rule, f"{when.text} is true{beside}", submission, policy)
    except ConditionError as error:
        gate, why = _held(rule, error.words, policy), f"{when.text} failed{beside}: {error.words}"
        return Finding(rule=rule, standing=Standing.ERRED, why=why, gate=gate, clarify=rule.gate.clarify)
    return Finding(rule=rule, standing=Standing.CONDITION_FALSE, why=f"{when.text} is false")


def _matched(rule: Rule, why: str, submission: Submission, policy: Policy) -> Finding:
    gate = None if rule.only_asks else _safe(rule.gate, submission, policy)
    return Finding(rule=rule, standing=Standing.MATCHED, why=why, gate=gate, clarify=rule.gate.clarify)


def _safe(gate: Checkpoint, submission: Submission, policy: Policy) -> Checkpoint:
    """What a rule asks for whose condition holds: people, where silence would let an irreversible call go ahead."""
    if gate.kind not in (Kind.SOFT, Kind.INBOX) or not proceeds(gate.ladder):
        return gate
    if not policy.irreversible(submission.call.tool):
        return gate
    return _expiring(replace(gate, kind=Kind.HARD, reason=f"{gate.reason}; it is irreversible"), policy)


def _held(rule: Rule, words: str, policy: Policy) -> Checkpoint | None:
    """What a rule asks for whose condition failed: at least ``hard``; nothing where it would have allowed the call."""
    gate = rule.gate
    if gate.kind is Kind.ALLOW and not rule.only_asks:
        return None
    reason = f"{rule.name}: its condition could not be evaluated ({words})"
    if gate.kind.strictness >= Kind.HARD.strictness:
        return replace(gate, reason=reason, batch=False)
    return _expiring(replace(gate, kind=Kind.HARD, reason=reason, batch=False), policy)


def _expiring(gate: Checkpoint, policy: Policy) -> Checkpoint:
    return replace(gate, ladder=policy.default.gate.ladder) if proceeds(gate.ladder) else gate


def held_for_people(gate: Checkpoint, policy: Policy, why: str) -> Checkpoint:
    """``gate``, or ``hard`` in its place where it is less strict; ``why`` follows its reason."""
    if gate.kind.strictness >= Kind.HARD.strictness:
        return gate
    return _expiring(replace(gate, kind=Kind.HARD, reason=f"{gate.reason}; {why}"), policy)


def _decide(policy: Policy, tool: str, findings: Sequence[Finding], bound: Bound, now: datetime) -> Checkpoint:
    asked = [finding for finding in findings if finding.asks]
    gates = [finding.gate for finding in asked if finding.gate is not None and not finding.rule.believes]
    raising = [finding.gate for finding in asked if finding.gate is not None and finding.rule.believes]
    known = gates or [policy.fallback(tool)]
    gates = [*known, *raising]
    winner = _named_by_policy(_joined(reduce(stricter, gates), gates, now), reduce(stricter, known))
    phrase = _phrase(policy, winner, bound) if winner.kind is Kind.MANUAL else None
    matched = tuple(finding.rule.name for finding in asked)
    grants = None if policy.grave(tool) else winner.grants
    gate = replace(winner, phrase=phrase, matched=matched, grants=grants, clarify=_asked(winner, asked))
    described = _described(gate, policy.catalogue.get(tool))
    return replace(described, batch=described.batch and may_batch(described))


def _described(gate: Checkpoint, known: Tool | None) -> Checkpoint:
    if known is None:
        return gate
    return replace(gate, title=known.title, show=known.show, reversible=known.reversible, impact=known.impact)


def _asked(winner: Checkpoint, findings: list[Finding]) -> Clarify | None:
    """The question of the rules that put one first: one with words of its own before a plain one.

    A rule that reads what the agent says of itself comes last, and where one of them ends in expiry, silence expires.
    """
    ordered = sorted(findings, key=lambda finding: finding.rule.believes)
    found = [finding.clarify for finding in ordered if finding.clarify is not None]
    if not found or winner.kind is Kind.DENY:
        return None
    chosen = next((each for each in found if each.question), found[0])
    ending = next((each for each in (chosen, *found) if not proceeds(each.ladder)), chosen)
    return replace(chosen, ladder=ending.ladder)


def _named_by_policy(winner: Checkpoint, known: Checkpoint) -> Checkpoint:
    """``winner`` with the people of ``known``, the gate that stands whatever the agent says of itself.

    Else an agent could choose its reviewers by what it says, such as a low confidence that another group looks after.
    """
    if winner.rule == known.rule or known.kind in (Kind.ALLOW, Kind.DENY) or winner.kind is Kind.DENY:
        return winner
    return replace(winner, reviewers=known.reviewers, places=known.places)


def _joined(winner: Checkpoint, gates: list[Checkpoint], now: datetime) -> Checkpoint:
    """``winner``, with what the other gates ask for beyond it."""
    if winner.kind in (Kind.ALLOW, Kind.DENY):
        return winner
    others = [gate for gate in gates if gate.kind not in (Kind.ALLOW, Kind.DENY)]
    most = max(others, key=lambda gate: gate.quorum)
    beyond = f"; {most.quorum} approvals by {most.rule}" if most.quorum > winner.quorum else ""
    return replace(
        winner,
        reason=winner.reason + beyond,
        quorum=most.quorum,
        ladder=_slowest(winner, others, now),
        self_approval=all(gate.self_approval for gate in others),
        required_by=winner.required_by or next((gate.required_by for gate in others if gate.required_by), None),
        grants=reduce(_tighter, (gate.grants for gate in others)),
        batch=all(gate.batch for gate in others),
    )


def _tighter(one: GrantBound | None, other: GrantBound | None) -> GrantBound | None:
    """What both allow to be granted."""
    if one is None or other is None:
        return None
    return GrantBound(longest=min(one.longest, other.longest), most=min(one.most, other.most))


def _slowest(winner: Checkpoint, gates: list[Checkpoint], now: datetime) -> Ladder:
    """The winner's ladder; where silence would let the call go, an equal gate's that expires, else the longest.

    The longest is the one that, starting ``now``, would end last.
    """
    if not proceeds(winner.ladder):
        return winner.ladder
    ladders = [winner.ladder, *(gate.ladder for gate in gates if gate.kind is winner.kind)]
    return max(ladders, key=lambda ladder: (not proceeds(ladder), ladder.ends_at(now)))


def _phrase(policy: Policy, winner: Checkpoint, bound: Bound) -> str:
    rule = next((rule for rule in (*policy.rules, policy.default) if rule.name == winner.rule), None)
    return (rule.confirm.typed(bound) if rule and rule.confirm else None) or "CONFIRM"
