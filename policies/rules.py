"""From the shape of one rule to the rule itself, noting everything that can't be meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from policies.batch_rules import check_batch
from policies.checkpoint import ASKING, ENDS_IN_A_DAY, NOBODY, Act, Checkpoint, Clarify, Kind, Ladder, Place, together
from policies.condition import Condition, Phrase, compile_condition, compile_phrase
from policies.document import Path, Sheet
from policies.errors import Faulty
from policies.grant_rules import check_grants, grants_bound
from policies.nearest import did_you_mean
from policies.people import Reviewers, deputies
from policies.policy import Rule, Tool, proceeds
from policies.quorum import count
from policies.shapes import ClarifyShape, DefaultShape, RuleShape

Named = TypeVar("Named", Reviewers, Ladder)
Compiled = TypeVar("Compiled", Condition, Phrase)

_UNSAID = Checkpoint(kind=Kind.HARD, rule="", reason="")
_ONLY_GATED = ("confirm", "reviewers", "quorum", "ladder", "self_approval", "grants", "batch", "report")
_MEANT_FOR_A_GATE = (*_ONLY_GATED, "permit", "required_by")
_SOFT_NEEDS = (
    "a soft checkpoint goes on by silence, so name a ladder whose last step says then: proceed,"
    " such as ladders: {pause: [{after: 10m, then: proceed}]}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What a rule may refer to. A name whose own entry is faulty stands as None: that was noted where it is."""

    groups: Mapping[str, Reviewers | None]
    ladders: Mapping[str, Ladder | None]
    catalogue: Mapping[str, Tool]


def build_default(sheet: Sheet, shape: DefaultShape, ground: Ground) -> Rule:
    """The gate for everything that no rule matches; it needs no reviewers to be safe."""
    path: Path = ("default",)
    kind = Kind(shape.checkpoint)
    places = _places(sheet, path, shape, ground)
    named = together(places) if places else _one(sheet, path, shape, ground)
    gate = Checkpoint(
        kind=kind,
        rule="default",
        reason="default: no rule of the policy matches this call",
        reviewers=named or NOBODY,
        places=places,
        quorum=_number(shape, places, kind),
        ladder=_find(sheet, path, shape.ladder, "ladder", ground.ladders) or ENDS_IN_A_DAY,
        permit=shape.permit or _UNSAID.permit,
        report=shape.report or _UNSAID.report,
        grants=grants_bound(shape.grants, _UNSAID.grants),
    )
    _check_gate(sheet, path, gate, shape.confirm)
    check_grants(sheet, path, gate, shape.grants)
    return Rule(name="default", gate=gate, confirm=_compile(sheet, (*path, "confirm"), shape.confirm, compile_phrase))


def build_rule(sheet: Sheet, path: Path, shape: RuleShape, ground: Ground, default: Checkpoint) -> Rule:
    """The rule that ``shape`` says, with what it leaves out taken from the ``default``."""
    gate = _gate(sheet, path, shape, ground, default)
    rule = Rule(
        name=shape.name,
        gate=gate,
        patterns=tuple(shape.match or ()),
        when=_compile(sheet, (*path, "when"), shape.when, compile_condition),
        confirm=_compile(sheet, (*path, "confirm"), shape.confirm, compile_phrase),
        only_asks=shape.checkpoint is None,
    )
    if not shape.match and shape.when is None:
        sheet.fault(path, 'The rule says neither match nor when; write match: "*" if it is meant for every call.')
    if rule.only_asks:
        _check_only_asks(sheet, path, shape)
    elif gate.kind in (Kind.ALLOW, Kind.DENY):
        _check_ungated(sheet, path, shape)
    else:
        _check_gate(sheet, path, gate, shape.confirm)
        _check_self_approval(sheet, path, gate)
        named = [ground.catalogue.get(pattern) for pattern in rule.patterns]
        grave = bool(named) and all(tool is not None and tool.grave for tool in named)
        check_grants(sheet, path, gate, shape.grants, grave=grave)
        check_batch(sheet, path, gate, named)
    return rule


def _gate(sheet: Sheet, path: Path, shape: RuleShape, ground: Ground, default: Checkpoint) -> Checkpoint:
    kind = Kind(shape.checkpoint or Kind.ALLOW)
    places = _places(sheet, path, shape, ground)
    if shape.reviewers is None and default.places and kind not in (Kind.ALLOW, Kind.DENY):
        places = places or _of_default(sheet, path, shape, default)
    named = together(places) if places else _one(sheet, path, shape, ground)
    return Checkpoint(
        kind=kind,
        rule=shape.name,
        reason=_reason(shape),
        reviewers=named or default.reviewers,
        places=places,
        quorum=_number(shape, places, kind),
        ladder=_find(sheet, path, shape.ladder, "ladder", ground.ladders) or default.ladder,
        permit=shape.permit or default.permit,
        report=shape.report or default.report,
        self_approval=shape.self_approval,
        required_by=shape.required_by,
        grants=grants_bound(shape.grants, default.grants),
        clarify=_clarify(sheet, path, shape, ground),
        batch=shape.batch,
    )


