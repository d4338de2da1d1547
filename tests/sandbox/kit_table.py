"""Blocks and views, good and bad, with the answer that each must get: nothing, or the lines that Slack's style demands.

Two public libraries judge the same rows (tests/sandbox/kit_judges.py). Where they think otherwise, the row says why.
"""

from dataclasses import dataclass
from typing import Any

from tests.sandbox.stock_app import actions, button, field, modal, plain, text_input

Json = dict[str, Any]

PLACE = "looks at a block alone, not at where it stands"
LIMIT = "does not look at this limit"
KIND = "does not look at which kind of thing stands here"
DROPS = "leaves fields out that it does not know, with a line in the log"
WHOLE = "does not compare one part with another"
ESCAPED = "counts the characters as they are sent, not as Slack keeps them, with & < > as entities"
EMPTY = "does not mind that it is empty or missing"
VIEW_TITLE = "asks for blocks that are not empty, although an empty Home may be published"
NEWER = "does not know this field yet"
CONVERTS = "makes of the argument what Slack takes, so that the wrong form cannot be built with it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What is sent to a surface (`view` for a whole view), the exact lines of the answer, and who thinks otherwise."""

    surface: str
    sent: Json
    answer: tuple[str, ...]
    sdk: str = ""
    slackblocks: str = ""


def row(surface: str, sent: Json, *answer: str, sdk: str = "", slackblocks: str = "") -> Row:
    """A row; without lines of an answer it is accepted."""
    return Row(surface=surface, sent=sent, answer=answer, sdk=sdk, slackblocks=slackblocks)


def mrkdwn(text: str, **rest: Any) -> Json:
    return {"type": "mrkdwn", "text": text, **rest}


def section(text: str = "x", **rest: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **rest}


def options(count: int, value: str = "v") -> list[Json]:
    return [{"text": plain(f"option {index}"), "value": f"{value}{index}"} for index in range(count)]


