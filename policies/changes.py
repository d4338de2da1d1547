"""What a modification did to the arguments: changes in the order in which they lead from before to after.

JSON Patch tells 1 from true and 1 from 1.0, and an inserted item from a changed one; a plain comparison would show a
reviewer "nothing changed".
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, cast

import jsonpatch

from policies.arguments import JsonValue


class Absent(Enum):
    """Nothing was, or is, at the place. Not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Found: TypeAlias = "JsonValue | Absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """At the JSON pointer `path`, `before` became `after`. Positions in lists are those after the changes before this
    one.
    """

    path: str
    label: str
    before: Found
    after: Found


def changes(before: JsonValue, after: JsonValue) -> tuple[Change, ...]:
    """The changes that lead from `before` to `after`; none where both are the same JSON value, number types counted."""
    at_work = deepcopy(before)
    found: list[Change] = []
    for step in jsonpatch.JsonPatch.from_diff(before, after, optimization=False):
        path = str(step["path"])
        change = Change(
            path=path,
            label=label(path, at_work),
            before=ABSENT if step["op"] == "add" else deepcopy(_at(at_work, path)),
            after=ABSENT if step["op"] == "remove" else deepcopy(cast(JsonValue, step["value"])),
        )
        found.append(change)
        at_work = _apply(at_work, change)
    return tuple(found)


def apply_changes(before: JsonValue, made: Iterable[Change]) -> JsonValue:
    """What `made`, in its order, turns `before` into; `before` itself stays as it is."""
    value = deepcopy(before)
    for change in made:
        value = _apply(value, change)
    return value


def label(path: str, document: Found = ABSENT) -> str:
    """A JSON pointer in plain words: `recipients, item 2`. Numbers are positions, unless `document` has an object
    there.
    """
    words: list[str] = []
    here = document
    for step in _steps(path):
        inside_list = step.isdigit() if here is ABSENT else isinstance(here, list)
        words.append(f"item {int(step) + 1}" if inside_list and step.isdigit() else step)
        here = _child(here, step)
    return ", ".join(words) if words else "everything"


def _apply(document: JsonValue, change: Change) -> JsonValue:
    """Nothing before inserts, nothing after removes, otherwise the place is replaced. Changes `document` in place."""
    steps = _steps(change.path)
    if not steps:
        return cast(JsonValue, deepcopy(change.after))
    parent, last = _at(document, change.path.rpartition("/")[0]), steps[-1]
    if isinstance(parent, list):
        position = int(last)
        parent[position : position + (change.before is not ABSENT)] = (
            [] if change.after is ABSENT else [deepcopy(change.after)]
        )
    elif isinstance(parent, dict) and change.after is ABSENT:
        del parent[last]
    elif isinstance(parent, dict):
        parent[last] = deepcopy(cast(JsonValue, change.after))
    return document


def _at(document: JsonValue, path: str) -> JsonValue:
    here: Found = document
    for step in _steps(path):
        here = _child(here, step)
    return cast(JsonValue, here)


def _child(value: Found, step: str) -> Found:
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return ABSENT


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
