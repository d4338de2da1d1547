"""The examples for five trades: each loads without a surprise, and does what its cases say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.cases import load_cases, try_case
from policies.loader import load
from policies.policy import Policy

EXAMPLES = Path(__file__).parents[2] / "policies/examples"
TRADES = ("coding", "devops", "finance", "marketing", "support")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def example(name: str) -> Policy:
    return load((EXAMPLES / f"{name}.yml").read_text(encoding="utf-8"), source=f"{name}.yml")


def test_every_example_for_a_trade_is_tested_here() -> None:
    found = {path.name.removesuffix(".yml") for path in EXAMPLES.glob("*.yml") if ".cases" not in path.name}
    assert found == {*TRADES, "everything"}


@pytest.mark.parametrize("name", TRADES)
def test_it_loads_without_a_warning(name: str) -> None:
    assert example(name).warnings == ()


@pytest.mark.parametrize("name", TRADES)
def test_every_case_comes_out_as_expected(name: str) -> None:
    policy = example(name)
    text = (EXAMPLES / f"{name}.cases.yml").read_text(encoding="utf-8")
    cases = load_cases(text, source=f"{name}.cases.yml", policy=policy, now=NOW)
    assert [(case.name, trial.misses) for case in cases if (trial := try_case(policy, case)).misses] == []


@pytest.mark.parametrize("name", TRADES)
def test_its_cases_reach_every_rule(name: str) -> None:
    policy = example(name)
    text = (EXAMPLES / f"{name}.cases.yml").read_text(encoding="utf-8")
    cases = load_cases(text, source=f"{name}.cases.yml", policy=policy, now=NOW)
    won = {try_case(policy, case).explanation.checkpoint.rule for case in cases}
    assert {rule.name for rule in policy.rules} <= won
