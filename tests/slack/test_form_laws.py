"""Laws of Modify for any tool: opening and sending changes nothing, an edit changes its place alone, views fit."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.editing import typed_into
from bot.slack.memo import Memo
from bot.slack.views.modify import modify_form
from policies.changes import changes
from policies.edits import apply_edits
from policies.errors import Faulty
from policies.fields import Field
from policies.form import Form, Shape
from policies.form_building import build_form
from policies.form_schema import Kind
from policies.typed import Submitted
from tests.slack.judging import check_form
from tests.slack.samples import KEY, LOOK, ask
from tests.slack.shaped_calls import SECRET, SEEDS, call
from tests.slack.test_forms import untouched

LAW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
MEMO = Memo(r="req_1", v=1)


def exact(value: Any) -> str:
    return json.dumps(value)


def sent(form: Form, view: dict[str, Any]) -> dict[str, Submitted]:
    """What arrives when the view is sent as it stands."""
    return typed_into(form, untouched(view), 0)


@LAW
@given(SEEDS)
def test_opening_the_form_and_sending_it_changes_nothing_and_any_workspace_takes_it(seed: int) -> None:
    schema, arguments = call(seed)
    request = ask(arguments, schema=schema)
    form = build_form(schema, arguments, key=KEY)
    view = modify_form(request, form, LOOK, MEMO)
    check_form(view)
    assert SECRET not in exact(view)
    assert exact(apply_edits(form, sent(form, view)).arguments) == exact(arguments)


NEW: dict[Kind, Submitted] = {
    Kind.TEXT: "other", Kind.LONG_TEXT: "other\nwords", Kind.NUMBER: "17.25", Kind.INTEGER: "4711",
    Kind.DATE: "2031-05-06", Kind.TIME: "03:04", Kind.MOMENT: "1893456000", Kind.EMAIL: "z@z.example",
    Kind.LINK: "https://z.example/", Kind.LIST: "one\ntwo\nthree\nfour\nfive", Kind.JSON: '{"new": [1.0]}',
    Kind.PAIRS: "new name: other\nempty:", Kind.NUMBERS: "4711\n-0.5",
}  # fmt: skip


def other(field: Field) -> Submitted:
    """Something that the field doesn't hold."""
    if field.kind not in (Kind.ENUM, Kind.BOOLEAN, Kind.MULTI_ENUM):
        return NEW[field.kind]
    rest = [place for place in range(len(field.choices)) if (place,) != field.selected]
    return (rest[0],)


def place(field_id: str) -> str:
    """The parts of a long text have one place together."""
    return field_id.partition("/p")[0]


@LAW
@given(SEEDS, st.randoms(use_true_random=False))
def test_each_edit_changes_exactly_its_place(seed: int, chance: Any) -> None:
    schema, arguments = call(seed)
    form = build_form(schema, arguments, key=KEY)
    as_it_is = sent(form, modify_form(ask(arguments, schema=schema), form, LOOK, MEMO))
    editable = [field for field in form.fields if not field.locked and not field.redraws and len(field.choices) != 1]
    for field in chance.sample(editable, min(3, len(editable))):
        edited = apply_edits(form, {**as_it_is, field.id: other(field)})
        pointer = next(at for at, found in edited.places.items() if place(found) == place(field.id))
        for change in changes(arguments, edited.arguments):
            near = f"{pointer}/".startswith(f"{change.path}/") or f"{change.path}/".startswith(f"{pointer}/")
            assert near, (field.label, change)


@LAW
@given(SEEDS, st.data())
def test_lists_grow_and_shrink_and_forms_change_without_touching_anything_else(seed: int, data: Any) -> None:
    schema, arguments = call(seed)
    form = build_form(schema, arguments, key=KEY)
    doors = [("add", rows.id) for rows in form.rows if rows.open] + [("remove", entry.id) for entry in form.entries]
    doors += [("choose", field.id) for field in form.fields if field.redraws]
    shape = Shape()
    for act, at in data.draw(st.lists(st.sampled_from(doors), max_size=3, unique=True)) if doors else []:
        shape = shape.choosing(at, 0) if act == "choose" else (shape.adding if act == "add" else shape.removing)(at)
    changed = build_form(schema, arguments, key=KEY, shape=shape)
    view = modify_form(ask(arguments, schema=schema), changed, LOOK, MEMO)
    check_form(view)
    assert SECRET not in exact(view)
    try:
        edited = apply_edits(changed, sent(changed, view)).arguments
    except Faulty as error:
        edited, unfilled = {}, {fault.words for fault in error.faults}
    else:
        unfilled = set()
    assert unfilled <= {"fill this entry in, or remove it"}
    if unfilled:
        return
    places = [rows.path for rows in form.rows] + [field.path for field in form.fields if field.redraws]
    tops = {path[0] for path in places}
    for name in arguments.keys() | edited.keys():
        if name not in tops:
            assert exact(edited.get(name)) == exact(arguments.get(name))
