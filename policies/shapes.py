"""What a policy file may say, key by key: strict shapes, and the words for what doesn't fit them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from policies import duration
from policies.budget import MOST_WAITING
from policies.calendar import DAYS
from policies.checkpoint import GrantBound
from policies.document import Path, Sheet
from policies.errors import Invalid
from policies.nearest import did_you_mean, nearest
from policies.rendering import named_in, read_rendering
from policies.written_time import Holiday, HoursOfDay, TimeOfDay, Weekday, Zone

Shaped = TypeVar("Shaped", bound=BaseModel)


def _span(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("write a duration such as 90s, 10m, 1h30m, 2d or 1w")
    try:
        return duration.parse_duration(value)
    except Invalid as error:
        raise ValueError(error.words) from None


def _fit(read: Callable[[str], str]) -> Callable[[str], str]:
    """``read`` as pydantic wants it: what it refuses is a ``ValueError``."""

    def fitted(value: str) -> str:
        try:
            return read(value)
        except Invalid as error:
            raise ValueError(error.words) from None

    return fitted


def _user(value: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,30}", value) or re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>]+\.[^@\s<>.]+", value):
        return value
    raise ValueError(
        f"{value[:60]!r} is a handle, which its owner can change; name people by id (U…) or e-mail address"
    )


def _usergroup(value: str) -> str:
    if re.fullmatch(r"S[A-Z0-9]{2,30}", value):
        return value
    raise ValueError(f"{value[:60]!r} is no user group's id; it begins with S, and its page in Slack shows it")


def _delegate(value: str) -> str:
    return value if re.fullmatch(r"S[A-Z0-9]{2,30}", value) else _user(value)


def _private_channel(value: str) -> str:
    if re.fullmatch(r"[CG][A-Z0-9]{2,30}", value):
        return value
    raise ValueError(
        f"{value[:60]!r} is no channel's id; members are those of a private channel, named by id (C… or G…),"
        " since a name can pass to another channel"
    )


def _outsider(value: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,30}", value):
        return value
    raise ValueError(f"{value[:60]!r} is no user id; guests and people of another organisation are named by id (U…)")


def _channel(value: str) -> str:
    if re.fullmatch(r"[CG][A-Z0-9]{2,30}", value) or re.fullmatch(r"#[^\s#@<>&,A-Z]{1,80}", value):
        return value
    raise ValueError(f'{value[:60]!r} is no channel; write "#name" in quotes, or an id (C… or G…)')


def _tool_pattern(value: str) -> str:
    if not value.isprintable() or not 0 < len(value) <= 200 or re.search(r"[\s\[\]]", value):
        raise ValueError("a tool's name or a pattern with * and ? is one word without spaces and brackets")
    return value


def _agent_pattern(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9._*?-]{1,64}", value):
        raise ValueError(
            f"{value[:60]!r} names no agent; write a key's name, runner for Signoff's own agent,"
            " or a pattern with * and ?"
        )
    return value


def _title(value: str) -> str:
    if not value.isprintable() or value != value.strip() or not 0 < len(value) <= 80:
        raise ValueError("a name is one line of 1 to 80 characters without spaces around it")
    return value


def _how_it_asks(value: object) -> str:
    return "[asked]" if isinstance(value, dict) else "[words]" if isinstance(value, str) else "[yes]"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _headline(value: str) -> str:
    named_in(value)
    return value


def _shown(value: str) -> str:
    return str(read_rendering(value))


Span = Annotated[timedelta, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": duration.PATTERN})]
User = Annotated[str, AfterValidator(_user)]
Usergroup = Annotated[str, AfterValidator(_usergroup)]
Delegate = Annotated[str, AfterValidator(_delegate)]
Channel = Annotated[str, AfterValidator(_channel)]
PrivateChannel = Annotated[str, AfterValidator(_private_channel)]
Outsider = Annotated[str, AfterValidator(_outsider)]
Title = Annotated[str, AfterValidator(_title)]
Pattern = Annotated[str, AfterValidator(_tool_pattern)]
Patterns = Annotated[
    list[Pattern],
    Field(min_length=1, max_length=200),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Agents = Annotated[
    list[Annotated[str, AfterValidator(_agent_pattern)]],
    Field(min_length=1, max_length=200),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Quorum = Annotated[int, Field(ge=1, le=20)]
Places = Annotated[dict[Title, Quorum], Field(min_length=1, max_length=10)]
QuorumOrPlaces = Annotated[
    Annotated[Quorum, Tag("[number]")] | Annotated[Places, Tag("[places]")],
    Discriminator(lambda value: "[places]" if isinstance(value, dict) else "[number]"),
]
Groups = Annotated[
    list[str],
    Field(min_length=1, max_length=10),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One group, or several of which anybody may decide."""
