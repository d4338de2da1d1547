"""The shapes that real tools' schemas have: names of the call's own, more than fits, several types for one value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.edits import apply_edits
from policies.errors import Faulty
from policies.field_values import as_input, holds, read_pairs
from policies.fields import Field
from policies.form import Form
from policies.form_building import build_form
from policies.form_schema import Described, Kind

KEY = b"installation"
LABELS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


def form(part: dict[str, Any], value: Any, *, needed: bool = True) -> Form:
    schema = {"type": "object", "properties": {"x": part}, "required": ["x"] if needed else []}
    return build_form(schema, {} if value is None else {"x": value}, key=KEY)


def by_label(made: Form) -> dict[str, Field]:
    return {field.label: field for field in made.fields}


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text("ab: \n\u2028", max_size=4), st.text("ab: \n\r", max_size=4), max_size=3))
@example({"a:b": "c: d", "e": ""})
@example({"a: b": "c"})
@example({"a": "b\x85c"})
def test_names_with_texts_come_back_as_they_were_or_are_not_written_so(value: dict[str, str]) -> None:
    assert not holds(Kind.PAIRS, Described(), value) or read_pairs(as_input(Kind.PAIRS, value)) == value
    assert apply_edits(form(LABELS, value), {}).arguments == {"x": value}


def test_names_with_texts_are_edited_a_line_each() -> None:
    (field,) = form(LABELS, {"app.example/name": "web", "empty": ""}).fields
    assert (field.kind, field.shown) == (Kind.PAIRS, "app.example/name: web\nempty:")
    typed = "app.example/name: shop\n\n tier:  front: left "
    edited = apply_edits(form(LABELS, {"app.example/name": "web"}), {"0": typed}).arguments
    assert edited == {"x": {"app.example/name": "shop", "tier": "front: left"}}
    assert apply_edits(form(LABELS, {"a": "b"}), {"0": ""}).arguments == {"x": {}}
    assert apply_edits(form(LABELS, {"a": "b"}, needed=False), {"0": ""}).arguments == {}


@pytest.mark.parametrize("typed", ["no colon", "a:b", ": text", "a: 1\na: 2"])
def test_a_line_that_is_no_name_with_a_text_is_a_fault(typed: str) -> None:
    with pytest.raises(Faulty, match="each line"):
        apply_edits(form(LABELS, {"a": "b"}), {"0": typed})


def test_long_texts_with_names_have_a_field_each() -> None:
    made = form(LABELS, {"note": "two\nlines", "tier": "web"})
    assert [field.label for field in made.fields] == ["X › Note", "X › Tier", "X › Others"]
    assert apply_edits(made, {"0/1": "db"}).arguments == {"x": {"note": "two\nlines", "tier": "db"}}


def test_what_the_schema_leaves_open_has_the_fields_of_the_call_and_one_for_more() -> None:
    value = {"summary": "Broken", "project": {"key": "OPS"}, "links": [{"to": "A-1"}, {"to": "A-2"}]}
    made = form({"type": "object"}, value)
    fields = by_label(made)
    assert fields["X › Project › Key"].shown == "OPS"
    assert [entry.title for entry in made.entries] == ["X › Links 1 of 2", "X › Links 2 of 2"]
    more = fields["X › Others"]
    assert (more.shown, more.required) == ("", False)
    edited = apply_edits(made, {more.id: '{"priority": 1}', fields["X › Summary"].id: "Down"}).arguments
    assert edited == {"x": {**value, "summary": "Down", "priority": 1}}
    with pytest.raises(Faulty, match="'summary' has a field of its own"):
        apply_edits(made, {more.id: '{"summary": "twice"}'})
    with pytest.raises(Faulty, match="a JSON object"):
        apply_edits(made, {more.id: "[1]"})


def test_emptied_what_the_schema_leaves_open_loses_that_name_alone() -> None:
    made = form({"type": "object"}, {"a": "1", "b": "2"})
    assert apply_edits(made, {"0/0": ""}).arguments == {"x": {"b": "2"}}


def test_without_a_schema_objects_are_fields_too_and_a_fault_finds_the_field_for_more() -> None:
    made = build_form(None, {"to": {"name": "Ana"}, "numbers": [1, 2]}, key=KEY)
    assert list(by_label(made)) == ["To › Name", "To › Others", "Numbers"]
    assert apply_edits(made, {}).field_at("/to/new") == by_label(made)["To › Others"].id


def test_an_open_object_under_a_telling_name_stays_one_masked_field() -> None:
    (field,) = form({"type": "object"}, {"password": {"old": "hunter2", "new": "hunter3"}}).fields[:-1]
    assert field.masked
    assert "hunter" not in str(field)


def test_numbers_are_edited_a_line_each() -> None:
    (field,) = form({"type": "array", "items": {"type": "integer"}}, [3, 5]).fields
    assert (field.kind, field.shown, field.hint) == (Kind.NUMBERS, "3\n5", "one number a line")
    made = form({"type": "array", "items": {"type": "integer"}}, [3, 5])
    assert apply_edits(made, {"0": "3\n\n 7 \n0.5"}).arguments == {"x": [3, 7, 0.5]}
    assert apply_edits(made, {"0": ""}).arguments == {"x": []}
    with pytest.raises(Faulty, match="write a number"):
        apply_edits(made, {"0": "3, 5"})


def wide(levels: int) -> dict[str, Any]:
    """An object of many properties, whose last one holds such an object again."""
    inner = {"inner": wide(levels - 1)} if levels else {"image": {"type": "string"}}
    spare = {f"spare{number}": {"type": "string"} for number in range(25)}
    return {"type": "object", "properties": {**spare, **inner}}


def test_what_a_call_has_gets_its_field_before_all_that_it_could_have() -> None:
    value = {"inner": {"inner": {"inner": {"image": "web:1", "spare3": "x"}}}}
    made = form(wide(3), value)
    fields = by_label(made)
    at = next(label for label in fields if label.endswith("› Image"))
    assert fields[at].shown == "web:1"
    assert len(made.fields) < 15
    edited = apply_edits(made, {fields[at].id: "web:2"}).arguments
    assert edited == {"x": {"inner": {"inner": {"inner": {"image": "web:2", "spare3": "x"}}}}}


def test_properties_without_a_field_can_still_be_given() -> None:
    value = {"inner": {"inner": {"inner": {"image": "web:1"}}}}
    made = form(wide(3), value)
    rest = next(field for field in made.fields if len(field.covers) == 25)
    assert "spare7" in rest.hint
    edited: Any = apply_edits(made, {rest.id: json.dumps({"spare7": "y"})})
    assert "y" in json.dumps(edited.arguments)
    assert edited.arguments != {"x": value}
    with pytest.raises(Faulty, match="'image' has a field of its own or isn't known"):
        apply_edits(made, {rest.id: '{"image": "other"}'})


def test_the_call_comes_first_and_ids_stay_with_their_properties() -> None:
    schema: dict[str, Any] = {"properties": {one: {"type": "string"} for one in "abcd"}, "required": ["c"]}
    assert [(field.name, field.id) for field in build_form(schema, {"d": "x"}, key=KEY).fields] == [
        ("c", "2"), ("d", "3"), ("a", "0"), ("b", "1"),
    ]  # fmt: skip


def test_a_value_of_several_types_is_a_choice_of_them() -> None:
    made = form({"type": ["boolean", "string", "null"]}, "yes")
    assert [choice.label for choice in made.fields[0].choices] == ["true or false", "text"]
    assert apply_edits(made, {made.fields[1].id: "no"}).arguments == {"x": "no"}


@pytest.mark.parametrize(
    ("name", "title", "label"),
    [
        ("dueDate", "", "Due date"),
        ("AccountSid", "", "Account sid"),
        ("clusterIPs", "", "Cluster IPs"),
        ("HTMLBody", "", "HTMLBody"),
        ("affirm", "param", "Affirm"),
        ("shipping", "optional_fields_shipping", "Shipping"),
        ("data", "TaskRequest", "Data"),
        ("amount", "Amount in EUR", "Amount in EUR (amount)"),
        ("payee", "IBAN", "IBAN (payee)"),
    ],
)
def test_labels_read_as_words(name: str, title: str, label: str) -> None:
    schema: dict[str, Any] = {"properties": {name: {"type": "string", **({"title": title} if title else {})}}}
    assert build_form(schema, {}, key=KEY).fields[0].label == label


def test_a_menu_may_offer_null() -> None:
    made = form({"type": ["string", "null"], "enum": ["a", None]}, "a")
    assert apply_edits(made, {"0": (1,)}).arguments == {"x": None}
    absent = build_form({"properties": {"x": {"type": ["string", "null"], "enum": ["a", None]}}}, {"x": None}, key=KEY)
    assert absent.fields[0].kind is Kind.ENUM
    assert apply_edits(absent, {}).arguments == {"x": None}


def test_json_says_why_it_is_json() -> None:
    texts = [f"{'long ' * 20}{number}" for number in range(2)]
    hints = {
        name: form(part, value).fields[0].hint.splitlines()[-1]
        for name, part, value in [
            ("open", {}, [1, "a"]),
            ("lists", {"type": "array", "items": {"type": "array"}}, [[1]]),
            ("other", {"type": "integer"}, "many"),
            ("cut", {"enum": texts}, texts[0]),
        ]
    }
    assert hints == {
        "open": "written as JSON: the tool doesn't say what is in it",
        "lists": "written as JSON: its entries have no form of their own",
        "other": "written as JSON: it isn't what the tool's schema describes",
        "cut": "written as JSON: a list would cut what can be chosen",
    }


def test_a_fault_of_what_has_no_field_yet_finds_the_object_that_it_is_missing_in() -> None:
    line = {"type": "object", "properties": {"what": {"type": "string"}}}
    inner = {"type": "object", "required": ["lines"], "properties": {"lines": {"type": "array", "items": line}}}
    inner["properties"] |= {"note": {"type": "string"}}
    schema: dict[str, Any] = {"properties": {"first": {"type": "string"}, "order": inner}}
    made = build_form(schema, {"order": {"note": "x", "lines": []}}, key=KEY)
    assert apply_edits(made, {}).field_at("/order/lines") == by_label(made)["Order › Note"].id
