"""Policies and arguments written to do harm: none loosens a gate, none holds the process up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import product
from typing import Any

import pytest

from policies.arguments import intake, parse
from policies.checkpoint import Kind
from policies.condition import bind, compile_condition
from policies.errors import ConditionError, Faulty, Invalid
from policies.judgement import Facts, judge
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
EVALUATION, STALL = 0.050, 0.100
"""Seconds of this process's time that one evaluation may take, and that the event loop may stand still."""


def filled(part: str, count: int) -> list[str]:
    return [part] * count


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain": {"l": ["a", "b"], "t": "aaaa", "n": {"x": 1}},
    "many letters": {"l": ["a"], "t": "a" * 65_000, "n": {}},
    "many items": {"l": filled("a", 15_000), "t": "", "n": {}},
    "items and letters": {"l": filled("a", 8_000), "t": "a" * 30_000, "n": {}},
    "just within the iterations": {"l": filled("x", 9_990), "t": "a" * 20_000, "n": {}},
    "long items": {"l": filled("a" * 30_000, 2), "t": "b", "n": {}},
    "a few hundred items": {"l": filled("a" * 20, 300), "t": "a" * 50_000, "n": {}},
    "many keys": {"l": [], "t": "aaaa", "n": {f"k{i}": i for i in range(4_000)}},
    "deep": {"l": json.loads("[" * 60 + "]" * 60), "t": "a", "n": json.loads('{"n":' * 60 + "1" + "}" * 60)},
    "lists in lists": {"l": [filled("a", 90)] * 90, "t": "a" * 10_000, "n": {}},
    "odd numbers": {"l": [5e-324, 1.7e308, -0.0, 2**53 - 1, -(2**53 - 1)], "t": "1e999", "n": {"x": -0.0}},
    "odd letters": {"l": ["\u0001", "\u202e", "\U0010ffff", "a\u0301" * 500], "t": "\u0001" * 5_000, "n": {"": ""}},
    "addresses": {"l": filled("a@example.com", 3_000), "t": "a@example.com", "n": {}},
    "a handful of items": {"l": filled("a", 9), "t": "a" * 20_000, "n": {}},
    "empty": {"l": [], "t": "", "n": {}},
}
"""Each passes intake. No text holds a y or a z, and no list a number beyond those of odd numbers."""

TRUE_OR_REFUSED = [
    "!args.t.matches('(x+x+)+y')",
    "!args.t.matches('^(([a-z])+.)+[A-Z]([a-z])+$')",
    "!args.t.matches('(a*)*(a*)*(a*)*z')",
    "!args.t.matches('(.*)(.*)(.*)(.*)(.*)[yz]$')",
    "!args.t.matches('([a-z]{1,60}){1,9}[yz]')",
    "args.l.all(one, one != 'y')",
    "args.l.all(one, !args.t.contains('y'))",
    "args.l.all(one, !args.t.matches('(a+)+y'))",
    "args.l.all(one, args.t + args.t != 'y')",
    "args.l.all(one, args == args)",
    "args.l.all(one, args.l.all(other, one + 'y' != other))",
    "args.l.all(a, args.l.all(b, args.l.all(c, args.l.all(d, a != 'y'))))",
    "args.l.all(a, args.l.all(b, args.l.all(c, args.l.all(d, !args.t.matches('(a+)+y')))))",
    "size(args.l.map(one, args.l)) >= 0",
    "size(args.l.map(one, args.l + args.l)) >= 0",
    "size(args.l.map(a, args.l.map(b, args.l.map(c, args.l)))) >= 0",
    "[args.l].all(a, a.all(b, a + a + a + a != ['y']))",
    "[args, args, args].all(a, a.l.all(b, a.l == a.l && a.t + a.t != 'y'))",
    "size(" + " + ".join(["args.l"] * 25) + ") >= 0",
    "size(" + " + ".join(["args.t"] * 25) + ") >= 0",
    " && ".join(["args == args"] * 200),
    " && ".join(["!args.t.contains('aay')"] * 120),
    " && ".join(["!args.t.matches('(a+)+y')"] * 110),
    "args.l.all(one, " + " && ".join(["one != 'y'"] * 240) + ")",
    "args.l.all(one, " + " && ".join(["!(one in ['y', 'z'])"] * 100) + ")",
    "args.l.filter(one, one in args.l).all(one, one != 'y')",
    "args.l.all(one, !outside(one, ['example.com']))",
    "args.l.all(one, money('1,200.00') > 1 && domain('a@b.org') == 'b.org')",
    "args.l.all(one, business_hours(now, 'UTC') && now.getHours('Europe/Berlin') == 10)",
    "!outside(args.l, ['example.com'])",
    "args.l.all(one, !one.matches('[a-z]{2,9}[yz]'))",
    "args.l.all(one, string(args.n) != 'y')",
    "args.n.all(key, !(key in ['y', 'z']) && args.n == args.n)",
    "args.l.all(one, one.all(two, two != 'y' && one + one != ['y']))",
    "context + context + context != 'y' && args.l.all(one, !context.contains('y'))",
    "dyn(args.l) != 'y' && type(args.l) == list && size(args.n) >= 0",
    "args.l.exists_one(one, one == 'y') == false",
]


def policy(rules: list[tuple[str, str]]) -> Policy:
    lines = [
        f"  - {{name: rule {i}, match: [t], when: {json.dumps(c)}, checkpoint: {k}}}" for i, (k, c) in enumerate(rules)
    ]
    base = "  - {name: base, match: t, checkpoint: allow}" if rules[0][0] == "deny" else ""
    return load("\n".join(["version: 1", "rules:", *lines, base, "default: {checkpoint: hard}", ""]), source="p.yml")


