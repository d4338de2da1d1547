"""The same conditions judged by a second, independent CEL engine: a policy means what CEL says.

Where the two differ, the row says why. The functions that Signoff adds are lent to the second engine, so that their
types and places in an expression are compared too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cel as other
import pytest

from policies.condition import bind, compile_condition
from policies.errors import ConditionError
from policies.functions import business_hours, domain, domains, money, outside

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARGUMENTS: dict[str, Any] = {
    "amount": 1500,
    "price": 4200.0,
    "half": 0.5,
    "cost": "1,200.00",
    "to": ["a@x.org", "b@x.org"],
    "payee": "Nordkai Shipping",
    "umlaut": "Grüße",
    "nothing": None,
    "paid": True,
    "place": {"country": "DE", "lines": [{"sum": 3}, {"sum": 9}]},
    "none": [],
    "big": 2**53 - 1,
}
RECENT = {"hour": 3, "day": 9, "tool_hour": 1, "tool_day": 2, "first_use": False}
OWN = {"tool": "execute_payment", "agent": "billing", "context": "invoice 7", "on_behalf_of": "", "confidence": 0.6}
FAILS = None


@dataclass(frozen=True)
class Row:
    """A condition, and what Signoff says: true, false or ``FAILS``; ``theirs`` where that differs, and ``why``."""

    text: str
    ours: bool | None
    theirs: bool | None = None
    why: str = ""


TABLE = [
    Row("args.amount > 1000", True),
    Row("args.amount > 1500", False),
    Row("args.amount >= 1500 && args.amount <= 1500", True),
    Row("args.amount == 1500.0", True),
    Row("args.amount >= 1499.5", True),
    Row("args.price > 1000", True),
    Row("args.price == 4200", True),
    Row("args.half < 1", True),
    Row("args.half * 2.0 == 1.0", True),
    Row("args.amount % 1000 == 500", True),
    Row("args.amount / 1000 == 1", True),
    Row("-args.amount < 0", True),
    Row("args.big > 9007199254740990", True),
    Row("args.big + 1 == 9007199254740992", True),
    Row("args.nothing == null", True),
    Row("args.amount != null", True),
    Row("args.paid", True),
    Row("!args.paid", False),
    Row("has(args.absent)", False),
    Row("has(args.nothing)", True),
    Row("has(args.amount) && args.amount > 1", True),
    Row("has(args.absent) && args.absent > 1", False),
    Row("has(args.place.country)", True),
    Row("'absent' in args", False),
    Row("'amount' in args", True),
    Row("'a@x.org' in args.to", True),
    Row("size(args.to) > 1", True),
    Row("args.to.size() == 2", True),
    Row("size(args.none) == 0", True),
    Row("size(args.umlaut) == 5", True, theirs=False, why="CEL counts code points; the second engine counts bytes"),
    Row("args.to.all(one, one.endsWith('@x.org'))", True),
    Row("args.none.all(one, one == 'x')", True),
    Row("args.to.exists(one, one.startsWith('c'))", False),
    Row("args.to.exists_one(one, one.startsWith('a'))", True),
    Row("args.to.filter(one, one != 'a@x.org') == ['b@x.org']", True),
    Row("args.to.map(one, size(one)) == [7, 7]", True),
    Row("args.place.lines.exists(line, line.sum > 5)", True),
    Row("args.place['country'] in ['DE', 'AT']", True),
    Row("args.payee.matches('^(N+o)+r')", True),
    Row("args.payee.matches('(?i)nordkai')", True),
    Row("args.payee.contains('kai S')", True),
    Row("tool == 'execute_payment'", True),
    Row("tool.startsWith('execute_') || args.absent > 1", True),
    Row("args.absent > 1 || true", True),
    Row("args.absent > 1 && false", False),
    Row("agent == 'billing' ? args.paid : args.absent", True),
    Row("now > timestamp('2026-01-01T00:00:00Z')", True),
    Row("now - duration('1h') < timestamp('2026-11-23T09:00:00Z')", True),
    Row("now.getHours() == 9 && now.getMinutes() == 30", True),
    Row("now.getDayOfWeek() == 1", True),
    Row("recent.hour >= 3 && recent.day < 10", True),
    Row("recent.tool_hour + recent.tool_day == 3", True),
    Row("recent.first_use", False),
    Row("confidence < 0.7 && confidence < 1", True),
    Row("context.contains('invoice') && on_behalf_of == ''", True),
    Row("money(args.cost) > 1000.0", True),
    Row("domain('A@X.org') == 'x.org'", True),
    Row("domains(args.to) == ['x.org']", True),
    Row("outside(args.to, ['x.org'])", False),
    Row("outside(args.to, ['y.org']) && args.amount > 1", True),
    Row("business_hours(now, 'Europe/Berlin', 9, 17)", True),
    Row("money(args.payee) > 1000.0", FAILS),
    Row("outside([args.payee], ['x.org'])", FAILS),
    Row("args.absent > 1", FAILS),
    Row("args.payee > 5", FAILS),
    Row("args.to[7] == 'x'", FAILS),
    Row("args.amount / 0 > 1", FAILS),
    Row("args.half * 2 > 0", FAILS),
    Row("args.big * args.big > 0", FAILS),
    Row("timestamp(args.payee) > now", FAILS),
    Row("size(args.amount) > 1", FAILS),
]


def ours(text: str) -> bool | None:
    values = {"args": ARGUMENTS, "now": NOW, **OWN, **{f"recent.{name}": value for name, value in RECENT.items()}}
    try:
        return compile_condition(text).holds(bind(values))
    except ConditionError:
        return FAILS


def theirs(text: str) -> bool | None:
    context = other.Context(variables={"args": ARGUMENTS, "now": NOW, "recent": RECENT, **OWN})
    for function in (money, domain, domains, outside, business_hours):
        context.add_function(function.__name__, function)
    try:
        answer = other.evaluate(text, context)
    except (RuntimeError, TypeError, KeyError, ValueError, IndexError, ArithmeticError):
        return FAILS
    assert isinstance(answer, bool)
    return answer


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.text)
def test_both_engines_agree_or_the_row_says_why_not(row: Row) -> None:
    assert ours(row.text) is row.ours
    assert theirs(row.text) is (row.theirs if row.why else row.ours)


def test_the_table_covers_the_language() -> None:
    assert len(TABLE) >= 60
    assert sum(row.ours is FAILS for row in TABLE) >= 10
