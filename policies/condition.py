"""CEL, behind this one file: conditions that say whether a rule matches, and what a reviewer must type.

The language is Google's Common Expression Language (https://cel.dev). Everything that can be known at load is checked
at load; what goes wrong later raises ``ConditionError``, for the engine's error values are truthy and must never pass
for an answer. ``policies.work`` bounds what an evaluation may cost. Arguments must have passed intake: deeper nesting
than 64 or a cycle would crash the engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import rfc8785
from cel_expr_python import cel

from policies.confidence import looks, thresholds
from policies.errors import ConditionError, Fault, Faulty
from policies.expression import COUNTS, Expression, counted, patterns, read, zone_faults
from policies.functions import FUNCTIONS, declared
from policies.nearest import did_you_mean, nearest
from policies.slips import slips
from policies.work import (
    MOST_OF_A_PATTERN,
    Allowance,
    Size,
    Weight,
    pattern_work,
    repeated,
    size_of,
    together,
    weigh,
    work,
)

OWN_WORDS = frozenset({"confidence", "context", "on_behalf_of"})
"""What the agent says of itself: a rule that reads these can only raise the gate."""

TYPES: Mapping[str, Any] = {
    "tool": cel.Type.STRING,
    "args": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "agent": cel.Type.STRING,
    "now": cel.Type.TIMESTAMP,
    "environment": cel.Type.STRING,
    "recent.hour": cel.Type.INT,
    "recent.day": cel.Type.INT,
    "recent.tool_hour": cel.Type.INT,
    "recent.tool_day": cel.Type.INT,
    "recent.first_use": cel.Type.BOOL,
    **dict.fromkeys(COUNTS, cel.Type.Map(cel.Type.STRING, cel.Type.INT)),
    "confidence": cel.Type.DYN,
    "context": cel.Type.STRING,
    "on_behalf_of": cel.Type.STRING,
}
_LONGEST_TEXT = 4_000
_LONGEST_WORDS = 160
_LONGEST_PHRASE = 150
_IN_WORDS = {"string": "a text", "int": "a number", "double": "a number", "list": "a list", "timestamp": "a time"}
_FAULT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """The values that one call gives the names, their size, and what evaluating may still cost.

    ``error`` says why the engine took none of the values, if so.
    """

    activation: Any
    size: Size
    allowance: Allowance = field(default_factory=Allowance, compare=False)
    error: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def at(self, confidence: float) -> Bound:
        """The same call, stated with another confidence. It costs nothing more: a condition pays once for all looks,
        so that what is refused never hangs on what the agent says."""
        return bind({**self.values, "confidence": confidence})


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A checked expression of type bool; ``names`` are those of ``TYPES`` that it reads, and counts by their duration,
    such as ``recent.count(10m)``. ``thresholds`` are the numbers that it compares the stated confidence with."""

    text: str
    names: frozenset[str]
    thresholds: tuple[float, ...] = ()
    engine_text: str = field(repr=False, compare=False)
    weight: Weight = field(repr=False, compare=False)
    program: Any = field(repr=False, compare=False)

    def holds(self, bound: Bound) -> bool:
        """Is it true of ``bound``? Raises ``ConditionError`` where the answer is neither true nor false."""
        kind, value = _evaluate(self.program, self.weight, bound)
        if kind != cel.Type.BOOL:
            raise ConditionError(_clean(value) if kind == cel.Type.ERROR else f"it gave {kind.name()}, not a bool")
        return bool(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Several conditions without loops, which the engine evaluates as one list, and their weight together."""

    weight: Weight = field(repr=False, compare=False)
    program: Any = field(repr=False, compare=False)

    def answers(self, bound: Bound) -> tuple[bool, ...] | None:
        """What each of them says of ``bound``; None, and nothing paid, where any of them has no answer."""
        found: tuple[Any, ...]
        try:
            value = self.program.eval(bound.activation)
            found = tuple(each.value() for each in value.value()) if value.type() == cel.Type.LIST else (None,)
        except Exception:  # as in bind; each of them is asked alone then, and says itself what is wrong
            return None
        if any(each is not True and each is not False for each in found):
            return None
        bound.allowance.pays(work(self.weight, bound.size))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrase:
    """A checked expression for what a reviewer must type. It can't read what the agent says of itself."""

    text: str
    weight: Weight = field(repr=False, compare=False)
    program: Any = field(repr=False, compare=False)

    def typed(self, bound: Bound) -> str | None:
        """The text to type, on one line; None where the call gives none that a person could type."""
        try:
            kind, value = _evaluate(self.program, self.weight, bound)
        except ConditionError:
            return None
        if kind in (cel.Type.INT, cel.Type.UINT, cel.Type.DOUBLE):
            return _number(value)
        text = " ".join(value.split()) if kind == cel.Type.STRING else ""
        return text if text.isprintable() and 0 < len(text) <= _LONGEST_PHRASE else None


def bind(values: Mapping[str, Any]) -> Bound:
    """The values of the names for one call; a name left out makes the conditions that need it fail."""
    size = size_of(values)
    try:
        return Bound(activation=_environment().Activation(dict(values)), size=size, values=values)
    except Exception as error:  # the engine names no error types, and whatever it is must not pass for an answer
        return Bound(activation=None, size=size, error=_clean(error))


def compile_condition(text: str) -> Condition:
    """Check ``text``. Raises ``Faulty``: each fault's ``where`` is ``line:column`` within the expression, from 1."""
    checked = _check(text)
    if checked.program.return_type() not in (cel.Type.BOOL, cel.Type.DYN):
        kind = checked.program.return_type().name().lower()
        words = _IN_WORDS.get(kind.partition("<")[0], kind)
        raise _faulty(f"a condition must be true or false, but this is {words}; compare it, such as args.amount > 100")
    return Condition(
        text=text,
        names=checked.names,
        thresholds=checked.thresholds,
        engine_text=checked.engine_text,
        weight=checked.weight,
        program=checked.program,
    )


def compile_batch(conditions: Sequence[Condition]) -> Batch | None:
    """``conditions`` as one list, each without loops; None where the engine won't have them together."""
    lines = ",\n".join(f"({condition.engine_text}\n)" for condition in conditions)  # a line may end in a comment
    try:
        program = _environment().compile(f"[{lines}]")
    except (RuntimeError, TypeError):
        return None
    return Batch(weight=together([condition.weight for condition in conditions]), program=program)


def compile_phrase(text: str) -> Phrase:
    """Check ``text``, which gives a text or a number. Raises ``Faulty`` as ``compile_condition`` does."""
    checked = _check(text)
    if own := sorted(checked.names & OWN_WORDS):
        raise _faulty(f"confirm must not read {own[0]}: the agent could choose what the reviewer types")
    if checked.program.return_type() in (cel.Type.BOOL, cel.Type.NULL):
        raise _faulty("confirm must give a text or a number to type, such as args.payee")
    return Phrase(text=text, weight=checked.weight, program=checked.program)


@cache
def _environment(without: str | None = None) -> cel.Env:
    variables = {name: kind for name, kind in TYPES.items() if name != without}
    return cel.NewEnv(variables=variables, functions=declared())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    engine_text: str
    names: frozenset[str]
    thresholds: tuple[float, ...]
    weight: Weight
    program: Any


def _check(text: str) -> _Checked:
    if len(text) > _LONGEST_TEXT:
        raise _faulty(f"the expression is longer than {_LONGEST_TEXT} characters; split it into several rules")
    expression = read(text)
    engine_text, counts, faults = counted(expression)
    if faults:
        raise Faulty(faults)
    program = _compile(engine_text, expression)
    cost, odd_patterns = _patterns(expression)
    if faults := (*zone_faults(expression), *odd_patterns):
        raise Faulty(faults)
    weight = weigh(expression.bare, cost)
    names = _names(engine_text) - {*COUNTS} | counts
    numbers, unclear = thresholds(expression) if "confidence" in names else ((), ())
    if unclear:
        raise Faulty(unclear)
    weight = repeated(weight, 1 + looks(numbers))
    return _Checked(engine_text=engine_text, names=names, thresholds=numbers, weight=weight, program=program)


def _compile(text: str, expression: Expression) -> cel.Expression:
    try:
        return _environment().compile(text)
    except (RuntimeError, TypeError) as error:
        if meant := tuple(slips(expression)):
            raise Faulty(meant) from None
        found = _FAULT.findall(str(error)) or [("1", "1", str(error).splitlines()[0])]
        follows = any("Syntax error" in said for _, _, said in found)  # what comes after the first is confusion
        faults = (
            _fault(int(line), int(column), said, text) for line, column, said in (found[:1] if follows else found)
        )
        raise Faulty(tuple(faults)) from None


def _patterns(expression: Expression) -> tuple[int, list[Fault]]:
    """What the patterns cost together, and what is wrong with them."""
    cost, faults = 0, []
    for at, literal in patterns(expression):
        words = "a pattern stands in quotes, so that no call chooses it: write args.name.matches('^[a-z]+$')"
        if literal is not None:
            pattern, words = _pattern(literal.written)
            cost += pattern_work(pattern)
        if words or cost > MOST_OF_A_PATTERN:
            place = expression.place(literal.start if literal else at)
            faults.append(Fault(where=place, words=words or "the pattern repeats too much; make its counts smaller"))
    return cost, faults


def _pattern(written: str) -> tuple[str, str]:
    """The pattern that a literal gives, and what is wrong with it, if anything. One too costly is not tried."""
    pattern = str(_environment().compile(written).eval().value())
    if pattern_work(pattern) > MOST_OF_A_PATTERN:
        return pattern, ""
    tried = _environment().compile(f"''.matches({written})").eval()
    return pattern, f"{_clean(tried.value())}; correct the pattern" if tried.type() == cel.Type.ERROR else ""


def _names(text: str) -> frozenset[str]:
    """The names that ``text`` reads: it no longer compiles without them, loop variables of the same name apart."""
    return frozenset(name for name in TYPES if name in text and not _compiles(text, without=name))


def _compiles(text: str, *, without: str) -> bool:
    try:
        _environment(without).compile(text)
    except RuntimeError:
        return False
    return True


def _evaluate(program: cel.Expression, weight: Weight, bound: Bound) -> tuple[cel.Type, Any]:
    if bound.error is not None:
        raise ConditionError(bound.error)
    if not bound.allowance.pays(work(weight, bound.size)):
        raise ConditionError("it is too much work for arguments of this size")
    try:
        value = program.eval(bound.activation)
        return value.type(), value.value()
    except Exception as error:  # as in bind
        raise ConditionError(_clean(error)) from None


def _number(value: float) -> str | None:
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, ValueError):
        return None


