"""Form fields: what an untouched one holds, what a plain value becomes, what Slack's client complains about."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from sandbox.blocks import flat, interactive
from sandbox.json_types import Json
from sandbox.typed_text import typed

_SINGLE = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "rich_text_input": ("rich_text_value", "initial_value"),
}
_SEVERAL = {
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "file_input": ("files", "initial_files"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
_STATEFUL = {**_SINGLE, **_SEVERAL}
_OPTIONS = ("static_select", "radio_buttons", "multi_static_select", "checkboxes")
EXTERNAL = ("external_select", "multi_external_select")
"""Menus whose options the app gives while somebody types."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}")


def stateful(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """The elements that hold a value, each with its block."""
    pairs = [(block, element) for block in flat(blocks) for element in interactive(block)]
    return [(block, element) for block, element in pairs if element["type"] in _STATEFUL]


def holding(element: Json, value: Any) -> Json:
    """An element's entry in `state.values`."""
    return {"type": element["type"], _STATEFUL[element["type"]][0]: value}


def held(state: Json) -> Any:
    """The value inside an entry of `state.values`."""
    return state[_STATEFUL[state["type"]][0]]


def initial(element: Json) -> Json:
    """The entry of a field that nobody has touched: its initial value, never null when there is one."""
    name = _STATEFUL[element["type"]][1]
    empty: Any = [] if element["type"] in _SEVERAL else None
    return holding(element, _shown(element[name]) if name in element and element[name] != "" else empty)


def filled(element: Json, plain: Any) -> Json:
    """The entry after a person put in a plain value. Raises ValueError when no person could have done that."""
    kind = element["type"]
    if kind in _SEVERAL:
        if not isinstance(plain, list):
            raise ValueError(f"{kind} takes a list")
        return holding(element, [_picked(element, entry) for entry in plain])
    if plain is None or plain == "":
        return holding(element, None)
    return holding(element, _picked(element, plain))


def _picked(element: Json, plain: Any) -> Any:
    if element["type"] in (*_OPTIONS, *EXTERNAL):
        return _shown(chosen_option(element, plain))
    if element["type"] == "datetimepicker":
        return int(plain)
    if element["type"] == "number_input" and not isinstance(plain, str):
        return str(plain)
    if not isinstance(plain, str):
        raise ValueError(f"{element['type']} takes a string")
    one_line = element["type"] == "plain_text_input" and not element.get("multiline")
    if element["type"] == "rich_text_input":
        return typed(plain)
    if element["type"] == "file_input":
        return {"id": plain}
    return plain.replace("\n", " ") if one_line else plain


def chosen_option(element: Json, plain: Any) -> Json:
    """The option that a value, an index or an option object means. Raises ValueError when it is not offered."""
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    offered: list[Json] = [option for group in groups for option in group["options"]]
    if isinstance(plain, int) and not isinstance(plain, bool) and 0 <= plain < len(offered):
        return offered[plain]
    wanted = plain.get("value") if isinstance(plain, dict) else plain
    for option in offered:
        if option["value"] == wanted:
            return option
    raise ValueError(f"there is no option {plain!r}")


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(entry) for entry in value]
    is_option = isinstance(value, dict) and "value" in value
    return {name: value[name] for name in ("text", "value")} if is_option else value


def complaint(block: Json, state: Json) -> str:
    """What Slack's client would say below a field, or an empty string when it lets the value through."""
    value, element = held(state), block["element"]
    if value in (None, [], ""):
        return "" if block.get("optional") else "Please complete this required field."
    kind = element["type"]
    if kind == "plain_text_input":
        return _length_complaint(element, value)
    if kind == "number_input":
        return _number_complaint(element, value)
    if kind == "email_text_input" and not _EMAIL.fullmatch(value):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not _is_link(value):
        return "Please enter a valid URL."
    if (kind == "datepicker" and not _DATE.fullmatch(value)) or (kind == "timepicker" and not _TIME.fullmatch(value)):
        return "Please enter a valid date or time."
    most = element.get("max_files" if kind == "file_input" else "max_selected_items", 100)
    if kind in _SEVERAL and len(value) > most:
        return f"Please choose at most {most}."
    return ""


def _length_complaint(element: Json, value: str) -> str:
    if len(value) < element.get("min_length", 0):
        return f"Please use at least {element['min_length']} characters."
    most = element.get("max_length", 3000)
    return f"Please use at most {most} characters." if len(value) > most else ""


def _number_complaint(element: Json, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        return "Please enter a number."
    if "." in value and not element["is_decimal_allowed"]:
        return "Please enter a whole number."
    if "min_value" in element and Decimal(value) < Decimal(element["min_value"]):
        return f"Please enter a number that is at least {element['min_value']}."
    if "max_value" in element and Decimal(value) > Decimal(element["max_value"]):
        return f"Please enter a number that is at most {element['max_value']}."
    return ""


def _is_link(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
