"""Which question comes before a call, and what each answer leads to: nothing easier than the call's own judgement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.asking import GO_ON, PLAIN, bare_gate, question_before
from policies.checkpoint import ASKING, Act, Checkpoint, Kind
from policies.judgement import Facts, judge
from policies.loader import load
from policies.policy import Policy, scaled
from policies.question import Choice, Question
from policies.request import NO_CALL, Submission, ToolCall
from policies.scope import may_ask

FACTS = Facts(agent="shop", now=datetime(2026, 11, 23, 12, 0, tzinfo=UTC), recent={"tool_before": 0})
HEAD = """
version: 1
reviewers: {support: {users: [U0ANA, U0BEN]}}
ladders:
  standard: [{after: 2h, then: expire}]
  firm: [{after: 1h, then: expire}]
  pause: [{after: 2m, then: proceed}]
tools: {wipe: {reversible: false, impact: low}}
default: {checkpoint: hard, reviewers: support, ladder: standard}
rules:
  - {name: reads, match: [read_*, wipe], checkpoint: allow}
  - {name: never, match: read_secrets, checkpoint: deny}
  - {name: much, match: read_*, when: "has(args.n) && args.n > 5", checkpoint: hard}
"""


def policy(*rules: str) -> Policy:
    return load(HEAD + "".join(f"  - {rule}\n" for rule in rules), source="p.yml")


def call(tool: str = "read_order", **more: Any) -> Submission:
    return Submission(call=ToolCall(tool=tool, arguments=more.pop("arguments", {"n": 1})), **more)


def before(rules: Policy, submission: Submission) -> tuple[Checkpoint, Question | None]:
    gate = judge(rules, submission, FACTS)
    return gate, question_before(rules, submission, FACTS, gate)


def test_the_contracts_rule_asks_the_unsure_and_leaves_the_gate_to_the_other_rules() -> None:
    rules = policy("{name: unsure, when: confidence < 0.7, clarify: true}")
    assert rules.warnings == ()
    gate, question = before(rules, call(confidence=0.5))
    assert (gate.kind, gate.rule, gate.matched) == (Kind.ALLOW, "reads", ("reads", "unsure"))
    assert question is not None
    assert (question.text, [one.label for one in question.choices], question.free_text) == (PLAIN, [GO_ON], True)
    assert (question.rule, question.ladder) == ("unsure", ASKING)
    for sure in (call(confidence=0.9), call()):
        assert before(rules, sure)[1] is None
    assert before(rules, call("unheard_of", confidence=0.5))[0].rule == "default"


def test_what_is_denied_is_denied_at_once() -> None:
    rules = policy("{name: unsure, match: '*', clarify: true}")
    gate, question = before(rules, call("read_secrets", question=Question(text="May I?")))
    assert (gate.kind, gate.clarify, question) == (Kind.DENY, None, None)


def test_the_agents_question_is_always_asked_and_goes_before_the_policys_words() -> None:
    own = Question(text="Which one?")
    assert before(policy(), call(question=own))[1] is not None
    rules = policy("{name: which, match: '*', clarify: {question: Policy asks?, ladder: firm}}")
    question = before(rules, call(question=own))[1]
    assert question is not None
    assert (question.text, question.rule, question.ladder.name) == ("Which one?", None, "firm")


def test_the_policys_own_words_and_choices_are_asked() -> None:
    rules = policy(
        "{name: plain, match: '*', clarify: true}",
        "{name: named, match: '*', clarify: {question: Which customer?, choices: [Mara, Ines]}}",
    )
    question = before(rules, call())[1]
    assert question is not None
    assert (question.text, [one.label for one in question.choices]) == ("Which customer?", ["Mara", "Ines"])


def test_where_one_rule_lets_a_question_expire_silence_takes_no_guess() -> None:
    rules = policy(
        "{name: named, match: '*', clarify: Which customer?}",
        "{name: firmly, match: '*', clarify: {ladder: firm}}",
    )
    question = before(rules, call())[1]
    assert question is not None
    assert (question.text, question.ladder.steps[-1].act) == ("Which customer?", Act.EXPIRE)


def test_each_choice_is_judged_with_its_own_arguments() -> None:
    own = Question(
        text="Which?", choices=(Choice(id="few", label="1"), Choice(id="many", label="9", arguments={"n": 9}))
    )
    gate, question = before(policy(), call(question=own))
    assert gate.kind is Kind.ALLOW
    assert question is not None
    assert question.choices[0].gate is None
    many = question.choices[1].gate
    assert many is not None
    assert (many.kind, many.rule) == (Kind.HARD, "much")


@pytest.mark.parametrize("guess", [None, "same", "in words"])
def test_a_guess_by_silence_waits_for_people_where_the_call_can_not_be_undone(guess: str | None) -> None:
    own = Question(text="Which?", choices=(Choice(id="same", label="Same"),), best_guess=guess)
    gate, question = before(policy(), call("wipe", question=own))
    assert gate.kind is Kind.ALLOW
    assert question is not None
    assert question.on_silence is not None
    assert (question.on_silence.kind, question.on_silence.ladder.steps[-1].act) == (Kind.HARD, Act.EXPIRE)
    reversible = before(policy(), call(question=own))[1]
    assert reversible is not None
    assert reversible.on_silence == before(policy(), call(question=own))[0]


@pytest.mark.parametrize("tool", ["read_order", "post_it", "unheard_of"])
def test_an_answer_in_words_never_leads_to_a_gate_that_lets_go(tool: str) -> None:
    rules = policy("{name: posts, match: post_it, checkpoint: soft, ladder: pause}")
    gate, question = before(rules, call(tool, question=Question(text="Which?")))
    assert question is not None
    assert question.on_words is not None
    assert (question.on_words.kind, question.on_words.ladder.steps[-1].act) == (Kind.HARD, Act.EXPIRE)
    assert question.on_words == gate or gate.kind in (Kind.ALLOW, Kind.SOFT)


def test_a_question_rule_whose_condition_fails_holds_the_call_and_asks() -> None:
    rules = policy("{name: broken, match: read_*, when: args.absent > 1, clarify: true}")
    gate, question = before(rules, call())
    assert (gate.kind, gate.rule) == (Kind.HARD, "broken")
    assert question is not None


def test_a_bare_question_goes_to_the_people_of_the_default() -> None:
    gate = bare_gate(policy())
    assert (gate.rule, gate.reviewers.name, gate.quorum) == ("question", "support", 1)
    question = question_before(policy(), Submission(call=NO_CALL, question=Question(text="Who?")), FACTS, gate)
    assert question is not None
    assert question.on_silence is None


def test_calls_that_may_be_asked_about_are_never_taken_for_certain() -> None:
    assert not may_ask(load(HEAD.replace("never", "n").split("  - {name: n,")[0], source="p.yml"), "read_order")
    only = load(HEAD.split("  - {name: never")[0] + "  - {name: q, match: read_*, clarify: true}\n", source="p.yml")
    assert may_ask(only, "read_order")
    assert may_ask(policy("{name: q, match: unheard_of, clarify: true}"), "unheard_of")


def test_a_demonstration_shortens_questions_too() -> None:
    quick = scaled(policy("{name: q, match: '*', clarify: {ladder: firm}}"), 1 / 60)
    assert quick.asking.length.total_seconds() == 10
    gate = judge(quick, call(), FACTS)
    assert gate.clarify is not None
    assert gate.clarify.ladder.length.total_seconds() == 60


RULES = st.lists(
    st.sampled_from(
        [
            "match: '*', clarify: true",
            "match: read_*, clarify: Which?",
            "when: confidence < 0.7, clarify: true",
            "match: '*', checkpoint: hard, clarify: true",
            "match: '*', checkpoint: hard",
            "match: read_*, checkpoint: soft, ladder: pause, clarify: {ladder: firm}",
            "when: confidence < 0.7, checkpoint: manual, clarify: true",
            "match: '*', checkpoint: deny",
        ]
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(RULES, st.sampled_from(["read_order", "wipe", "unheard_of"]), st.sampled_from([None, 0.2, 0.9]))
def test_a_question_changes_no_gate(rules: list[str], tool: str, confidence: float | None) -> None:
    """Whatever asks, the gate is the one that the rules give without their questions."""
    asking = policy(*(f"{{name: r{place}, {rule}}}" for place, rule in enumerate(rules)))
    silent = [(place, rule.split(", clarify")[0]) for place, rule in enumerate(rules)]
    plain = policy(*(f"{{name: r{place}, {rule}}}" for place, rule in silent if "checkpoint" in rule))
    submission = call(tool, confidence=confidence)
    with_questions, without = judge(asking, submission, FACTS), judge(plain, submission, FACTS)
    same = ("kind", "rule", "reviewers", "quorum", "ladder", "phrase", "self_approval")
    assert [getattr(with_questions, name) for name in same] == [getattr(without, name) for name in same]