Line = Annotated[str, Field(min_length=1, max_length=200)]
Headline = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_fit(_headline))]
Shown = Annotated[str, AfterValidator(_fit(_shown))]


def _bounded(value: timedelta) -> timedelta:
    if value > GrantBound().longest:
        raise ValueError("a grant lasts at most 8 hours")
    return value


def _within_a_week(value: timedelta) -> timedelta:
    if value > timedelta(weeks=1):
        raise ValueError("a budget looks back, and keeps an agent waiting, for at most 1w")
    return value


Brief = Annotated[Span, AfterValidator(_within_a_week)]
Label = Annotated[str, Field(min_length=1, max_length=150)]


class Shape(BaseModel):
    """Nothing unknown is let through, nothing is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class GroupShape(Shape):
    """A group of reviewers. The channel says where cards go, never who may decide.

    ``members`` are those of private channels; their cards go there unless ``channel`` says otherwise. ``outsiders`` are
    guests and people of another organisation, who count only here. ``deputy`` names the group that stands in.
    ``delegates`` are people and user groups whom a reviewer of the group may ask to decide a request.
    """

    channel: Channel | None = None
    users: list[User] = []
    usergroups: list[Usergroup] = []
    members: list[PrivateChannel] = []
    outsiders: list[Outsider] = []
    deputy: str | None = None
    delegates: Annotated[list[Delegate], Field(max_length=100)] = []


class CalendarShape(Shape):
    """When an office is open: its time zone, its weekdays and hours, and the days on which it is closed."""

    zone: Zone
    days: list[Weekday] = Field(default=[0, 1, 2, 3, 4], json_schema_extra={"default": list(DAYS[:5])})
    hours: Annotated[
        list[HoursOfDay],
        Field(max_length=10),
        BeforeValidator(_listed),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
    ]
    holidays: Annotated[list[Holiday], Field(max_length=400)] = []


class StepShape(Shape):
    """A step of a ladder: its delay, and exactly one thing to do. A reminder may come again and again."""

    after: Span
    remind: Literal[True] | None = None
    every: Span | None = None
    add: str | None = None
    then: Literal["expire", "proceed"] | None = None


Steps = Annotated[list[StepShape], Field(min_length=1, max_length=50)]


class LadderShape(Shape):
    """A ladder whose delays count only while a calendar is open."""

    hours: str
    steps: Steps


StepsOrLadder = Annotated[
    Annotated[Steps, Tag("[steps]")] | Annotated[LadderShape, Tag("[ladder]")],
    Discriminator(lambda value: "[ladder]" if isinstance(value, dict) else "[steps]"),
]


class ToolShape(Shape):
    """What a call of the tool can do."""

    reversible: bool
    impact: Literal["low", "medium", "high"]
    title: Headline | None = None
    show: dict[str, Shown] = {}


class AgentsShape(Shape):
    """Who may start the agent: names of groups."""

    start: list[str] = []


class AsksShape(Shape):
    """How many calls are put before people within any such span."""

    most: Annotated[int, Field(ge=1, le=10_000)]
    per: Brief


class CoolOffShape(Shape):
    """After how many rejections, within what time, an agent asks people nothing new, and for how long."""

    rejections: Annotated[int, Field(ge=1, le=100)]
    within: Brief
    length: Brief = Field(alias="for")


class BudgetShape(Shape):
    """How much of people's attention each of some agents may take."""

    agents: Agents
    waiting: Annotated[int, Field(ge=1, le=MOST_WAITING)] | None = None
    asks: AsksShape | None = None
    cool_off: CoolOffShape | None = None
    same_again: Brief | None = None


