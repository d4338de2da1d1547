"""What a condition may make of the agent's stated confidence: to state less must never loosen the gate.

So a condition compares ``confidence`` with numbers and does nothing else with it. Between those numbers its answer
can't change, and a rule counts as well for what it says of any higher confidence than the stated one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.errors import Fault
from policies.expression import Expression

_NAME = re.compile(r"\bconfidence\b")
_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_COMPARED = r"\s*(?:<=?|>=?|==|!=)\s*"
_OPENS = r"(?:^|\(|\[|&&|\|\||\?|:|,)\s*$"
_CLOSES = r"\s*(?:$|\)|\]|&&|\|\||\?|:|,)"
_AFTER = re.compile(rf"{_COMPARED}({_NUMBER}){_CLOSES}")
_BEFORE = re.compile(rf"(?:^|\(|\[|&&|\|\||\?|:|,)\s*({_NUMBER}){_COMPARED}$")
_ALONE_BEFORE, _ALONE_AFTER = re.compile(_OPENS), re.compile(_CLOSES)
_MEMBER = re.compile(r"[\w)\]}'\"`]\s*\.\s*$")

PLAIN = "compare confidence with a number from 0 to 1 and do nothing else with it, such as confidence < 0.7"


def thresholds(expression: Expression) -> tuple[tuple[float, ...], tuple[Fault, ...]]:
    """The numbers that ``confidence`` is compared with, in order, and the places where it isn't done plainly."""
    numbers, faults = set(), []
    for at, number in _compared(expression.bare):
        if number is None:
            faults.append(Fault(where=expression.place(at), words=PLAIN))
        elif not 0 <= number <= 1:
            words = f"confidence is a number from 0 to 1, so it is never {number:g}; write confidence < 0.7 for 70 %"
            faults.append(Fault(where=expression.place(at), words=words))
        else:
            numbers.add(number)
    return tuple(sorted(numbers)), tuple(faults)


def higher(numbers: Sequence[float], stated: float) -> tuple[float, ...]:
    """One confidence for each answer that a condition with these ``thresholds`` may have above the stated one."""
    edges = [number for number in numbers if number > stated]
    if not edges and stated not in numbers:
        return ()
    between = [(low + high) / 2 for low, high in pairwise([stated, *edges])]
    return tuple(sorted({*edges, *between, 1.0} - {stated}))


def looks(numbers: Sequence[float]) -> int:
    """How many confidences ``higher`` gives at most."""
    return 2 * len(numbers) + 1 if numbers else 0


def may_rise(expression: str) -> bool:
    """Could it be true of a high confidence and false of a low one? Told by the operators, so only good for advice."""
    return bool(re.search(r"\bconfidence\s*(?:>|==|!=)|(?:<=?|==|!=)\s*confidence\b|!\s*\(", expression))


def _compared(bare: str) -> Iterator[tuple[int, float | None]]:
    """Where ``confidence`` stands, and the number that it is plainly compared with."""
    for name in _NAME.finditer(bare):
        before, after = bare[: name.start()], bare[name.end() :]
        if _MEMBER.search(before):
            continue
        found = _AFTER.match(after) if _ALONE_BEFORE.search(before) else None
        found = found or (_BEFORE.search(before) if _ALONE_AFTER.match(after) else None)
        yield name.start(), float(found[1]) if found else None
