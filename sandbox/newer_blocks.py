"""The blocks that came with agents and charts, and the rarer older ones: their fields and limits as a table."""

from collections.abc import Iterator
from typing import Any

from sandbox.elements import BUTTON, CONTEXT_BUTTONS, IMAGE, LINK, plain, words
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
    integer,
    number,
    record,
    string,
)

BLOCK_ID: dict[str, Check] = {"block_id": string(255)}


def block_of(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """A block of this type with these fields, and a `block_id`."""
    return record({"type": choice(kind), **required}, {**BLOCK_ID, **(optional or {})})


def nothing_or(item: Check) -> Check:
    """Null, or what passes a check."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        if value is not None:
            yield from item(value, at)

    return check


_RAW_TEXT = record({"type": choice("raw_text"), "text": string(3000)})
_RAW_NUMBER = record({"type": choice("raw_number"), "value": number(), "text": string(3000)})
_CELL = by_type({"raw_text": _RAW_TEXT, "rich_text": RICH_TEXT})
_DATA_CELL = by_type({"raw_text": _RAW_TEXT, "raw_number": _RAW_NUMBER, "rich_text": RICH_TEXT})
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})
_TASK: dict[str, Check] = {
    "task_id": string(255),
    "title": string(3000),
    "status": choice("pending", "in_progress", "complete", "error"),
}
_TASK_MORE: dict[str, Check] = {
    "details": RICH_TEXT,
    "output": RICH_TEXT,
    "sources": array(record({"type": choice("url"), "url": LINK, "text": string(3000)}), least=0, most=100),
}


def _rows_of_one_width(value: Any, at: str) -> Iterator[Fault]:
    if len({len(row) for row in value["rows"]}) > 1:
        yield Fault(f"{at}/rows", "all rows must have the same number of columns")


def _plain_header(value: Any, at: str) -> Iterator[Fault]:
    if any(cell["type"] == "rich_text" for cell in value["rows"][0]):
        yield Fault(f"{at}/rows/0", "header cells must not be rich text")


def _tasks_differ(value: Any, at: str) -> Iterator[Fault]:
    names = [task["task_id"] for task in value["tasks"]]
    if len(set(names)) < len(names):
        yield Fault(f"{at}/tasks", "`task_id` must be unique within a plan")


def _stands_alone(value: Any, at: str) -> Iterator[Fault]:
    if value["status"] == "pending":
        yield Fault(f"{at}/status", "only the tasks of a plan may be pending")


def _one_icon(value: Any, at: str) -> Iterator[Fault]:
    if "icon" in value and "slack_icon" in value:
        yield Fault(at, "must not have both: icon, slack_icon")


_CARD = every(
    block_of(
        "card",
        {},
        {
            "hero_image": IMAGE,
            "icon": IMAGE,
            "slack_icon": record({"type": choice("icon"), "name": string(255)}),
            "title": words(150),
            "subtitle": words(150),
            "body": words(200),
            "subtext": words(200),
            "actions": array(BUTTON, most=3),
        },
    ),
    at_least_one_of("hero_image", "title", "actions", "body"),
    _one_icon,
)
_POINT = record({"label": string(20), "value": number()})
_SEGMENT = record({"label": string(20), "value": number(above=0)})
_SERIES = array(record({"name": string(20), "data": array(_POINT, most=20)}), most=12)
_AXES = record({"categories": array(string(20), most=20)}, {"x_label": string(50), "y_label": string(50)})
_AXIS_CHARTS = ("bar", "area", "line")
_CHARTS: dict[str, Check] = {
    "pie": record({"type": choice("pie"), "segments": array(_SEGMENT, most=12)}),
    **{name: record({"type": choice(name), "series": _SERIES, "axis_config": _AXES}) for name in _AXIS_CHARTS},
}
_LEVELS = ("default", "info", "warning", "error", "success")

NEWER: dict[str, Check] = {
    "table": every(
        block_of(
            "table",
            {"rows": array(array(_CELL, most=20), most=100)},
            {"column_settings": array(nothing_or(_COLUMN), most=20)},
        ),
    ),
    "data_table": every(
        block_of(
            "data_table",
            {"rows": array(array(_DATA_CELL, most=20), least=2, most=201), "caption": string(3000)},
            {"page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
        ),
        _rows_of_one_width,
        _plain_header,
    ),
    "data_visualization": block_of("data_visualization", {"title": string(50), "chart": by_type(_CHARTS)}),
    "alert": block_of("alert", {"text": words(200)}, {"level": choice(*_LEVELS)}),
    "card": _CARD,
    "carousel": block_of("carousel", {"elements": array(by_type({"card": _CARD}), most=10)}),
    "context_actions": block_of(
        "context_actions",
        {"elements": array(by_type(CONTEXT_BUTTONS), most=5)},
    ),
    "task_card": every(block_of("task_card", _TASK, _TASK_MORE), _stands_alone),
    "plan": every(
        block_of("plan", {"title": string(3000), "tasks": array(record(_TASK, _TASK_MORE), least=0, most=50)}),
        _tasks_differ,
    ),
    "video": block_of(
        "video",
        {"alt_text": string(2000), "title": plain(200), "thumbnail_url": LINK, "video_url": LINK},
        {
            "title_url": string(2000),
            "author_name": string(50),
            "provider_name": string(50),
            "provider_icon_url": string(2000),
            "description": plain(200),
        },
    ),
    "file": block_of("file", {"external_id": string(255), "source": choice("remote")}),
}
