"""What a policy file may say, key by key: strict shapes."""

from __future__ import annotations

from datetime import time
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

from policies.budget import MOST_WAITING
from policies.calendar import DAYS
from policies.checkpoint import GrantBound
from policies.shape_values import (
    Agents,
    Brief,
    Channel,
    Delegate,
    Groups,
    Headline,
    Label,
    Line,
    Outsider,
    Pattern,
    Patterns,
    PrivateChannel,
    QuorumOrPlaces,
    Shown,
    Span,
    Title,
    User,
    Usergroup,
    how_it_asks,
    listed,
    short_enough,
)
from policies.written_time import Holiday, HoursOfDay, TimeOfDay, Weekday, Zone

Shaped = TypeVar("Shaped", bound=BaseModel)


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
        BeforeValidator(listed),
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

    longest: Annotated[Span, AfterValidator(short_enough)] | None = None
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
    Discriminator(how_it_asks),
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


def shaped(model: type[Shaped], raw: object) -> Shaped | None:
    """``raw`` as ``model``; None where it doesn't fit, which ``check_shape`` has noted."""
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, for editors."""
    return PolicyShape.model_json_schema()