def select(**rest: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": options(2), **rest}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def line(*parts: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(parts)}


CONFIRM = {"title": plain("Sure?"), "text": plain("It runs."), "confirm": plain("Yes"), "deny": plain("No")}
IMAGE: Json = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
TEXT: Json = {"type": "text", "text": "x"}
CELL: Json = {"type": "raw_text", "text": "c"}
NUMBER: Json = {"type": "raw_number", "value": 1, "text": "1"}
CARD: Json = {"type": "card", "title": plain("t")}
DIVIDER: Json = {"type": "divider"}
PIE: Json = {"type": "pie", "segments": [{"label": "l", "value": 1}]}
TASK: Json = {"task_id": "1", "title": "t", "status": "pending"}
YES: Json = {"text": plain("Good"), "value": "good"}
NO: Json = {"text": plain("Bad"), "value": "bad"}
FEEDBACK: Json = {"type": "feedback_buttons", "action_id": "f", "positive_button": YES, "negative_button": NO}
BIN: Json = {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "bin"}
VIDEO: Json = {
    "type": "video",
    "title": plain("t"),
    "alt_text": "a",
    "video_url": "https://example.com/v",
    "thumbnail_url": "https://example.com/t.png",
}


ROWS = [
    row("message", {"type": "header", "text": plain("h" * 150)}),
    row("message", {"type": "header", "text": plain("h"), "level": 2}, slackblocks=NEWER),
    row("message", section("s" * 3000)),
    row("message", section("<https://example.com/?a=1&amp;b=2|" + "s" * 2965 + ">")),
    row("message", section("&lt;" * 750)),
    row("message", section(fields=[mrkdwn("f" * 2000)] * 5)),
    row("message", {"type": "section", "fields": [plain("f")] * 10}),
    row("message", section(accessory=button("a", confirm=CONFIRM, style="danger", value="v" * 2000))),
    row("message", section(accessory=select(placeholder=plain("Choose")))),
    row("message", section(accessory={**IMAGE})),
    row("message", section(expand=True), slackblocks=NEWER),
    row("message", {"type": "section", "text": mrkdwn("x", verbatim=True)}),
    row("message", {"type": "context", "elements": [mrkdwn("x"), plain("y"), IMAGE]}),
    row("message", actions(*[button(f"a{index}") for index in range(25)])),
    row("message", actions(button("a", visible_to_user_ids=["U0ANA"])), slackblocks=NEWER),
    row("message", actions(button("a", agent_prompt="p" * 4000))),
    row("message", actions({"type": "overflow", "action_id": "more", "options": options(5)})),
    row("message", actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-11-23"})),
    row("message", actions({"type": "external_select", "action_id": "e", "min_query_length": 1})),
    row("message", {"type": "divider"}),
    row("message", {**IMAGE, "title": plain("t")}),
    row("message", {"type": "image", "alt_text": "a", "slack_file": {"id": "F1"}}),
    row("message", {"type": "markdown", "text": "m" * 12_000}),
    row("message", {"type": "table", "rows": [[CELL, rich(line(TEXT))]] * 100}),
    row("message", {"type": "table", "rows": [[CELL, CELL]], "column_settings": [None, {"align": "right"}]}),
    row("message", {"type": "data_table", "caption": "c", "rows": [[CELL], [NUMBER]]}),
    row("message", {"type": "data_visualization", "title": "t", "chart": PIE}),
    row("message", {"type": "card", "title": mrkdwn("t"), "body": mrkdwn("b" * 200), "actions": [button("a")] * 1}),
    row("message", {"type": "carousel", "elements": [CARD] * 10}),
    row("message", {"type": "container", "title": plain("t"), "child_blocks": [section(), DIVIDER]}),
    row("message", {"type": "context_actions", "elements": [FEEDBACK]}),
    row("message", {"type": "context_actions", "elements": [BIN]}),
    row("message", {"type": "task_card", "task_id": "1", "title": "t", "status": "in_progress"}),
    row("message", {"type": "plan", "title": "p", "tasks": [TASK]}),
    row("message", VIDEO),
    row("message", rich(line(TEXT, {"type": "user", "user_id": "U1"}, {"type": "link", "url": "https://e.com"}))),
    row("message", rich({"type": "rich_text_preformatted", "elements": [TEXT], "border": 0})),
    row("message", rich({"type": "rich_text_quote", "elements": [{"type": "emoji", "name": "wave"}]})),
    row("message", rich({"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [line(TEXT)]})),
    row("message", rich(line({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "then"}))),
    row("message", rich(line({"type": "text", "text": "b", "style": {"bold": True, "code": True}}))),
    row("modal", {"type": "alert", "level": "warning", "text": mrkdwn("careful")}),
    row("modal", field("f", text_input(multiline=True, min_length=0, max_length=3000, initial_value="i" * 3000))),
    row("modal", field("f", {"type": "number_input", "is_decimal_allowed": False, "min_value": "-1.5"})),
    row("modal", field("f", {"type": "email_text_input"}, optional=True, hint=plain("h"))),
    row("modal", field("f", {"type": "url_text_input"}, dispatch_action=True)),
    row("modal", field("f", {"type": "datetimepicker", "initial_date_time": 1_700_000_000})),
    row("modal", field("f", {"type": "timepicker", "initial_time": "09:30"})),
    row("modal", field("f", {"type": "multi_static_select", "options": options(100), "max_selected_items": 3})),
    row(
        "modal", field("f", {"type": "static_select", "option_groups": [{"label": plain("g"), "options": options(1)}]})
    ),
    row("modal", field("f", {"type": "checkboxes", "options": options(10), "initial_options": options(1)})),
    row("modal", field("f", {"type": "radio_buttons", "options": options(2), "initial_option": options(1)[0]})),
    row("modal", field("f", {"type": "users_select", "initial_user": "U1"})),
    row("modal", field("f", {"type": "multi_users_select", "initial_users": ["U1"]})),
    row("modal", field("f", {"type": "conversations_select", "filter": {"include": ["im"]}})),
    row("modal", field("f", {"type": "channels_select"})),
    row("modal", field("f", {"type": "rich_text_input", "min_lines": 2})),
    row("modal", field("f", {"type": "file_input", "max_files": 10})),
    row("home", section()),
    row("home", {"type": "table", "rows": [[CELL]]}),
    row("view", modal(section(), title=plain("t" * 24), private_metadata="p" * 3000)),
    row("view", modal(*[section()] * 100)),
    row("view", {"type": "modal", "title": plain("t"), "blocks": [section()]}),
    row("view", {"type": "home", "blocks": []}, sdk=VIEW_TITLE),
    row("view", modal(field("f", text_input(focus_on_load=True)), notify_on_close=True, clear_on_close=True)),
    row("message", {"type": "unheard_of"}, "[ERROR] unsupported type: unheard_of [json-pointer:/blocks/0/type]"),
    row("message", {"text": plain("no type")}, "[ERROR] missing required field: type [json-pointer:/blocks/0]"),
    row(
        "message",
        {"type": "alert", "text": plain("x")},
        "[ERROR] unsupported type: alert [json-pointer:/blocks/0/type]",
        sdk=PLACE,
    ),
    row(
        "modal",
        {"type": "markdown", "text": "m"},
        "[ERROR] unsupported type: markdown [json-pointer:/blocks/0/type]",
        sdk=PLACE,
    ),
    row(
        "modal",
        {"type": "table", "rows": [[CELL]]},
        "[ERROR] unsupported type: table [json-pointer:/blocks/0/type]",
        sdk=PLACE,
    ),
    row(
        "home",
        {"type": "alert", "text": plain("x")},
        "[ERROR] unsupported type: alert [json-pointer:/blocks/0/type]",
        sdk=PLACE,
    ),
    row(
        "home",
        {"type": "plan", "title": "p", "tasks": []},
        "[ERROR] unsupported type: plan [json-pointer:/blocks/0/type]",
        sdk=PLACE,
    ),
    row(
        "message",
        {"type": "header", "text": mrkdwn("h")},
        "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        sdk=KIND,
        slackblocks=CONVERTS,
    ),
    row(
        "message",
        {"type": "header", "text": plain("h" * 151)},
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    row(
        "message",
        {"type": "header", "text": plain("R&D " * 37)},
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        sdk=ESCAPED,
        slackblocks=ESCAPED,
    ),
    row("message", {"type": "header"}, "[ERROR] missing required field: text [json-pointer:/blocks/0]"),
    row(
        "message",
        {"type": "header", "text": plain("h"), "level": 5},
        "[ERROR] must be an integer between 1 and 4 [json-pointer:/blocks/0/level]",
        sdk=LIMIT,
    ),
    row("message", section("s" * 3001), "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    row(
        "message",
        section("a & b " * 500),
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        sdk=ESCAPED,
        slackblocks=ESCAPED,
    ),
    row(
        "message",
        section("x < y " * 500),
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        sdk=ESCAPED,
        slackblocks=ESCAPED,
    ),
    row("message", section(""), "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]", sdk=EMPTY),
    row("message", {"type": "section"}, "[ERROR] must have at least one of: text, fields [json-pointer:/blocks/0]"),
    row(
        "message",
        {"type": "section", "text": "words alone"},
        "[ERROR] must be an object [json-pointer:/blocks/0/text]",
        sdk=KIND,
        slackblocks=CONVERTS,
    ),
    row(
        "message",
        section(fields=[plain("f")] * 11),
        "[ERROR] no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    row(
        "message",
        section(fields=[plain("f" * 2001)]),
        "[ERROR] must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
        sdk=LIMIT,
    ),
    row(
        "message",
        section(colour="red"),
        "[ERROR] invalid additional property: colour [json-pointer:/blocks/0]",
        sdk=DROPS,
    ),
    row(
        "message",
        {"type": "section", "text": {"type": "plain_text", "text": "x", "verbatim": True}},
        "[ERROR] invalid additional property: verbatim [json-pointer:/blocks/0/text]",
    ),
    row(
        "message",
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}},
        "[ERROR] invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    row(
        "message",
        section(accessory=text_input()),
        "[ERROR] unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]",
        sdk=KIND,
        slackblocks=KIND,
    ),
    row(
        "message",
        section(accessory=button("a", value="v" * 2001)),
        "[ERROR] must be less than 2001 characters [json-pointer:/blocks/0/accessory/value]",
    ),
    row(
        "message",
        section(accessory=button("a", style="success")),
        "[ERROR] must be a valid enum value: primary, danger [json-pointer:/blocks/0/accessory/style]",
        slackblocks=CONVERTS,
    ),
    row(
        "message",
        section(accessory=button("a", url="u" * 3001)),
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/accessory/url]",
    ),
    row(
        "message",
        section(accessory=button("a", accessibility_label="l" * 76)),
        "[ERROR] must be less than 76 characters [json-pointer:/blocks/0/accessory/accessibility_label]",
    ),
    row(
        "message",
        section(accessory={**button("a"), "action_id": "a" * 256}),
        "[ERROR] must be less than 256 characters [json-pointer:/blocks/0/accessory/action_id]",
    ),
    row(
        "message",
        section(block_id="b" * 256),
        "[ERROR] must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    row(
        "message",
        actions(*[button(f"a{index}") for index in range(26)]),
        "[ERROR] no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    row(
        "message",
        actions(),
        "[ERROR] no fewer than 1 items allowed [json-pointer:/blocks/0/elements]",
        sdk=EMPTY,
        slackblocks=EMPTY,
    ),
    row(
        "message",
        actions(button("a"), button("a")),
        "[ERROR] `action_id` must be unique within a block [json-pointer:/blocks/0]",
        sdk=WHOLE,
        slackblocks=WHOLE,
    ),
    row(
        "message",
        actions({"type": "button", "text": plain("b" * 76)}),
        "[ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    row(
        "message",
        actions({"type": "button", "text": mrkdwn("b")}),
        "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
        sdk=KIND,
        slackblocks=CONVERTS,
    ),
    row(
        "message",
        actions(text_input()),
        "[ERROR] unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
        sdk=KIND,
        slackblocks=KIND,
    ),
    row(
        "message",
        actions({"type": "overflow", "action_id": "m", "options": options(6)}),
        "[ERROR] no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    row(
        "message",
        actions(button("a", confirm={**CONFIRM, "title": plain("t" * 101)})),
        "[ERROR] must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
    ),
    row(
        "message",
        actions(button("a", confirm={**CONFIRM, "text": plain("t" * 301)})),
        "[ERROR] must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
    ),
    row(
        "message",
        actions(button("a", confirm={**CONFIRM, "deny": plain("t" * 31)})),
        "[ERROR] must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]",
    ),
    row(
        "message",
        actions(button("a", confirm={"title": plain("t")})),
        "[ERROR] missing required field: text [json-pointer:/blocks/0/elements/0/confirm]",
        "[ERROR] missing required field: confirm [json-pointer:/blocks/0/elements/0/confirm]",
        "[ERROR] missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    row(
        "message",
        actions({"type": "datepicker", "action_id": "d", "placeholder": plain("p" * 151)}),
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]",
    ),
    row(
        "message",
        {"type": "context", "elements": [plain("x")] * 11},
        "[ERROR] no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    row(
        "message",
        {"type": "context", "elements": [button("a")]},
        "[ERROR] unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        sdk=KIND,
    ),
    row(
        "message",
        {"type": "image", "image_url": "https://example.com/a.png"},
        "[ERROR] missing required field: alt_text [json-pointer:/blocks/0]",
        slackblocks=CONVERTS,
    ),
    row(
        "message",
        {**IMAGE, "image_url": "h" * 3001},
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/image_url]",
    ),
    row(
        "message",
        {**IMAGE, "slack_file": {"id": "F1"}},
        "[ERROR] must have exactly one of: image_url, slack_file [json-pointer:/blocks/0]",
        sdk=WHOLE,
    ),
    row(
        "message",
        {"type": "markdown", "text": "m" * 12_001},
        "[ERROR] must be less than 12001 characters [json-pointer:/blocks/0/text]",
    ),
    row(
        "message",
        {"type": "table", "rows": [[CELL]] * 101},
        "[ERROR] no more than 100 items allowed [json-pointer:/blocks/0/rows]",
        sdk=LIMIT,
    ),
    row(
        "message",
        {"type": "table", "rows": [[CELL] * 21]},
        "[ERROR] no more than 20 items allowed [json-pointer:/blocks/0/rows/0]",
        sdk=LIMIT,
    ),
    row(
        "message",
        {"type": "data_table", "caption": "c", "rows": [[CELL], [CELL, CELL]]},
        "[ERROR] all rows must have the same number of columns [json-pointer:/blocks/0/rows]",
    ),
    row(
        "message",
        {"type": "data_table", "caption": "c", "rows": [[CELL]]},
        "[ERROR] no fewer than 2 items allowed [json-pointer:/blocks/0/rows]",
    ),
    row(
        "message",
        {"type": "data_visualization", "title": "t" * 51, "chart": PIE},
        "[ERROR] must be less than 51 characters [json-pointer:/blocks/0/title]",
    ),
    row(
        "message",
        {"type": "card", "subtitle": plain("s")},
        "[ERROR] must have at least one of: hero_image, title, actions, body [json-pointer:/blocks/0]",
    ),
    row(
        "message",
        {"type": "card", "body": plain("b" * 201)},
        "[ERROR] must be less than 201 characters [json-pointer:/blocks/0/body/text]",
    ),
    row(
        "message",
        {"type": "card", "title": plain("t"), "actions": [button(f"a{index}") for index in range(4)]},
        "[ERROR] no more than 3 items allowed [json-pointer:/blocks/0/actions]",
        sdk=LIMIT,
    ),
    row(
        "message",
        {"type": "carousel", "elements": [CARD] * 11},
        "[ERROR] no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    row(
        "message",
        {"type": "container", "child_blocks": [section()]},
        "[ERROR] must have at least one of: title, rich_text_title [json-pointer:/blocks/0]",
    ),
    row(
        "message",
        {"type": "container", "title": plain("t"), "child_blocks": [{"type": "markdown", "text": "m"}]},
        "[ERROR] unsupported type: markdown [json-pointer:/blocks/0/child_blocks/0/type]",
        sdk=KIND,
    ),
    row(
        "message",
        {"type": "context_actions", "elements": [button("a")]},
        "[ERROR] unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        sdk=KIND,
    ),
    row(
        "message",
        {"type": "task_card", "task_id": "1", "title": "t", "status": "pending"},
        "[ERROR] only the tasks of a plan may be pending [json-pointer:/blocks/0/status]",
        sdk=PLACE,
    ),
    row(
        "message",
        {"type": "plan", "title": "p", "tasks": [TASK, TASK]},
        "[ERROR] `task_id` must be unique within a plan [json-pointer:/blocks/0/tasks]",
        sdk=WHOLE,
    ),
    row(
        "message",
        {**VIDEO, "title": plain("t" * 201)},
        "[ERROR] must be less than 201 characters [json-pointer:/blocks/0/title/text]",
    ),
    row(
        "message",
        rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}),
        "[ERROR] unsupported type: user [json-pointer:/blocks/0/elements/0/elements/0/type]",
        sdk=KIND,
    ),
    row(
        "message",
        rich(line({"type": "mrkdwn", "text": "x"})),
        "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/elements/0/type]",
        sdk=KIND,
    ),
    row(
        "message",
        rich(line({"type": "text", "text": ""})),
        "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
        sdk=EMPTY,
    ),
    row(
        "message",
        rich({"type": "rich_text_list", "style": "dashes", "elements": [line(TEXT)]}),
        "[ERROR] must be a valid enum value: bullet, ordered [json-pointer:/blocks/0/elements/0/style]",
        sdk=KIND,
    ),
    row(
        "modal",
        field("f", text_input(max_length=3001)),
        "[ERROR] must be an integer between 1 and 3000 [json-pointer:/blocks/0/element/max_length]",
        sdk=LIMIT,
    ),
    row(
        "modal",
        field("f", text_input(initial_value="i" * 3001)),
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/element/initial_value]",
        sdk=LIMIT,
        slackblocks=LIMIT,
    ),
    row(
        "modal",
        field("f", text_input(max_length=2, initial_value="iii")),
        "[ERROR] must be less than 3 characters [json-pointer:/blocks/0/element/initial_value]",
        sdk=WHOLE,
        slackblocks=WHOLE,
    ),
    row(
        "modal",
        field("f", text_input(min_length=5, max_length=2)),
        "[ERROR] must not be greater than max_length [json-pointer:/blocks/0/element/min_length]",
        sdk=WHOLE,
    ),
    row(
        "modal",
        field("f", {"type": "number_input"}),
        "[ERROR] missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]",
        sdk=EMPTY,
    ),
    row(
        "modal",
        field("f", {"type": "number_input", "is_decimal_allowed": True, "min_value": 1}),
        "[ERROR] must be a string that represents a number [json-pointer:/blocks/0/element/min_value]",
        sdk=KIND,
        slackblocks=KIND,
    ),
    row("modal", field("f", button("a")), "[ERROR] unsupported type: button [json-pointer:/blocks/0/element/type]"),
    row(
        "modal",
        field("f", {"type": "static_select", "options": options(101)}),
        "[ERROR] no more than 100 items allowed [json-pointer:/blocks/0/element/options]",
    ),
    row(
        "modal",
        field("f", {"type": "static_select", "options": options(1, "v" * 150)}),
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/element/options/0/value]",
        sdk=LIMIT,
    ),
    row(
        "modal",
        field("f", {"type": "static_select", "options": [{"text": plain("t" * 76), "value": "v"}]}),
        "[ERROR] must be less than 76 characters [json-pointer:/blocks/0/element/options/0/text/text]",
        sdk=LIMIT,
    ),
    row(
        "modal",
        field("f", {"type": "static_select", "options": [*options(1), *options(1)]}),
        "[ERROR] option values must be unique [json-pointer:/blocks/0/element]",
        sdk=WHOLE,
        slackblocks=WHOLE,
    ),
    row(
        "modal",
        field("f", {"type": "static_select"}),
        "[ERROR] must have exactly one of: options, option_groups [json-pointer:/blocks/0/element]",
        slackblocks=EMPTY,
    ),
    row(
        "modal",
        field("f", select(initial_option={"text": plain("other"), "value": "o"})),
        "[ERROR] initial option must match exactly one of the options [json-pointer:/blocks/0/element]",
        sdk=WHOLE,
        slackblocks=WHOLE,
    ),
    row(
        "modal",
        field("f", {"type": "checkboxes", "options": options(11)}),
        "[ERROR] no more than 10 items allowed [json-pointer:/blocks/0/element/options]",
        sdk=LIMIT,
    ),
    row(
        "modal",
        field("f", {"type": "datepicker", "initial_date": "23.11.2026"}),
        "[ERROR] must be a date in the format YYYY-MM-DD [json-pointer:/blocks/0/element/initial_date]",
    ),
    row(
        "modal",
        field("f", {"type": "timepicker", "initial_time": "24:00"}),
        "[ERROR] must be a time in the format HH:mm [json-pointer:/blocks/0/element/initial_time]",
    ),
    row(
        "modal",
        field("f", {"type": "file_input", "max_files": 11}),
        "[ERROR] must be an integer between 1 and 10 [json-pointer:/blocks/0/element/max_files]",
        sdk=LIMIT,
    ),
    row(
        "modal",
        {"type": "input", "label": mrkdwn("l"), "element": text_input()},
        "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/0/label/type]",
        sdk=KIND,
        slackblocks=CONVERTS,
    ),
    row(
        "modal",
        {"type": "input", "label": plain("l" * 2001), "element": text_input()},
        "[ERROR] must be less than 2001 characters [json-pointer:/blocks/0/label/text]",
    ),
    row(
        "modal",
        {"type": "input", "label": plain("l")},
        "[ERROR] missing required field: element [json-pointer:/blocks/0]",
    ),
    row(
        "view",
        modal(section(), title=plain("t" * 25)),
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]",
    ),
    row(
        "view",
        modal(section(), submit=plain("s" * 25)),
        "[ERROR] must be less than 25 characters [json-pointer:/view/submit/text]",
    ),
    row(
        "view",
        modal(section(), close=plain("c" * 25)),
        "[ERROR] must be less than 25 characters [json-pointer:/view/close/text]",
    ),
    row(
        "view",
        modal(section(), private_metadata="p" * 3001),
        "[ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    row(
        "view",
        modal(section(), callback_id="c" * 256),
        "[ERROR] must be less than 256 characters [json-pointer:/view/callback_id]",
    ),
    row(
        "view",
        modal(section(), colour="red"),
        "[ERROR] invalid additional property: colour [json-pointer:/view]",
        sdk=DROPS,
    ),
    row("view", modal(*[section()] * 101), "[ERROR] no more than 100 items allowed [json-pointer:/view/blocks]"),
    row(
        "view",
        {"type": "modal", "title": plain("t"), "blocks": [field("f", text_input())]},
        "[ERROR] `submit` is required when a view has an input block [json-pointer:/view]",
        sdk=WHOLE,
    ),
    row(
        "view",
        {"type": "modal", "blocks": [section()]},
        "[ERROR] missing required field: title [json-pointer:/view]",
        sdk=EMPTY,
    ),
    row("view", {"type": "modal", "title": plain("t")}, "[ERROR] missing required field: blocks [json-pointer:/view]"),
    row(
        "view",
        modal(section(block_id="b"), section(block_id="b")),
        "[ERROR] `block_id` b already exists [json-pointer:/view/blocks/1/block_id]",
        sdk=WHOLE,
    ),
    row(
        "view",
        modal(field("f", text_input(focus_on_load=True)), field("g", text_input(focus_on_load=True))),
        "[ERROR] only one element may have `focus_on_load` [json-pointer:/view/blocks]",
        sdk=WHOLE,
    ),
    row(
        "view",
        {"type": "home", "title": plain("t"), "blocks": []},
        "[ERROR] invalid additional property: title [json-pointer:/view]",
    ),
]
