"""A call as a policy's author writes it down, to ask the policy about it: a call and the facts around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from policies.arguments import intake
from policies.document import Path
from policies.duration import parse_duration
from policies.errors import Invalid
from policies.judgement import RECENT, Facts, counts
from policies.nearest import did_you_mean
from policies.policy import Policy
from policies.request import Submission, ToolCall
from policies.shapes import Shape

SOMEBODY = "an agent"
"""What the agent is called where the author doesn't say."""
FIRST_USE = "first_use"
WRITABLE = tuple(name for name in RECENT if name != "tool_before")
_COUNT = re.compile(r"(tool_)?count\(([^()]*)\)")


def _moment(text: str) -> str:
    try:
        known = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ValueError('a time is written with its zone, such as "2026-11-23T09:30:00Z" or "2026-11-23T09:30+01:00"')
    return text


def _counted(recent: dict[str, int | bool]) -> dict[str, int | bool]:
    for name, number in recent.items():
        if (name == FIRST_USE) is not isinstance(number, bool):
            raise ValueError(f"{name} is {'true or false' if name == FIRST_USE else 'a whole number'}")
        if name != FIRST_USE and _span(name) is None:
            known = (*WRITABLE, FIRST_USE)
            raise ValueError(
                f'there is no count {name[:60]!r}{did_you_mean(name, known)}, "count(10m)", "tool_count(10m)"'
            )
    return recent


class CallShape(Shape):
    """What an author may say of a call. ``at`` is when it is asked for, in ISO 8601 with a zone.

    ``environment`` is the gateway's, as SIGNOFF_ENVIRONMENT says it.
    """

    tool: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: dict[str, Any] = Field(default_factory=dict)
    agent: str = SOMEBODY
    environment: str | None = None
    at: Annotated[str, AfterValidator(_moment)] | None = None
    recent: Annotated[dict[str, Annotated[int, Field(ge=0)] | bool], AfterValidator(_counted)] = Field(
        default_factory=dict
    )
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    context: str | None = None
    on_behalf_of: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenCall:
    """A call with everything that a policy judges it by."""

    submission: Submission
    facts: Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """One thing that doesn't fit: at ``path``, and at its key rather than its value where ``key`` says so."""

    path: Path
    words: str
    key: bool


def written(shape: CallShape, policy: Policy, *, now: datetime, environment: str = "") -> WrittenCall:
    """The call that ``shape`` says, at ``now`` and in ``environment`` where it names none.

    Raises ``Invalid`` for unfit arguments.
    """
    submission = Submission(
        call=ToolCall(tool=shape.tool, arguments=intake(shape.arguments)),
        confidence=shape.confidence,
        context=shape.context,
        on_behalf_of=shape.on_behalf_of,
    )
    at = datetime.fromisoformat(shape.at).astimezone(UTC) if shape.at else now
    where = environment if shape.environment is None else shape.environment
    facts = Facts(agent=shape.agent, now=at, recent=_recent(shape.recent, policy), environment=where)
    return WrittenCall(submission=submission, facts=facts)


def _recent(said: Mapping[str, int | bool], policy: Policy) -> dict[str, int]:
    """What the policy counts, as the author says it: ``hour`` is ``count(1h)``, what isn't said is 0."""
    spans = {_span(name): number for name, number in said.items() if name != FIRST_USE}
    found = {name: int(spans.get(span, 0)) for name, span in counts(policy).items()}
    return found | ({"tool_before": int(not said.get(FIRST_USE, True))} if "tool_before" in found else {})


def _span(name: str) -> tuple[timedelta, bool] | None:
    """Over how long a count goes, and whether it is of this tool only; None where there is no such count."""
    if name in WRITABLE:
        return RECENT[name]
    found = _COUNT.fullmatch(name)
    try:
        return (parse_duration(found[2].strip("\"'")), found[1] is not None) if found else None
    except Invalid:
        return None


def read_call(raw: object, policy: Policy, *, now: datetime, environment: str = "") -> WrittenCall:
    """The call in ``raw``, parsed JSON. Raises ``Invalid`` with the first thing that doesn't fit and its place."""
    for misfit in misfits(CallShape, raw):
        place = ".".join(str(part) for part in misfit.path)
        raise Invalid(f"{place}: {misfit.words}" if place else misfit.words)
    return written(CallShape.model_validate(raw), policy, now=now, environment=environment)


def misfits(model: type[BaseModel], raw: object) -> Iterator[Misfit]:
    """Everything in ``raw`` that doesn't fit ``model``, in words."""
    if not isinstance(raw, dict):
        yield Misfit(path=(), words="Write tool: NAME and arguments: {…} here.", key=False)
        return
    try:
        model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path, kind = detail["loc"], detail["type"]
            yield Misfit(path=path, words=_words(model, path, detail), key=kind == "extra_forbidden")


def _words(model: type[BaseModel], path: Path, detail: Mapping[str, Any]) -> str:
    if detail["type"] == "missing":
        return f"{path[-1]} is missing; add it here."
    if detail["type"] == "extra_forbidden":
        inside = _model_at(model, path[:-1])
        return f"There is no key {str(path[-1])[:60]!r} here{did_you_mean(str(path[-1]), inside.model_fields)}"
    if detail["type"] == "value_error":
        return f"{str(detail['ctx']['error'])[:1].upper()}{str(detail['ctx']['error'])[1:]}."
    return str(detail["msg"]).replace("Input should be", "This must be").replace("dictionary", "mapping") + "."


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    for part in path:
        inside = model.model_fields[str(part)].annotation
        model = inside if isinstance(inside, type) and issubclass(inside, BaseModel) else model
    return model
