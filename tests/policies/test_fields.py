"""A form never lies: kinds follow schema and values; what a form can't hold or may not show is locked."""

from __future__ import annotations

from typing import Any

import pytest

from policies.edits import apply_edits
from policies.fields import Field
from policies.form_building import MAX_FIELDS, build_form
from tests.policies.test_redaction import SECRETS

KEY = b"installation"
ITEM = {"$ref": "#/$defs/Speed"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "payee"],
    "properties": {
        "amount": {"type": "number", "minimum": 1, "maximum": 500, "description": "In euros."},
        "payee": {"type": "string", "maxLength": 60},
        "body": {"type": "string", "maxLength": 9000},
        "count": {"type": "integer", "exclusiveMinimum": 0},
        "urgent": {"type": "boolean"},
        "speed": ITEM,
        "days": {"type": "array", "items": ITEM},
        "on": {"type": "string", "format": "date"},
        "to": {"type": "array", "items": {"type": "string"}},
        "extra": {"type": "object"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "level": {"oneOf": [{"const": 1, "title": "Low"}, {"const": 2, "title": "High"}]},
    },
    "$defs": {"Speed": {"enum": ["slow", "fast", 1, "1", True]}},
}


def form_fields(schema: dict[str, Any] | None, arguments: dict[str, Any], *, key: bytes) -> tuple[Field, ...]:
    return build_form(schema, arguments, key=key).fields


def one(name: str, arguments: dict[str, Any], schema: dict[str, Any] | None = SCHEMA) -> Field:
    return next(field for field in form_fields(schema, arguments, key=KEY) if field.name == name)


@pytest.mark.parametrize(
    ("name", "value", "kind", "shown", "selected"),
    [
        ("amount", 5, "number", "5", ()),
        ("amount", 1.0, "number", "1", ()),
        ("amount", "five", "json", '"five"', ()),
        ("amount", True, "json", "true", ()),
        ("payee", "Ana", "text", "Ana", ()),
        ("payee", "A\nB", "long_text", "A\nB", ()),
        ("payee", None, "json", "null", ()),
        ("body", "x", "long_text", "x", ()),
        ("count", 3, "integer", "3", ()),
        ("count", 3.5, "json", "3.5", ()),
        ("urgent", False, "boolean", "", (1,)),
        ("speed", "fast", "enum", "", (1,)),
        ("speed", 1, "enum", "", (2,)),
        ("speed", "1", "enum", "", (3,)),
        ("speed", True, "enum", "", (4,)),
        ("speed", 1.0, "json", "1.0", ()),
        ("days", ["fast", "slow"], "multi_enum", "", (1, 0)),
        ("days", ["fast", "fast"], "json", '[\n  "fast",\n  "fast"\n]', ()),
        ("on", "2026-02-28", "date", "2026-02-28", ()),
        ("on", "soon", "json", '"soon"', ()),
        ("to", ["ana", "bo "], "list", "ana\nbo ", ()),
        ("to", ["a\nb", 1], "json", '[\n  "a\\nb",\n  1\n]', ()),
        ("extra", {}, "json", "{}", ()),
        ("note", None, "text", "", ()),
        ("note", "x", "text", "x", ()),
        ("level", 2, "enum", "", (1,)),
        ("unknown", "x", "text", "x", ()),
        ("unknown", [1, -0.5], "numbers", "1\n-0.5", ()),
        ("unknown", [1, 2.0], "json", "[\n  1,\n  2.0\n]", ()),
        ("unknown", [1, True], "json", "[\n  1,\n  true\n]", ()),
        ("unknown", ["x"], "list", "x", ()),
        ("unknown", True, "boolean", "", (0,)),
    ],
)
def test_kind_and_start_follow_the_schema_where_the_value_fits_it(
    name: str, value: Any, kind: str, shown: str, selected: tuple[int, ...]
) -> None:
    field = one(name, {name: value})
    assert (field.kind.value, field.shown, field.selected) == (kind, shown, selected)
    assert field.present
    assert not field.locked


def test_absent_arguments_have_a_field_that_says_so() -> None:
    fields = form_fields(SCHEMA, {}, key=KEY)
    assert [field.name for field in fields] == list(SCHEMA["properties"])
    assert not any(field.present or field.shown or field.selected for field in fields)
    assert [field.name for field in fields if field.required] == ["amount", "payee"]


def test_words_and_limits_come_from_the_schema() -> None:
    field = one("amount", {"amount": 5})
    assert (field.label, field.hint) == ("Amount", "In euros.\nat least 1; at most 500")
    assert (field.minimum, field.maximum) == (1, 500)
    assert one("count", {}).minimum == 1
    assert [choice.label for choice in one("level", {}).choices] == ["1 (Low)", "2 (High)"]
    assert [choice.label for choice in one("speed", {}).choices] == ["slow", "fast", "1", '"1"', "true"]