@cache
def admitted(name: str) -> dict[str, Any]:
    return dict(intake(ARGUMENTS[name]))


def verdict(of: Policy, name: str, context: str = "c" * 4_000) -> Kind:
    submission = Submission(call=ToolCall(tool="t", arguments=admitted(name)), context=context)
    return judge(of, submission, Facts(agent="a", now=NOW, recent={})).kind


def spent(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def attempt(text: str, name: str) -> bool | None:
    bound = bind({"args": admitted(name), "now": NOW, "context": "c" * 4_000})
    try:
        return compile_condition(text).holds(bound)
    except ConditionError:
        return None


def test_there_are_five_hundred_of_them() -> None:
    assert len(ARGUMENTS) * len(TRUE_OR_REFUSED) > 500


@pytest.mark.parametrize("text", TRUE_OR_REFUSED)
def test_whatever_the_arguments_a_gate_stays_closed_and_a_way_round_it_stays_shut(text: str) -> None:
    closed, opened = policy([("deny", text)]), policy([("allow", f"!({text})")])
    for name in ARGUMENTS:
        answer = attempt(text, name)
        expected_false = answer is False
        assert verdict(closed, name) is (Kind.ALLOW if expected_false else Kind.DENY), name
        assert verdict(opened, name) is (Kind.ALLOW if expected_false else Kind.HARD), name
        assert not expected_false or "example.com" in text, name


@pytest.mark.parametrize("text", TRUE_OR_REFUSED)
def test_each_evaluation_ends_in_time_or_is_refused(text: str) -> None:
    condition = compile_condition(text)
    for name in ARGUMENTS:
        bound = bind({"args": admitted(name), "now": NOW, "context": "c" * 4_000})

        def evaluate(bound: Any = bound) -> None:
            try:
                condition.holds(bound)
            except ConditionError:
                return

        assert min(spent(evaluate), spent(evaluate)) < EVALUATION, name


@cache
def long_policy() -> Policy:
    return policy([("deny", text) for text, _ in product(TRUE_OR_REFUSED, range(12))])


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_long_policy_of_them_judges_a_call_before_the_loop_stalls_and_never_lets_it_go(name: str) -> None:
    every = long_policy()
    assert min(spent(lambda: verdict(every, name)) for _ in range(2)) < STALL
    assert verdict(every, name) is Kind.DENY


def test_the_arguments_people_send_are_never_too_much_for_the_conditions_people_write() -> None:
    args = {
        "to": [f"person{i}@example.com" for i in range(200)],
        "body": "Dear all, the harbour opens at ten, as it did last year. " * 400,
        "lines": [{"sku": f"A-{i}", "sum": i} for i in range(300)],
    }
    for text in (
        "size(args.to) > 100 && outside(args.to, ['example.org'])",
        "args.to.all(one, one.endsWith('@example.com') && one.matches('^[a-z0-9]+@[a-z.]+$'))",
        "args.lines.exists(line, line.sum > 250 && line.sku.startsWith('A-'))",
        "args.body.matches('(?i)harbour|lawsuit|recall') && !args.body.contains('forever')",
        "args.lines.filter(line, line.sum > 100).map(line, line.sum).exists(sum, sum > 200)",
    ):
        assert compile_condition(text).holds(bind({"args": intake(args)})), text


BOMBS = {
    "laughs": "a: &a [x, x]\n"
    + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)),
    "merge": "version: 1\nrules: [&r {name: a, match: t, checkpoint: deny}, {<<: *r, checkpoint: allow}]\n",
    "deep flow": "version: 1\nrules: " + "[" * 50_000,
    "deep flow of keys": "version: 1\nrules: " + "[x, {a: " * 30_000,
    "deep map": "version: 1\nrules: " + "{a: " * 2_000,
    "deep block": "".join(" " * i + "a:\n" for i in range(600)),
    "dashes": "- " * 50_000,
    "large": "version: 1\n#" + "x" * 300_000,
    "twice": "version: 1\ndefault: {checkpoint: hard}\ndefault: {checkpoint: allow}\n",
    "tag": "version: 1\ndefault: !!python/object/apply:os.system [id]\n",
    "kind": "version: 1\ndefault: {checkpoint: allow}\n",
    "number": "version: " + "9" * 100_000 + "\n",
    "two documents": "version: 1\ndefault: {checkpoint: hard}\n---\nversion: 1\ndefault: {checkpoint: allow}\n",
    "nul": "version: 1\n\x00",
    "surrogate": "version: 1\ndefault: {checkpoint: \ud800}\n",
    "quotes": "version: 1\nrules: '" + "''" * 50_000,
    "tabs": "version: 1\n" + "\t" * 50_000,
    "anchors": "version: 1\n" + "".join(f"k{i}: &a{i} x\n" for i in range(500)),
}


def refused(text: str) -> None:
    with pytest.raises(Faulty):
        load(text, source="p.yml")


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_written_to_burst_is_refused_with_words(name: str) -> None:
    with pytest.raises(Faulty) as caught:
        load(BOMBS[name], source="p.yml")
    if name.startswith("deep flow"):
        assert min(spent(lambda: refused(BOMBS[name])) for _ in range(2)) < STALL
    assert all(fault.words and fault.where.startswith("p.yml:") for fault in caught.value.faults)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 1e999}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 9007199254740993}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_arguments_that_no_condition_could_be_trusted_with_end_at_intake(text: bytes) -> None:
    with pytest.raises(Invalid):
        intake(parse(text))
