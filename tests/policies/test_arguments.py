"""Intake bounds, strict parsing, the canonical form and the digest."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.arguments import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, canonical, digest, intake, parse
from policies.errors import Invalid

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False) | texts
finite = scalars.filter(lambda value: not isinstance(value, float) or math.isfinite(value))
values = st.recursive(
    finite, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
calls = st.dictionaries(texts, values, max_size=5)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(child) for child in value] if isinstance(value, list) else value


def named(**other: Any) -> str:
    every: dict[str, Any] = {"tool": "pay", "arguments": {"amount": 5}, "revision": 1, "requester": "key:ops"}
    return digest(**(every | other))


@given(calls)
@settings(max_examples=150)
def test_the_digest_does_not_depend_on_the_order_of_keys(arguments: dict[str, Any]) -> None:
    assert named(arguments=arguments) == named(arguments=reordered(arguments))


@given(calls, calls, st.integers(1, 3), st.integers(1, 3), texts, texts)
@settings(max_examples=150)
def test_two_calls_share_a_digest_only_when_they_mean_the_same(
    one: dict[str, Any], other: dict[str, Any], first: int, second: int, tool: str, requester: str
) -> None:
    same = first == second and canonical(one) == canonical(other)
    left = named(arguments=one, revision=first, tool=tool, requester=requester)
    assert (left == named(arguments=other, revision=second, tool=tool, requester=requester)) is same
    assert left != named(arguments=one, revision=first, tool=tool + "x", requester=requester)
    assert left != named(arguments=one, revision=first, tool=tool, requester=requester + "x")


@given(calls)
@settings(max_examples=100)
def test_a_changed_value_anywhere_changes_the_digest(arguments: dict[str, Any]) -> None:
    assert named(arguments={**arguments, "added": None}) != named(
        arguments={k: v for k, v in arguments.items() if k != "added"}
    )
    for key in arguments:
        assert named(arguments={**arguments, key: ["other", arguments[key]]}) != named(arguments=arguments)


def test_the_digest_is_sha256_over_the_canonical_json_of_four_members() -> None:
    written = b'{"arguments":{"amount":5},"requester":"key:ops","revision":1,"tool":"pay"}'
    assert named() == "sha256:" + hashlib.sha256(written).hexdigest()


@given(calls)
@settings(max_examples=150)
def test_what_is_taken_in_is_an_equal_copy_that_survives_the_wire(arguments: dict[str, Any]) -> None:
    taken = intake(arguments)
    assert json.dumps(taken) == json.dumps(arguments)
    assert taken is not arguments
    assert parse(json.dumps(arguments).encode()) == arguments


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_depth_is_accepted_up_to_the_bound_and_refused_one_beyond() -> None:
    assert intake(nested(MAX_DEPTH))
    with pytest.raises(Invalid, match="deeper than 64"):
        intake(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("shape", ["deep", "cyclic dict", "cyclic list", "shared"])
def test_monstrous_in_process_values_are_refused_without_unfolding_them(shape: str) -> None:
    value: dict[str, Any] = {"deep": nested(50_000)} if shape == "deep" else {}
    if shape == "cyclic dict":
        value["self"] = value
    elif shape == "cyclic list":
        value["self"] = [value, [value]]
    elif shape == "shared":
        for _ in range(60):
            value = {"a": value, "b": value}
    with pytest.raises(Invalid, match=r"deeper|larger"):
        intake(value)
    while shape == "deep" and value:  # freed level by level: the interpreter itself would recurse
        value = value.popitem()[1]


def test_one_shared_long_text_counts_as_often_as_it_stands() -> None:
    text = "x" * 60_000
    with pytest.raises(Invalid, match="larger than 64 kB"):
        intake({"texts": [text] * 30_000})


def test_size_is_measured_on_the_canonical_form() -> None:
    overhead = len(b'{"a":""}')
    assert intake({"a": "x" * (MAX_BYTES - overhead)})
    for text in ("x" * (MAX_BYTES - overhead + 1), "\x01" * (MAX_BYTES // 6), "é" * (MAX_BYTES // 2)):
        with pytest.raises(Invalid, match="larger than 64 kB") as caught:
            intake({"a": text})
        assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("value", "words", "where"),
    [
        ({"a": [1, math.nan]}, "NaN", "/a/1"),
        ({"a": math.inf}, "infinite", "/a"),
        ({"a/b": {"~": 2**53}}, "as a string", "/a~1b/~0"),
        ({"a": -(2**53)}, "as a string", "/a"),
        ({"a": "x\0y"}, "NUL", "/a"),
        ({"a": {"x\0": 1}}, "NUL", "/a"),
        ({"a": "\ud800"}, "surrogate", "/a"),
        ({"a": {"\udfff": 1}}, "surrogate", "/a"),
        ({"a": {1: 2}}, "keys must be text", "/a"),
        ({"a": (1, 2)}, "tuple", "/a"),
        ({"a": b"x"}, "bytes", "/a"),
        ([1], "JSON object", ""),
        (None, "JSON object", ""),
    ],
)
def test_what_is_not_bounded_json_is_refused_with_its_place(value: object, words: str, where: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        intake(value)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": [{"a": 1, "a": 1}]}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 9007199254740992}', "as a string"),
        (b'{"a": ' + b"9" * 5000 + b"}", "as a string"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b"[" * 100_000, "deeper"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper"),
        (b"[" * 70 + b"]" * 70, "deeper"),
        (b'{"a": 1', "not JSON: .* line 1"),
        (b'"\xff"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b'"' + b"x" * 300_000 + b'"', "larger than 256 kB"),
        (b"", "not JSON"),
    ],
)
def test_text_that_readers_could_take_differently_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        parse(text)


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_any_bytes_are_either_json_or_refused_as_invalid(text: bytes) -> None:
    try:
        value = parse(text)
    except Invalid:
        return
    assert parse(canonical(value)) == value
