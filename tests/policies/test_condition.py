"""CEL conditions: what they answer, what is refused at load, and that no error ever passes for an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policies.condition import Bound, bind, compile_condition, compile_phrase
from policies.errors import ConditionError, Faulty

ARGUMENTS: dict[str, Any] = {
    "amount": 1500,
    "price": 4200.0,
    "half": 0.5,
    "to": ["a@x.org", "b@x.org"],
    "payee": "Nordkai  Shipping\n",
    "nothing": None,
    "paid": True,
    "place": {"country": "DE", "lines": [{"sum": 3}, {"sum": 9}]},
    "long": [1] * 20_000,
    "empty": "",
    "hidden": "pay\u202epal",
    "big": 2**53 - 1,
}


def bound(**changes: Any) -> Bound:
    values = {
        "tool": "execute_payment",
        "args": ARGUMENTS,
        "agent": "key:billing",
        "now": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "recent.hour": 3,
        "recent.day": 9,
        "recent.tool_hour": 1,
        "recent.tool_day": 2,
        "confidence": 0.6,
        "context": "invoice 7",
        "on_behalf_of": "",
    }
    return bind(values | changes)


ERROR = "error"
TABLE = [
    ("args.amount > 1000", True),
    ("args.amount > 1500", False),
    ("args.amount == 1500.0", True),
    ("args.amount >= 1499.5", True),
    ("args.price > 1000", True),
    ("args.half < 1", True),
    ("args.big > 9007199254740990", True),
    ("args.nothing == null", True),
    ("args.paid", True),
    ("!args.paid", False),
    ("has(args.absent)", False),
    ("has(args.amount) && args.amount > 1", True),
    ("has(args.place.country)", True),
    ("'absent' in args", False),
    ("'a@x.org' in args.to", True),
    ("size(args.to) > 1", True),
    ("args.to.all(one, one.endsWith('@x.org'))", True),
    ("args.to.exists(one, one.startsWith('c'))", False),
    ("args.place.lines.exists(line, line.sum > 5)", True),
    ("args.place['country'] in ['DE', 'AT']", True),
    ("args.payee.matches('^(N+o)+r')", True),
    ("args.payee.contains('Nordkai')", True),
    ("tool == 'execute_payment'", True),
    ("tool.startsWith('execute_') || args.absent > 1", True),
    ("args.absent > 1 || true", True),
    ("args.absent > 1 && false", False),
    ("agent == 'key:billing'", True),
    ("now.getHours('Europe/Berlin') == 10", True),
    ("now.getDayOfWeek() == 1", True),
    ("now > timestamp('2026-01-01T00:00:00Z')", True),
    ("recent.hour >= 3 && recent.day < 10", True),
    ("recent.tool_hour + recent.tool_day == 3", True),
    ("confidence < 0.7", True),
    ("confidence < 1", True),
    ("context.contains('invoice') && on_behalf_of == ''", True),
    ("args.absent > 1", ERROR),
    ("args.payee > 5", ERROR),
    ("args.amount", ERROR),
    ("args.payee", ERROR),
    ("args.nothing", ERROR),
    ("args.to[7] == 'x'", ERROR),
    ("args.amount / 0 > 1", ERROR),
    ("timestamp(args.payee) > now", ERROR),
    ("args.long.all(one, one == 1)", ERROR),
    ("args.to.all(a, args.long.all(b, b > 0))", ERROR),
    ("args.half * 2 > 0", ERROR),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_a_condition_is_true_or_false_or_raises(text: str, expected: bool | str) -> None:
    condition = compile_condition(text)
    if expected is ERROR:
        with pytest.raises(ConditionError):
            condition.holds(bound())
    else:
        assert condition.holds(bound()) is expected


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("tol == 'x'", "1:1", "did you mean tool"),
        ("args.amount > 1 &&\n  tol == 'x'", "2:3", "did you mean tool"),
        ("'é' == tol", "1:8", "did you mean tool"),
        ("recent.hours > 1", "1:7", "did you mean recent.hour"),
        ("tool > 3", "1:6", "> doesn't work on string and int"),
        ("recent.hour == 'x'", "1:13", "== doesn't work on int and string"),
        ("tool.lowerAscii() == 'a'", "1:16", "nothing is called lowerAscii"),
        ("args.amount >", "1:14", "ends too early"),
        ("", "1:1", "ends too early"),
        ("args.amount = 3", "1:13", "write =="),
        ("tool", "1:1", "must be true or false, but this is a text"),
        ("null", "1:1", "must be true or false"),
        ("(" * 100 + "true" + ")" * 100, "1:1", "nested too deeply"),
        ("!" * 3000 + "true", None, None),
        ("true || " * 1000 + "true", "1:1", "longer than 4000 characters"),
        ("'\ud800' == tool", "1:1", None),
    ],
)
def test_what_is_wrong_is_said_at_load_with_its_place(text: str, where: str | None, words: str | None) -> None:
    if where is None:
        compile_condition(text)
        return
    with pytest.raises(Faulty) as caught:
        compile_condition(text)
    fault = caught.value.faults[0]
    assert fault.where == where
    assert words is None or words in fault.words, fault.words
    assert "\n" not in fault.words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("args.amount > 1", {"args"}),
        ("confidence < 0.5 || tool == 'context'", {"confidence", "tool"}),
        ("args.to.all(confidence, confidence != '')", {"args"}),
        ("args.context == ''", {"args"}),
        ("recent.tool_hour > 1 && context != ''", {"recent.tool_hour", "context"}),
        ("on_behalf_of == agent", {"on_behalf_of", "agent"}),
    ],
)
def test_a_condition_knows_which_names_it_reads(text: str, names: set[str]) -> None:
    assert compile_condition(text).names == names


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("args.payee", "Nordkai Shipping"),
        ("tool + ' ' + args.place.country", "execute_payment DE"),
        ("args.amount", "1500"),
        ("args.price", "4200"),
        ("args.half", "0.5"),
        ("args.empty", None),
        ("args.absent", None),
        ("args.nothing", None),
        ("args.paid", None),
        ("args.to", None),
        ("args.hidden", None),
        ("string(args.long)", None),
        ("args.price / 0.0", None),
    ],
)
def test_a_phrase_is_one_line_that_a_person_can_type(text: str, typed: str | None) -> None:
    assert compile_phrase(text).typed(bound()) == typed


@pytest.mark.parametrize("text", ["context", "args.payee + on_behalf_of", "tool == 'x'", "null", "payee"])
def test_a_phrase_that_the_agent_could_choose_or_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(Faulty):
        compile_phrase(text)


@pytest.mark.parametrize("value", [2**70, "\ud800", {"a": 2**70}, object()])
def test_values_that_the_engine_cannot_take_never_pass_for_an_answer(value: object) -> None:
    with pytest.raises(ConditionError):
        compile_condition("args.amount == 'x' || args.amount != 'x'").holds(bound(args={"amount": value}))


def test_an_error_is_one_printable_line_of_bounded_length() -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition("timestamp(args.evil) > now").holds(bound(args={"evil": "\u202e\n" * 5000}))
    assert caught.value.words.isprintable()
    assert len(caught.value.words) <= 160
