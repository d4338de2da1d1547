"""What the model hears about each end of a call: a no, silence, a change and a doubt are four different things."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.agent.outcomes import LARGEST_RESULT, LONGEST_RESULT, entered_later, queued, storable, told
from bot.agent.transcript import Answer
from policies.checkpoint import Checkpoint, Kind
from policies.request import Execution, ExecutionState, Request, State
from policies.review import Decision, Review, Verdict
from tests.storage.samples import NOW, request


def ended(state: State, **fields: Any) -> Request:
    return request(state=state, decision=Decision(verdict=state.value, by=("U0ANA",), at=NOW), **fields)


def ran(state: ExecutionState, **fields: Any) -> Request:
    execution = Execution(state=state, at=NOW, **fields)
    return ended(State.APPROVED, execution=execution)


def review(verdict: Verdict, note: str | None = None) -> Review:
    return Review(by="U0ANA", name="Ana Reyes", verdict=verdict, at=NOW, revision=1, note=note)


def test_a_no_names_who_said_it_and_why() -> None:
    no = ended(State.REJECTED, reviews=(review(Verdict.REJECT, "too much"),))
    no = replace(no, decision=Decision(verdict="rejected", by=("U0ANA",), at=NOW, note="too much"))
    answer = told(no)
    assert answer.text.splitlines()[0] == "Rejected by Ana Reyes: too much"
    assert answer.failed
    assert "no reason was given" in told(ended(State.REJECTED, reviews=(review(Verdict.REJECT),))).text


def test_a_refusal_by_the_policy_names_the_policy_and_no_person() -> None:
    denied = ended(State.REJECTED, checkpoint=Checkpoint(kind=Kind.DENY, rule="never", reason="never in production"))
    assert told(denied).text == "The policy refuses this call: never in production. It was not run."


def test_silence_is_not_told_as_a_no() -> None:
    answer = told(ended(State.EXPIRED))
    assert answer.failed
    assert "That is not a no" in answer.text
    assert "Rejected" not in answer.text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ExecutionState.LAPSED, "lapsed before the call ran"),
        (ExecutionState.REVOKED, "Stopped by a reviewer before it ran"),
        (ExecutionState.UNKNOWN, "Nobody knows whether this ran"),
    ],
)
def test_an_approval_that_came_to_nothing_says_so(state: ExecutionState, words: str) -> None:
    answer = told(ran(state))
    assert answer.failed
    assert words in answer.text


def test_a_result_is_told_as_it_is_and_an_empty_one_as_done() -> None:
    assert told(ran(ExecutionState.SUCCEEDED, result="14 EUR")) == Answer(text="14 EUR")
    assert told(ran(ExecutionState.SUCCEEDED, result={"ü": 1})).text == '{"ü": 1}'
    for nothing in (None, "", "  "):
        assert told(ran(ExecutionState.SUCCEEDED, result=nothing)).text == "done", "the API refuses empty texts"
    assert told(ran(ExecutionState.SUCCEEDED, note="Ana said that it ran")).text == "Ana said that it ran"
    assert told(ran(ExecutionState.FAILED, note="no funds")) == Answer(text="no funds", failed=True)
    assert told(ran(ExecutionState.FAILED)).text == "it failed"


def test_a_long_result_is_cut_with_a_notice() -> None:
    text = told(ran(ExecutionState.SUCCEEDED, result="x" * (LONGEST_RESULT + 7))).text
    assert text.endswith("… 7 more characters were left out.")


def test_a_change_is_told_before_the_result() -> None:
    changed = ran(ExecutionState.SUCCEEDED, result="ok")
    call = replace(changed.call, arguments={"order": 7, "amount": 5})
    text = told(replace(changed, call=call, revision=2)).text
    assert text.splitlines() == [
        "A reviewer changed the arguments before this ran.",
        "- amount: 12.5 → 5",
        "Result: ok",
    ]


def test_what_no_database_takes_is_stored_in_words() -> None:
    assert storable({"a": float("nan"), "b": "\ud800x"}) == {"a": "NaN", "b": "?x"}
    cut = storable({"all": "y" * LARGEST_RESULT})
    assert isinstance(cut, str)
    assert cut.endswith("were left out.")


def test_a_queued_call_is_named_by_its_request_when_it_comes_back() -> None:
    assert "r1" in queued(request()).text
    assert entered_later("r1", Answer(text="filed")) == "The call that was queued for review (r1): filed"
    assert "(r1), not done: no" in entered_later("r1", Answer(text="no", failed=True))
