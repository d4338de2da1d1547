"""Untouched is identity, byte for byte; what is typed is read exactly or refused at its field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.edits import apply_edits
from policies.errors import Faulty
from policies.field_values import CHOOSING
from policies.fields import Field
from policies.form import Form
from policies.form_building import build_form
from policies.typed import Submitted
from tests.policies.test_arguments import values
from tests.policies.test_fields import SCHEMA

KEY = b"installation"
names = st.sampled_from([*SCHEMA["properties"], "unknown", "password", "a/b", ""])
likely = st.sampled_from(
    [
        1,
        1.0,
        0.1,
        1e22,
        -0.0,
        True,
        None,
        "",
        " x ",
        "a\r\nb",
        "a\r\nb\r\n",
        "a\r\nb\n",
        "a\nb\r\nc",
        "\n",
        "2026-01-01",
        "slow",
        ["slow", 1],
        [True, "1"],
        ["a ", " b"],
        ["a", ""],
        [],
        {},
        {"a": 1.0},
        "x\u200b",
        "[redacted]",
        ["a\u2028b"],
        ["a\x0bb"],
        "x" * 3001,
        "null",
    ]
)
kinds = st.sampled_from(
    [
        {},
        True,
        *SCHEMA["properties"].values(),
        {"type": ["string", "null"]},
        {"$ref": "#/nowhere"},
        {"enum": [1, 1.0, True, None, {}]},
        {"type": "array", "items": {"enum": ["a", ["slow"], None]}},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    ]
)
schemas = st.none() | st.builds(
    lambda properties, required: {"properties": properties, "required": required, "$defs": SCHEMA["$defs"]},
    st.dictionaries(names, kinds, max_size=8),
    st.lists(names, max_size=4),
)


def exact(value: Any) -> str:
    return json.dumps(value)


def untouched(field: Field, style: str) -> Submitted:
    """What a form sends back for a field that nobody touched, as different boxes would."""
    if field.kind in CHOOSING:
        return tuple(sorted(field.selected)) if style == "sorted" else field.selected
    text = field.shown.replace("\r\n", "\n")
    text = text.strip() if style == "trimmed" else field.shown if style == "raw" else text
    return text or (None if style == "sorted" else "")


@given(
    schemas, st.dictionaries(names, likely | values, max_size=8), st.sampled_from(["plain", "raw", "trimmed", "sorted"])
)
@example(None, {"a/b": "a\r\nb\r\n"}, "trimmed")
@settings(max_examples=400, deadline=None)
def test_an_untouched_form_gives_back_exactly_what_was_stored(
    schema: dict[str, Any] | None, arguments: dict[str, Any], style: str
) -> None:
    form = build_form(schema, arguments, key=KEY)
    everything = {field.id: untouched(field, style) for field in form.fields}
    assert exact(apply_edits(form, everything).arguments) == exact(arguments)


def test_an_untouched_form_with_a_rest_gives_back_what_was_stored() -> None:
    arguments: dict[str, Any] = {f"p{n}": [n, 1.0, "a\r\nb"] for n in range(60)}
    form = build_form(None, arguments, key=KEY)
    everything = {field.id: untouched(field, "plain") for field in form.fields}
    assert exact(apply_edits(form, everything).arguments) == exact(arguments)


def edit(
    name: str, typed: Submitted, original: dict[str, Any] | None = None, schema: dict[str, Any] | None = SCHEMA
) -> Any:
    form = build_form(schema, original or {}, key=KEY)
    return apply_edits(form, {place(name, form): typed}).arguments.get(name, "removed")


def place(name: str, form: Form) -> str:
    """The id of the field of this name."""
    (found,) = [field.id for field in form.fields if field.name == name]
    return found


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("amount", "0.1", 0.1),
        ("amount", "1e3", 1000.0),
        ("amount", " 7 ", 7),
        ("amount", "-3", -3),
        ("amount", "2.50", 2.5),
        ("amount", ".5", 0.5),
        ("amount", "0", 0),
        ("amount", "0.0", 0.0),
        ("count", "1e3", 1000),
        ("count", "+5", 5),
        ("count", "5.0", 5),
        ("payee", " Bo ", " Bo "),
        ("body", "a\r\nb", "a\nb"),
        ("urgent", (0,), True),
        ("speed", (2,), 1),
        ("speed", (3,), "1"),
        ("days", (1, 0), ["fast", "slow"]),
        ("on", "2026-03-01", "2026-03-01"),
        ("to", "a \n\n b\r\nc\n", ["a ", " b", "c"]),
        ("extra", '{"a": [1.0, null]}', {"a": [1.0, None]}),
        ("level", (1,), 2),
        ("note", "x", "x"),
    ],
)
def test_what_is_typed_becomes_exactly_that_value(name: str, typed: Submitted, value: Any) -> None:
    assert exact(edit(name, typed)) == exact(value)


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("amount", "1,000", "without separators"),
        ("amount", "1 000", "without separators"),
        ("amount", "five", "write a number"),
        ("amount", "0x10", "write a number"),
        ("amount", "１２", "write a number"),
        ("amount", "1_000", "write a number"),
        ("amount", "NaN", "write a number"),
        ("amount", "Infinity", "write a number"),
        ("amount", "9007199254740993", "too large"),
        ("amount", "1e400", "too large"),
        ("amount", "1e9999", "too large"),
        ("amount", "1e-400", "too small"),
        ("amount", "9" * 5000, "write a number"),
        ("amount", "0.12345678901234567890", "more digits"),
        ("amount", "0.10000000000000001", "more digits"),
        ("count", "5.5", "whole number"),
        ("count", "1e30", "too large"),
        ("count", None, None),
        ("extra", '{"a": 1, "a": 2}', "twice"),
        ("extra", "{", "not JSON"),
        ("extra", '{"a": NaN}', "NaN"),
        ("extra", '{"a": 99999999999999999999}', "as a string"),
        ("extra", "\ud800", "UTF-8"),
        ("payee", "a\0b", "NUL"),
        ("payee", "a\ud800b", "surrogate"),
        ("speed", (9,), "choose"),
        ("speed", (-1,), "choose"),
        ("speed", (0, 1), "choose one"),
        ("speed", "fast", "choose"),
        ("amount", (0,), "send text"),
    ],
)
def test_what_cannot_be_read_exactly_is_a_fault_of_its_field(name: str, typed: Submitted, words: str | None) -> None:
    if words is None:
        assert edit(name, typed) == "removed"
        return
    with pytest.raises(Faulty, match=words) as caught:
        edit(name, typed)
    assert [fault.where for fault in caught.value.faults] == [place(name, build_form(SCHEMA, {}, key=KEY))]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6))
@settings(max_examples=300)
def test_a_number_is_kept_exactly_or_refused_never_rounded(number: Any) -> None:
    try:
        value = edit("amount", str(number))
    except Faulty:
        return
    assert type(number)(repr(value)) == number


def test_all_faults_of_a_form_are_told_at_once() -> None:
    with pytest.raises(Faulty) as caught:
        apply_edits(build_form(SCHEMA, {}, key=KEY), {"0": "x", "3": "y", "1": "fine"})
    assert [fault.where for fault in caught.value.faults] == ["0", "3"]


@pytest.mark.parametrize("empty", [None, "", ()])
def test_a_cleared_field_is_removed_where_the_tool_can_do_without(empty: Submitted) -> None:
    assert edit("body", None if empty == () else empty, {"body": "x"}) == "removed"
    assert edit("speed", () if empty == () else None, {"speed": "slow"}) == "removed"


def test_a_cleared_required_text_is_empty_and_a_required_number_is_a_fault() -> None:
    assert edit("payee", None, {"payee": "Ana"}) == ""
    assert edit("x", None, {"x": "Ana"}, schema=None) == ""
    assert edit("x", None, {"x": ["a"]}, schema=None) == []
    with pytest.raises(Faulty, match="required"):
        edit("amount", None, {"amount": 5})
    nullable: dict[str, Any] = {"properties": {"x": {"type": ["integer", "null"]}}, "required": ["x"]}
    assert edit("x", None, {"x": 5}, schema=nullable) is None


def test_windows_line_ends_stay_windows_line_ends() -> None:
    assert edit("payee", "a\nb\nc", {"payee": "a\r\nb"}) == "a\r\nb\r\nc"


def test_a_locked_field_cannot_be_changed_whatever_is_submitted() -> None:
    for locked in ({"payee": "a\u202eb"}, {"payee": "🎉" * 11_000}):
        (name,) = locked
        assert edit(name, "other", dict(locked)) == locked[name]


def test_the_rest_can_be_edited_but_only_the_rest() -> None:
    arguments: dict[str, Any] = {f"p{n}": n for n in range(42)}
    form = build_form(None, arguments, key=KEY)
    rest = form.fields[-1].id
    edited = apply_edits(form, {rest: '{"p41": 5}'}).arguments
    assert (edited["p41"], "p40" in edited, len(edited)) == (5, False, 41)
    for wrong in ('{"p0": 5}', "[]", '{"new": 1}'):
        with pytest.raises(Faulty) as caught:
            apply_edits(form, {rest: wrong})
        assert caught.value.faults[0].where == rest


def test_the_original_is_never_changed() -> None:
    original: dict[str, Any] = {"amount": 5}
    assert edit("amount", "6", original) == 6
    assert original == {"amount": 5}
