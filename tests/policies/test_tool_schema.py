"""Schemas that agents send: safe to compile, bounded to check, and faults in plain words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policies.errors import Invalid
from policies.schema_work import work
from policies.tool_schema import MAX_FAULTS, check_schema, validate

PAYMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "number", "maximum": 500, "exclusiveMinimum": 0},
        "payee": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "day": {"type": "string", "format": "date"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}, "maxItems": 2},
        "speed": {"enum": ["slow", "fast"]},
    },
    "required": ["amount"],
    "additionalProperties": False,
    "$defs": {"Item": {"type": "object", "properties": {"count": {"type": ["integer", "null"]}}}},
}


@pytest.mark.parametrize(
    ("arguments", "where", "words"),
    [
        ({"amount": 501}, "/amount", "amount must be at most 500"),
        ({"amount": 0}, "/amount", "amount must be more than 0"),
        ({"amount": "5"}, "/amount", "amount must be a number"),
        ({}, "/amount", "amount is missing"),
        ({"amount": 5, "payee": "A"}, "/payee", 'payee must match the pattern "^[a-z]+$"'),
        ({"amount": 5, "payee": "abcdef"}, "/payee", "payee must have at most 5 characters"),
        ({"amount": 5, "day": "2026-02-30"}, "/day", "day must be a valid date"),
        ({"amount": 5, "speed": "FAST"}, "/speed", 'speed must be one of "slow", "fast"'),
        ({"amount": 5, "items": [{"count": "x"}]}, "/items/0/count", "count must be null or a whole number"),
        ({"amount": 5, "items": [1]}, "/items/0", "item 1 of items must be an object"),
        ({"amount": 5, "extra": 1}, "", "the call has what the tool doesn't know: extra"),
    ],
)
def test_a_fault_names_its_place_and_says_what_to_do(arguments: dict[str, Any], where: str, words: str) -> None:
    faults = validate(check_schema(PAYMENT), arguments)
    assert [(fault.where, fault.words) for fault in faults] == [(where, words)]


def test_what_fits_has_no_faults_and_gets_no_defaults() -> None:
    arguments: dict[str, Any] = {}
    assert validate(check_schema({"properties": {"a": {"default": 5}}}), arguments) == ()
    assert arguments == {}


def test_all_faults_are_told_at_once_up_to_a_bound() -> None:
    schema = check_schema({"additionalProperties": {"type": "string"}})
    assert len(validate(schema, {f"n{i}": i for i in range(5)})) == 5
    assert len(validate(schema, {f"n{i}": i for i in range(100)})) == MAX_FAULTS


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}}, "remote references are refused"),
        (
            {"properties": {"a": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}},
            "remote references are refused",
        ),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "remote references are refused"),
        ({"properties": {"a": {"$id": "http://x/", "$ref": "#/b"}}}, "outermost"),
        ({"$dynamicRef": "#x"}, "isn't supported"),
        ({"$ref": "#/$defs/none"}, "leads to no schema"),
        ({"$ref": "#/enum/0", "enum": [{"type": "object"}]}, "must lead to a schema"),
        ({"$ref": "#"}, "refers back to itself"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
            "refers back",
        ),
        ({"$schema": "http://evil.example/x"}, "standard JSON Schema draft"),
        ({"type": "array"}, '"type": "object"'),
        ({"properties": {"a": {"type": "objct"}}}, "isn't valid JSON Schema"),
        ({"properties": {"a": {"pattern": "("}}}, "isn't valid JSON Schema"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "look around"),
        ({"properties": {"a": {"pattern": "((a{0,100}){0,100}){0,100}$"}}}, "isn't valid JSON Schema"),
        ({"properties": {f"a{i}": {"pattern": f"{i}"} for i in range(60)}}, "patterns"),
        ({"description": "x" * 70_000}, "larger than 64 kB"),
        ([], "JSON object"),
        (True, "JSON object"),
    ],
)
def test_a_schema_that_is_unsafe_or_broken_is_refused(schema: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check_schema(schema)


def test_names_that_look_like_keywords_are_only_names() -> None:
    schema = check_schema(
        {"properties": {"$ref": {"type": "string"}, "$id": {}, "pattern": {"enum": [{"$ref": "http://x"}]}}}
    )
    assert validate(schema, {"$ref": 5})[0].where == "/$ref"


def doubling(levels: int) -> dict[str, Any]:
    """A few hundred bytes that ask for 2^levels checks of one value."""
    parts: dict[str, Any] = {
        f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]} for i in range(levels)
    }
    return {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": parts | {f"d{levels}": {"type": "string"}}}


def recursive() -> dict[str, Any]:
    inside = {"properties": {"a": {"$ref": "#"}}}
    return {"anyOf": [inside, {**inside, "minProperties": 9}]}


def chain(length: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(length):
        value = {"a": value}
    return value


BOMBS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "doubling": (doubling(60), {"a": 1}),
    "recursive": (recursive(), chain(60)),
    "many items": (
        {"properties": {"a": {"items": {"anyOf": [{"properties": {"x": {}}, "required": ["q"]}] * 200}}}},
        {"a": [{}] * 15_000},
    ),
    "names": ({"propertyNames": doubling(60)["properties"]["a"], "$defs": doubling(60)["$defs"]}, {"a": 1}),
    "slow pattern": ({"properties": {"a": {"pattern": "^([ab]*a[ab]{2000}){3}[^ab]$"}}}, {"a": "ab" * 30_000}),
    "slow pattern on names": ({"patternProperties": {"^([ab]*a[ab]{2000}){3}[^ab]$": {}}}, {"ab" * 30_000: 1}),
    "choices": ({"properties": {"a": {"items": {"enum": [f"x{i}" for i in range(5000)]}}}}, {"a": ["y"] * 10_000}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_schema_bomb_is_refused_before_it_goes_off(name: str) -> None:
    schema, arguments = BOMBS[name]
    checked = check_schema(schema)
    started = time.process_time()
    (fault,) = validate(checked, arguments)
    assert "too much to check" in fault.words
    assert time.process_time() - started < 2


def test_ordinary_recursion_and_long_lists_are_checked() -> None:
    node = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "n": {"type": "integer"}}}
    schema = check_schema(node)
    tree: dict[str, Any] = {"n": 1}
    for _ in range(8):
        tree = {"left": tree, "right": tree, "n": 2}
    assert validate(schema, tree) == ()
    assert work(schema, tree, limit=10**9) < 10_000
    listed = check_schema({"properties": {"ids": {"type": "array", "items": {"type": "integer"}}}})
    assert validate(listed, {"ids": list(range(10_000))}) == ()
    assert len(validate(listed, {"ids": ["x"] * 3_000})) == MAX_FAULTS
    (fault,) = validate(listed, {"ids": ["x"] * 10_000})
    assert "too many to say where" in fault.words
