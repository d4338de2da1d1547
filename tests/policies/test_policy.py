"""The policy as a value: names, the catalogue's levels, scaling, and the policies that Signoff ships."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from policies.budget import budget_in_words
from policies.checkpoint import Act, Kind
from policies.errors import NotFound
from policies.loader import load
from policies.policy import Policy, Rule, scaled
from policies.shapes import json_schema

ROOT = Path(__file__).parents[2]
SHIPPED = ("policies/default.yml", "policies/examples/everything.yml", "bot/demo/policy.yml")


def shipped(name: str) -> Policy:
    return load((ROOT / name).read_text(encoding="utf-8"), source=name)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_policy_loads_and_keeps_its_own_digest(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    policy = shipped(name)
    assert policy.text == text
    assert policy.digest == sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", SHIPPED[1:])
def test_the_example_and_the_demo_hold_no_surprises(name: str) -> None:
    assert shipped(name).warnings == ()


def test_the_default_policy_lets_nobody_decide_and_says_so() -> None:
    policy = shipped("policies/default.yml")
    assert policy.default.gate.reviewers.empty
    assert policy.default.gate.kind is Kind.HARD
    assert policy.starters == ()
    assert any("nobody may decide" in warning.words for warning in policy.warnings)


def test_the_default_policy_bounds_what_any_agent_may_ask_of_people() -> None:
    (budget,) = shipped("policies/default.yml").budgets
    assert budget.about("any-agent.at_all")
    assert budget_in_words(budget) == (
        "at most 50 waiting; at most 200 asked within 1 hour; nothing new for 10 minutes after 5 rejections within"
        " 10 minutes"
    )


def test_one_line_of_reviewers_makes_the_default_policy_whole() -> None:
    text = (ROOT / "policies/default.yml").read_text(encoding="utf-8")
    advised = next(line for line in text.split("\n") if line.startswith("#     team:"))
    policy = load(text.replace("  team: {}", "  " + advised.removeprefix("#").strip()), source="mine.yml")
    assert policy.warnings == ()
    assert policy.default.gate.reviewers.users == ("ana@example.com", "ben@example.com")


@pytest.mark.parametrize(
    ("reversible", "impact", "kind", "quorum"),
    [
        ("true", "low", Kind.ALLOW, 1),
        ("true", "medium", Kind.SOFT, 1),
        ("true", "high", Kind.HARD, 1),
        ("false", "low", Kind.HARD, 1),
        ("false", "medium", Kind.HARD, 1),
        ("false", "high", Kind.MANUAL, 2),
    ],
)
def test_a_tool_that_only_the_catalogue_knows_gets_its_level(
    reversible: str, impact: str, kind: Kind, quorum: int
) -> None:
    text = f"version: 1\ntools: {{wipe: {{reversible: {reversible}, impact: {impact}}}}}\n"
    gate = load(text, source="p.yml").fallback("wipe")
    assert (gate.kind, gate.quorum, gate.rule) == (kind, quorum, "catalogue")
    assert gate.ladder.steps[-1].act is (Act.PROCEED if kind is Kind.SOFT else Act.EXPIRE)


@pytest.mark.parametrize(
    ("patterns", "tool", "named"),
    [
        (("read_*",), "read_order", True),
        (("read_*",), "Read_order", False),
        (("read_*",), "xread_order", False),
        (("pay",), "pay_all", False),
        (("a?c",), "abc", True),
        (("a?c",), "abbc", False),
        (("x", "*_y"), "z_y", True),
        ((), "anything", True),
    ],
)
def test_a_rule_names_tools_exactly_or_by_pattern(patterns: tuple[str, ...], tool: str, named: bool) -> None:
    rule = shipped("policies/default.yml").default
    assert replace(rule, patterns=patterns).names(tool) is named
    assert isinstance(rule, Rule)


def test_a_pattern_of_many_stars_is_matched_quickly() -> None:
    rule = replace(shipped("policies/default.yml").default, patterns=("*a" * 60 + "b",))
    assert not rule.names("a" * 200)


def test_a_group_is_found_by_name_and_an_unknown_one_is_not_found() -> None:
    policy = shipped("bot/demo/policy.yml")
    assert policy.group("support").users == ("U0ANA", "U0BEN")
    with pytest.raises(NotFound):
        policy.group("nobody")


def test_a_policy_knows_what_has_to_be_looked_up_for_it() -> None:
    policy = shipped("policies/examples/everything.yml")
    assert policy.usergroups == {"S0SUPPORT", "S0AUDIT"}
    assert policy.reads == {"args", "now", "recent.tool_count(10m)", "recent.first_use", "confidence", "environment"}


def test_scaling_shortens_every_ladder_and_nothing_else() -> None:
    policy = shipped("bot/demo/policy.yml")
    fast = scaled(policy, 0.05)
    assert fast.digest == policy.digest
    assert [step.after for step in fast.ladders["short"].steps] == [timedelta(seconds=n) for n in (3, 6, 15)]
    assert fast.pause.length == policy.pause.length * 0.05
    for slow, quick in zip((*policy.rules, policy.default), (*fast.rules, fast.default), strict=True):
        assert quick.gate.ladder.length == slow.gate.ladder.length * 0.05
        assert replace(quick.gate, ladder=slow.gate.ladder) == slow.gate


def test_editors_get_a_schema_that_knows_every_key() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {
        "version",
        "reviewers",
        "calendars",
        "ladders",
        "tools",
        "agents",
        "budgets",
        "digest",
        "rules",
        "default",
    }
    assert schema["$defs"]["RuleShape"]["additionalProperties"] is False
