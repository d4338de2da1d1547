"""What a server says of its tools is a stranger's word: names, schemas, answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import (
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from bot.agent.mcp_listing import LONGEST_DESCRIPTION, NotOffered, offered
from bot.agent.mcp_results import result_of
from bot.agent.signature import ArgumentsRefused
from bot.agent.wire_names import for_the_api, for_the_model, from_the_model, wire_name
from policies.tool_schema import check_schema
from tests.agent.runner_house import use

ANY = {"type": "object"}
PLAIN = st.text("abAB09_-", min_size=1, max_size=40)
NAMES = st.one_of(PLAIN, st.builds("{}.{}".format, st.sampled_from("ab"), st.text("ab._-/", min_size=1, max_size=80)))


@given(st.lists(NAMES, unique=True, max_size=6))
def test_the_model_knows_each_tool_by_a_name_that_the_api_takes_and_means_the_same_one(names: list[str]) -> None:
    known = {wire_name(name): name for name in names if "__" not in name.split(".")[0]}
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wire) for wire in known)
    for wire, name in known.items():
        assert wire_name(wire) == wire
        said = {"role": "assistant", "content": [use("a", wire, x=1)]}
        assert from_the_model(said, known)["content"][0]["name"] == name
        assert for_the_model([from_the_model(said, known)]) == [said]


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "pay\u202e", "x" * 129, "sch\u00f6n", 7, None])
def test_a_tool_with_a_name_to_mistake_is_not_offered(name: Any) -> None:
    with pytest.raises(NotOffered, match="is no name for a tool"):
        offered("shop", name, "", ANY)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "arguments are an object"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/a"}}}, "remote references"),
        ({"type": "object", "properties": {"signoff_reason": {}}}, "can't be called so"),
        ({"type": "object", "properties": {"a b": {}}}, "can't be called so"),
        (None, "must be a JSON object"),
    ],
)
def test_a_tool_whose_schema_would_break_something_is_not_offered(schema: Any, why: str) -> None:
    with pytest.raises(NotOffered, match=why):
        offered("shop", "pay", "", schema)


def test_patterns_that_cant_be_checked_are_left_to_the_server_and_nothing_else_is() -> None:
    schema = {
        "type": "object",
        "properties": {"mail": {"type": "string", "pattern": "^(?!\\.)x"}, "pattern": {"type": "integer"}},
        "required": ["mail"],
    }
    tool = offered("shop", "pay", "d" * 5000, schema)
    assert tool.schema == {**schema, "properties": {"mail": {"type": "string"}, "pattern": {"type": "integer"}}}
    assert (tool.name, len(tool.description) <= LONGEST_DESCRIPTION) == ("shop.pay", True)
    assert tool.check({"mail": "x"}) == {"mail": "x"}
    for unfit in ({}, {"mail": 1}, {"mail": "x", "pattern": "y"}):
        with pytest.raises(ArgumentsRefused):
            tool.check(unfit)


def test_alternatives_at_the_top_are_kept_from_the_api_alone() -> None:
    schema = {**ANY, "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    tool = offered("shop", "pay", None, schema)
    assert for_the_api(tool.schema) == {**ANY, "properties": {"a": {}, "b": {}}}
    assert tool.description == "pay of shop"
    assert check_schema(dict(tool.schema))
    with pytest.raises(ArgumentsRefused):
        tool.check({"a": 1, "b": 1})


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"content": [TextContent(text="a"), TextContent(text="b")]}, "a\nb"),
        ({"content": [TextContent(text="a")], "structured_content": {"result": "a"}}, "a"),
        ({"content": [TextContent(text='{"n": 1}')], "structured_content": {"n": 1}}, '{"n": 1}'),
        (
            {"content": [TextContent(text="1 of 2")], "structured_content": {"n": 1}},
            {"text": "1 of 2", "data": {"n": 1}},
        ),
        ({"content": [], "structured_content": {"n": 1}}, {"n": 1}),
        ({"content": [ImageContent(data="aGVsbG8h", mime_type="image/png")]}, "[image/png, 6 bytes: left out]"),
        ({"content": [ResourceLink(name="log", uri="file:///log")]}, "[log: file:///log]"),
        ({"content": [EmbeddedResource(resource=TextResourceContents(uri="file:///a", text="t"))]}, "t"),
        ({"content": []}, ""),
    ],
)
def test_an_answer_is_told_once_as_text_and_data(answer: dict[str, Any], result: Any) -> None:
    assert result_of(CallToolResult(**answer)) == result
