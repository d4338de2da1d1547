"""Where a policy file doesn't have the shape it should have: each place, with what to write there instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from policies.document import Path, Sheet
from policies.nearest import did_you_mean, nearest
from policies.shapes import (
    AgentsShape,
    AsksShape,
    BudgetShape,
    CalendarShape,
    ClarifyShape,
    CoolOffShape,
    DefaultShape,
    DigestShape,
    GrantsShape,
    GroupShape,
    LadderShape,
    PolicyShape,
    RuleShape,
    Shape,
    StepShape,
    ToolShape,
)

_PARTS: Mapping[str | int, type[Shape]] = {
    "reviewers": GroupShape,
    "calendars": CalendarShape,
    "ladders": LadderShape,
    "tools": ToolShape,
    "agents": AgentsShape,
    "budgets": BudgetShape,
    "digest": DigestShape,
    "rules": RuleShape,
    "default": DefaultShape,
}
_IN_A_BUDGET: Mapping[str, type[Shape]] = {"asks": AsksShape, "cool_off": CoolOffShape}
_ASIDE = (
    "[key]",
    "[number]",
    "[places]",
    "[steps]",
    "[ladder]",
    "[refused]",
    "[bounds]",
    "[yes]",
    "[words]",
    "[asked]",
    "[never]",
    "[mornings]",
)
"""What pydantic puts into a place that doesn't stand in the file."""
_WANTED = {
    "string_type": "Write a text here; put it in quotes",
    "int_type": "Write a whole number here, without quotes",
    "bool_type": "Write true or false here, without quotes",
    "list_type": "Write a list here, such as [a, b]",
    "dict_type": "Write keys and values here",
    "model_type": "Write keys and values here",
}


def check_shape(sheet: Sheet) -> None:
    """Note in ``sheet`` everything that doesn't fit ``PolicyShape``."""
    try:
        PolicyShape.model_validate(sheet.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(sheet, detail)


def _note(sheet: Sheet, detail: ErrorDetails) -> None:
    path, raw = tuple(part for part in detail["loc"] if part not in _ASIDE), detail["input"]
    wrong_key = detail["type"] == "extra_forbidden" or "[key]" in detail["loc"]
    if raw is None:
        return  # the sheet has noted that nothing stands here
    sheet.fault(path, _words(path, detail), key=wrong_key)


def _words(path: Path, detail: ErrorDetails) -> str:
    kind, raw, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return f"{path[-1]} is missing; add it here."
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"Write at {'least' if 'ge' in context else 'most'} {context.get('ge', context.get('le'))} here."
    if kind == "literal_error":
        return _not_one_of(path, raw, str(context["expected"]))
    if kind == "value_error":
        return _sentence(str(context["error"]))
    return f"{_WANTED.get(kind, detail['msg'])}."


def _sentence(words: str) -> str:
    whole = words[:1].upper() + words[1:].rstrip(".")
    return whole if whole.endswith("?") else f"{whole}."


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    model = ClarifyShape if path[-2:-1] == ("clarify",) else _PARTS[path[0]] if len(path) > 1 else PolicyShape
    if path[0] == "budgets":
        model = _IN_A_BUDGET.get(str(path[-2]), model)
    if "grants" in path[:-1]:
        model = GrantsShape
    if model is LadderShape and isinstance(path[-2], int):
        model = StepShape
    known = [field.alias or name for name, field in model.model_fields.items()]
    return f"There is no key {key[:60]!r} here{did_you_mean(key, known)}"


def _not_one_of(path: Path, raw: object, expected: str) -> str:
    if raw == "clarify" and path[0] == "rules":
        return "A question is no checkpoint but comes before one: write clarify: true here instead."
    if path[-1] == "clarify":
        return 'Write clarify: true, the question itself in quotes, or {question: "…", choices: […], ladder: NAME}.'
    if path == ("version",):
        return "This Signoff reads policies of version 1; write version: 1"
    if path == ("default", "checkpoint"):
        return f"What no rule knows is held or refused: write {expected}, and rules for what may go through."
    if path == ("digest",):
        return 'Write digest: off, or {at: "09:00", days: [mon, tue, wed, thu, fri]}.'
    if path[-1] == "grants":
        return "Write grants: false, or bounds such as grants: {longest: 4h, most: 20}."
    known = re.findall(r"'([^']*)'", expected)
    expected = expected.replace("True", "true")
    return f"{str(raw)[:60]!r} is not possible here; write {expected}{nearest(str(raw), known) or '.'}"