def _clarify(sheet: Sheet, path: Path, shape: RuleShape, ground: Ground) -> Clarify | None:
    if shape.clarify is None:
        return None
    if not isinstance(shape.clarify, ClarifyShape):
        return Clarify(rule=shape.name, question=None if shape.clarify is True else shape.clarify)
    asked, place = shape.clarify, (*path, "clarify")
    if len(set(asked.choices or ())) < len(asked.choices or ()):
        sheet.fault((*place, "choices"), "Two of these answers read the same; keep one of them.")
    return Clarify(
        rule=shape.name,
        question=asked.question,
        choices=tuple(asked.choices or ()),
        ladder=_find(sheet, place, asked.ladder, "ladder", ground.ladders) or ASKING,
    )


def _number(shape: RuleShape | DefaultShape, places: tuple[Place, ...], kind: Kind) -> int:
    """How many approvals are asked for in all."""
    number = shape.quorum if isinstance(shape.quorum, int) else sum(place.count for place in places)
    return number or (2 if kind is Kind.MANUAL else 1)


def _of_default(sheet: Sheet, path: Path, shape: RuleShape, default: Checkpoint) -> tuple[Place, ...]:
    """The default's places, for a rule that doesn't say itself who decides. A number alone could mean two things."""
    if isinstance(shape.quorum, int):
        words = "The default's quorum names its groups, so say whom this number means: name reviewers beside it."
        sheet.fault((*path, "quorum"), words)
    return () if shape.quorum is not None else default.places


def _places(sheet: Sheet, path: Path, shape: RuleShape | DefaultShape, ground: Ground) -> tuple[Place, ...]:
    """The places of a ``quorum`` that names groups, or of several groups of ``reviewers``; none for a single group."""
    if not isinstance(shape.quorum, dict):
        return _any_of(sheet, path, shape, ground)
    if shape.reviewers is not None:
        words = "The quorum names the groups that decide, so reviewers means nothing beside it; remove it."
        sheet.fault((*path, "reviewers"), words, key=True)
    found = []
    for name, number in shape.quorum.items():
        if name not in ground.groups:
            words = f"There is no group of reviewers called {name[:60]!r}{did_you_mean(name, ground.groups)}"
            sheet.fault((*path, "quorum", name), words, key=True)
        if group := ground.groups.get(name):
            found.append(Place(group=group, count=number))
    return tuple(found)


def _any_of(sheet: Sheet, path: Path, shape: RuleShape | DefaultShape, ground: Ground) -> tuple[Place, ...]:
    """Several groups of ``reviewers``: all of their people may give the approvals, and each group has its channel."""
    if shape.reviewers is None or len(shape.reviewers) < 2:
        return ()
    found = [
        _find(sheet, (*path, "reviewers"), name, index, ground.groups) for index, name in enumerate(shape.reviewers)
    ]
    return tuple(Place(group=group, count=0) for group in dict.fromkeys(found) if group is not None)


def _one(sheet: Sheet, path: Path, shape: RuleShape | DefaultShape, ground: Ground) -> Reviewers | None:
    """The only group of ``reviewers``."""
    names = shape.reviewers or []
    return _find(sheet, path, names[0], "reviewers", ground.groups) if len(names) == 1 else None


def _reason(shape: RuleShape) -> str:
    if shape.when is not None:
        return f"{shape.name}: {' '.join(shape.when.split())}"
    return f"{shape.name}: every call of {' or '.join(shape.match or ())}"


def _find(
    sheet: Sheet, path: Path, name: str | None, key: str | int, known: Mapping[str, Named | None]
) -> Named | None:
    if name is None or name in known:
        return known[name] if name else None
    what = "ladder" if key == "ladder" else "group of reviewers"
    sheet.fault((*path, key), f"There is no {what} called {name[:60]!r}{did_you_mean(name, known)}")
    return None


def check_expressions(sheet: Sheet, path: Path, raw: object) -> None:
    """Note what is wrong with the expressions of a rule whose shape doesn't fit, so that all is said at once."""
    if isinstance(raw, dict):
        if isinstance(raw.get("when"), str):
            _compile(sheet, (*path, "when"), raw["when"], compile_condition)
        if isinstance(raw.get("confirm"), str):
            _compile(sheet, (*path, "confirm"), raw["confirm"], compile_phrase)


