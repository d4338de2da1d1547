"""Block Kit is accepted and refused with Slack's limits, and the refusal points at what is wrong."""

from typing import Any

import pytest

from sandbox.blocks import Surface, check_blocks, text_length
from sandbox.views import check_view, is_too_large
from tests.sandbox.stock_app import actions, button, field, modal, plain, text_input

Json = dict[str, Any]


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
ELSEWHERE: Json = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
TEXT: Json = {"type": "text", "text": "x"}

GOOD: list[tuple[Surface, Json]] = [
    ("message", {"type": "header", "text": plain("h" * 150)}),
    ("message", section("s" * 3000)),
    ("message", section(fields=[mrkdwn("f" * 2000)] * 5)),
    ("message", {"type": "section", "fields": [plain("f")] * 10}),
    ("message", section(accessory=button("a", confirm=CONFIRM, style="danger", value="v" * 2000))),
    ("message", section(accessory=select(placeholder=plain("Choose")))),
    ("message", section(text="x", expand=True)),
    ("message", {"type": "section", "text": mrkdwn("x", verbatim=True)}),
    ("message", {"type": "context", "elements": [mrkdwn("x"), plain("y"), ELSEWHERE]}),
    ("message", actions(*[button(f"a{index}") for index in range(25)])),
    ("message", actions({"type": "overflow", "action_id": "more", "options": options(5)})),
    ("message", actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-11-23"})),
    ("message", {"type": "divider"}),
    ("message", {**ELSEWHERE, "title": plain("t")}),
    ("message", {"type": "markdown", "text": "m" * 12_000}),
    ("message", {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}, rich(line(TEXT))]] * 100}),
    ("message", {"type": "card", "title": mrkdwn("t"), "body": mrkdwn("b" * 200), "actions": [button("a")]}),
    ("message", rich(line(TEXT, {"type": "user", "user_id": "U1"}, {"type": "link", "url": "https://e.com"}))),
    ("message", rich({"type": "rich_text_preformatted", "elements": [TEXT], "border": 0})),
    ("message", rich({"type": "rich_text_quote", "elements": [{"type": "emoji", "name": "wave"}]})),
    ("message", rich({"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [line(TEXT)]})),
    ("message", rich(line({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "then"}))),
    ("message", rich(line({"type": "text", "text": "b", "style": {"bold": True, "code": True}}))),
    ("modal", {"type": "alert", "level": "warning", "text": mrkdwn("careful")}),
    ("modal", field("f", text_input(multiline=True, min_length=0, max_length=3000, initial_value="i" * 3000))),
    ("modal", field("f", {"type": "number_input", "is_decimal_allowed": False, "min_value": "-1.5"})),
    ("modal", field("f", {"type": "email_text_input"}, optional=True, hint=plain("h"))),
    ("modal", field("f", {"type": "url_text_input"}, dispatch_action=True)),
    ("modal", field("f", {"type": "datetimepicker", "initial_date_time": 1_700_000_000})),
    ("modal", field("f", {"type": "timepicker", "initial_time": "09:30"})),
    ("modal", field("f", {"type": "multi_static_select", "options": options(100), "max_selected_items": 3})),
    ("modal", field("f", {"type": "static_select", "option_groups": [{"label": plain("g"), "options": options(1)}]})),
    ("modal", field("f", {"type": "checkboxes", "options": options(10), "initial_options": options(1)})),
    ("modal", field("f", {"type": "radio_buttons", "options": options(2), "initial_option": options(1)[0]})),
    ("modal", field("f", {"type": "users_select", "initial_user": "U1"})),
    ("modal", field("f", {"type": "multi_users_select", "initial_users": ["U1"]})),
    ("modal", field("f", {"type": "conversations_select", "filter": {"include": ["im"]}})),
    ("modal", field("f", {"type": "channels_select"})),
    ("home", section()),
]

BAD: list[tuple[Surface, Json, str]] = [
    ("message", {"type": "unheard_of"}, "/blocks/0/type"),
    ("message", {"type": "video", "alt_text": "v"}, "/blocks/0/type"),
    ("message", {"type": "alert", "text": plain("x")}, "/blocks/0/type"),
    ("modal", {"type": "markdown", "text": "m"}, "/blocks/0/type"),
    ("modal", {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}]]}, "/blocks/0/type"),
    ("message", {"type": "header", "text": mrkdwn("h")}, "/blocks/0/text/type"),
    ("message", {"type": "header", "text": plain("h" * 151)}, "/blocks/0/text/text"),
    ("message", {"type": "header"}, "/blocks/0"),
    ("message", section("s" * 3001), "/blocks/0/text/text"),
    ("message", section(""), "/blocks/0/text/text"),
    ("message", {"type": "section"}, "/blocks/0"),
    ("message", section(fields=[plain("f")] * 11), "/blocks/0/fields"),
    ("message", section(fields=[plain("f" * 2001)]), "/blocks/0/fields/0/text"),
    ("message", section(colour="red"), "/blocks/0"),
    ("message", {"type": "section", "text": {"type": "plain_text", "text": "x", "verbatim": True}}, "/blocks/0/text"),
    ("message", section(accessory=text_input()), "/blocks/0/accessory/type"),
    ("message", section(accessory=button("a", value="v" * 2001)), "/blocks/0/accessory/value"),
    ("message", section(accessory=button("a", style="success")), "/blocks/0/accessory/style"),
    ("message", section(accessory={**button("a"), "action_id": "a" * 256}), "/blocks/0/accessory/action_id"),
    ("message", section(block_id="b" * 256), "/blocks/0/block_id"),
    ("message", actions(*[button(f"a{index}") for index in range(26)]), "/blocks/0/elements"),
    ("message", actions(), "/blocks/0/elements"),
    ("message", actions(button("a"), button("a")), "/blocks/0"),
    ("message", actions({"type": "button", "text": plain("b" * 76)}), "/blocks/0/elements/0/text/text"),
    ("message", actions({"type": "overflow", "action_id": "m", "options": options(6)}), "/blocks/0/elements/0/options"),
    ("message", actions(button("a", confirm={**CONFIRM, "title": plain("t" * 101)})),
     "/blocks/0/elements/0/confirm/title/text"),
    ("message", {"type": "context", "elements": [plain("x")] * 11}, "/blocks/0/elements"),
    ("message", {"type": "context", "elements": [button("a")]}, "/blocks/0/elements/0/type"),
    ("message", {**ELSEWHERE, "image_url": "h" * 3001}, "/blocks/0/image_url"),
    ("message", {"type": "markdown", "text": "m" * 12_001}, "/blocks/0/text"),
    ("message", {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}]] * 101}, "/blocks/0/rows"),
    ("message", {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}] * 21]}, "/blocks/0/rows/0"),
    ("message", {"type": "card", "subtitle": plain("s")}, "/blocks/0"),
    ("message", {"type": "card", "body": plain("b" * 201)}, "/blocks/0/body/text"),
    ("message", rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}),
     "/blocks/0/elements/0/elements/0/type"),
    ("message", rich(line({"type": "mrkdwn", "text": "x"})), "/blocks/0/elements/0/elements/0/type"),
    ("message", rich(line({"type": "text", "text": ""})), "/blocks/0/elements/0/elements/0/text"),
    ("modal", field("f", text_input(max_length=3001)), "/blocks/0/element/max_length"),
    ("modal", field("f", text_input(initial_value="i" * 3001)), "/blocks/0/element/initial_value"),
    ("modal", field("f", text_input(max_length=2, initial_value="iii")), "/blocks/0/element/initial_value"),
    ("modal", field("f", {"type": "number_input"}), "/blocks/0/element"),
    ("modal", field("f", {"type": "number_input", "is_decimal_allowed": True, "min_value": 1}),
     "/blocks/0/element/min_value"),
    ("modal", field("f", button("a")), "/blocks/0/element/type"),
    ("modal", field("f", {"type": "static_select", "options": options(101)}), "/blocks/0/element/options"),
    ("modal", field("f", {"type": "static_select", "options": options(1, "v" * 150)}),
     "/blocks/0/element/options/0/value"),
    ("modal", field("f", {"type": "static_select"}), "/blocks/0/element"),
    ("modal", field("f", select(initial_option={"text": plain("other"), "value": "o"})), "/blocks/0/element"),
    ("modal", field("f", {"type": "checkboxes", "options": options(11)}), "/blocks/0/element/options"),
    ("modal", field("f", {"type": "datepicker", "initial_date": "23.11.2026"}), "/blocks/0/element/initial_date"),
    ("modal", {"type": "input", "label": mrkdwn("l"), "element": text_input()}, "/blocks/0/label/type"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("surface", "block"), GOOD, ids=lambda value: value if isinstance(value, str) else value["type"]
)
def test_a_block_at_its_limits_is_accepted(surface: Surface, block: Json) -> None:
    assert check_blocks([block], surface) == []


