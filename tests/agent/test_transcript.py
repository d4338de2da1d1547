"""What the model's messages ask for, and what it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from bot.agent.transcript import Answer, answers, asking_schema, opening, tool_uses, words_of

SCHEMA = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}


def asks(**arguments: object) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": arguments}]}


def test_reason_and_confidence_are_asked_for_and_never_required() -> None:
    asked = asking_schema(SCHEMA)
    assert set(asked["properties"]) == {"amount", "signoff_reason", "signoff_confidence"}
    assert asked["required"] == ["amount"]
    assert set(SCHEMA["properties"]) == {"amount"}, "the tool's own schema stays as it is"


def test_reason_and_confidence_are_taken_off_the_arguments() -> None:
    (use,) = tool_uses(asks(amount=5, signoff_reason="needed", signoff_confidence=0.25))
    assert (dict(use.arguments), use.reason, use.confidence) == ({"amount": 5}, "needed", 0.25)


@pytest.mark.parametrize("odd", [True, "0.9", 1.5, -0.1, float("nan"), None, [0.9]])
def test_a_confidence_that_is_no_number_from_0_to_1_counts_as_absent(odd: object) -> None:
    (use,) = tool_uses(asks(amount=5, signoff_confidence=odd))
    assert use.confidence is None
    assert dict(use.arguments) == {"amount": 5}


@pytest.mark.parametrize("odd", [7, "", "   ", None, {"a": 1}])
def test_a_reason_that_is_no_text_counts_as_absent(odd: object) -> None:
    (use,) = tool_uses(asks(amount=5, signoff_reason=odd))
    assert use.reason is None


def test_an_input_that_is_no_object_is_left_for_the_tools_check_to_refuse() -> None:
    message = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": [1]}]}
    assert dict(tool_uses(message)[0].arguments) == {"input": [1]}


def test_words_and_tool_uses_of_a_message_are_told_apart() -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": " Hello "}, *asks(amount=1)["content"]]}
    assert words_of(message) == "Hello"
    assert [use.name for use in tool_uses(message)] == ["pay"]
    assert words_of({"role": "user", "content": "plain"}) == "plain"
    assert words_of(opening("do it")) == "do it"


def test_all_results_stand_before_what_came_in_later() -> None:
    message = answers({"a": Answer(text="one"), "b": Answer(text="no", failed=True)}, ["the note was filed"])
    assert [block["type"] for block in message["content"]] == ["tool_result", "tool_result", "text"]
    assert [block.get("is_error") for block in message["content"]] == [False, True, None]
