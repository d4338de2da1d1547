"""What Modify promises for real tools, tried on one call at a time; `python -m tests.slack.schemas` tries many."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from random import Random
from time import perf_counter
from typing import Any

import pytest

from bot.slack.views.modify import modify_form
from policies.arguments import canonical
from policies.changes import changes
from policies.edits import apply_edits
from policies.errors import Faulty
from policies.fields import Field
from policies.form import Form
from policies.form_building import build_form
from policies.form_schema import Kind
from policies.tool_schema import validate
from policies.typed import Submitted
from tests.slack.judging import check_form
from tests.slack.real_calls import RealCall, call, schemas
from tests.slack.samples import KEY, LOOK, ask
from tests.slack.test_form_laws import MEMO, other, place, sent

WRONG: dict[Kind, Submitted] = {
    Kind.NUMBER: "a lot", Kind.INTEGER: "1.5", Kind.JSON: '{"a": ', Kind.PAIRS: "no colon", Kind.NUMBERS: "1\n2,5",
    Kind.ENUM: (4_711,), Kind.BOOLEAN: (2,), Kind.MULTI_ENUM: (4_711,),
}  # fmt: skip


def opened(tried: RealCall) -> tuple[Form, dict[str, Any]]:
    """The form of a call, and the view that shows it."""
    form = build_form(tried.schema, dict(tried.arguments), key=KEY)
    return form, modify_form(ask(tried.arguments, schema=tried.schema), form, LOOK, MEMO)


def changeable(form: Form) -> list[Field]:
    """The fields in which something else can be typed or chosen."""
    return [field for field in form.fields if not field.locked and not field.redraws and len(field.choices) != 1]


def check_untouched(tried: RealCall) -> None:
    """Any workspace takes the form, and sent as it was opened it is the same call, byte for byte."""
    form, view = opened(tried)
    check_form(view)
    arguments = apply_edits(form, sent(form, view)).arguments
    assert canonical(arguments) == canonical(tried.arguments)
    assert json.dumps(arguments) == json.dumps(tried.arguments), "also in the order of its names"


def check_one_edit(tried: RealCall, field: Field, form: Form, as_it_is: dict[str, Submitted]) -> None:
    """One field edited changes its own place, and a schema that forbids it says so at that field."""
    edited = apply_edits(form, {**as_it_is, field.id: another(field)})
    found = changes(tried.arguments, edited.arguments)
    assert found, (field.label, "was changed")
    pointers = [at for at, known in edited.places.items() if place(known) == place(field.id)]
    for change in found:
        assert any(_is_near(pointer, change.path) for pointer in pointers), (field.label, change)
    for fault in validate(tried.schema, edited.arguments):
        assert edited.field_at(fault.where) or not fault.where, fault


def another(field: Field) -> Submitted:
    """Something that the field doesn't hold; one of those that it covers, where it covers several."""
    if not field.covers:
        return other(field)
    held = json.loads(field.shown or "{}")
    return json.dumps({**held, field.covers[0]: {"new": [held.get(field.covers[0])]}})


def _is_near(one: str, two: str) -> bool:
    return f"{one}/".startswith(f"{two}/") or f"{two}/".startswith(f"{one}/")


def check_wrong(tried: RealCall, field: Field, form: Form, as_it_is: dict[str, Submitted]) -> None:
    """What can't be read is refused at its field, and everything typed is in the form that is shown again."""
    typed = {**as_it_is, field.id: WRONG[field.kind]}
    with pytest.raises(Faulty) as refusal:
        apply_edits(form, typed)
    assert {fault.where for fault in refusal.value.faults} == {field.id}, field.label
    again = modify_form(ask(tried.arguments, schema=tried.schema), form, LOOK, MEMO, typed=typed)
    back = sent(form, again)
    if not field.choices:
        kept = field.masked or field.sensitive
        assert kept or back[field.id] == typed[field.id]
    assert {name: one for name, one in back.items() if name != field.id} == {
        name: one for name, one in as_it_is.items() if name != field.id
    }


def check_all(tried: RealCall, chance: Random, most: int = 4) -> None:
    """All promises for one call, with edits of at most `most` fields, chosen by `chance`."""
    check_untouched(tried)
    form, view = opened(tried)
    as_it_is = sent(form, view)
    for field in (fields := _some(changeable(form), chance, most)):
        check_one_edit(tried, field, form, as_it_is)
    for field in _some([one for one in fields if one.kind in WRONG], chance, most):
        check_wrong(tried, field, form, as_it_is)


def _some(fields: list[Field], chance: Random, most: int) -> list[Field]:
    return chance.sample(fields, min(most, len(fields)))


def reasons(form: Form) -> Iterator[str]:
    """Why each JSON field of a form is none of a better kind, in the words of its hint."""
    for field in form.fields:
        if field.kind is Kind.JSON and not field.is_rest:
            yield next((line for line in field.hint.splitlines() if line.startswith("written as")), field.hint)


def main() -> None:
    """Try `--examples` calls of each tool; print a line for each tool and the sum."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--only", default="")
    wanted = parser.parse_args()
    total: Counter[str] = Counter()
    for name in (one for one in schemas() if wanted.only in one):
        start, counts, why = perf_counter(), Counter[str](), Counter[str]()
        for seed in range(wanted.examples):
            tried = call(name, seed * 1_000)
            check_all(tried, Random(seed), most=12)
            form, _ = opened(tried)
            why.update(reasons(form))
            present = [one for one in form.fields if one.present and not one.is_rest]
            counts.update(fields=len(form.fields), json=sum(one.kind is Kind.JSON for one in form.fields))
            counts.update(present=len(present), present_json=sum(one.kind is Kind.JSON for one in present))
            counts.update(locked=sum(bool(one.locked) for one in form.fields), whole=not any(reasons(form)))
        total.update(counts)
        total.update(tools=1)
        sys.stdout.write(f"{name:62} {_line(counts)} {perf_counter() - start:6.1f} s  {dict(why)}\n")
    sys.stdout.write(f"{total['tools']} tools: {_line(total)}\n")


def _line(counts: Counter[str]) -> str:
    return (
        f"{counts['fields']:6} fields, {counts['json']:4} as JSON; of the call {counts['present']:6},"
        f" {counts['present_json']:4} as JSON, {counts['locked']:3} locked; {counts['whole']:4} forms without any JSON"
    )


if __name__ == "__main__":
    main()
