"""What an operator should look at in a policy that loads: nothing of it is forbidden, all of it surprises people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import combinations

from policies.checkpoint import Kind
from policies.confidence import may_rise
from policies.document import Path, Sheet
from policies.duration import in_words, parse_duration
from policies.errors import Fault
from policies.policy import Policy, Rule
from policies.rules import most_people

ONE_DAY = timedelta(days=1)
_DOWNWARDS = (
    "What this says of one confidence counts for every lower one too, for to state less never loosens;"
    " write confidence < 0.7 and the like."
)
_GATED = (Kind.SOFT, Kind.INBOX, Kind.HARD, Kind.MANUAL)


def cautions(sheet: Sheet, policy: Policy) -> tuple[Fault, ...]:
    """The warnings about ``policy``, which was read from ``sheet`` without a fault."""
    noted = Sheet(source=sheet.source, text=sheet.text, values=sheet.values, keys=sheet.keys)
    places: dict[str, Path] = {rule.name: ("rules", index) for index, rule in enumerate(policy.rules)}
    for path, words in (
        *_empty(policy, places),
        *_silence(sheet, policy),
        *_single(policy, places),
        *_pairs(policy, places),
    ):
        noted.fault(path, words)
    return tuple(dict.fromkeys(noted.faults))


def nowhere(policy: Policy, environment: str) -> str | None:
    """The warning about conditions that read where the gateway stands, where nobody has said it."""
    if environment or "environment" not in policy.reads:
        return None
    return (
        "Conditions of the policy read environment, and SIGNOFF_ENVIRONMENT is not set: to them it is '', so a rule"
        " such as environment == 'production' matches nothing. Set it, such as SIGNOFF_ENVIRONMENT=production."
    )


def _empty(policy: Policy, places: dict[str, Path]) -> Iterator[tuple[Path, str]]:
    """Groups without people where somebody is waited for."""
    for name, group in policy.reviewers.items():
        if group.empty:
            yield (
                ("reviewers", name),
                f"The group {name} names nobody: it may decide nothing. Add users, usergroups or members.",
            )
    if policy.default.gate.reviewers.empty and policy.default.gate.kind is not Kind.DENY:
        yield ("default",), "The default has no reviewers: nobody may decide what only it covers, so that is refused."
    for rule in policy.rules:
        if rule.gate.kind in _GATED and most_people(rule.gate) == 0:
            yield places[rule.name], f"Nobody may decide what the rule {rule.name!r} holds: name reviewers."


def _silence(sheet: Sheet, policy: Policy) -> Iterator[tuple[Path, str]]:
    """Steps that add nobody, reminders that never come again, delays of a day where the office's day is shorter."""
    for name, raw in (sheet.data.get("ladders") or {}).items():
        path: Path = ("ladders", name, "steps") if isinstance(raw, dict) else ("ladders", name)
        calendar = policy.ladders[name].calendar
        steps = raw["steps"] if isinstance(raw, dict) else raw
        for index, step in enumerate(steps):
            group, after = policy.reviewers.get(step.get("add", "")), parse_duration(step["after"])
            if group is not None and group.empty:
                yield (*path, index), f"This step adds {group.name}, a group that names nobody."
            if "every" in step and after + parse_duration(step["every"]) >= parse_duration(steps[index + 1]["after"]):
                yield (*path, index, "every"), f"The next step comes within {step['every']}, so this reminds once."
            if calendar is not None and calendar.day < ONE_DAY <= after:
                days = f"{after / calendar.day:.1f}".removesuffix(".0")
                words = (
                    f"Only open time counts: {step['after']} takes {days} days of {calendar.name};"
                    f" one of its days is {in_words(calendar.day)}."
                )
                yield (*path, index, "after"), words


def _single(policy: Policy, places: dict[str, Path]) -> Iterator[tuple[Path, str]]:
    """Rules that can't do what they seem to, and a catalogue that asks for more people than there are."""
    for rule in policy.rules:
        if rule.gate.kind is Kind.DENY and rule.gate.clarify:
            yield places[rule.name], "What this rule matches is refused at once, so its question is never asked."
        if rule.believes and rule.gate.kind is Kind.ALLOW and not rule.only_asks:
            yield places[rule.name], "This rule reads the agent's own words, so it can only tighten: it allows nothing."
        if rule.when and "confidence" in rule.reads and may_rise(rule.when.text):
            yield (*places[rule.name], "when"), _DOWNWARDS
        for pattern in rule.patterns:
            near = get_close_matches(pattern, policy.catalogue, n=1, cutoff=0.8)
            if near and not any(fnmatchcase(name, pattern) for name in policy.catalogue):
                yield (*places[rule.name], "match"), f"{pattern} is not in the catalogue; did you mean {near[0]}?"
    people = most_people(policy.default.gate)
    for name, tool in policy.catalogue.items():
        if people is not None and 0 < people < policy.fallback(name).quorum and tool.kind is Kind.MANUAL:
            yield ("tools", name), f"{name} needs 2 approvals by the catalogue, and the default names 1 person."


def _pairs(policy: Policy, places: dict[str, Path]) -> Iterator[tuple[Path, str]]:
    """Two rules that may match one call, where it isn't obvious what then comes of it."""
    gated = [rule for rule in policy.rules if rule.gate.kind in _GATED and not rule.believes]
    ranks = {rule.name: rule.gate.rank for rule in gated}
    for first, second in combinations(gated, 2):
        if not _overlap(first, second):
            continue
        if ranks[first.name] == ranks[second.name] and first.gate.reviewers != second.gate.reviewers:
            yield (
                places[second.name],
                f"Where this rule and {first.name!r} both match, {first.name!r} wins and its reviewers are asked:"
                f" {first.gate.reviewers.name}, not {second.gate.reviewers.name}.",
            )
        if max(first.gate.quorum, second.gate.quorum) > 1:
            yield from _too_many(first, second, places)


def _too_many(first: Rule, second: Rule, places: dict[str, Path]) -> Iterator[tuple[Path, str]]:
    winner, other = (second, first) if second.gate.rank > first.gate.rank else (first, second)
    people = most_people(winner.gate)
    if people is not None and 0 < people < other.gate.quorum:
        yield (
            places[winner.name],
            f"Where {other.name!r} matches too, it asks for {other.gate.quorum} approvals,"
            f" but this rule names {people}: such calls are refused.",
        )


def _overlap(first: Rule, second: Rule) -> bool:
    """May one tool's name meet both? Two patterns count as meeting where one matches the other's text."""
    ones, others = first.patterns or ("*",), second.patterns or ("*",)
    return any(fnmatchcase(one, other) or fnmatchcase(other, one) for one in ones for other in others)
