"""What a text object, an option and an interactive element may look like: Slack's fields and limits as a table."""

import re
from collections.abc import Iterator
from typing import Any

from sandbox.rich_text import RICH_TEXT
from sandbox.schema import (
    Check,
    Fault,
    array,
    boolean,
    by_type,
    choice,
    every,
    exactly_one_of,
    integer,
    matching,
    record,
    shown,
    string,
)

ACTION_ID = string(255)
LINK = string(3000)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def plain(limit: int, *, least: int = 1) -> Check:
    """A `plain_text` object."""
    text = shown(limit, least=least, marks=False)
    fields = record({"type": choice("plain_text"), "text": text}, {"emoji": boolean})
    return by_type({"plain_text": fields})


def words(limit: int) -> Check:
    """A `plain_text` or `mrkdwn` object; `emoji` belongs to the first only, `verbatim` to the second."""
    flat, marked = shown(limit, marks=False), shown(limit, marks=True)
    return by_type(
        {
            "plain_text": record({"type": choice("plain_text"), "text": flat}, {"emoji": boolean}),
            "mrkdwn": record({"type": choice("mrkdwn"), "text": marked}, {"verbatim": boolean}),
        }
    )


CONFIRM = record(
    {"title": plain(100), "text": words(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
PLAIN_OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75)})
RICH_OPTION = record({"text": words(75), "value": string(150)}, {"description": words(75)})
LINK_OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": LINK})
GROUP = record({"label": plain(75), "options": array(PLAIN_OPTION, most=100)})
DISPATCH = record({"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), most=2)})
DATE = matching(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "must be a date in the format YYYY-MM-DD")
CLOCK = matching(r"([01]\d|2[0-3]):[0-5]\d", "must be a time in the format HH:mm")
NUMBER = matching(_NUMBER.pattern, "must be a string that represents a number")
FILTER = record(
    {},
    {
        "include": array(choice("im", "mpim", "private", "public"), most=4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)

_COMMON: dict[str, Check] = {"action_id": ACTION_ID, "confirm": CONFIRM, "focus_on_load": boolean}
_PLACEHOLDER: dict[str, Check] = {"placeholder": plain(150)}
_MANY: dict[str, Check] = {"max_selected_items": integer(1, 100)}
_ID = string(255)
_IDS = array(_ID, least=0, most=100)


def _element(kind: str, required: dict[str, Check], optional: dict[str, Check]) -> Check:
    return record({"type": choice(kind), **required}, {**_COMMON, **optional})


def _typed(kind: str, optional: dict[str, Check], *, required: dict[str, Check] | None = None) -> Check:
    """An input that is typed into: no confirm dialog, a dispatch configuration instead."""
    shared: dict[str, Check] = {"action_id": ACTION_ID, "focus_on_load": boolean, "dispatch_action_config": DISPATCH}
    return record({"type": choice(kind), **(required or {})}, {**shared, **_PLACEHOLDER, **optional})


def _offered(element: dict[str, Any]) -> list[Any]:
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    return [option for group in groups for option in group["options"]]


def _initial_is_offered(value: Any, at: str) -> Iterator[Fault]:
    """An initial option must be one of the options, word for word."""
    chosen = value.get("initial_options", [])
    chosen = [*chosen, value["initial_option"]] if "initial_option" in value else chosen
    offered = _offered(value)
    if any(option not in offered for option in chosen):
        yield Fault(at, "initial option must match exactly one of the options")
    if len({option["value"] for option in offered}) < len(offered):
        yield Fault(at, "option values must be unique")


def _lengths_fit(value: Any, at: str) -> Iterator[Fault]:
    least, most = value.get("min_length", 0), value.get("max_length", 3000)
    if least > most:
        yield Fault(f"{at}/min_length", "must not be greater than max_length")
    if len(value.get("initial_value", "")) > most:
        yield Fault(f"{at}/initial_value", f"must be less than {most + 1} characters")


def _select(kind: str, initial: dict[str, Check]) -> Check:
    choices: dict[str, Check] = {"options": array(PLAIN_OPTION, most=100), "option_groups": array(GROUP, most=100)}
    fields = _element(kind, {}, {**choices, **_PLACEHOLDER, **initial})
    return every(fields, exactly_one_of("options", "option_groups"), _initial_is_offered)


def _external(kind: str, initial: dict[str, Check]) -> Check:
    """A menu whose options the app gives while somebody types."""
    return _element(kind, {}, {"min_query_length": integer(0, 100), **_PLACEHOLDER, **initial})


_PARAMETER = record({"name": _ID, "value": string(3000)})
_WORKFLOW = record(
    {"trigger": record({"url": LINK}, {"customizable_input_parameters": array(_PARAMETER, least=0, most=100)})}
)


def _ticks(kind: str, initial: dict[str, Check]) -> Check:
    return every(_element(kind, {"options": array(RICH_OPTION, most=10)}, initial), _initial_is_offered)


BUTTON = record(
    {"type": choice("button"), "text": plain(75)},
    {
        "action_id": ACTION_ID,
        "confirm": CONFIRM,
        "value": string(2000, least=0),
        "url": LINK,
        "style": choice("primary", "danger"),
        "accessibility_label": string(75),
        "visible_to_user_ids": array(_ID, most=100),
        "agent_prompt": string(4000),
    },
)
_FEEDBACK = record({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
CONTEXT_BUTTONS: dict[str, Check] = {
    "feedback_buttons": record(
        {"type": choice("feedback_buttons"), "positive_button": _FEEDBACK, "negative_button": _FEEDBACK},
        {"action_id": ACTION_ID},
    ),
    "icon_button": record(
        {"type": choice("icon_button"), "icon": choice("trash"), "text": plain(75)},
        {
            "action_id": ACTION_ID,
            "value": string(2000, least=0),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": array(_ID, most=10),
        },
    ),
}
IMAGE_PLACE: dict[str, Check] = {
    "image_url": LINK,
    "slack_file": record({}, {"id": string(255), "url": LINK}),
}
IMAGE = every(
    record({"type": choice("image"), "alt_text": string(2000)}, IMAGE_PLACE),
    exactly_one_of("image_url", "slack_file"),
)

ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "overflow": record(
        {"type": choice("overflow"), "options": array(LINK_OPTION, most=5)},
        {"action_id": ACTION_ID, "confirm": CONFIRM},
    ),
    "plain_text_input": every(
        _typed(
            "plain_text_input",
            {
                "initial_value": string(3000, least=0),
                "multiline": boolean,
                "min_length": integer(0, 3000),
                "max_length": integer(1, 3000),
            },
        ),
        _lengths_fit,
    ),
    "number_input": _typed(
        "number_input",
        {"initial_value": NUMBER, "min_value": NUMBER, "max_value": NUMBER},
        required={"is_decimal_allowed": boolean},
    ),
    "email_text_input": _typed("email_text_input", {"initial_value": string(3000, least=0)}),
    "url_text_input": _typed("url_text_input", {"initial_value": string(3000, least=0)}),
    "datepicker": _element("datepicker", {}, {"initial_date": DATE, **_PLACEHOLDER}),
    "timepicker": _element("timepicker", {}, {"initial_time": CLOCK, "timezone": string(100), **_PLACEHOLDER}),
    "datetimepicker": _element("datetimepicker", {}, {"initial_date_time": integer(10**9, 10**10 - 1)}),
    "static_select": _select("static_select", {"initial_option": PLAIN_OPTION}),
    "multi_static_select": _select("multi_static_select", {"initial_options": array(PLAIN_OPTION, most=100), **_MANY}),
    "external_select": _external("external_select", {"initial_option": PLAIN_OPTION}),
    "multi_external_select": _external(
        "multi_external_select", {"initial_options": array(PLAIN_OPTION, most=100), **_MANY}
    ),
    "rich_text_input": _typed(
        "rich_text_input",
        {"initial_value": RICH_TEXT, "min_lines": integer(1, 100), "max_lines": integer(1, 100)},
    ),
    "file_input": record(
        {"type": choice("file_input")},
        {"action_id": ACTION_ID, "filetypes": array(_ID, most=100), "max_files": integer(1, 10)},
    ),
    "workflow_button": record(
        {"type": choice("workflow_button"), "text": plain(75), "action_id": ACTION_ID, "workflow": _WORKFLOW},
        {"confirm": CONFIRM, "style": choice("primary", "danger"), "accessibility_label": string(75)},
    ),
    "users_select": _element("users_select", {}, {"initial_user": _ID, **_PLACEHOLDER}),
    "multi_users_select": _element("multi_users_select", {}, {"initial_users": _IDS, **_MANY, **_PLACEHOLDER}),
    "conversations_select": _element(
        "conversations_select",
        {},
        {
            "initial_conversation": _ID,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": FILTER,
            **_PLACEHOLDER,
        },
    ),
    "multi_conversations_select": _element(
        "multi_conversations_select",
        {},
        {
            "initial_conversations": _IDS,
            "default_to_current_conversation": boolean,
            "filter": FILTER,
            **_MANY,
            **_PLACEHOLDER,
        },
    ),
    "channels_select": _element(
        "channels_select", {}, {"initial_channel": _ID, "response_url_enabled": boolean, **_PLACEHOLDER}
    ),
    "multi_channels_select": _element("multi_channels_select", {}, {"initial_channels": _IDS, **_MANY, **_PLACEHOLDER}),
    "checkboxes": _ticks("checkboxes", {"initial_options": array(RICH_OPTION, most=10)}),
    "radio_buttons": _ticks("radio_buttons", {"initial_option": RICH_OPTION}),
}

_SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
_MULTI = tuple(f"multi_{name}" for name in _SELECTS)
_PICKERS = ("datepicker", "timepicker")
_TICKS = ("checkboxes", "radio_buttons")

IN_SECTION = ("button", "workflow_button", "overflow", "image", *_PICKERS, *_TICKS, *_SELECTS, *_MULTI)
IN_ACTIONS = ("button", "workflow_button", "overflow", "datetimepicker", *_PICKERS, *_TICKS, *_SELECTS)
IN_INPUT = (
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
    "datetimepicker",
    *_PICKERS,
    *_TICKS,
    *_SELECTS,
    *_MULTI,
)
