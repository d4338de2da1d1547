"""A form is a function of schema, arguments and shape: bounded, honest about what is new, and the same after a save."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies.carrying import carry_over
from policies.edits import apply_edits
from policies.errors import Faulty
from policies.field_values import as_input, holds, moment, style_of
from policies.form import AS_IT_IS, Form, Rows, Shape, flow
from policies.form_building import MAX_ROOM, build_form
from policies.form_parts import seed
from policies.form_schema import Described, Kind
from policies.long_text import MAX_PARTS, PART, in_parts
from policies.tool_schema import check_schema, validate
from policies.typed import Submitted
from policies.whole_call import json_text, read_arguments

KEY = b"installation"
LINE: dict[str, Any] = {
    "type": "object",
    "required": ["what", "count"],
    "properties": {
        "what": {"type": "string"},
        "count": {"type": "integer", "default": 1},
        "kind": {"const": "line"},
        "place": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
    },
}
ONE_OF = [
    {
        "type": "object",
        "title": "Card",
        "required": ["by"],
        "properties": {"by": {"const": "card"}, "no": {"minimum": 3}},
    },
    {"type": "object", "required": ["by"], "properties": {"by": {"const": "cash"}, "till": {"type": "string"}}},
    {"type": "string"},
    {"type": "null"},
]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["lines"],
    "properties": {"lines": {"type": "array", "items": LINE}, "pay": {"anyOf": ONE_OF}, "to": {"type": "string"}},
}
CALL: dict[str, Any] = {"lines": [{"what": "a", "count": 2}, {"count": 3, "what": "b"}], "pay": {"by": "card", "no": 4}}


def form(shape: Shape = AS_IT_IS, call: dict[str, Any] = CALL) -> Form:
    return build_form(SCHEMA, call, key=KEY, shape=shape)


def edited(shape: Shape, typed: dict[str, Submitted], call: dict[str, Any] = CALL) -> Any:
    return apply_edits(form(shape, call), typed).arguments


def test_a_new_entry_starts_with_the_defaults_and_must_be_filled_in() -> None:
    made = form(Shape().adding("0"))
    fresh = {field.id: (field.shown, field.fresh) for field in made.fields if field.id.startswith("0/n0")}
    assert fresh == {"0/n0/0": ("", True), "0/n0/1": ("1", True), "0/n0/2": ("", True), "0/n0/3/0": ("", False)}
    assert edited(Shape().adding("0"), {"0/n0/0": "c"})["lines"][2] == {"count": 1, "kind": "line", "what": "c"}


def test_entries_are_removed_by_what_they_are_not_by_where_they_stand() -> None:
    shape = Shape().adding("0").removing("0/0").adding("0").removing("0/n0")
    assert edited(shape, {"0/n1/0": "c", "0/1/1": "4"})["lines"] == [
        {"count": 4, "what": "b"},
        {"count": 1, "kind": "line", "what": "c"},
    ]
    assert edited(Shape().removing("0/0"), {})["lines"] == CALL["lines"][1:]
    assert edited(Shape().removing("0/0").removing("0/1"), {})["lines"] == []


def test_what_a_shape_says_of_places_that_are_not_there_is_left_out() -> None:
    wild = Shape(removed=frozenset({"7/1", "0/9", "x"}), added={"9": 3, "0/0": 2}, chosen={"0": 1, "1": 99})
    assert exact(edited(wild, {})) == exact(CALL)
    assert form(wild).shape.added == {}


def exact(value: Any) -> str:
    return json.dumps(value)


def test_the_form_that_a_value_has_is_chosen_and_its_fixed_values_go_without_saying() -> None:
    fields = {field.id: field for field in form().fields}
    assert [choice.label for choice in fields["1"].choices] == ["Card", "cash", "text"]
    assert fields["1"].selected == (0,)
    assert "1/v0/0" not in fields
    assert fields["1/v0/1"].label == "Pay › No"


def test_another_form_starts_anew_and_the_first_one_comes_back_as_it_was() -> None:
    assert edited(Shape().choosing("1", 1), {"1/v1/1": "T1"})["pay"] == {"by": "cash", "till": "T1"}
    assert edited(Shape().choosing("1", 2), {"1/v2": "cheque"})["pay"] == "cheque"
    assert exact(edited(Shape().choosing("1", 2).choosing("1", 0), {})) == exact(CALL)
    assert "pay" not in edited(Shape(), {"1": ()})


def test_a_form_that_is_one_fixed_value_needs_no_field() -> None:
    forms = [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]
    schema: dict[str, Any] = {"properties": {"to": {"anyOf": forms}, "by": {"anyOf": [{"const": 1}, {"const": 2}]}}}
    made = build_form(schema, {"to": ["a"]}, key=KEY, shape=Shape().choosing("0", 0))
    assert [field.id for field in made.fields] == ["0", "1"]
    assert apply_edits(made, {}).arguments == {"to": "all"}
    assert apply_edits(made, {"1": (1,)}).arguments == {"to": "all", "by": 2}
    back = build_form(schema, {"to": "all"}, key=KEY, shape=Shape().choosing("0", 1))
    assert apply_edits(back, {"0/v1": "a\nb"}).arguments == {"to": ["a", "b"]}


def test_a_choice_without_its_fields_is_a_fault_and_never_saved() -> None:
    with pytest.raises(Faulty, match="look at the fields"):
        edited(Shape(), {"1": (1,)})


def test_an_optional_object_comes_and_goes_with_its_fields() -> None:
    assert edited(Shape(), {"0/0/3/0": "Ulm"})["lines"][0] == {"what": "a", "count": 2, "place": {"city": "Ulm"}}
    placed = {"lines": [{"what": "a", "count": 2, "place": {"city": "Ulm"}}]}
    assert edited(Shape(), {"0/0/3/0": None}, placed) == {"lines": [{"what": "a", "count": 2}]}


def test_a_fault_inside_the_meant_form_is_told_at_its_own_place() -> None:
    wrong = {**CALL, "pay": {"by": "card", "no": 1}}
    (fault,) = validate(check_schema(SCHEMA), wrong)
    assert (fault.where, fault.words) == ("/pay/no", "no must be at least 3")
    assert apply_edits(form(), {"1/v0/1": "1"}).field_at(fault.where) == "1/v0/1"
    assert validate(check_schema(SCHEMA), {**CALL, "pay": 5})[0].where == "/pay"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.MOMENT, "2026-12-01T14:30:00Z"),
        (Kind.MOMENT, "2026-12-01T14:30:59-09:30"),
        (Kind.TIME, "08:15:00+02:00"),
        (Kind.TIME, "08:15"),
    ],
)
def test_a_time_that_a_picker_may_show_comes_back_as_it_was_written(kind: Kind, text: str) -> None:
    assert holds(kind, Described(), text)
    shown, style = as_input(kind, text), style_of(kind, text)
    assert (moment(int(shown), style) if kind is Kind.MOMENT else shown + style) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T14:30:00.5Z",
        "2026-12-01t14:30:00z",
        "2026-12-01T14:30:00",
        "1969-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
    ],
)
def test_a_moment_that_a_picker_would_change_is_text(text: str) -> None:
    assert not holds(Kind.MOMENT, Described(), text)


def test_a_moment_keeps_its_zone_and_an_untouched_one_its_seconds() -> None:
    schema = {"properties": {"at": {"type": "string", "format": "date-time"}}}
    made = build_form(schema, {"at": "2026-12-01T14:30:59+05:30"}, key=KEY)
    start = int(made.fields[0].shown)
    assert apply_edits(made, {"0": str(start - 59)}).arguments == {"at": "2026-12-01T14:30:59+05:30"}
    assert apply_edits(made, {"0": str(start - 59 + 3600)}).arguments == {"at": "2026-12-01T15:30:00+05:30"}
    new = build_form(schema, {}, key=KEY)
    assert apply_edits(new, {"0": "1893456000"}).arguments == {"at": "2030-01-01T00:00:00Z"}


LONG = st.lists(st.sampled_from(["word", " ", "\n", "\n\n", "🎉", "x" * 900, "  "]), min_size=5, max_size=120).map(
    "".join
)


@settings(max_examples=100, deadline=None)
@given(LONG, st.booleans())
@example("word " * 1_200 + "end", False)
def test_the_parts_of_a_long_text_are_the_text_and_each_fits_a_box(text: str, windows: bool) -> None:
    text = text.replace("\n", "\r\n") if windows else text
    found = in_parts(text)
    if found is None:
        assert len(text) <= 3_000 or len(text) > PART * (MAX_PARTS - 1)
        return
    parts, between = found
    assert "".join(part + gap for part, gap in zip(parts, (*between, ""), strict=True)) == text
    assert all(len(part.encode("utf-16-le")) // 2 <= PART for part in parts)
    assert all(len(gap) <= 4 and not gap.strip() for gap in between)
    assert not any(part.endswith("\r") for part in parts)


def test_an_emptied_part_goes_with_the_white_space_after_it() -> None:
    text = "a" * 2_000 + "\n\n" + "b" * 2_000 + "\n\n" + "c" * 2_000
    made = build_form({"properties": {"t": {"type": "string"}}}, {"t": text}, key=KEY)
    assert apply_edits(made, {"0/p2": None}).arguments == {"t": "a" * 2_000 + "\n\n" + "c" * 2_000}
    assert apply_edits(made, {f"0/p{one}": "" for one in (1, 2, 3)}).arguments == {}


def test_json_is_offered_only_for_what_it_can_show_and_reads_back_exactly() -> None:
    text = json_text(CALL, KEY)
    assert text is not None
    assert exact(read_arguments(text)) == exact(CALL)
    for hidden in ({"password": "hunter2"}, {"a": "x" * 3_000}, {"a": "\u200b"}):
        assert json_text({**CALL, **hidden}, KEY) is None
    with pytest.raises(Faulty, match=r"line 2, column 3"):
        read_arguments("{\n  oops: 1\n}")


def test_who_saves_second_gets_the_first_ones_values_under_the_own_entries() -> None:
    mine: dict[str, Submitted] = {"0/0/1": "9", "2": "Bo", "0/1/0": "b"}
    theirs = {**CALL, "lines": [{"what": "a2", "count": 2}, {"count": 3, "what": "b2"}]}
    carried = carry_over(form(), mine, SCHEMA, theirs, key=KEY)
    assert (dict(carried.typed), carried.lost) == ({"0/0/1": "9", "2": "Bo"}, ())
    assert apply_edits(carried.form, carried.typed).arguments == {
        **theirs,
        "lines": [{"what": "a2", "count": 9}, {"count": 3, "what": "b2"}],
        "to": "Bo",
    }


def test_nothing_is_carried_into_entries_that_may_be_others_by_now() -> None:
    shorter = {**CALL, "lines": CALL["lines"][1:]}
    carried = carry_over(form(Shape().removing("0/0")), {"0/1/1": "9", "2": "Bo"}, SCHEMA, shorter, key=KEY)
    assert dict(carried.typed) == {"2": "Bo"}
    assert carried.lost == ("Count", "Lines")
    assert len(carried.form.entries) == 1


def _union(width: int) -> dict[str, Any]:
    inside = {f"q{one}": {"$ref": "#/$defs/u"} for one in range(15)}
    forms = [{"type": "object", "properties": inside, "required": [f"q{one}"]} for one in range(width)]
    return {"properties": {f"a{one}": {"$ref": "#/$defs/u"} for one in range(30)}, "$defs": {"u": {"anyOf": forms}}}


def _deep(levels: int) -> dict[str, Any]:
    return {f"q{one}": _deep(levels - 1) for one in range(3)} if levels else {"q0": 5}


NODE = {"type": "object", "properties": {f"k{one}": {"$ref": "#/$defs/n"} for one in range(12)}}
BOMBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "forms in forms": (_union(18), {f"a{one}": _deep(3) for one in range(30)}),
    "objects in objects": (
        {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": NODE}},
        {"a": {"k1": {"k2": {}}}},
    ),
    "a long list": ({"properties": {"a": {"type": "array", "items": LINE}}}, {"a": [{"what": "x", "count": 1}] * 900}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_schema_makes_a_form_large_or_slow(name: str) -> None:
    schema, call = BOMBS[name]
    started = time.process_time()
    made = build_form(check_schema(schema), call, key=KEY)
    assert time.process_time() - started < 2
    assert len(list(flow(made.root))) <= MAX_ROOM + 10
    assert exact(apply_edits(made, {}).arguments) == exact(call)
    seed(schema, {"$ref": "#/$defs/n"} if "n" in schema.get("$defs", {}) else {})


def test_texts_that_no_line_holds_are_entries_of_their_own() -> None:
    schema = {"properties": {"notes": {"type": "array", "items": {"type": "string"}}}}
    call = {"notes": ["one\ntwo", "", "three"]}
    made = build_form(schema, call, key=KEY, shape=Shape().adding("0"))
    assert [field.id for field in made.fields] == ["0/0", "0/1", "0/2", "0/n0"]
    assert apply_edits(made, {"0/n0": "four\nfive"}).arguments == {"notes": ["one\ntwo", "", "three", "four\nfive"]}
    with pytest.raises(Faulty, match="fill this entry in"):
        apply_edits(made, {})


def test_a_list_is_open_only_while_the_form_has_room() -> None:
    shape = Shape()
    for _ in range(40):
        (rows,) = [part for part in flow(form(shape).root) if isinstance(part, Rows)]
        if not rows.open:
            break
        shape = shape.adding("0")
    assert 8 <= len(rows.entries) <= 20
    assert len(list(flow(form(shape).root))) <= MAX_ROOM
