"""Small checks that compose into a strict description of Block Kit, with faults worded and pointed at as Slack does."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias


class Fault(NamedTuple):
    """One thing that is wrong: a JSON pointer into what was sent, and the words for it."""

    pointer: str
    words: str

    def as_slack(self) -> str:
        """The line as it stands in `response_metadata.messages`."""
        return f"[ERROR] {self.words} [json-pointer:{self.pointer}]"


Check: TypeAlias = Callable[[Any, str], Iterator[Fault]]


def string(limit: int, *, least: int = 1) -> Check:
    """A string of `least` to `limit` characters."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield Fault(at, "must be a string")
        elif len(value) < least:
            yield Fault(at, f"must be more than {least - 1} characters")
        elif len(value) > limit:
            yield Fault(at, f"must be less than {limit + 1} characters")

    return check


def shown(limit: int, *, least: int = 1, marks: bool) -> Check:
    """A text that people read: what counts is its length with &, < and > as entities, as Slack keeps it.

    With `marks` (mrkdwn) a `<...>` that makes a link or a mention counts as it stands.
    """
    plainly = string(limit, least=least)

    def check(value: Any, at: str) -> Iterator[Fault]:
        if isinstance(value, str) and least <= len(value) <= limit < escaped_length(value, marks=marks):
            yield Fault(at, f"must be less than {limit + 1} characters")
            return
        yield from plainly(value, at)

    return check


_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
_MARK = re.compile(r"<[@#!]?[^<>\s][^<>]*>")


def escaped_length(text: str, *, marks: bool) -> int:
    """Characters of a text once its bare &, < and > are entities; entities that are there already count as they are."""
    outside = _MARK.sub("", text) if marks else text
    bare = len(_ENTITY.findall(text)) * 4 + (outside.count("<") + outside.count(">")) * 3
    return len(text) + bare


def matching(pattern: str, words: str) -> Check:
    """A string that fits a pattern as a whole."""
    compiled = re.compile(pattern)

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield Fault(at, words)

    return check


def choice(*allowed: str) -> Check:
    """One of a few strings."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if value not in allowed:
            yield Fault(at, f"must be a valid enum value: {', '.join(allowed)}")

    return check


def boolean(value: Any, at: str) -> Iterator[Fault]:
    """True or false."""
    if not isinstance(value, bool):
        yield Fault(at, "must be a boolean")


def integer(least: int, most: int) -> Check:
    """A whole number between two bounds, both included."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield Fault(at, f"must be an integer between {least} and {most}")

    return check


def number(*, above: float | None = None) -> Check:
    """A number, whole or not; `above` is a bound that it must exceed."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield Fault(at, "must be a number")
        elif above is not None and value <= above:
            yield Fault(at, f"must be greater than {above}")

    return check


def array(item: Check, *, least: int = 1, most: int) -> Check:
    """A list of `least` to `most` items, each of which is checked."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(at, "must be an array")
            return
        if len(value) < least:
            yield Fault(at, f"no fewer than {least} items allowed")
        if len(value) > most:
            yield Fault(at, f"no more than {most} items allowed")
            return
        for index, entry in enumerate(value):
            yield from item(entry, f"{at}/{index}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no other."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(at, "must be an object")
            return
        for name in required:
            if name not in value:
                yield Fault(at, f"missing required field: {name}")
        for name, entry in value.items():
            if name in known:
                yield from known[name](entry, f"{at}/{name}")
            else:
                yield Fault(at, f"invalid additional property: {name}")

    return check


def by_type(kinds: Mapping[str, Check], *, allowed: Collection[str] | None = None) -> Check:
    """An object whose `type` names the check that it must pass; `allowed` narrows the kinds at this place."""
    names = set(kinds if allowed is None else allowed)

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(at, "must be an object")
        elif "type" not in value:
            yield Fault(at, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in names:
            yield Fault(f"{at}/type", f"unsupported type: {value['type']}")
        else:
            yield from kinds[value["type"]](value, at)

    return check


def every(*checks: Check) -> Check:
    """These checks in this order; the later ones look only at what the earlier ones let through."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        for one in checks:
            faults = list(one(value, at))
            yield from faults
            if faults:
                return

    return check


def exactly_one_of(*names: str) -> Check:
    """An object that has one, and only one, of these fields."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if sum(name in value for name in names) != 1:
            yield Fault(at, f"must have exactly one of: {', '.join(names)}")

    return check


def at_least_one_of(*names: str) -> Check:
    """An object that has some of these fields."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if not any(name in value for name in names):
            yield Fault(at, f"must have at least one of: {', '.join(names)}")

    return check