def test_limits_never_keep_an_untouched_value_from_being_submitted() -> None:
    assert one("amount", {"amount": 900}).maximum is None
    assert one("payee", {"payee": "x" * 80}).max_length == 80
    assert one("body", {"body": "x"}).max_length == 3000


def test_a_title_never_hides_the_name_that_the_tool_gets() -> None:
    schema: dict[str, Any] = {"properties": {"payee": {"type": "string", "title": "Memo"}, "a_b": {"title": "A B"}}}
    assert [field.label for field in form_fields(schema, {}, key=KEY)] == ["Memo (payee)", "A b"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("payee", "a\u202eb", "hidden characters"),
        ("payee", "a\rb", "hidden characters"),
        ("payee", "a\r\nb\nc", "two kinds of line ends"),
        ("to", ["a", "b\u200b"], "hidden characters"),
        ("unknown", [{"a\u200b": 1}, 1], "hidden characters"),
        ("unknown", [["x" * 2000, "y" * 2000]], "longer than"),
        ("payee", "🎉" * 11_000, "longer than"),
    ],
)
def test_what_a_form_cannot_hold_or_may_not_show_is_locked_with_the_reason(name: str, value: Any, words: str) -> None:
    field = one(name, {name: value})
    assert words in field.locked
    assert len(field.shown) <= 3000
    assert not {"\u202e", "\u200b", "\r"} & set(field.shown)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payee", "use " + SECRETS["github token"]),
        ("password", "hunter2"),
        ("unknown", [1, {"deep": [{"token": "abcdef"}]}]),
        ("payee", "x" * 4_000 + " " + SECRETS["github token"]),
        ("credentials", {"pin": 12345, "user": "ana"}),
        ("card_number", 4111111111111111),
    ],
)
def test_a_secret_is_an_empty_input_with_its_mask_beside_it(name: str, value: Any) -> None:
    field = one(name, {name: value})
    assert (field.shown, field.selected, field.locked) == ("", (), "")
    assert "[redacted " in field.masked
    assert field.sensitive
    for secret in ("hunter2", "abcdef", "12345", "4111111111111111", SECRETS["github token"]):
        assert secret not in str(field)


def test_windows_line_ends_can_be_edited() -> None:
    assert one("payee", {"payee": "a\r\nb"}).locked == ""


def test_everything_that_people_read_is_redacted_and_made_visible() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "a\u202eb": {"title": "t\u200b", "description": SECRETS["slack token"], "enum": ["x\u200b", "y"]}
        }
    }
    (field,) = form_fields(schema, {}, key=KEY)
    words = field.label + field.hint + "".join(choice.label for choice in field.choices)
    assert not {"\u202e", "\u200b"} & set(words)
    assert SECRETS["slack token"] not in words


def test_without_a_schema_the_values_decide_and_all_is_required() -> None:
    fields = form_fields(None, {"a": 1, "b": "x", "c": None}, key=KEY)
    assert [(field.kind.value, field.required) for field in fields] == [
        ("number", True),
        ("text", True),
        ("json", True),
    ]


def test_beyond_the_bound_one_field_holds_the_rest_and_the_call_comes_first() -> None:
    schema: dict[str, Any] = {"properties": {f"p{n}": {"type": "string"} for n in range(60)}, "required": ["p58"]}
    fields = form_fields(schema, {"p59": "x"}, key=KEY)
    assert len(fields) == MAX_FIELDS + 1
    assert [field.name for field in fields[:2]] == ["p59", "p58"]
    assert fields[-1].shown == ""
    assert len(fields[-1].covers) == 20
    edited = apply_edits(build_form(schema, {"p59": "x"}, key=KEY), {})
    assert edited.field_at("/" + fields[-1].covers[0] + "/x") == fields[-1].id


def test_a_fault_finds_its_field() -> None:
    edited = apply_edits(build_form({"properties": {"a/b": {}, "": {}}}, {}, key=KEY), {})
    assert [edited.field_at(path) for path in ("/a~1b/0", "/", "", "/none")] == ["0", "1", "", ""]


def test_an_option_too_long_for_a_list_makes_a_field_of_json_text() -> None:
    schema = {"type": "object", "properties": {"command": {"enum": ["list", "list" + " and " * 20 + "delete all"]}}}
    (field,) = form_fields(schema, {"command": "list"}, key=KEY)
    assert field.kind.value == "json"
    assert field.shown == '"list"'
