"""One notch less: the change of a policy's text that relaxes one rule, proven to change nothing else.

From hard to soft, from inbox to soft, from soft to allow; where several approvals are needed, one fewer first. Never
what is manual, what a regulation demands, and never beyond what the loader and the catalogue admit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.amending import Amendment, amended, append, difference, drop, put
from policies.checkpoint import Checkpoint, Kind
from policies.document import Path, Sheet, read_sheet
from policies.errors import Faulty, Invalid
from policies.insight import Tally
from policies.loader import RESERVED, load
from policies.policy import Policy, Rule, proceeds

NOTCH: Mapping[Kind, Kind] = {Kind.HARD: Kind.SOFT, Kind.INBOX: Kind.SOFT, Kind.SOFT: Kind.ALLOW}
"""What each kind may be relaxed to."""

_PLAIN_TOOL = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,63}")
_MEANINGLESS_BEHIND_ALLOW = ("confirm", "reviewers", "quorum", "ladder", "self_approval", "report")
_MEANINGLESS_BEHIND_SOFT = ("grants", "batch")


@dataclass(frozen=True, kw_only=True, slots=True)
class Relaxation:
    """The relaxed policy, what was relaxed in plain words, and the diff that makes it from the policy in force."""

    policy: Policy
    words: str
    diff: str


def relax(policy: Policy, tally: Tally) -> Relaxation:
    """One notch less for what ``tally`` counted. Raises ``Invalid`` with the reason where that must not be."""
    _check_admitted(policy, tally)
    sheet = read_sheet(policy.text, source=policy.source)
    rule = next((rule for rule in policy.rules if rule.name == tally.rule), None)
    words, changes = _of_rule(sheet, policy, rule) if rule else _of_tool(sheet, policy, tally)
    text = amended(policy.text, changes)
    try:
        relaxed = load(text, source=policy.source)
    except Faulty as error:
        raise Invalid(error.faults[0].words) from None
    check_others(policy, relaxed, tally.rule)
    return Relaxation(policy=relaxed, words=words, diff=difference(policy.text, text, source=policy.source))


def _check_admitted(policy: Policy, tally: Tally) -> None:
    rule = next((rule for rule in policy.rules if rule.name == tally.rule), None)
    if tally.required or (rule is not None and rule.gate.required_by):
        raise Invalid("a regulation demands it")
    if tally.kind not in NOTCH:
        raise Invalid(f"what is {tally.kind.value} is never relaxed by its numbers")
    if rule is not None and rule.gate.kind is not tally.kind:
        raise Invalid(
            f"the rule says {rule.gate.kind.value}; these calls were held all the same, see why on one of them"
        )
    fewer = _gate_of(policy, tally).quorum > 1
    if _gate_of(policy, tally).places:
        raise Invalid("its quorum names the groups that must approve; change that by hand")
    irreversible = sorted(tool for tool in tally.tools if policy.irreversible(tool))
    if irreversible and not fewer:
        raise Invalid(f"{irreversible[0]} is irreversible by the catalogue")


def _gate_of(policy: Policy, tally: Tally) -> Checkpoint:
    rule = next((rule for rule in policy.rules if rule.name == tally.rule), None)
    return rule.gate if rule else policy.fallback(tally.tool or "")


def _of_rule(sheet: Sheet, policy: Policy, rule: Rule) -> tuple[str, list[Amendment]]:
    path: Path = ("rules", next(i for i, raw in enumerate(sheet.data["rules"]) if raw["name"] == rule.name))
    if rule.gate.quorum > 1:
        fewer = rule.gate.quorum - 1
        return f"one approval fewer ({fewer})", [put(sheet, path, "quorum", str(fewer), after="checkpoint")]
    kind = NOTCH[rule.gate.kind]
    meaningless = _MEANINGLESS_BEHIND_ALLOW if kind is Kind.ALLOW else _MEANINGLESS_BEHIND_SOFT
    said = [key for key in meaningless if (*path, key) in sheet.keys]
    changes = [put(sheet, path, "checkpoint", kind.value, after="name")]
    dropped = [drop(sheet, path, key) for key in said]
    if kind is Kind.ALLOW:
        return "soft becomes allow", [*changes, *dropped]
    name, made = _pause(sheet, policy)
    ladder = put(sheet, path, "ladder", name, after="checkpoint")
    words = f"{rule.gate.kind.value} becomes soft, with a ladder that goes on by silence"
    return words, [*changes, *made, ladder, *dropped]  # what is dropped may stand where the ladder is put


def _of_tool(sheet: Sheet, policy: Policy, tally: Tally) -> tuple[str, list[Amendment]]:
    """A rule of its own for a tool that only the default or the catalogue holds."""
    tool, gate = tally.tool or "", policy.fallback(tally.tool or "")
    if not _PLAIN_TOOL.fullmatch(tool):
        raise Invalid("the tool's name isn't a plain one; write a rule for it by hand")
    name = _free(f"routine {tool}", {*(rule.name for rule in policy.rules), *RESERVED})
    kind = gate.kind if gate.quorum > 1 else NOTCH[gate.kind]
    made: list[Amendment] = []
    entry = f'{{name: "{name}", match: "{tool}", checkpoint: {kind.value}'
    if gate.quorum > 1:
        entry += f", quorum: {gate.quorum - 1}"
    elif kind is Kind.SOFT:
        ladder, made = _pause(sheet, policy)
        entry += f", ladder: {ladder}"
    words = f"a rule of its own for {tool}, {kind.value} instead of {gate.kind.value}"
    return words, [*made, append(sheet, "rules", entry + "}")]


def _pause(sheet: Sheet, policy: Policy) -> tuple[str, list[Amendment]]:
    """The longest ladder that goes on by silence; a new one of an hour where the policy has none."""
    known = [ladder for ladder in policy.ladders.values() if proceeds(ladder)]
    if known:
        return _quoted(max(known, key=lambda ladder: ladder.length).name), []
    name = _free("unless stopped", set(policy.ladders))
    return name, [append(sheet, "ladders", f"{name}: [{{after: 1h, then: proceed}}]")]


def _free(name: str, taken: set[str]) -> str:
    return next(each for each in (name, *(f"{name} {number}" for number in range(2, 1_002))) if each not in taken)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_ -]*", name) else "'" + name.replace("'", "''") + "'"


def check_others(policy: Policy, relaxed: Policy, rule: str) -> None:
    """Raise ``Invalid`` unless the new text says of everything but this one rule what the old one says."""
    ladders = {name: relaxed.ladders.get(name) for name in policy.ladders}
    standing = (policy.reviewers, policy.catalogue, policy.ladders, policy.default, policy.starters, policy.budgets)
    others = {each.name: each for each in relaxed.rules}
    said = (relaxed.reviewers, relaxed.catalogue, ladders, relaxed.default, relaxed.starters, relaxed.budgets)
    same = standing == said
    if not same or any(others.get(each.name) != each for each in policy.rules if each.name != rule):
        raise Invalid("the change can't be written into this file by itself; make it by hand")
