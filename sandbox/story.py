"""Stories: readable YAML files that say how the scripted model behaves.

    task: Refund Mara Holm for the cracked lamp.          # an example of a task that starts this story
    match: [refund, money back]                           # patterns; the story found first in the task plays
    steps:
      look:                                               # the first step starts
        say: Let me look at the order.
        use:
          - tool: read_order
            input: {order_id: HG-1042}
        next: ask
      ask:
        use:
          - tool: issue_refund
            input: {order_id: HG-1042, amount: 140.00, reason: Cracked}
            reason: The note on the order says it arrived broken.   # -> signoff_reason, where the tool offers it
            confidence: 0.8                                         # -> signoff_confidence, likewise
        next:
          - {when_result: {contains: A reviewer changed}, go: changed}
          - {go: refunded}
      changed: {say: "Done: {{result.issue_refund.refunded}}."}     # no `next`: the story ends here
    outcomes:                                             # asked after a step's own conditions, before its plain `go`
      - {when_result: {matches: "^Rejected by (?P<who>.+?): (?P<words>.*)"}, go: rejected}

`fault: {kind: overloaded, times: 1}` on a step makes the API fail that often before the step is played. In `say` and in
the texts of `input`: `{{task}}`, `{{last_result}}`, `{{result.TOOL.path.to.0.value}}`, `{{match.GROUP}}` of the pattern
that led to this step, and `{{today+14}}`, a date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

StatusFault = Literal["unauthorized", "rate_limited", "server_error", "overloaded"]  # answered instead of a message
BrokenFault = Literal["interrupted", "truncated", "dropped"]  # a message that ends half-way
OddFault = Literal["refusal", "max_tokens"]  # a whole message with another stop_reason


class StoryError(Exception):
    """A story is wrong, or does not fit what it meets; the words name the story, the place and the fault."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _branches(value: object) -> object:
    return [{"go": value}] if isinstance(value, str) else value


Pattern = Annotated[str, AfterValidator(_compiles)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Fault(_Part):
    """How the API fails before a step is played, and how often in one conversation; `retry_after` in seconds."""

    kind: StatusFault | BrokenFault | OddFault
    times: int = Field(default=1, ge=1)
    retry_after: float = Field(default=1, ge=0)


class Use(_Part):
    """One tool call of a step, with what the agent says of itself where the tool asks for it."""

    tool: str
    input: dict[str, Any] = {}
    reason: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)


class WhenResult(_Part):
    """True if one of the results that came back (of `tool`, if named) fits every condition given.

    `contains` looks for the text as it stands, `matches` searches a pattern (`.` also stands for a line's end).
    """

    tool: str | None = None
    contains: str | None = None
    matches: Pattern | None = None
    is_error: bool | None = None


class Branch(_Part):
    """Where to go; always, or when a result came back that fits."""

    go: str
    when_result: WhenResult | None = None


class Step(_Part):
    """One turn of the model. `next` is a step's name or a list of branches; without it the story ends."""

    say: str = ""
    use: list[Use] = []
    next: Annotated[list[Branch], BeforeValidator(_branches)] = []
    fault: Fault | None = None

    @model_validator(mode="after")
    def _speaks_and_listens(self) -> Self:
        if not self.say.strip() and not self.use:
            raise ValueError("a step needs `say` or `use`")
        if bool(self.use) != bool(self.next):
            raise ValueError("a step with `use` needs `next`, and only such a step has results to go on from")
        return self


class Story(_Part):
    """One behaviour; see the module's docstring for the file. `name` is the file's name without `.yml`."""

    name: str
    task: str
    match: list[Pattern] = Field(min_length=1)
    steps: dict[str, Step] = Field(min_length=1)
    outcomes: list[Branch] = []

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        for name, step in self.steps.items():
            ways = [*step.next, *self.outcomes]
            for way in ways:
                if way.go not in self.steps:
                    raise ValueError(f"steps.{name} goes to {way.go}, and there is no such step")
            if step.use and all(way.when_result for way in step.next):
                raise ValueError(f"steps.{name}.next needs a last branch without `when_result`")
        return self

    @property
    def first(self) -> str:
        """The name of the step that starts."""
        return next(iter(self.steps))

    def found_in(self, task: str) -> int | None:
        """Where the first of the story's patterns is found in the task, or None."""
        hits = (re.search(pattern, task, re.IGNORECASE) for pattern in self.match)
        return min((hit.start() for hit in hits if hit), default=None)


def load_stories(folder: Path) -> list[Story]:
    """Read every `*.yml` of the folder, in the order of their names. Raises StoryError."""
    stories = [_load(path) for path in sorted(folder.glob("*.yml"))]
    if not stories:
        raise StoryError(f"There are no stories (*.yml) in {folder}.")
    return stories


def choose_story(stories: Sequence[Story], task: str) -> Story:
    """The story whose pattern comes first in the task; `default` where none is found. Raises StoryError."""
    found = [(place, story) for story in stories if (place := story.found_in(task)) is not None]
    found.extend((len(task) + 1, story) for story in stories if story.name == "default")
    if not found:
        raise StoryError(f"No story fits the task {task[:80]!r}, and there is no default.yml.")
    return min(found, key=lambda each: each[0])[1]


def _load(path: Path) -> Story:
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return Story.model_validate({"name": path.stem, **(content if isinstance(content, dict) else {})})
    except YAMLError as error:
        raise StoryError(f"{path.name} is not YAML: {error}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, each['loc'])) or 'story'}: {each['msg']}" for each in error.errors())
        raise StoryError(f"{path.name}: {'; '.join(faults)}") from error
