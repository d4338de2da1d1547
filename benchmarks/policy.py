"""How long a policy of 500 rules takes to load, and a call to be judged by it.

    python -m benchmarks.policy [rules]

Beside a judgement stands the bare evaluation of the same conditions, of those rules that look at the tool, by the CEL
engine alone; beside a load, the YAML parser alone. ``many tools`` is a policy as people write them: each rule for its
tool. ``one tool`` is the worst: every rule looks at the call.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ruamel.yaml import YAML

from policies.condition import bind
from policies.judgement import Facts, counts, judge
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall

RULES = 500
TOOLS = {"many tools": 50, "one tool": 1}
LOADS = 5
CALLS = 50
CONDITIONS = (
    "args.amount > {n}",
    "has(args.payee) && args.payee == 'payee {n}'",
    "size(args.recipients) > {n}",
    "outside(args.recipients, ['example.com'])",
    "recent.tool_hour >= {n}",
)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARGUMENTS = {
    "amount": 250,
    "payee": "payee 7",
    "recipients": [f"person{n}@example.com" for n in range(8)],
    "body": "x" * 2_000,
}


def written(rules: int, tools: int) -> str:
    """A policy file of so many rules, in turn for so many tools."""
    lines = ["version: 1", "reviewers:", "  support: {users: [ana@example.com, ben@example.com]}", "rules:"]
    for n in range(rules):
        condition = CONDITIONS[n // tools % len(CONDITIONS)].format(n=n)
        lines += [f"  - name: rule {n}", f"    match: tool_{n % tools}", f'    when: "{condition}"']
        lines += ["    checkpoint: hard", "    reviewers: support"]
    return "\n".join([*lines, "default: {checkpoint: hard, reviewers: support}", ""])


def took(rounds: int, act: Callable[[], object]) -> float:
    """The median of so many rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1_000


def compare(title: str, rules: int, tools: int) -> None:
    """Load and judge; print both beside what the libraries take for the same."""
    text = written(rules, tools)
    loading, parsing = took(LOADS, lambda: load(text, source="policy.yml")), took(LOADS, lambda: YAML().load(text))
    policy = load(text, source="policy.yml")
    submission = Submission(call=ToolCall(tool="tool_0", arguments=ARGUMENTS))
    facts = Facts(agent="billing", now=NOW, recent=dict.fromkeys(counts(policy), 3))
    judging, bare = took(CALLS, lambda: judge(policy, submission, facts)), took(CALLS, bare_evaluation(policy))
    missing = Submission(call=ToolCall(tool="tool_0", arguments={"amount": 250}))
    failing = took(CALLS, lambda: judge(policy, missing, facts))
    print(f"{title:11} load  {loading:8.1f} ms  {loading / parsing:4.1f} x the YAML parser")
    print(f"{title:11} judge {judging:8.2f} ms  {judging / bare:4.1f} x the bare engine")
    print(f"{title:11} judge {failing:8.2f} ms  where most conditions fail, for want of an argument")


def bare_evaluation(policy: Policy) -> Callable[[], object]:
    """The engine alone on the conditions of the rules that look at the tool."""
    programs = [rule.when.program for rule in policy.rules if rule.when and rule.names("tool_0")]

    def evaluate() -> None:
        bound = bind({"tool": "tool_0", "args": ARGUMENTS, "agent": "billing", "now": NOW, "recent.tool_hour": 3})
        for program in programs:
            program.eval(bound.activation)

    return evaluate


def main(rules: int = RULES) -> None:
    """Print both kinds of policy."""
    for title, tools in TOOLS.items():
        compare(title, rules, tools)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
