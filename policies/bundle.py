"""A policy's conditions as they are judged fast: several at once by the engine, where each alone would say the same.

Rules that look at the same tools stand in one bundle, its conditions in batches that the engine evaluates as one list.
A batch in which any condition fails, or gives what is no bool, says nothing: then each of its conditions is asked
alone, and fails in its own words. Conditions with loops are always asked alone, for all of one evaluation share the
engine's limit of iterations; those that read the stated confidence too, for they are asked more than once. All of it
is compiled when the policy is loaded, so that no call waits for the compiler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from policies.condition import Batch, Bound, Condition, compile_batch
from policies.work import MOST, Weight, work

SIZE = 20
"""Conditions in a batch: larger ones gain nothing more, and lose more where one condition fails."""

_FEWEST = 3
"""Conditions below which a batch isn't worth it."""

_MOST_FAILURES = 2
"""Failed batches after which the rest of a call's conditions are asked alone: they are likely to fail as well."""


class Looking(Protocol):
    """What a bundle needs of a rule: where it looks, and what it looks for."""

    @property
    def patterns(self) -> tuple[str, ...]: ...

    @property
    def when(self) -> Condition | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A batch, and the places in the policy of the rules whose conditions it holds, in the same order."""

    batch: Batch
    places: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Rules with the same ``patterns``, by their ``places`` in the policy; ``alone`` weighs what is in no batch."""

    patterns: tuple[str, ...]
    places: tuple[int, ...]
    batches: tuple[Placed, ...]
    alone: tuple[Weight, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundles:
    """All bundles of exactly these ``rules``."""

    rules: tuple[Looking, ...]
    each: tuple[Bundle, ...]

    def about(self, tool: str) -> tuple[Bundle, ...]:
        """Those whose rules look at this tool."""
        return tuple(bundle for bundle in self.each if looks_at(bundle.patterns, tool))


def looks_at(patterns: Sequence[str], tool: str) -> bool:
    """Is ``tool`` one of ``patterns``? Names match exactly, patterns by ``*`` and ``?``, case always counts; no
    patterns match every tool."""
    return not patterns or any(fnmatchcase(tool, pattern) for pattern in patterns)


def bundled(rules: tuple[Looking, ...]) -> Bundles:
    """The bundles of ``rules``, compiled."""
    places: dict[tuple[str, ...], list[int]] = {}
    for place, rule in enumerate(rules):
        places.setdefault(rule.patterns, []).append(place)
    return Bundles(rules=rules, each=tuple(_bundle(rules, patterns, each) for patterns, each in places.items()))


def answered(bundles: Iterable[Bundle], bound: Bound) -> Mapping[int, bool]:
    """What the batches say of ``bound``, by the rule's place; who isn't in it is to be asked alone.

    Empty where the work of all conditions together could be refused: which of them is depends on their order.
    """
    parts = tuple(bundles)
    placed = [each for bundle in parts for each in bundle.batches]
    weights = [*(each.batch.weight for each in placed), *(weight for bundle in parts for weight in bundle.alone)]
    if bound.error is not None or sum(work(weight, bound.size) for weight in weights) > min(MOST, bound.allowance.left):
        return {}
    answers: dict[int, bool] = {}
    failures = 0
    for each in placed:
        found = each.batch.answers(bound) if failures < _MOST_FAILURES else None
        failures += found is None
        answers.update(zip(each.places, found or (), strict=found is not None))
    return answers


def _bundle(rules: Sequence[Looking], patterns: tuple[str, ...], places: Sequence[int]) -> Bundle:
    conditions = {place: rule.when for place in places if (rule := rules[place]).when is not None}
    alone = {place: each for place, each in conditions.items() if each.weight.depth or "confidence" in each.names}
    together = [(place, each) for place, each in conditions.items() if place not in alone]
    batches: list[Placed] = []
    for start in range(0, len(together), SIZE):
        part = dict(together[start : start + SIZE])
        batch = compile_batch(tuple(part.values())) if len(part) >= _FEWEST else None
        if batch is None:
            alone |= part
        else:
            batches.append(Placed(batch=batch, places=tuple(part)))
    weights = tuple(condition.weight for condition in alone.values())
    return Bundle(patterns=patterns, places=tuple(places), batches=tuple(batches), alone=weights)
