"""What a graph's interrupts ask, and the words in which their answers are taken. No framework, no gateway."""

from __future__ import annotations

import json
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff import NotApproved, Request
from signoff.interrupts import ALL, Asked, Decision, UnknownInterrupt, asking_of, decision_of

CALL = {"name": "refund", "args": {"amount": 140}}
OLD_CALL = {"action": "refund", "args": {"amount": 140}}
EVERYTHING = {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": True}
EDITED = {"amount": 40}


def request(state: str, *, edited: bool = False, execution: str = "unclaimed", note: str | None = None) -> Request:
    """A request as the gateway shows it."""
    arguments, at = EDITED if edited else CALL["args"], "2026-11-23T09:00:00Z"
    told: dict[str, Any] = {
        "id": "req_1",
        "state": state,
        "checkpoint": {"kind": "hard", "rule": "refunds", "reason": "Money"},
        "tool": "refund",
        "arguments": arguments,
        "proposed_arguments": CALL["args"],
        "modified": edited,
        "revision": 1 + edited,
        "digest": "sha256:0",
        "requester": "clerk",
        "created_at": at,
        "decision": {"verdict": state, "by": ["U0ANA"], "at": at, "note": note},
        "execution": {"state": execution, "at": at, "note": None},
    }
    return Request.model_validate(told)


def answer(value: Any, *requests: Request, schema: Any = None) -> Any:
    """What the graph is told when these requests came of its interrupt."""
    asking = asking_of(value, schema)
    return asking.answer([decision_of(one, found) for one, found in zip(asking.asked, requests, strict=True)])


def batched(*allowed: str, calls: int = 1) -> dict[str, Any]:
    configs = [{"action_name": "refund", "allowed_decisions": list(allowed)}]
    return {"action_requests": [{**CALL, "description": "…"}] * calls, "review_configs": configs}


def test_a_batch_is_answered_in_its_order_by_as_many_decisions() -> None:
    found = (request("rejected", note="No"), request("approved", edited=True), request("approved"))
    decisions = answer(batched("approve", "edit", "reject", calls=3), *found)["decisions"]
    assert [decision["type"] for decision in decisions] == ["reject", "edit", "approve"]
    assert "“No”" in decisions[0]["message"]
    assert decisions[1]["edited_action"] == {"name": "refund", "args": EDITED}


def test_javascript_is_answered_as_it_spells() -> None:
    value = {
        "actionRequests": [CALL],
        "reviewConfigs": [{"actionName": "refund", "allowedDecisions": ["approve", "edit", "reject"]}],
    }
    edited = {"type": "edit", "editedAction": {"name": "refund", "args": EDITED}}
    assert answer(value, request("approved", edited=True)) == {"decisions": [edited]}


def test_a_call_by_itself_is_answered_by_one_decision_of_those_its_schema_knows() -> None:
    kinds = {kind: {"properties": {"type": {"const": kind}}} for kind in ("approve", "reject")}
    value = {"type": "tool_approval", "tool_call_id": "call_1", **CALL}
    assert asking_of(value, {"$defs": {**kinds, "refund": {"type": "object"}}}).asked == (
        Asked(
            tool="refund",
            arguments={"amount": 140},
            allowed=frozenset({"approve", "reject"}),
            schema={"type": "object"},
            call_id="call_1",
        ),
    )
    assert asking_of(CALL).asked[0].allowed == ALL
    assert answer(CALL, request("approved")) == {"type": "approve"}


@pytest.mark.parametrize(
    ("found", "config", "said"),
    [
        (request("approved"), EVERYTHING, {"type": "accept", "args": OLD_CALL}),
        (request("approved", edited=True), EVERYTHING, {"type": "edit", "args": {"action": "refund", "args": EDITED}}),
        (request("rejected"), EVERYTHING, {"type": "response", "args": "U0ANA rejected refund; it did not run."}),
        (request("rejected"), {**EVERYTHING, "allow_respond": False}, {"type": "ignore", "args": None}),
    ],
)
def test_the_older_interrupts_are_answered_in_their_words(found: Request, config: Any, said: Any) -> None:
    value = {"action_request": OLD_CALL, "config": config, "description": None}
    assert answer(value, found) == said
    assert answer([value], found) == [said]


def test_an_edit_that_the_graph_does_not_take_is_a_no_that_tells_it() -> None:
    (decision,) = answer(batched("approve", "reject"), request("approved", edited=True))["decisions"]
    assert decision["type"] == "reject"
    assert '{"amount": 40}' in decision["message"]


@pytest.mark.parametrize("state", ["lapsed", "revoked", "succeeded", "failed", "unknown", "dreamt"])
def test_an_approval_that_is_over_is_a_no(state: str) -> None:
    assert answer(CALL, request("approved", execution=state))["type"] == "reject"


def test_where_a_graph_takes_no_no_it_stays_interrupted() -> None:
    with pytest.raises(NotApproved):
        answer(batched("approve", "edit"), request("expired"))


def test_where_people_answer_in_the_tool_s_stead_they_are_asked_a_question() -> None:
    asking = asking_of(
        {
            "action_requests": [{"name": "ask", "args": {"what": "Blue or red?"}}],
            "review_configs": [{"action_name": "ask", "allowed_decisions": ["respond"]}],
        }
    )
    assert asking.asked[0].question == "Blue or red?"
    said = asking.answer([Decision(kind="respond", arguments={}, words="Blue")])
    assert said == {"decisions": [{"type": "respond", "message": "Blue"}]}


@pytest.mark.parametrize(
    "value",
    [
        "Proceed?",
        None,
        [],
        {"question": "Proceed?"},
        {"name": "refund"},
        {"name": 5, "args": {}},
        {"name": "refund", "args": [140]},
        {"action_requests": [CALL], "review_configs": []},
        {"action_requests": [CALL]},
        batched("bless"),
        {"action_requests": 5, "review_configs": [5]},
        [{"action_request": OLD_CALL, "config": EVERYTHING}] * 2,
    ],
    ids=str,
)
def test_what_is_not_known_is_not_answered(value: Any) -> None:
    with pytest.raises(UnknownInterrupt):
        asking_of(value)


STATES = ("pending", "approved", "rejected", "expired", "withdrawn", "answered", "blessed")
EXECUTIONS = ("unclaimed", "claimed", "succeeded", "failed", "unknown", "lapsed", "revoked", "dreamt")


def test_nothing_but_an_approval_that_stands_is_ever_a_yes_and_it_is_one_to_the_arguments_that_were_approved() -> None:
    yes = set()
    for state, execution, edited in product(STATES, EXECUTIONS, (False, True)):
        found = request(state, edited=edited, execution=execution)
        for size in range(len(ALL) + 1):
            for allowed in combinations(sorted(ALL), size):
                asked = Asked(tool="refund", arguments={"amount": 140}, allowed=frozenset(allowed))
                try:
                    decision = decision_of(asked, found)
                except NotApproved:
                    continue
                assert decision.kind in allowed
                if decision.runs:
                    yes.add((state, execution))
                    ran = asked.arguments if decision.kind == "approve" else decision.arguments
                    assert ran == found.arguments
    assert yes == {("approved", "unclaimed"), ("approved", "claimed")}


LEAVES = st.none() | st.integers() | st.sampled_from(("refund", "approve", "reject", "name"))
ANYTHING = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(("name", "args")), LEAVES)
ACTIONS = st.fixed_dictionaries({"name": st.just("refund") | ANYTHING, "args": st.just({}) | ANYTHING})
CONFIGS = st.fixed_dictionaries({"action_name": st.just("refund") | ANYTHING, "allowed_decisions": ANYTHING})
VALUES = (
    ANYTHING
    | ACTIONS
    | st.fixed_dictionaries({"action_requests": st.lists(ACTIONS) | ANYTHING, "review_configs": st.lists(CONFIGS)})
    | st.fixed_dictionaries({"action_request": ANYTHING | st.just(OLD_CALL), "config": ANYTHING | st.just(EVERYTHING)})
)


@given(value=VALUES, schema=ANYTHING)
@settings(max_examples=100)
def test_whatever_interrupts_a_graph_is_a_call_or_left_alone(value: Any, schema: Any) -> None:
    try:
        asking = asking_of(value, schema)
    except UnknownInterrupt:
        return
    for asked in asking.asked:
        assert isinstance(asked.tool, str)
        assert isinstance(asked.arguments, dict)
        assert asked.allowed
    decisions = [Decision(kind="reject", arguments={}, words="No")] * len(asking.asked)
    json.dumps(asking.answer(decisions))
