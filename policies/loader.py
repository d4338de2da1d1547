"""From the text of a policy file to a ``Policy``, or to every fault in it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from policies.budget import Asks, Budget, CoolOff
from policies.cautions import cautions
from policies.checkpoint import Kind
from policies.document import Path, Sheet, read_sheet
from policies.errors import Fault, Faulty
from policies.nearest import did_you_mean
from policies.people import Reviewers
from policies.policy import Policy, Rule, Tool, proceeds
from policies.rules import Ground, build_default, build_rule, check_expressions
from policies.shape_faults import check_shape
from policies.shapes import (
    AgentsShape,
    BudgetShape,
    DefaultShape,
    GroupShape,
    RuleShape,
    ToolShape,
    shaped,
)
from policies.silence import read_calendar, read_digest, read_ladder

RESERVED = ("default", "catalogue", "question")
"""Names that a checkpoint gives to what no rule decided."""


def load(text: str, *, source: str) -> Policy:
    """The policy in ``text``; ``source`` is what faults call the file.

    Raises ``Faulty`` with every fault, in the order of the file, each ``where`` as ``file:line:col`` inside the text.
    """
    sheet = read_sheet(text, source=source)
    check_shape(sheet)
    policy = _assemble(sheet)
    if sheet.faults:
        raise Faulty(tuple(sorted(dict.fromkeys(sheet.faults), key=_position)))
    return replace(policy, warnings=tuple(sorted(cautions(sheet, policy), key=_position)))


def _position(fault: Fault) -> tuple[int, int]:
    line, column = fault.where.rsplit(":", 2)[1:]
    return int(line), int(column)


def _assemble(sheet: Sheet) -> Policy:
    groups = _groups(sheet)
    calendars = {name: read_calendar(sheet, name, raw) for name, raw in _mapping(sheet, "calendars").items()}
    ladders = {
        name: read_ladder(sheet, name, raw, groups, calendars) for name, raw in _mapping(sheet, "ladders").items()
    }
    ground = Ground(groups=groups, ladders=ladders, catalogue=_catalogue(sheet))
    default = build_default(sheet, shaped(DefaultShape, _mapping(sheet, "default")) or DefaultShape(), ground)
    rules = _rules(sheet, ground, default)
    return Policy(
        source=sheet.source,
        text=sheet.text,
        digest=sha256(sheet.text.encode(errors="replace")).hexdigest(),
        reviewers={name: group for name, group in groups.items() if group},
        ladders={name: ladder for name, ladder in ladders.items() if ladder},
        calendars={name: calendar for name, calendar in calendars.items() if calendar},
        catalogue=ground.catalogue,
        starters=_starters(sheet, groups),
        rules=rules,
        default=default,
        budgets=_budgets(sheet),
        mornings=read_digest(sheet, sheet.data.get("digest", {}) if isinstance(sheet.data, dict) else {}, calendars),
    )


def _mapping(sheet: Sheet, key: str) -> Mapping[str, Any]:
    part = sheet.data.get(key) if isinstance(sheet.data, dict) else None
    return part if isinstance(part, dict) else {}


def _groups(sheet: Sheet) -> Mapping[str, Reviewers | None]:
    shapes = {name: shaped(GroupShape, raw) for name, raw in _mapping(sheet, "reviewers").items()}
    return {name: _group(sheet, name, shapes, ()) for name in shapes}


def _group(
    sheet: Sheet, name: str, shapes: Mapping[str, GroupShape | None], above: tuple[str, ...]
) -> Reviewers | None:
    """The group with its deputy, and the deputy's; ``above`` are those for which it stands in."""
    shape, deputy = shapes[name], None
    if shape is None:
        return None
    if shape.deputy is not None and _may_stand_in(sheet, name, shape.deputy, shapes, above):
        deputy = _group(sheet, shape.deputy, shapes, (*above, name))
    return Reviewers(
        name=name,
        channel=shape.channel or next(iter(shape.members), None),
        users=tuple(dict.fromkeys(shape.users)),
        usergroups=tuple(dict.fromkeys(shape.usergroups)),
        members=tuple(dict.fromkeys(shape.members)),
        outsiders=tuple(dict.fromkeys(shape.outsiders)),
        deputy=deputy,
        delegates=_delegates(name, shape),
    )


def _delegates(name: str, shape: GroupShape) -> Reviewers | None:
    """Whom a reviewer of the group may ask to decide: ids and addresses of people, ids of user groups (S…)."""
    listed = tuple(dict.fromkeys(shape.delegates))
    usergroups = tuple(one for one in listed if "@" not in one and one.startswith("S"))
    users = tuple(one for one in listed if one not in usergroups)
    return Reviewers(name=f"{name}'s delegates", users=users, usergroups=usergroups) if listed else None


