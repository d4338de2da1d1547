"""How much work a condition may cost a call, told before the engine starts: it can't be interrupted.

The engine itself stops after 10,000 iterations, but one iteration can copy or search all arguments. The unit of work is
about ten nanoseconds; the bound is on the worst that such a text can do with arguments of such a size, so that one
evaluation ends within 50 ms. What may cost more is not evaluated: it fails, and the call waits for people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.functions import FUNCTIONS

MOST = 4_000_000
"""What one evaluation may cost."""

MOST_OF_A_CALL = 5_000_000
"""What all evaluations for one call may cost together: the rules of a long policy share it in their order."""

MOST_OF_A_PATTERN = 2_000_000
"""What the patterns of one expression may cost to compile."""

_MOST_ITERATIONS = 10_000

_CALL = re.compile(rf"\b(?:{'|'.join(FUNCTIONS)})\s*\(")
_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_REREAD = re.compile(r"(?<![.\w])(?:args|context|on_behalf_of)\b")
_TOUCH = re.compile(r"\b\w+\s*\(|\bin\b|[=!]=(?!\s*(?:['\"\d-]|true|false|null))")
_PLUS = re.compile(r"\+(?!\s*\d)")
_REPEAT = re.compile(r"(.)\{(\d+)(?:,(\d*))?\}")
_CLASS = re.compile(r"\\[pP]")
_WIDE = re.compile(r"\.|\[\^|\\[DSW]")

_CALL_LETTERS, _NESTED = 40, 4
_LETTER, _ITEM, _PATTERN, _PATTERN_LETTER, _PATTERN_REPEAT, _PATTERN_CLASS = 5, 8, 300, 40, 300, 120_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What an expression can do.

    Its ``letters``, a call of our own counting for many; operations that ``touches`` a whole value; loops within loops
    (``depth``, 0 without any); whether a loop ``rereads`` the arguments each time; ``commas``, for lists of its own;
    and what its ``patterns`` cost.
    """

    letters: int
    touches: int
    depth: int
    rereads: bool
    commas: int
    patterns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """A bound on a call's values: how many ``items`` a loop could find in them, and how many ``letters`` they are."""

    items: int
    letters: int


@dataclass(kw_only=True, slots=True)
class Allowance:
    """What the conditions of a policy may still cost one call."""

    left: int = MOST_OF_A_CALL

    def pays(self, cost: int) -> bool:
        """Take ``cost`` from it, if one evaluation may cost that much and so much is left."""
        if cost > min(MOST, self.left):
            return False
        self.left -= cost
        return True


def size_of(values: Mapping[str, Any]) -> Size:
    """The size of all that a call says, generously."""
    written = repr((values.get("args"), values.get("context"), values.get("on_behalf_of")))
    return Size(items=written.count(",") + 1, letters=len(written))


def weigh(bare: str, patterns: int) -> Weight:
    """The weight of an expression without what stands in its quotes; ``patterns`` is the sum of ``pattern_work``."""
    bodies = [_body(bare, loop.end()) for loop in _LOOP.finditer(bare)]
    return Weight(
        letters=len(bare) + _CALL_LETTERS * len(_CALL.findall(bare)),
        touches=len(_TOUCH.findall(bare)) + 4 * len(_PLUS.findall(bare)) ** 2,
        depth=max((1 + _depth(body) for body in bodies), default=0),
        rereads=any(_REREAD.search(body) or _LOOP.search(body) for body in bodies),
        commas=bare.count(","),
        patterns=patterns,
    )


def together(weights: Sequence[Weight]) -> Weight:
    """The weight of several expressions without loops: their work is the sum of theirs, for arguments of any size."""
    return Weight(
        letters=sum(weight.letters for weight in weights),
        touches=sum(weight.touches for weight in weights),
        depth=0,
        rereads=False,
        commas=sum(weight.commas for weight in weights),
        patterns=sum(weight.patterns for weight in weights),
    )


def repeated(weight: Weight, times: int) -> Weight:
    """The weight of evaluating one expression so many times."""
    return replace(
        weight, letters=weight.letters * times, touches=weight.touches * times, patterns=weight.patterns * times
    )


def pattern_work(pattern: str) -> int:
    """What it costs to compile a pattern, which the engine does at each evaluation."""
    classes, wide = len(_CLASS.findall(pattern)), 5 if _WIDE.search(pattern) else 1
    each = (_PATTERN_CLASS if classes else _PATTERN_REPEAT) * wide
    added, nested = 0, 1
    for before, least, most in _REPEAT.findall(pattern):
        times = min(max(int(least), int(most or 0), 1), _MOST_ITERATIONS)
        if before == ")":
            nested *= times * _NESTED
        else:
            added += times * each
    return (_PATTERN + _PATTERN_LETTER * len(pattern) + _PATTERN_CLASS * classes + added) * nested


def work(weight: Weight, size: Size) -> int:
    """The most that evaluating it can cost with arguments of that size."""
    again, iterations = 1, 1
    if weight.depth:
        iterations = min(_MOST_ITERATIONS, (size.items + weight.commas) ** weight.depth)
        again = iterations if weight.rereads else 1
    whole = size.letters + _ITEM * size.items
    return iterations * (weight.letters * _LETTER + weight.patterns) + again * weight.touches * whole


def _depth(body: str) -> int:
    return max((1 + _depth(_body(body, loop.end())) for loop in _LOOP.finditer(body)), default=0)


def _body(bare: str, start: int) -> str:
    """What stands between the parenthesis that opens just before ``start`` and the one that closes it."""
    level = 1
    for index in range(start, len(bare)):
        level += {"(": 1, ")": -1}.get(bare[index], 0)
        if level == 0:
            return bare[start:index]
    return bare[start:]