def _clean(said: object) -> str:
    """The engine's words on one line: they may quote the call's values."""
    words = re.sub(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$", "", " ".join(str(said).split()))
    words = words[:_LONGEST_WORDS]
    return words if words.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in words)


def _fault(line: int, column: int, said: str, text: str) -> Fault:
    return Fault(where=f"{max(line, 1)}:{max(column, 1)}", words=_advise(_clean(said), text))


def _advise(said: str, text: str) -> str:
    if name := re.search(r"undeclared reference to '([^']*)'", said):
        return _unknown(name[1], text)
    if types := re.search(r"no matching overload for '_?([^'_]+)_?' applied to '\(?([^')]*)\)?'", said):
        return f"{types[1]} doesn't work on {types[2].replace(', ', ' and ')}; compare values of the same type"
    if "recursion" in said:
        return "the expression is nested too deeply; split it into several rules"
    if "missing ')'" in said:
        return "a ( isn't closed; write ) where it ends"
    if "mismatched input '<EOF>'" in said or "at '<EOF>'" in said:
        return "the expression ends too early; complete it"
    if unfit := re.search(r"(?:mismatched|extraneous) input '(.+?)' expecting", said):
        return f"{unfit[1]} can't stand here; an operator such as && or == may be missing before it"
    return said.removeprefix("Syntax error: ").partition(" expecting ")[0] + "; the expression must be CEL"


def _unknown(name: str, text: str) -> str:
    """What to write instead of a name that nobody declared."""
    known = (*TYPES, *FUNCTIONS)
    of_ours = any(each.startswith(f"{name}.") for each in known)
    if of_ours or not name.isidentifier() or re.search(rf"\b{name}\s*\(", text):
        return f"nothing is called {name} here{did_you_mean(name, known)}"
    return f"nothing is called {name} here{nearest(name, known)}; an argument of the call is args.{name}".replace(
        "?;", "? Else"
    )


def _faulty(words: str) -> Faulty:
    return Faulty((Fault(where="1:1", words=words),))