def _may_stand_in(
    sheet: Sheet, name: str, deputy: str, shapes: Mapping[str, GroupShape | None], above: tuple[str, ...]
) -> bool:
    if deputy not in shapes:
        words = f"There is no group of reviewers called {deputy[:60]!r}{did_you_mean(deputy, shapes)}"
    elif deputy == name:
        words = "A group can't stand in for itself; name another group, or remove deputy."
    elif deputy in above:
        words = "The deputies go round in a circle here; one of them must have none."
    else:
        return True
    sheet.fault(("reviewers", name, "deputy"), words)
    return False


def _catalogue(sheet: Sheet) -> Mapping[str, Tool]:
    found = {}
    for name, raw in _mapping(sheet, "tools").items():
        if "*" in name or "?" in name:
            words = "The catalogue names single tools; patterns belong in a rule's match."
            sheet.fault(("tools", name), words, key=True)
        if shape := shaped(ToolShape, raw):
            found[name] = Tool(
                name=name,
                reversible=shape.reversible,
                impact=shape.impact,
                title=shape.title,
                show=tuple(shape.show.items()),
            )
    return found


def _starters(sheet: Sheet, groups: Mapping[str, Reviewers | None]) -> tuple[str, ...]:
    shape = shaped(AgentsShape, _mapping(sheet, "agents")) or AgentsShape()
    for index, name in enumerate(shape.start):
        if name not in groups:
            words = f"There is no group of reviewers called {name[:60]!r}{did_you_mean(name, groups)}"
            sheet.fault(("agents", "start", index), words)
    return tuple(dict.fromkeys(shape.start))


def _budgets(sheet: Sheet) -> tuple[Budget, ...]:
    raw = sheet.data.get("budgets") if isinstance(sheet.data, dict) else None
    shapes = [shaped(BudgetShape, part) for part in (raw if isinstance(raw, list) else [])]
    for index, shape in enumerate(shapes):
        if shape is not None and not shape.model_fields_set - {"agents"}:
            words = "This budget bounds nothing; add waiting, asks, cool_off or same_again."
            sheet.fault(("budgets", index), words)
    return tuple(_budget(shape) for shape in shapes if shape is not None)


def _budget(shape: BudgetShape) -> Budget:
    asks, cool_off = shape.asks, shape.cool_off
    return Budget(
        agents=tuple(dict.fromkeys(shape.agents)),
        waiting=shape.waiting,
        asks=Asks(most=asks.most, per=asks.per) if asks else None,
        cool_off=CoolOff(rejections=cool_off.rejections, within=cool_off.within, length=cool_off.length)
        if cool_off
        else None,
        same_again=shape.same_again,
    )


def _rules(sheet: Sheet, ground: Ground, default: Rule) -> tuple[Rule, ...]:
    raw = sheet.data.get("rules") if isinstance(sheet.data, dict) else None
    parts: list[Any] = raw if isinstance(raw, list) else []
    rules: dict[str, Rule] = {}
    for index, part in enumerate(parts):
        path: Path = ("rules", index)
        shape = shaped(RuleShape, part)
        if shape is None:
            check_expressions(sheet, path, part)
            continue
        if shape.name in rules or shape.name in RESERVED:
            words = f"The name {shape.name!r} is taken; give this rule another, it stands on cards and in the journal."
            sheet.fault((*path, "name"), words)
        rules.setdefault(shape.name, build_rule(sheet, path, shape, ground, default.gate))
    found = tuple(rules.values())
    _check_irreversible(sheet, found, ground.catalogue)
    return found


def _check_irreversible(sheet: Sheet, rules: Sequence[Rule], catalogue: Mapping[str, Tool]) -> None:
    """No silence lets a call go ahead that can't be undone, unless a stricter rule stands before that tool anyway."""
    held = [rule for rule in rules if rule.when is None and rule.gate.kind.strictness >= Kind.HARD.strictness]
    for rule in rules:
        if rule.gate.kind not in (Kind.SOFT, Kind.INBOX) or not proceeds(rule.gate.ladder):
            continue
        names = [name for name, tool in catalogue.items() if not tool.reversible and rule.names(name)]
        for name in names:
            if not any(other.names(name) for other in held):
                index = next(i for i, raw in enumerate(sheet.data["rules"]) if raw.get("name") == rule.name)
                words = f"{name} is irreversible by the catalogue, so silence may not let it go ahead; make it hard."
                sheet.fault(("rules", index, "checkpoint"), words)
