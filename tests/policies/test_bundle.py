"""Conditions asked together say what each says alone: the same answers, the same words, the same work."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bundle import SIZE, answered
from policies.checkpoint import Kind
from policies.condition import bind
from policies.judgement import Facts, explain, judge
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall
from policies.work import MOST_OF_A_CALL

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FACTS = Facts(agent="billing", now=NOW, recent={"hour": 3, "count(10m)": 2})

CONDITIONS = (
    "args.amount > 100",
    "args.amount <= 100 // less than a lot",
    "args.flag",
    "has(args.absent) && args.absent > 1",
    "args.absent > 1",
    "args.amount / args.zero > 1",
    "'a' in args && args['a'] == 1",
    "size(args.to) > 1",
    "outside(args.to, ['example.com'])",
    "money(args.cost) > 10",
    "args.text.matches('^a+$')",
    "args.text + args.text != args.text",
    "args.text.contains('a') && args.text.contains('b')",
    "tool == 't' ? true : args.absent",
    "recent.hour > 2",
    "recent.count('10m') > 1",
    "confidence < 0.5",
    "confidence >= 0.5 && args.flag",
    "true || confidence > 0.5",
    "context == 'calm'",
    "args.to.exists(one, one.endsWith('.org'))",
    "args.to.all(one, args.to.all(other, one != other + 'x'))",
    "now.getHours() == 9",
    "true",
    "dyn(args.amount) == dyn('x')",
    "type(args.text) == string",
)
KINDS = ("allow", "hard", "manual", "deny")


@cache
def pool() -> Policy:
    rules = [
        f"  - {{name: {c}-{k}, match: t, when: {json.dumps(text)}, checkpoint: {kind}}}"
        for c, text in enumerate(CONDITIONS)
        for k, kind in enumerate(KINDS)
    ]
    return load("\n".join(["version: 1", "rules:", *rules, ""]), source="p.yml")


def drawn(indexes: list[int]) -> Policy:
    rules = [(pool().rules[index], str(place)) for place, index in enumerate(indexes)]
    return replace(
        pool(), rules=tuple(replace(rule, name=name, gate=replace(rule.gate, rule=name)) for rule, name in rules)
    )


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.booleans(), st.none(), st.integers(-200, 200), st.floats(0, 300), st.sampled_from(["", "aaa", "1,200.00"])
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.integers(0, 200) | VALUES,
        "flag": st.booleans() | VALUES,
        "zero": st.integers(0, 1),
        "to": st.lists(st.sampled_from(["a@example.com", "b@example.org", "nobody"]), max_size=3) | VALUES,
        "cost": VALUES,
        "text": st.sampled_from(["", "aaa", "ab", "a" * 30_000, "a" * 65_000]) | VALUES,
        "a": VALUES,
    },
)
PICKS = st.lists(st.integers(0, len(CONDITIONS) * len(KINDS) - 1), max_size=2 * SIZE + 5)
CONFIDENCE = st.none() | st.floats(0, 1)


def submission(args: dict[str, Any], confidence: float | None, tool: str = "t") -> Submission:
    return Submission(call=ToolCall(tool=tool, arguments=args), confidence=confidence, context="calm")


@settings(max_examples=120, deadline=None)
@given(indexes=PICKS, args=ARGUMENTS, confidence=CONFIDENCE)
def test_a_call_is_judged_in_batches_as_it_is_rule_by_rule(
    indexes: list[int], args: dict[str, Any], confidence: float | None
) -> None:
    policy, call = drawn(indexes), submission(args, confidence)
    assert judge(policy, call, FACTS) == explain(policy, call, FACTS).checkpoint


@settings(max_examples=120, deadline=None)
@given(indexes=PICKS, args=ARGUMENTS, confidence=CONFIDENCE)
def test_each_answer_and_all_the_work_are_those_of_the_conditions_alone(
    indexes: list[int], args: dict[str, Any], confidence: float | None
) -> None:
    policy = drawn(indexes)
    said = {} if confidence is None else {"confidence": confidence}
    values = {"tool": "t", "args": args, "agent": "x", "now": NOW, "recent.hour": 3, "context": "", **said}
    together, alone = bind(values), bind(values)
    answers = answered(policy.about("t"), together)
    for place, rule in enumerate(policy.rules):
        assert rule.when is not None
        if place not in answers:
            continue
        assert rule.when.holds(alone) is answers[place]
    assert together.allowance == alone.allowance


def test_most_of_a_long_policy_is_answered_together() -> None:
    policy = drawn([0, len(KINDS), 10] * 2 * SIZE)
    bound = bind({"args": {"amount": 7, "flag": True, "text": "aaa"}})
    assert answered(policy.about("t"), bound).keys() == set(range(6 * SIZE))


def test_what_reads_the_confidence_is_asked_alone() -> None:
    policy = drawn([CONDITIONS.index("true || confidence > 0.5") * len(KINDS)] * 3)
    assert answered(policy.about("t"), bind({"args": {}, "confidence": 0.1})) == {}


def test_a_condition_that_fails_silences_its_own_batch_only() -> None:
    fine, failing = CONDITIONS.index("true") * len(KINDS), CONDITIONS.index("args.absent > 1") * len(KINDS)
    policy = drawn([fine] * SIZE + [failing] + [fine] * (SIZE - 1) + [fine] * SIZE)
    answers = answered(policy.about("t"), bind({"args": {}}))
    assert answers.keys() == {*range(SIZE), *range(2 * SIZE, 3 * SIZE)}


def test_where_the_work_could_be_refused_each_is_asked_alone_in_the_order_of_the_policy() -> None:
    costly = CONDITIONS.index("args.text.contains('a') && args.text.contains('b')") * len(KINDS)
    policy, call = drawn([costly + 3] * 60), submission({"text": "b" * 65_000}, None)
    bound = bind({"args": call.call.arguments})
    assert answered(policy.about("t"), bound) == {}
    assert bound.allowance.left == MOST_OF_A_CALL
    found = explain(policy, call, FACTS)
    assert found.checkpoint.kind is Kind.DENY
    assert "too much work" in found.checkpoint.reason
    assert judge(policy, call, FACTS) == found.checkpoint


def test_other_rules_make_other_bundles_and_the_same_rules_keep_theirs() -> None:
    policy = drawn([0] * 5)
    assert replace(policy, source="else.yml").bundles is policy.bundles
    assert replace(policy, rules=policy.rules[:4]).bundles.each[0].places == (0, 1, 2, 3)
    assert judge(replace(policy, rules=()), submission({"amount": 500}, None), FACTS).rule == "default"


def test_a_condition_that_gives_no_bool_is_told_so_beside_others() -> None:
    policy, call = drawn([CONDITIONS.index("args.flag") * len(KINDS) + 1] * 3), submission({"flag": "yes"}, None)
    assert "it gave STRING, not a bool" in judge(policy, call, FACTS).reason
