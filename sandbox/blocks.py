"""Block Kit as this workspace accepts it: which blocks, where, with which fields and limits. All else is refused."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from sandbox import limits
from sandbox.elements import BUTTON, ELEMENTS, IMAGE, IMAGE_PLACE, IN_ACTIONS, IN_INPUT, IN_SECTION, plain, words
from sandbox.json_types import Json
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
    record,
    string,
)

Surface: TypeAlias = Literal["message", "modal", "home"]
_BLOCK_ID: dict[str, Check] = {"block_id": string(255)}


def _block(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record({"type": choice(kind), **required}, {**_BLOCK_ID, **(optional or {})})


def _nothing_or(item: Check) -> Check:
    def check(value: Any, at: str) -> Iterator[Fault]:
        if value is not None:
            yield from item(value, at)

    return check


_CONTEXT_ELEMENTS = by_type({"image": IMAGE, "plain_text": words(3000), "mrkdwn": words(3000)})
_CELL = by_type(
    {
        "raw_text": record({"type": choice("raw_text"), "text": string(3000)}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})

BLOCKS: dict[str, Check] = {
    "header": _block("header", {"text": plain(150)}, {"level": integer(1, 4)}),
    "section": every(
        _block(
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
    "context": _block("context", {"elements": array(_CONTEXT_ELEMENTS, most=10)}),
    "actions": _block("actions", {"elements": array(by_type(ELEMENTS, allowed=IN_ACTIONS), most=25)}),
    "divider": _block("divider", {}),
    "image": every(
        _block("image", {"alt_text": string(2000)}, {"title": plain(2000), **IMAGE_PLACE}),
        exactly_one_of("image_url", "slack_file"),
    ),
    "input": _block(
        "input",
        {"label": plain(2000), "element": by_type(ELEMENTS, allowed=IN_INPUT)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "markdown": _block("markdown", {"text": string(limits.MARKDOWN_TEXT)}),
    "table": _block(
        "table",
        {"rows": array(array(_CELL, most=20), most=100)},
        {"column_settings": array(_nothing_or(_COLUMN), most=20)},
    ),
    "alert": _block(
        "alert", {"text": words(3000)}, {"level": choice("default", "info", "warning", "error", "success")}
    ),
    "card": every(
        _block(
            "card",
            {},
            {
                "hero_image": IMAGE,
                "icon": IMAGE,
                "title": words(150),
                "subtitle": words(150),
                "body": words(200),
                "actions": array(BUTTON, most=25),
            },
        ),
        at_least_one_of("hero_image", "title", "actions", "body"),
    ),
}

_EVERYWHERE = ("header", "section", "context", "actions", "divider", "image", "input", "rich_text", "card")
ALLOWED: dict[Surface, tuple[str, ...]] = {
    "message": (*_EVERYWHERE, "markdown", "table"),
    "modal": (*_EVERYWHERE, "alert"),
    "home": _EVERYWHERE,
}


def check_blocks(blocks: Any, surface: Surface, at: str = "/blocks") -> list[Fault]:
    """Everything that is wrong with a list of blocks on this surface."""
    most = limits.MESSAGE_BLOCKS if surface == "message" else limits.VIEW_BLOCKS
    one = by_type(BLOCKS, allowed=ALLOWED[surface])
    faults = list(array(one, least=0, most=most)(blocks, at))
    return faults or [*_repeated_ids(blocks, at), *_more_than_once(blocks, at)]


def _repeated_ids(blocks: list[Json], at: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        name = block.get("block_id")
        if name is not None and name in seen:
            yield Fault(f"{at}/{index}/block_id", f"`block_id` {name} already exists")
        seen.add(name or "")
        actions = [element["action_id"] for element in interactive(block) if "action_id" in element]
        if len(set(actions)) < len(actions):
            yield Fault(f"{at}/{index}", "`action_id` must be unique within a block")


def _more_than_once(blocks: list[Json], at: str) -> Iterator[Fault]:
    if sum(block["type"] == "table" for block in blocks) > 1:
        yield Fault(at, "only one table is allowed in a message")
    focused = [element for block in blocks for element in interactive(block) if element.get("focus_on_load")]
    if len(focused) > 1:
        yield Fault(at, "only one element may have `focus_on_load`")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > limits.MARKDOWN_TEXT:
        yield Fault(at, f"markdown blocks must hold less than {limits.MARKDOWN_TEXT + 1} characters together")


def interactive(block: Json) -> list[Json]:
    """The interactive elements of one block, in order."""
    kind = block["type"]
    if kind == "actions":
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