class GrantsShape(Shape):
    """How far a reviewer may approve calls in advance that are like one which the rule held."""

    longest: Annotated[Span, AfterValidator(_bounded)] | None = None
    most: Annotated[int, Field(ge=1, le=GrantBound().most)] | None = None


Grants = Annotated[
    Annotated[Literal[False], Tag("[refused]")] | Annotated[GrantsShape, Tag("[bounds]")],
    Discriminator(lambda value: "[bounds]" if isinstance(value, (dict, GrantsShape)) else "[refused]"),
]


class DefaultShape(Shape):
    """The gate for calls that no rule matches. It always waits for people or refuses."""

    checkpoint: Literal["hard", "manual", "deny"] = "hard"
    confirm: str | None = None
    reviewers: Groups | None = None
    quorum: QuorumOrPlaces | None = None
    ladder: str | None = None
    permit: Span | None = None
    report: Span | None = None
    grants: Grants | None = None


class ClarifyShape(Shape):
    """A question before the call: its words, the answers to choose from, and what silence does to it."""

    question: Line | None = None
    choices: Annotated[list[Label], Field(min_length=1, max_length=10)] | None = None
    ladder: str | None = None


ClarifyOrWords = Annotated[
    Annotated[Literal[True], Tag("[yes]")] | Annotated[Line, Tag("[words]")] | Annotated[ClarifyShape, Tag("[asked]")],
    Discriminator(_how_it_asks),
]


class RuleShape(Shape):
    """A rule: which calls it matches, the checkpoint that it puts before them, the question that comes first."""

    name: Title
    match: Patterns | None = None
    when: str | None = None
    checkpoint: Literal["allow", "soft", "inbox", "hard", "manual", "deny"] | None = None
    clarify: ClarifyOrWords | None = None
    confirm: str | None = None
    reviewers: Groups | None = None
    quorum: QuorumOrPlaces | None = None
    ladder: str | None = None
    permit: Span | None = None
    report: Span | None = None
    self_approval: bool = False
    required_by: Line | None = None
    grants: Grants | None = None
    batch: bool = False


class DigestShape(Shape):
    """When reviewers are told what waits for them, on their own clocks. ``calendar`` lends its days and holidays."""

    at: TimeOfDay = Field(default=time(9, 0), json_schema_extra={"default": "09:00"})
    days: Annotated[list[Weekday], Field(min_length=1)] | None = None
    calendar: str | None = None


Digest = Annotated[
    Annotated[Literal["off", False], Tag("[never]")] | Annotated[DigestShape, Tag("[mornings]")],
    Discriminator(lambda value: "[mornings]" if isinstance(value, (dict, DigestShape)) else "[never]"),
]


class PolicyShape(Shape):
    """A whole policy file."""

    version: Literal[1]
    reviewers: dict[Title, GroupShape] = {}
    calendars: dict[Title, CalendarShape] = {}
    ladders: dict[Title, StepsOrLadder] = {}
    tools: dict[Pattern, ToolShape] = {}
    agents: AgentsShape = AgentsShape()
    budgets: Annotated[list[BudgetShape], Field(max_length=100)] = []
    digest: Digest = DigestShape()
    rules: Annotated[list[RuleShape], Field(max_length=1000)] = []
    default: DefaultShape = DefaultShape()


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


def shaped(model: type[Shaped], raw: object) -> Shaped | None:
    """``raw`` as ``model``; None where it doesn't fit, which ``check_shape`` has noted."""
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, for editors."""
    return PolicyShape.model_json_schema()


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
