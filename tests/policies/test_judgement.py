"""The policy's answer: which checkpoint stands before a call, and the laws that no rule and no agent can break."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checkpoint import Act, Checkpoint, Kind
from policies.condition import compile_condition
from policies.judgement import RECENT, Facts, Standing, explain, judge
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall

DEMO = (Path(__file__).parents[2] / "bot/demo/policy.yml").read_text(encoding="utf-8")
FACTS = Facts(agent="key:billing", now=datetime(2026, 11, 23, 9, 30, tzinfo=UTC), recent=dict.fromkeys(RECENT, 0))

HEAD = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN, U0CAT]}
  finance: {users: [U0FAY, U0FRED, U0FIN]}
ladders:
  standard: [{after: 2h, then: expire}]
  pause: [{after: 5m, then: proceed}]
  rest: [{after: 1h, then: proceed}]
tools:
  read: {reversible: true, impact: low}
  post: {reversible: true, impact: medium}
  wipe: {reversible: false, impact: high}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


def policy(*rules: str) -> Policy:
    return load(HEAD + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules) if rules else HEAD, source="p.yml")


def call(tool: str = "pay", confidence: float | None = None, context: str | None = None, **args: Any) -> Submission:
    return Submission(call=ToolCall(tool=tool, arguments=args), confidence=confidence, context=context)


def gate(submission: Submission, *rules: str) -> Checkpoint:
    return judge(policy(*rules), submission, FACTS)


@pytest.mark.parametrize(
    ("tool", "args", "kind", "rule", "phrase"),
    [
        ("search_orders", {"customer": "x"}, Kind.ALLOW, "reads", None),
        ("draft_email", {}, Kind.ALLOW, "drafts", None),
        ("publish_post", {"title": "x"}, Kind.SOFT, "posts", None),
        ("send_email", {"to": ["a@example.com"]}, Kind.HARD, "mails", None),
        ("issue_refund", {"order_id": "HG-1042", "amount": 200}, Kind.HARD, "refunds", None),
        ("issue_refund", {"order_id": "HG-1042", "amount": 200.01}, Kind.MANUAL, "large refund", "HG-1042"),
        ("issue_refund", {"order_id": "HG-1042"}, Kind.MANUAL, "large refund", "HG-1042"),
        ("execute_payment", {"payee": "Nordkai Shipping"}, Kind.MANUAL, "payments", "Nordkai Shipping"),
        ("delete_customer", {}, Kind.MANUAL, "deletions", "CONFIRM"),
        ("format_disk", {}, Kind.HARD, "default", None),
    ],
)
def test_the_demo_puts_the_right_checkpoint_before_each_call(
    tool: str, args: dict[str, Any], kind: Kind, rule: str, phrase: str | None
) -> None:
    found = judge(load(DEMO, source="demo.yml"), call(tool, **args), FACTS)
    assert (found.kind, found.rule, found.phrase) == (kind, rule, phrase)


def test_the_reason_says_the_rule_and_its_condition() -> None:
    large = "{name: large payment, match: pay, when: args.amount > 1000, checkpoint: hard}"
    assert gate(call(amount=2000), large).reason == "large payment: args.amount > 1000"
    assert gate(call(amount=2000), "{name: all, match: ['p*', q], checkpoint: hard}").reason == (
        "all: every call of p* or q"
    )
    assert gate(call("wipe")).reason == "catalogue: wipe is irreversible, impact high"
    assert gate(call("new")).reason == "default: no rule of the policy matches this call"


def test_the_strictest_rule_wins_and_all_that_matched_are_named() -> None:
    found = gate(
        call(amount=5),
        "{name: open, match: '*', checkpoint: allow}",
        "{name: strict, match: pay, checkpoint: manual}",
        "{name: held, match: pay, checkpoint: hard, reviewers: finance}",
        "{name: other, match: mail, checkpoint: deny}",
    )
    assert (found.kind, found.rule, found.matched) == (Kind.MANUAL, "strict", ("open", "strict", "held"))


def test_among_equals_the_higher_quorum_wins_then_the_first() -> None:
    one = "{name: one, match: pay, checkpoint: hard}"
    two = "{name: two, match: pay, checkpoint: hard, quorum: 2, reviewers: finance}"
    three = "{name: three, match: pay, checkpoint: hard, quorum: 2}"
    assert gate(call(), one, two, three).rule == "two"
    assert gate(call(), one, two, three).reviewers.name == "finance"


def test_a_stricter_kind_never_lowers_the_number_of_people() -> None:
    found = gate(
        call(),
        "{name: held, match: pay, checkpoint: hard, quorum: 3}",
        "{name: strict, match: pay, checkpoint: manual, quorum: 1}",
    )
    assert (found.kind, found.rule, found.quorum) == (Kind.MANUAL, "strict", 3)
    assert found.reason.endswith("3 approvals by held")


def test_self_approval_needs_the_consent_of_every_rule_that_holds_the_call() -> None:
    own = "{name: own, match: pay, checkpoint: hard, quorum: 2, self_approval: true}"
    assert gate(call(), own).self_approval
    assert not gate(call(), own, "{name: held, match: pay, checkpoint: hard}").self_approval
    assert gate(call(), own, "{name: open, match: pay, checkpoint: allow}").self_approval


def test_a_law_behind_any_matching_rule_stays_on_the_card() -> None:
    law = "{name: law, match: pay, checkpoint: hard, required_by: SOX 404}"
    assert gate(call(), law, "{name: strict, match: pay, checkpoint: manual}").required_by == "SOX 404"


def test_silence_lets_a_call_go_only_where_every_equal_rule_does() -> None:
    go = "{name: go, match: pay, checkpoint: inbox, quorum: 2, ladder: pause}"
    assert gate(call(), go).ladder.name == "pause"
    assert gate(call(), go, "{name: stay, match: pay, checkpoint: inbox}").ladder.name == "standard"
    assert gate(call(), go, "{name: late, match: pay, checkpoint: inbox, ladder: rest}").ladder.name == "rest"


def test_silence_never_lets_an_irreversible_call_go_though_a_rule_says_so() -> None:
    loose = policy(
        "{name: wide, match: '*', checkpoint: soft, ladder: pause}", "{name: w, match: wipe, checkpoint: hard}"
    )
    only_wide = replace(loose, rules=loose.rules[:1])
    found = judge(only_wide, call("wipe"), FACTS)
    assert (found.kind, found.ladder.name) == (Kind.HARD, "standard")


@pytest.mark.parametrize(
    ("checkpoint", "kind", "rule"),
    [
        ("allow", Kind.HARD, "default"),
        ("soft, ladder: pause", Kind.HARD, "r"),
        ("inbox, ladder: pause", Kind.HARD, "r"),
        ("hard", Kind.HARD, "r"),
        ("manual", Kind.MANUAL, "r"),
        ("deny", Kind.DENY, "r"),
    ],
)
def test_a_condition_that_fails_holds_the_call_for_people(checkpoint: str, kind: Kind, rule: str) -> None:
    found = gate(call(), f"{{name: r, match: pay, when: args.amount > 1, checkpoint: {checkpoint}}}")
    assert (found.kind, found.rule) == (kind, rule)
    assert found.ladder.steps[-1].act is Act.EXPIRE
    if rule == "r":
        assert "could not be evaluated" in found.reason
        assert "amount" in found.reason


UNSURE = "{name: unsure, when: confidence < 0.7, checkpoint: hard, reviewers: finance}"


def test_what_the_agent_says_of_itself_can_only_raise_the_gate() -> None:
    reads = "{name: reads, match: read, checkpoint: allow}"
    assert gate(call("read", confidence=0.9), reads, UNSURE).kind is Kind.ALLOW
    assert gate(call("read", confidence=0.2), reads, UNSURE).rule == "unsure"
    assert gate(call("read"), reads, UNSURE).kind is Kind.ALLOW
    assert gate(call("wipe", confidence=0.2), UNSURE).rule == "catalogue"
    sure = "{name: sure, when: confidence > 0.9, checkpoint: allow}"
    assert gate(call("new", confidence=1.0), sure).rule == "default"
    assert gate(call("wipe", confidence=1.0), sure).kind is Kind.MANUAL
    calm = "{name: calm, when: context == 'safe', checkpoint: soft, ladder: pause}"
    safe = "{name: w, match: wipe, checkpoint: hard}"
    assert gate(call("new", context="safe"), calm, safe).kind is Kind.HARD


def test_a_rule_for_a_high_confidence_holds_a_low_one_as_well_and_says_so() -> None:
    sure = policy("{name: sure, match: read, when: confidence > 0.5, checkpoint: manual}")
    for confidence in (0.1, 0.5, 0.9):
        assert judge(sure, call("read", confidence=confidence), FACTS).kind is Kind.MANUAL
    assert judge(sure, call("read"), FACTS).kind is Kind.ALLOW
    found = explain(sure, call("read", confidence=0.1), FACTS).findings[0]
    assert found.why == "confidence > 0.5 is true of a higher confidence, and to state less never loosens"


def test_what_fails_of_a_higher_confidence_holds_the_lower_one_for_people() -> None:
    odd = "{name: odd, match: pay, when: 'confidence > 0.5 ? args.absent > 1 : true', checkpoint: soft, ladder: pause}"
    law = policy("{name: reads, match: pay, checkpoint: allow}", odd, "{name: w, match: wipe, checkpoint: hard}")
    assert judge(law, call(confidence=0.9), FACTS).kind is Kind.HARD
    assert judge(law, call(confidence=0.1), FACTS).kind is Kind.HARD


def test_what_a_condition_may_cost_covers_every_confidence_and_is_the_same_for_each() -> None:
    several = "args.body == args.body && (confidence < 0.2 || confidence > 0.8)"
    looked_at_once = compile_condition(several.replace("confidence", "args.sure")).weight
    assert compile_condition(several).weight.touches == 6 * looked_at_once.touches
    odd = f"{{name: odd, match: pay, when: '{several}', checkpoint: inbox}}"
    last = "{name: last, match: pay, when: \"args.body.contains('forever')\", checkpoint: deny}"
    busy = policy(*(odd.replace("odd", f"odd {n}") for n in range(9)), last)
    body = "b" * 30_000
    assert len({judge(busy, call(confidence=c, body=body), FACTS).kind for c in (0.0, 0.2, 0.5, 0.8, 1.0)}) == 1


def test_an_explanation_tells_of_every_rule_why_it_counts_or_not() -> None:
    found = explain(
        policy(
            "{name: match, match: pay, checkpoint: hard}",
            "{name: fails, match: pay, when: args.nope > 1, checkpoint: hard}",
            "{name: other, match: mail, checkpoint: hard}",
            "{name: untrue, match: pay, when: args.amount > 10, checkpoint: hard}",
            UNSURE,
        ),
        call(amount=5),
        FACTS,
    )
    assert [finding.standing for finding in found.findings] == list(Standing)
    assert all(finding.why for finding in found.findings)
    assert found.checkpoint.matched == ("match", "fails")


def test_counts_hold_back_an_agent_in_a_hurry_and_a_missing_count_holds_it_too() -> None:
    hurry = "{name: hurry, match: pay, when: recent.tool_hour >= 20, checkpoint: deny}"
    busy = policy("{name: pay, match: pay, checkpoint: allow}", hurry)
    assert judge(busy, call(), FACTS).kind is Kind.ALLOW
    assert judge(busy, call(), replace(FACTS, recent={**FACTS.recent, "tool_hour": 20})).kind is Kind.DENY
    assert judge(busy, call(), replace(FACTS, recent={})).kind is Kind.DENY


CONDITIONS = [
    None,
    "args.amount > 100",
    "args.amount <= 100",
    "args.absent > 1",
    "has(args.to) && size(args.to) > 1",
    "tool == 'pay'",
    "recent.hour > 3",
    "confidence < 0.5",
    "confidence > 0.5",
    "confidence >= 0.25 && confidence < 0.5",
    "0.75 == confidence",
    "!(confidence < 0.5)",
    "confidence > 0.5 ? args.absent > 1 : args.amount > 100",
    "confidence < 0.5 ? args.absent > 1 : false",
    "context == 'safe'",
    "on_behalf_of != ''",
]
GATES = [
    "allow",
    "soft, ladder: pause",
    "soft, ladder: rest",
    "inbox, ladder: pause",
    "inbox",
    "hard",
    "hard, quorum: 2, reviewers: finance",
    "hard, self_approval: true",
    "hard, quorum: 3, self_approval: true",
    "hard, batch: true",
    "manual",
    "manual, quorum: 1, confirm: args.to",
    "deny",
]


@cache
def pool() -> Policy:
    """Every pair of a condition and a gate, over every tool, as one policy to draw rules from."""
    guard = "{name: guard, match: wipe, checkpoint: hard}"  # frees the wide soft rules, and is never drawn itself
    written = [
        f"{{name: {c}-{g}, match: '*', {f'when: {json.dumps(text)}, ' if text else ''}checkpoint: {kind}}}"
        for c, text in enumerate(CONDITIONS)
        for g, kind in enumerate(GATES)
    ]
    return policy(guard, *written)


def drawn(indexes: list[int]) -> Policy:
    rules = pool().rules[1:]
    picked = [replace(rules[i % len(rules)], name=str(n)) for n, i in enumerate(indexes)]
    return replace(pool(), rules=tuple(replace(r, gate=replace(r.gate, rule=r.name)) for r in picked))


RULES = st.lists(st.integers(0, len(CONDITIONS) * len(GATES) - 1), max_size=6)
AMOUNTS = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text())
JSON = st.recursive(
    st.none() | st.booleans() | AMOUNTS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ARGUMENTS = st.fixed_dictionaries({}, optional={"amount": AMOUNTS, "to": st.lists(st.text()) | JSON, "other": JSON})
TOOLS = st.sampled_from(["pay", "read", "post", "wipe", "unknown", "read_*"])
CONFIDENCES = st.sampled_from([0, 0.25, 0.5, 0.50001, 0.75, 1]) | st.floats(0, 1)
WORDS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    confidence=st.none() | CONFIDENCES,
    context=st.sampled_from([None, "", "safe", "x"]),
    on_behalf_of=st.sampled_from([None, "", "U0ANA"]),
)


def looseness(found: Checkpoint) -> tuple[bool, ...]:
    """What a gate permits, each true where it permits it: a stricter gate permits a subset."""
    held = found.kind not in (Kind.ALLOW, Kind.DENY)
    kinds = [kind.strictness >= found.kind.strictness for kind in Kind if kind is not Kind.DENY]
    denied = found.kind is Kind.DENY
    quorums = [not denied and (not held or found.quorum <= people) for people in range(1, 4)]
    silence = not denied and (not held or found.ladder.steps[-1].act is Act.PROCEED)
    alone = not denied and (not held or found.self_approval)
    together = not denied and (not held or found.batch)
    return (*kinds, *quorums, silence, alone, together)


def permits_more(one: Checkpoint, other: Checkpoint) -> bool:
    return any(mine and not yours for mine, yours in zip(looseness(one), looseness(other), strict=True))


@settings(max_examples=300, deadline=None)
@given(
    indexes=RULES.filter(bool),
    added=st.integers(0, len(CONDITIONS) * len(GATES) - 1),
    place=st.integers(0, 6),
    tool=TOOLS,
    args=ARGUMENTS,
    words=WORDS,
)
def test_adding_a_rule_to_a_call_that_some_rule_matches_never_loosens(
    indexes: list[int], added: int, place: int, tool: str, args: dict[str, Any], words: dict[str, Any]
) -> None:
    submission = Submission(call=ToolCall(tool=tool, arguments=args), **words)
    few, more = drawn(indexes), drawn([*indexes[:place], added, *indexes[place:]])
    before, after = explain(few, submission, FACTS), judge(more, submission, FACTS)
    if any(finding.gate and not finding.rule.believes for finding in before.findings):
        assert not permits_more(after, before.checkpoint)


@settings(max_examples=300, deadline=None)
@given(indexes=RULES, tool=TOOLS, args=ARGUMENTS, words=WORDS)
def test_the_agents_own_words_never_loosen(
    indexes: list[int], tool: str, args: dict[str, Any], words: dict[str, Any]
) -> None:
    full = drawn(indexes)
    deaf = replace(full, rules=tuple(rule for rule in full.rules if not rule.believes))
    submission = Submission(call=ToolCall(tool=tool, arguments=args), **words)
    assert not permits_more(judge(full, submission, FACTS), judge(deaf, replace(submission, context=None), FACTS))


@settings(max_examples=200, deadline=None)
@given(indexes=RULES, tool=TOOLS, args=ARGUMENTS, words=WORDS, stated=st.lists(CONFIDENCES, min_size=2, max_size=2))
def test_to_state_a_lower_confidence_never_loosens(
    indexes: list[int], tool: str, args: dict[str, Any], words: dict[str, Any], stated: list[float]
) -> None:
    call, full = Submission(call=ToolCall(tool=tool, arguments=args), **words), drawn(indexes)
    less, more = (judge(full, replace(call, confidence=confidence), FACTS) for confidence in sorted(stated))
    assert not permits_more(less, more)


@settings(max_examples=200, deadline=None)
@given(indexes=RULES, tool=TOOLS, args=ARGUMENTS, words=WORDS)
def test_judgement_always_answers_and_never_puts_silence_before_the_irreversible(
    indexes: list[int], tool: str, args: dict[str, Any], words: dict[str, Any]
) -> None:
    found = judge(drawn(indexes), Submission(call=ToolCall(tool=tool, arguments=args), **words), FACTS)
    assert (found.phrase is not None) is (found.kind is Kind.MANUAL)
    assert found.phrase is None or found.phrase.strip()
    if tool == "wipe" and found.kind is not Kind.ALLOW:
        assert found.ladder.steps[-1].act is Act.EXPIRE
    if found.kind.strictness >= Kind.HARD.strictness:
        assert found.ladder.steps[-1].act is Act.EXPIRE


def test_a_hundred_rules_are_judged_within_five_milliseconds() -> None:
    rules = [
        f"{{name: r{n}, match: 'p*', when: args.amount > {n} && size(args.to) > 2, checkpoint: hard}}"
        for n in range(100)
    ]
    large = policy(*rules)
    submission = call(amount=50, to=["a@example.com"] * 8, body="x" * 2_000)
    spent = []
    for _ in range(7):
        start = time.process_time()
        judge(large, submission, FACTS)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.005


def test_what_an_agent_says_of_itself_never_chooses_who_decides() -> None:
    policy = load(
        """
