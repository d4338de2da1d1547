"""Which step of which story comes next, and what it says: a function of the transcript alone.

Nothing is remembered between requests. The transcript is walked from its beginning each time, so a gateway that was
restarted and sends its transcript again gets the same continuation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sandbox.story import Fault, Step, Story, StoryError, Use, WhenResult, choose_story
from sandbox.transcript import Block, MessageRequest, OfferedTool, Turn, merged

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_DAY = re.compile(r"today(?:\+(\d{1,4}))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A tool call that the model makes."""

    tool: str
    input: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """What the model does next: words, tool calls, or both; and the fault to play before, if any."""

    story: str
    step: str
    say: str
    calls: Sequence[Call]
    fault: Fault | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the conversation stands; `results` holds each tool's latest result."""

    story: Story
    step: str
    task: str
    results: Mapping[str, str] = field(default_factory=dict)
    last_result: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def now(self) -> Step:
        return self.story.steps[self.step]


def next_move(stories: Sequence[Story], request: MessageRequest, today: date) -> Move:
    """The model's next turn. Raises StoryError where the story and the request do not fit together."""
    place = _walk(stories, merged(request.messages))
    try:
        say = _filled(place.now.say.strip(), place, today)
        calls = [_call(use, place, request.tools, today) for use in place.now.use]
    except StoryError as error:
        raise StoryError(f"story {place.story.name}, step {place.step}: {error}") from error
    return Move(story=place.story.name, step=place.step, say=say, calls=calls, fault=place.now.fault)


def _walk(stories: Sequence[Story], turns: Sequence[Turn]) -> _Place:
    place: _Place | None = None
    asked: Mapping[str, str] = {}
    for turn in turns:
        if turn.role == "assistant":
            asked = {block.id: block.name for block in turn.of("tool_use")}
        elif place is None or not place.now.next:  # the story is over: what the person says now begins another
            place = _start(choose_story(stories, turn.said), turn.said, place)
        elif results := turn.of("tool_result"):
            place = _follow(place, asked, results)
    if place is None:
        raise StoryError("the conversation has no user message")
    return place


def _start(story: Story, task: str, before: _Place | None) -> _Place:
    return replace(before or _Place(story=story, step="", task=""), story=story, step=story.first, task=task, groups={})


def _follow(place: _Place, asked: Mapping[str, str], results: Sequence[Block]) -> _Place:
    named = {asked[block.tool_use_id]: block.words for block in results}
    place = replace(place, results={**place.results, **named}, last_result=results[-1].words)
    conditional = [way for way in place.now.next if way.when_result]
    plain = [way for way in place.now.next if not way.when_result]
    for way in [*conditional, *place.story.outcomes, *plain]:
        groups = _fits(way.when_result, asked, results)
        if groups is not None:
            return replace(place, step=way.go, groups=groups)
    raise StoryError(f"story {place.story.name}, step {place.step}: no branch fits {place.last_result[:80]!r}")


def _fits(when: WhenResult | None, asked: Mapping[str, str], results: Sequence[Block]) -> dict[str, str] | None:
    """The named groups of the pattern that matched ({} without one), or None where no result fits."""
    if when is None:
        return {}
    for block in results:
        hit = re.search(when.matches or "", block.words, re.DOTALL)
        if (
            hit is not None
            and when.tool in (None, asked[block.tool_use_id])
            and (when.contains or "") in block.words
            and when.is_error in (None, block.is_error)
        ):
            return {name: value or "" for name, value in hit.groupdict().items()}
    return None


def _call(use: Use, place: _Place, tools: Sequence[OfferedTool], today: date) -> Call:
    offered = next((tool for tool in tools if tool.name == use.tool), None)
    if offered is None:
        names = ", ".join(tool.name for tool in tools) or "none"
        raise StoryError(f"the tool {use.tool} is not among the tools offered: {names}")
    own_words = {"signoff_reason": use.reason, "signoff_confidence": use.confidence}
    said = {name: word for name, word in own_words.items() if word is not None and name in offered.properties}
    return Call(tool=use.tool, input=_filled({**use.input, **said}, place, today))


def _filled(value: Any, place: _Place, today: date) -> Any:
    """The value with its placeholders filled in; a text that is one placeholder becomes the JSON value itself."""
    if isinstance(value, dict):
        return {key: _filled(each, place, today) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, place, today) for each in value]
    if not isinstance(value, str):
        return value
    if whole := _PLACEHOLDER.fullmatch(value):
        return _value(whole[1], place, today)
    return _PLACEHOLDER.sub(lambda hit: _as_text(_value(hit[1], place, today)), value)


def _value(name: str, place: _Place, today: date) -> Any:
    if day := _DAY.fullmatch(name):
        return (today + timedelta(days=int(day[1] or 0))).isoformat()
    if name == "task":
        return place.task
    if name == "last_result":
        return place.last_result
    head, *path = name.split(".")
    if head == "match" and len(path) == 1 and path[0] in place.groups:
        return place.groups[path[0]]
    if head == "result" and path and path[0] in place.results:
        return _dig(name, place.results[path[0]], path[1:])
    raise StoryError(f"nothing is known as {{{{{name}}}}}")


def _dig(name: str, text: str, path: Sequence[str]) -> Any:
    value: Any = _json_in(name, text) if path else text
    for key in path:
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise StoryError(f"{{{{{name}}}}} has no {key!r} in {text[:80]!r}") from error
    return value


def _json_in(name: str, text: str) -> Any:
    """The JSON in a result: the whole text, or what stands after the line's start `Result: ` (an edited call's)."""
    heading = re.search(r"^Result: ", text, re.MULTILINE)
    try:
        return json.loads(text[heading.end() :] if heading else text)
    except ValueError as error:
        raise StoryError(f"{{{{{name}}}}}: there is no JSON in {text[:80]!r}") from error


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
