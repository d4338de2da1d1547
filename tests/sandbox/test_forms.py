"""A form field holds what a person would have left in it, and Slack's client refuses what it would refuse."""

from typing import Any

import pytest

from sandbox.forms import complaint, filled, initial
from sandbox.typed_text import escaped, typed
from tests.sandbox.stock_app import plain

Json = dict[str, Any]
OPTIONS = [{"text": plain(name), "value": name} for name in ("red", "blue")]

UNTOUCHED: list[tuple[Json, Any]] = [
    ({"type": "plain_text_input", "initial_value": "a\nb"}, {"value": "a\nb"}),
    ({"type": "plain_text_input"}, {"value": None}),
    ({"type": "number_input", "initial_value": "1.50"}, {"value": "1.50"}),
    ({"type": "datepicker", "initial_date": "2026-01-02"}, {"selected_date": "2026-01-02"}),
    ({"type": "timepicker", "initial_time": "09:30"}, {"selected_time": "09:30"}),
    ({"type": "datetimepicker", "initial_date_time": 1700000000}, {"selected_date_time": 1700000000}),
    ({"type": "static_select", "options": OPTIONS, "initial_option": OPTIONS[1]}, {"selected_option": OPTIONS[1]}),
    ({"type": "static_select", "options": OPTIONS}, {"selected_option": None}),
    ({"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[0]}, {"selected_option": OPTIONS[0]}),
    ({"type": "checkboxes", "options": OPTIONS, "initial_options": OPTIONS}, {"selected_options": OPTIONS}),
    ({"type": "multi_static_select", "options": OPTIONS}, {"selected_options": []}),
    ({"type": "users_select", "initial_user": "U1"}, {"selected_user": "U1"}),
    ({"type": "multi_users_select", "initial_users": ["U1"]}, {"selected_users": ["U1"]}),
    ({"type": "conversations_select", "initial_conversation": "C1"}, {"selected_conversation": "C1"}),
]


@pytest.mark.parametrize(("element", "expected"), UNTOUCHED, ids=[row[0]["type"] for row in UNTOUCHED])
def test_an_untouched_field_returns_its_initial_value(element: Json, expected: Json) -> None:
    assert initial(element) == {"type": element["type"], **expected}


FILLED: list[tuple[Json, Any, Json]] = [
    ({"type": "plain_text_input", "multiline": True}, "a\nb", {"value": "a\nb"}),
    ({"type": "plain_text_input"}, "a\nb", {"value": "a b"}),
    ({"type": "plain_text_input"}, "", {"value": None}),
    ({"type": "number_input"}, 2.5, {"value": "2.5"}),
    ({"type": "static_select", "options": OPTIONS}, "blue", {"selected_option": OPTIONS[1]}),
    ({"type": "static_select", "options": OPTIONS}, 0, {"selected_option": OPTIONS[0]}),
    ({"type": "static_select", "options": OPTIONS}, OPTIONS[1], {"selected_option": OPTIONS[1]}),
    ({"type": "checkboxes", "options": OPTIONS}, ["red"], {"selected_options": [OPTIONS[0]]}),
    ({"type": "multi_users_select"}, ["U1", "U2"], {"selected_users": ["U1", "U2"]}),
    ({"type": "datetimepicker"}, 1700000000, {"selected_date_time": 1700000000}),
]


@pytest.mark.parametrize(("element", "value", "expected"), FILLED, ids=range(len(FILLED)))
def test_a_plain_value_becomes_slacks_shape(element: Json, value: Any, expected: Json) -> None:
    assert filled(element, value) == {"type": element["type"], **expected}


@pytest.mark.parametrize("value", ["green", 2, {"value": "green"}, -1])
def test_an_option_that_is_not_offered_cannot_be_chosen(value: Any) -> None:
    with pytest.raises(ValueError, match="there is no option"):
        filled({"type": "static_select", "options": OPTIONS}, value)


COMPLAINTS: list[tuple[Json, Any, bool]] = [
    ({"type": "plain_text_input"}, None, True),
    ({"type": "plain_text_input", "min_length": 3}, "ab", True),
    ({"type": "plain_text_input", "max_length": 3}, "abcd", True),
    ({"type": "plain_text_input", "max_length": 3}, "abc", False),
    ({"type": "number_input", "is_decimal_allowed": False}, "1.5", True),
    ({"type": "number_input", "is_decimal_allowed": True, "max_value": "2"}, "2.01", True),
    ({"type": "number_input", "is_decimal_allowed": True, "min_value": "-1"}, "-1.0", False),
    ({"type": "number_input", "is_decimal_allowed": True}, "12e3", True),
    ({"type": "email_text_input"}, "ana", True),
    ({"type": "email_text_input"}, "ana@example.com", False),
    ({"type": "url_text_input"}, "javascript:alert(1)", True),
    ({"type": "url_text_input"}, "https://example.com/a", False),
    ({"type": "checkboxes", "options": OPTIONS}, [], True),
    ({"type": "multi_users_select", "max_selected_items": 1}, ["U1", "U2"], True),
]


@pytest.mark.parametrize(("element", "value", "refused"), COMPLAINTS, ids=range(len(COMPLAINTS)))
def test_slacks_client_refuses_what_does_not_fit(element: Json, value: Any, refused: bool) -> None:
    assert bool(complaint({"element": element}, filled(element, value))) is refused


def test_an_optional_field_may_stay_empty() -> None:
    element = {"type": "plain_text_input"}
    assert complaint({"element": element, "optional": True}, initial(element)) == ""


def test_typed_text_is_escaped_but_mentions_and_links_stay() -> None:
    text = "a & b <c> <@U0SIGNOFF> <https://e.com?x=1> <!subteam^S1>"
    assert escaped(text) == "a &amp; b &lt;c&gt; <@U0SIGNOFF> <https://e.com?x=1> <!subteam^S1>"
    kinds = [element["type"] for element in typed(text)["elements"][0]["elements"]]
    assert kinds == ["text", "user", "text", "link", "text", "usergroup"]