def _compile(sheet: Sheet, path: Path, text: str | None, compiler: Callable[[str], Compiled]) -> Compiled | None:
    if text is None:
        return None
    try:
        return compiler(text)
    except Faulty as error:
        for fault in error.faults:
            words = fault.words[:1].upper() + fault.words[1:]
            sheet.fault_within(path, fault.where, words if words.endswith("?") else f"{words}.")
        return None


def _check_only_asks(sheet: Sheet, path: Path, shape: RuleShape) -> None:
    if shape.clarify is None:
        sheet.fault(path, "checkpoint is missing; add it here.")
        return
    for key in _MEANT_FOR_A_GATE:
        if key in shape.model_fields_set:
            words = f"This rule only asks, so {key} means nothing here; remove it, or name a checkpoint."
            sheet.fault((*path, key), words, key=True)


def _check_ungated(sheet: Sheet, path: Path, shape: RuleShape) -> None:
    refused = (*_ONLY_GATED, "permit") if shape.checkpoint == "deny" else _ONLY_GATED[:-1]
    for key in refused:
        if key in shape.model_fields_set:
            words = f"A call behind {shape.checkpoint} waits for nobody, so {key} means nothing; remove it."
            sheet.fault((*path, key), words, key=True)


def _check_gate(sheet: Sheet, path: Path, gate: Checkpoint, confirm: str | None) -> None:
    if confirm is not None and gate.kind is not Kind.MANUAL:
        sheet.fault((*path, "confirm"), "Only a manual checkpoint asks for a phrase; remove confirm.", key=True)
    if proceeds(gate.ladder) and gate.kind in (Kind.HARD, Kind.MANUAL, Kind.DENY):
        words = f"Silence never lets a {gate.kind.value} call go ahead: its ladder must end with then: expire."
        sheet.fault((*path, "ladder"), words)
    if gate.kind is Kind.SOFT and not proceeds(gate.ladder):
        sheet.fault((*path, "ladder"), f"{_SOFT_NEEDS[0].upper()}{_SOFT_NEEDS[1:]}.")
    _check_quorum(sheet, path, gate)


def _check_quorum(sheet: Sheet, path: Path, gate: Checkpoint) -> None:
    if gate.shares:
        _check_places(sheet, path, gate)
        return
    people = most_people(gate)
    if people is not None and 0 < people < gate.quorum:
        named = "1 person is" if people == 1 else f"{people} people are"
        words = f"{gate.quorum} approvals are needed, but only {named} named; name more, or write quorum: {people}."
        sheet.fault((*path, "quorum"), words)


def _check_places(sheet: Sheet, path: Path, gate: Checkpoint) -> None:
    """Can the people named fill all places, each person one? A user group or a channel counts as large enough."""
    joining = _joining(gate)
    groups = [*gate.groups, *joining]
    named = {group.name: _named(group) for group in groups}
    people = frozenset[str]().union(*named.values())
    voices = [{name for name, among in named.items() if person in among} for person in people]
    voices += [{group.name} for group in groups if _countless(group) for _ in range(gate.quorum)]
    if count(gate, {group.name for group in joining}, voices) < gate.quorum:
        asked = " and ".join(f"{place.count} of {place.group.name}" for place in gate.places)
        words = f"The people named can't give all these approvals, each person one: {asked}; name more or lower quorum."
        sheet.fault((*path, "quorum"), words)


def _check_self_approval(sheet: Sheet, path: Path, gate: Checkpoint) -> None:
    if gate.self_approval and gate.kind is Kind.MANUAL:
        words = "Nobody may approve their own call behind a manual checkpoint; remove self_approval."
        sheet.fault((*path, "self_approval"), words, key=True)


def most_people(gate: Checkpoint) -> int | None:
    """How many people may come to review behind this gate; None where only Slack knows."""
    groups = [*gate.groups, *_joining(gate)]
    if any(_countless(group) for group in groups):
        return None
    return len(frozenset[str]().union(*(_named(group) for group in groups)))


def _named(group: Reviewers) -> frozenset[str]:
    """Everybody who is named in the group or among its deputies."""
    return frozenset(user.casefold() for each in (group, *deputies(group)) for user in each.named)


def _countless(group: Reviewers) -> bool:
    return any(each.countless for each in (group, *deputies(group)))


def _joining(gate: Checkpoint) -> list[Reviewers]:
    """The groups that the ladder adds."""
    return [step.add for step in gate.ladder.steps if step.act is Act.ADD and step.add is not None]
