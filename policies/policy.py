"""A policy as the gateway holds it: frozen, complete, checked. ``policies.loader.load`` makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from policies.budget import Budget
from policies.bundle import Bundle, Bundles, bundled, looks_at
from policies.calendar import Calendar
from policies.checkpoint import ASKING, Act, Checkpoint, Kind, Ladder, Step
from policies.condition import OWN_WORDS, Condition, Phrase
from policies.digest import USUAL, Rhythm
from policies.errors import Fault, NotFound
from policies.people import Reviewers

PAUSE = Ladder(name="a short pause", steps=(Step(after=timedelta(minutes=10), act=Act.PROCEED),))
"""How silence ends where the catalogue alone asks for a ``soft`` checkpoint."""


def proceeds(ladder: Ladder) -> bool:
    """Does silence let the call go ahead?"""
    return ladder.steps[-1].act is Act.PROCEED


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """What the catalogue says that a call of the tool can do; ``impact`` is low, medium or high.

    ``title`` and ``show`` say how people read a call of it, as in ``Checkpoint``.
    """

    name: str
    reversible: bool
    impact: str
    title: str | None = None
    show: tuple[tuple[str, str], ...] = ()

    @property
    def grave(self) -> bool:
        """Irreversible, with a high impact: people look at each call, whatever was approved before."""
        return not self.reversible and self.impact == "high"

    @property
    def kind(self) -> Kind:
        """The checkpoint where no rule matches."""
        if not self.reversible:
            return Kind.MANUAL if self.impact == "high" else Kind.HARD
        return {"low": Kind.ALLOW, "medium": Kind.SOFT}.get(self.impact, Kind.HARD)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. No ``patterns``: it looks at every tool. ``gate`` is the checkpoint without the call's own phrase.

    ``only_asks``: the rule puts a question before calls and asks for no gate; then ``gate`` names no checkpoint that
    counts, only the question and who would decide if the condition failed.
    """

    name: str
    gate: Checkpoint
    patterns: tuple[str, ...] = ()
    when: Condition | None = None
    confirm: Phrase | None = None
    only_asks: bool = False

    def names(self, tool: str) -> bool:
        """Does the rule look at this tool? Names match exactly, patterns by ``*`` and ``?``, case always counts."""
        return looks_at(self.patterns, tool)

    @property
    def reads(self) -> frozenset[str]:
        """The names that its condition reads."""
        return self.when.names if self.when else frozenset()

    @property
    def believes(self) -> bool:
        """Does it read what the agent says of itself, so that it can only raise the gate?"""
        return not self.reads.isdisjoint(OWN_WORDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """All that one policy file says. ``digest`` is the SHA-256 of ``text`` in hex; ``starters`` may use ``/agent``.

    ``default`` stands where no rule matches; ``mornings`` says when reviewers are told what waits, None for never.
    ``warnings`` are what an operator should look at, none of it forbidden.
    """

    source: str
    text: str
    digest: str
    reviewers: Mapping[str, Reviewers]
    ladders: Mapping[str, Ladder]
    calendars: Mapping[str, Calendar]
    catalogue: Mapping[str, Tool]
    starters: tuple[str, ...]
    rules: tuple[Rule, ...]
    default: Rule
    budgets: tuple[Budget, ...] = ()
    warnings: tuple[Fault, ...] = ()
    pause: Ladder = PAUSE
    asking: Ladder = ASKING
    mornings: Rhythm | None = USUAL
    bundles: Bundles = field(default=Bundles(rules=(), each=()), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the bundles, unless this is a copy with the very rules of a policy that has them."""
        if self.bundles.rules is not self.rules:
            object.__setattr__(self, "bundles", bundled(self.rules))

    def about(self, tool: str) -> tuple[Bundle, ...]:
        """The bundles whose rules look at this tool."""
        return self.bundles.about(tool)

    def group(self, name: str) -> Reviewers:
        """The group of that name. Raises ``NotFound``."""
        if name not in self.reviewers:
            raise NotFound(f"The policy has no group {name!r}.")
        return self.reviewers[name]

    @property
    def usergroups(self) -> frozenset[str]:
        """The ids of all Slack user groups that the policy names."""
        groups = (each for group in self.reviewers.values() for each in (group, group.delegates) if each is not None)
        return frozenset(one for group in groups for one in group.usergroups)

    @property
    def channels(self) -> frozenset[str]:
        """The ids of all private channels whose members the policy names."""
        return frozenset(one for group in self.reviewers.values() for one in group.members)

    @property
    def reads(self) -> frozenset[str]:
        """The names that any condition reads: what nobody reads need not be counted."""
        return frozenset[str]().union(*(rule.reads for rule in self.rules))

    def fallback(self, tool: str) -> Checkpoint:
        """The gate where no rule matches: the catalogue's for a tool that it knows, else the default."""
        known, gate = self.catalogue.get(tool), self.default.gate
        if known is None:
            return gate
        undo = "reversible" if known.reversible else "irreversible"
        return replace(
            gate,
            kind=known.kind,
            rule="catalogue",
            reason=f"catalogue: {known.name} is {undo}, impact {known.impact}",
            quorum={Kind.MANUAL: max(gate.quorum, 2), Kind.HARD: gate.quorum}.get(known.kind, 1),
            places=gate.places if known.kind in (Kind.MANUAL, Kind.HARD) else (),
            ladder=self.pause if known.kind is Kind.SOFT else gate.ladder,
        )

    def irreversible(self, tool: str) -> bool:
        """Does the catalogue say that a call of this tool can't be undone?"""
        return tool in self.catalogue and not self.catalogue[tool].reversible

    def grave(self, tool: str) -> bool:
        """Does the catalogue say that a call of this tool can't be undone and has a high impact?"""
        return tool in self.catalogue and self.catalogue[tool].grave


def scaled(policy: Policy, factor: float) -> Policy:
    """``policy`` with every ladder's delays multiplied by ``factor``, for a demonstration that can't wait.

    It can't wait for an office to open either, so the delays count all time.
    """
    return replace(
        policy,
        ladders={name: _scaled(ladder, factor) for name, ladder in policy.ladders.items()},
        rules=tuple(replace(rule, gate=_scaled_gate(rule.gate, factor)) for rule in policy.rules),
        default=replace(policy.default, gate=_scaled_gate(policy.default.gate, factor)),
        pause=_scaled(policy.pause, factor),
        asking=_scaled(policy.asking, factor),
    )


def _scaled(ladder: Ladder, factor: float) -> Ladder:
    return replace(
        ladder, steps=tuple(replace(step, after=step.after * factor) for step in ladder.steps), calendar=None
    )


def _scaled_gate(gate: Checkpoint, factor: float) -> Checkpoint:
    asks = replace(gate.clarify, ladder=_scaled(gate.clarify.ladder, factor)) if gate.clarify else None
    return replace(gate, ladder=_scaled(gate.ladder, factor), clarify=asks)
