"""Block Kit as this workspace accepts it: which blocks, where, with which fields and limits. All else is refused."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from sandbox import limits
from sandbox.elements import ELEMENTS, IMAGE, IMAGE_PLACE, IN_ACTIONS, IN_INPUT, IN_SECTION, plain, words
from sandbox.json_types import Json
from sandbox.newer_blocks import NEWER, block_of
from sandbox.rich_text import RICH_TEXT
from sandbox.schema import (
    Check,
    Fault,
    array,
    at_least_one_of,
    boolean,
    by_type,
    choice,
    every,
    exactly_one_of,
    integer,
    string,
)

Surface: TypeAlias = Literal["message", "modal", "home"]


_CONTEXT_ELEMENTS = by_type({"image": IMAGE, "plain_text": words(3000), "mrkdwn": words(3000)})
BLOCKS: dict[str, Check] = {
    "header": block_of("header", {"text": plain(150)}, {"level": integer(1, 4)}),
    "section": every(
        block_of(
            "section",
            {},
            {
                "text": words(3000),
                "fields": array(words(2000), most=10),
                "accessory": by_type(ELEMENTS, allowed=IN_SECTION),
                "expand": boolean,
            },
        ),
        at_least_one_of("text", "fields"),
    ),
    "context": block_of("context", {"elements": array(_CONTEXT_ELEMENTS, most=10)}),
    "actions": block_of("actions", {"elements": array(by_type(ELEMENTS, allowed=IN_ACTIONS), most=25)}),
    "divider": block_of("divider", {}),
    "image": every(
        block_of("image", {"alt_text": string(2000)}, {"title": plain(2000), **IMAGE_PLACE}),
        exactly_one_of("image_url", "slack_file"),
    ),
    "input": block_of(
        "input",
        {"label": plain(2000), "element": by_type(ELEMENTS, allowed=IN_INPUT)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "markdown": block_of("markdown", {"text": string(limits.MARKDOWN_TEXT)}),
    **NEWER,
}
_IN_CONTAINER = (
    *("section", "context", "actions", "divider", "header", "image", "input", "rich_text", "table", "video", "file"),
)
BLOCKS["container"] = every(
    block_of(
        "container",
        {"child_blocks": array(by_type(BLOCKS, allowed=_IN_CONTAINER), most=10)},
        {
            "title": plain(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": words(150),
            "width": choice("narrow", "standard", "wide", "full"),
            "icon": IMAGE,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
    ),
    at_least_one_of("title", "rich_text_title"),
)

_EVERYWHERE = ("header", "section", "context", "actions", "divider", "image", "input", "rich_text", "card", "video")
_WIDE = ("carousel", "container", "data_table", "data_visualization", "table")
ALLOWED: dict[Surface, tuple[str, ...]] = {
    "message": (*_EVERYWHERE, *_WIDE, "markdown", "context_actions", "file", "plan", "task_card"),
    "modal": (*_EVERYWHERE, "alert"),
    "home": (*_EVERYWHERE, *_WIDE),
}


def check_blocks(blocks: Any, surface: Surface, at: str = "/blocks") -> list[Fault]:
    """Everything that is wrong with a list of blocks on this surface."""
    most = limits.MESSAGE_BLOCKS if surface == "message" else limits.VIEW_BLOCKS
    one = by_type(BLOCKS, allowed=ALLOWED[surface])
    faults = list(array(one, least=0, most=most)(blocks, at))
    return faults or [*_repeated_ids(blocks, at), *_more_than_once(blocks, at)]


def _repeated_ids(blocks: list[Json], at: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, outer in enumerate(blocks):
        yield from _repeated_in(outer, f"{at}/{index}", seen)


def _repeated_in(outer: Json, at: str, seen: set[str]) -> Iterator[Fault]:
    for block in flat([outer]):
        name = block.get("block_id")
        if name is not None and name in seen:
            yield Fault(f"{at}/block_id", f"`block_id` {name} already exists")
        seen.add(name or "")
        actions = [element["action_id"] for element in interactive(block) if "action_id" in element]
        if len(set(actions)) < len(actions):
            yield Fault(at, "`action_id` must be unique within a block")


def _more_than_once(blocks: list[Json], at: str) -> Iterator[Fault]:
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield Fault(at, "only one table is allowed in a message")
    if sum(block["type"] == "data_visualization" for block in blocks) > 2:
        yield Fault(at, "no more than 2 charts are allowed in a message")
    focused = [element for block in flat(blocks) for element in interactive(block) if element.get("focus_on_load")]
    if len(focused) > 1:
        yield Fault(at, "only one element may have `focus_on_load`")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > limits.MARKDOWN_TEXT:
        yield Fault(at, f"markdown blocks must hold less than {limits.MARKDOWN_TEXT + 1} characters together")


def flat(blocks: list[Json]) -> Iterator[Json]:
    """The blocks and those inside them: a container's children, a carousel's cards."""
    for block in blocks:
        yield block
        if block["type"] == "container":
            yield from flat(block["child_blocks"])
        elif block["type"] == "carousel":
            yield from block["elements"]


def interactive(block: Json) -> list[Json]:
    """The interactive elements of one block, in order; not those of blocks inside it."""
    kind = block["type"]
    if kind in ("actions", "context_actions"):
        return list(block["elements"])
    if kind == "card":
        return list(block.get("actions", []))
    found = block.get("element") if kind == "input" else block.get("accessory")
    return [found] if found and found["type"] != "image" else []


def text_length(value: Any) -> int:
    """Characters of all texts that people would read in these blocks."""
    if isinstance(value, dict):
        return sum(
            len(entry) if name in ("text", "alt_text") and isinstance(entry, str) else text_length(entry)
            for name, entry in value.items()
        )
    return sum(map(text_length, value)) if isinstance(value, list) else 0