version: 1
reviewers: {cfo: {users: [U0CFO]}, team: {users: [U0ANA, U0BEN]}}
ladders: {standard: [{after: 2h, then: expire}]}
rules:
  - {name: pay, match: pay, checkpoint: hard, reviewers: cfo}
  - {name: unsure, match: pay, when: confidence < 0.5, checkpoint: manual, quorum: 1, reviewers: team}
  - {name: reads, match: read, checkpoint: allow}
  - {name: unsure reads, match: read, when: confidence < 0.5, checkpoint: hard, reviewers: team}
default: {checkpoint: hard, reviewers: cfo, ladder: standard}
""",
        source="policy.yml",
    )

    def judged(tool: str, confidence: float) -> tuple[str, str]:
        submission = Submission(call=ToolCall(tool=tool, arguments={}), confidence=confidence)
        gate = judge(policy, submission, Facts(agent="a", now=datetime(2026, 11, 23, tzinfo=UTC), recent={}))
        return gate.kind.value, gate.reviewers.name

    assert judged("pay", 0.9) == ("hard", "cfo")
    assert judged("pay", 0.1) == ("manual", "cfo")
    assert judged("read", 0.9)[0] == "allow"
    assert judged("read", 0.1) == ("hard", "team")


@pytest.mark.parametrize("said", ["", "production"])
def test_the_environment_is_the_gateways_word_whatever_the_agent_says(said: str) -> None:
    held = "{name: real, match: pay, when: environment == 'production', checkpoint: manual}"
    free = "{name: trial, match: pay, when: environment != 'production', checkpoint: allow}"
    asked = call(context=said, environment=said, confidence=1.0)
    here = replace(FACTS, environment="production")
    assert judge(policy(held, free), asked, here).rule == "real"
    assert judge(policy(held, free), asked, replace(FACTS, environment="test")).rule == "trial"
    assert judge(policy(held, free), asked, FACTS).rule == "trial"
    assert policy(held).reads == {"environment"}
