"""Modify for the tools that people really use: their published schemas, with calls that differ from run to run."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings

from policies.errors import Invalid
from policies.form_building import build_form
from policies.form_schema import Kind
from policies.tool_schema import check_schema
from tests.slack.real_calls import call, refused, schemas
from tests.slack.samples import KEY
from tests.slack.schemas import check_all, reasons
from tests.slack.shaped_calls import SEEDS


@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_a_real_call_comes_back_as_it_was_and_each_edit_changes_its_place_alone(seed: int) -> None:
    for name in Random(seed).sample(sorted(schemas()), 15):
        try:
            check_all(call(name, seed), Random(seed), most=2)
        except AssertionError as error:
            raise AssertionError(f"{name}, seed {seed}: {error}") from error


def test_most_real_calls_are_fields_throughout_and_the_rest_says_why_it_is_json() -> None:
    fields = whole = 0
    half = sorted(schemas())[::2]
    for name in half:
        tried = call(name, 0)
        form = build_form(tried.schema, dict(tried.arguments), key=KEY)
        fields += sum(one.kind is not Kind.JSON for one in form.fields)
        whole += not any(True for _ in reasons(form))
        assert all(why.startswith("written as JSON: ") for why in reasons(form)), name
    assert fields > 400
    assert whole > 0.85 * len(half)


def test_a_published_schema_whose_pattern_looks_behind_is_refused_with_the_place() -> None:
    with pytest.raises(Invalid, match="patterns can't look around"):
        check_schema(refused())
