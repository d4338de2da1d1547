"""Table tests of a policy: calls, and the checkpoints that its author expects before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from policies.checkpoint import Checkpoint, Kind
from policies.document import Path, Sheet
from policies.errors import Fault, Faulty, Invalid
from policies.json_sheet import read_json_sheet
from policies.judgement import Explanation, explain
from policies.loader import RESERVED
from policies.nearest import did_you_mean
from policies.policy import Policy
from policies.shape_values import Title
from policies.shapes import Shape
from policies.written_call import CallShape, WrittenCall, misfits, written

EMPTY = "No case stands here; write - {name: …, tool: …, arguments: {…}, expect: {checkpoint: hard}}"


class ExpectShape(Shape):
    """What is expected; whatever is left out may be anything.

    ``reviewers`` names the group; ``quorum`` is the number of approvals, or says how many of each group; ``clarify``
    tells whether a question comes first.
    """

    checkpoint: Literal["allow", "soft", "inbox", "hard", "manual", "deny"]
    rule: str | None = None
    quorum: Annotated[int, Field(ge=1)] | dict[str, Annotated[int, Field(ge=1)]] | None = None
    reviewers: str | None = None
    phrase: str | None = None
    clarify: bool | None = None


class CaseShape(CallShape):
    """One case of the file."""

    name: Title
    expect: ExpectShape


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One case: a call, and what is expected before it. ``where`` is its place as ``file:line:col``."""

    name: str
    where: str
    call: WrittenCall
    expect: ExpectShape


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    """One expectation that wasn't met."""

    what: str
    expected: str
    actual: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of one case; no ``misses``: all is as expected."""

    case: Case
    explanation: Explanation
    misses: tuple[Miss, ...]


def load_cases(text: str, *, source: str, policy: Policy, now: datetime, environment: str = "") -> tuple[Case, ...]:
    """The cases in ``text`` for ``policy``; ``now`` is their time where none is said and no rule looks at it.

    ``environment`` is where the gateway stands for those cases that don't say it.

    Raises ``Faulty`` with every fault, in the order of the file, each ``where`` as ``file:line:col``.
    """
    sheet = read_json_sheet(text, source=source, empty=EMPTY)
    raw: Sequence[Any] = sheet.data if isinstance(sheet.data, list) else ()
    if not raw and not sheet.faults:
        sheet.fault((), EMPTY)
    cases = [_case(sheet, index, part, policy, now, environment) for index, part in enumerate(raw)]
    _check_names(sheet, cases)
    if sheet.faults:
        raise Faulty(tuple(sorted(dict.fromkeys(sheet.faults), key=_position)))
    return tuple(case for case in cases if case is not None)


def try_case(policy: Policy, case: Case) -> Trial:
    """What ``policy`` says of the case."""
    explanation = explain(policy, case.call.submission, case.call.facts)
    return Trial(case=case, explanation=explanation, misses=tuple(_misses(case.expect, explanation.checkpoint)))


def _position(fault: Fault) -> tuple[int, int]:
    line, column = fault.where.rsplit(":", 2)[1:]
    return int(line), int(column)


def _case(sheet: Sheet, index: int, raw: object, policy: Policy, now: datetime, environment: str) -> Case | None:
    wrong = list(misfits(CaseShape, raw))
    for misfit in wrong:
        sheet.fault((index, *misfit.path), misfit.words, key=misfit.key)
    if wrong:
        return None
    shape = CaseShape.model_validate(raw)
    _check_expected(sheet, (index, "expect"), shape.expect, policy)
    if shape.at is None and any("now" in rule.reads and rule.names(shape.tool) for rule in policy.rules):
        sheet.fault((index,), 'A rule for this tool looks at the time, so say it, such as at: "2026-11-23T09:30:00Z"')
    try:
        call = written(shape, policy, now=now, environment=environment)
    except Invalid as error:
        sheet.fault((index, "arguments"), f"{error.where}: {error}." if error.where else f"{error}.")
        return None
    node = sheet.values[(index,)]
    return Case(name=shape.name, where=sheet.where(node.start_mark), call=call, expect=shape.expect)


def _check_expected(sheet: Sheet, path: Path, expect: ExpectShape, policy: Policy) -> None:
    """A name that the policy doesn't know can never be met: most likely it is misspelt."""
    names = [*(rule.name for rule in policy.rules), *RESERVED]
    if expect.rule is not None and expect.rule not in names:
        words = f"The policy has no rule called {expect.rule[:60]!r}{did_you_mean(expect.rule, names)}"
        sheet.fault((*path, "rule"), words)
    groups = {*policy.reviewers, *(rule.gate.reviewers.name for rule in policy.rules)}
    if expect.reviewers is not None and expect.reviewers not in groups:
        words = f"The policy has no group of reviewers called {expect.reviewers[:60]!r}"
        sheet.fault((*path, "reviewers"), words + did_you_mean(expect.reviewers, groups))
    if expect.checkpoint in ("allow", "deny"):
        for key in ("quorum", "reviewers", "phrase"):
            if getattr(expect, key) is not None:
                words = f"A call behind {expect.checkpoint} waits for nobody, so {key} means nothing; remove it."
                sheet.fault((*path, key), words, key=True)
    elif expect.phrase is not None and expect.checkpoint != "manual":
        sheet.fault((*path, "phrase"), "Only a manual checkpoint asks for a phrase; remove it.", key=True)


def _check_names(sheet: Sheet, cases: Sequence[Case | None]) -> None:
    seen: set[str] = set()
    for index, case in enumerate(cases):
        if case is not None and case.name in seen:
            sheet.fault((index, "name"), f"The name {case.name!r} is taken; give this case another.")
        seen |= {case.name} if case else set()


def _misses(expect: ExpectShape, gate: Checkpoint) -> Iterator[Miss]:
    asked = gate.kind not in (Kind.ALLOW, Kind.DENY)
    actual = {
        "checkpoint": gate.kind.value,
        "rule": gate.rule,
        "quorum": _quorum(expect, gate) if asked else "nobody is asked",
        "reviewers": gate.reviewers.name if asked else "nobody is asked",
        "phrase": gate.phrase or "none",
        "clarify": gate.clarify is not None,
    }
    for what, found in actual.items():
        wanted = getattr(expect, what)
        if wanted is not None and wanted != found:
            yield Miss(what=what, expected=_said(wanted), actual=_said(found))


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quorum(expect: ExpectShape, gate: Checkpoint) -> int | dict[str, int]:
    """The quorum in the form in which it is expected."""
    places = {place.group.name: place.count for place in gate.shares} or {gate.reviewers.name: gate.quorum}
    return places if isinstance(expect.quorum, dict) else gate.quorum