@pytest.mark.parametrize(
    ("surface", "block", "pointer"), BAD, ids=[f"{index}-{row[2]}" for index, row in enumerate(BAD)]
)
def test_a_block_beyond_its_limits_is_refused_where_it_is_wrong(surface: Surface, block: Json, pointer: str) -> None:
    assert [fault.pointer for fault in check_blocks([block], surface)] == [pointer]


def test_a_message_holds_fifty_blocks_and_a_view_a_hundred() -> None:
    assert check_blocks([section()] * 50, "message") == []
    assert [fault.words for fault in check_blocks([section()] * 51, "message")] == ["no more than 50 items allowed"]
    assert check_blocks([section()] * 100, "modal") == []
    assert check_blocks([section()] * 101, "modal")


def test_a_block_id_may_stand_once() -> None:
    twice = [section(block_id="b"), section(block_id="b")]
    assert [fault.pointer for fault in check_blocks(twice, "message")] == ["/blocks/1/block_id"]


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    assert check_blocks([actions(button("a"), block_id="1"), actions(button("a"), block_id="2")], "message") == []


def test_a_fault_reads_as_slack_writes_it() -> None:
    (fault,) = check_blocks([section("s" * 3001)], "message")
    assert fault.as_slack() == "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"


def test_text_is_counted_over_all_blocks() -> None:
    assert text_length([section("12345"), rich(line(TEXT, TEXT)), actions(button("ab"))]) == 5 + 2 + 2


VIEWS_BAD: list[Json] = [
    modal(section(), title=plain("t" * 25)),
    modal(section(), submit=plain("s" * 25)),
    modal(section(), private_metadata="p" * 3001),
    modal(section(), callback_id="c" * 256),
    modal(section(), colour="red"),
    {"type": "modal", "title": plain("t"), "blocks": [field("f", text_input())]},
    {"type": "modal", "blocks": [section()]},
    modal(field("f", text_input(focus_on_load=True)), field("g", text_input(focus_on_load=True))),
]


@pytest.mark.parametrize("view", VIEWS_BAD, ids=range(len(VIEWS_BAD)))
def test_a_view_beyond_its_limits_is_refused(view: Json) -> None:
    assert check_view(view, "modal")


def test_a_view_at_its_limits_is_accepted() -> None:
    assert check_view(modal(section(), title=plain("t" * 24), private_metadata="p" * 3000), "modal") == []
    assert check_view({"type": "home", "blocks": [section()]}, "home") == []


def test_a_view_above_a_quarter_megabyte_is_too_large() -> None:
    assert is_too_large(modal(*[section("x" * 3000)] * 90))
    assert not is_too_large(modal(*[section("x" * 3000)] * 80))
