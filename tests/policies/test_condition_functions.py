"""What conditions may call: money, domains of addresses, business hours, counts; in doubt they fail, and so hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.checkpoint import Kind
from policies.condition import bind, compile_condition
from policies.errors import ConditionError, Faulty
from policies.judgement import RECENT, Facts, counts, judge
from policies.loader import load
from policies.policy import Policy
from policies.request import Submission, ToolCall

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def holds(text: str, args: dict[str, Any] | None = None, now: datetime = MONDAY) -> bool:
    return compile_condition(text).holds(bind({"args": args or {}, "now": now}))


@pytest.mark.parametrize("amount", [1200, 1200.0, "1200", "1200.00", "1,200", "1,200.00", "0001200"])
def test_money_reads_numbers_and_texts_alike(amount: object) -> None:
    for text in ("money(args.sum) == 1200", "money(args.sum) > 1199.99", "money(args.sum) < 1201"):
        assert holds(text, {"sum": amount})


@pytest.mark.parametrize(
    "amount",
    [
        *("1.200", "1,20", "1.200,00", "12,00.00", "1,2000", "", "abc", "1200 JPY", "$5", "100 BTC", "1e3", " 5"),
        *("5\n", "\u0661\u0662", "--5", "+5", "0x10", "inf", "nan", "1234567890123456", True, None, [5], {"sum": 5}),
    ],
)
def test_an_amount_that_can_be_read_in_two_ways_or_not_at_all_fails(amount: object) -> None:
    for text in ("money(args.sum) > 1000", "money(args.sum) <= 1000", "money(args.sum) == 5"):
        with pytest.raises(ConditionError):
            holds(text, {"sum": amount})


def test_money_leaves_the_fraction_of_a_number_alone() -> None:
    assert holds("money(args.sum) == 1000.75 && money(args.sum) > 1000", {"sum": 1000.75})


CENTS = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100)


@given(one=CENTS, other=CENTS, grouped=st.booleans())
def test_money_keeps_the_order_of_amounts_to_the_cent(one: Decimal, other: Decimal, grouped: bool) -> None:
    args = {"one": f"{one:,.2f}" if grouped else f"{one:.2f}", "other": f"{other:,.2f}"}
    assert holds("money(args.one) > money(args.other)", args) is (one > other)
    assert holds("money(args.one) == money(args.other)", args) is (one == other)


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ("domain(args.to) == 'example.com'", {"to": "Ana.B+x@Example.COM"}, True),
        ("domains(args.to) == ['example.com', 'b.org']", {"to": ["a@b.org", "c@b.org"]}, False),
        ("domains(args.to) == ['b.org', 'example.com']", {"to": ["a@b.org", "c@B.org", "a@example.com"]}, True),
        ("domains(args.to) == ['b.org']", {"to": "a@b.org"}, True),
        ("size(domains(args.to)) > 1", {"to": ["a@b.org", "c@d.org"]}, True),
        ("outside(args.to, ['example.com'])", {"to": ["a@example.com", "b@EXAMPLE.com"]}, False),
        ("outside(args.to, ['@Example.com'])", {"to": "a@example.com"}, False),
        ("outside(args.to, ['example.com'])", {"to": ["a@example.com", "b@example.org"]}, True),
        ("outside(args.to, ['example.com'])", {"to": "a@mail.example.com"}, True),
        ("outside(args.to, ['example.com'])", {"to": "a@notexample.com"}, True),
        ("outside(args.to, ['example.com', 'b.org'])", {"to": ["a@b.org"]}, False),
        ("outside(args.to, ['example.com'])", {"to": []}, False),
    ],
)
def test_domains_of_addresses(text: str, args: dict[str, Any], expected: bool) -> None:
    assert holds(text, args) is expected


TRICKS = [
    "a@example.com, b@evil.org",
    "b@evil.org,a@example.com",
    "b@evil.org <a@example.com>",
    "Ana <a@example.com>",
    "a@example.com\nBcc: b@evil.org",
    "a@example.com\n",
    " a@example.com",
    '"b@evil.org"@example.com',
    "b@evil.org;@example.com",
    "a@evil.org@example.com",
    "a@evil.org\\@example.com",
    "a@ex\u0430mple.com",
    "a@example\uff0ecom",
    "a@example.com\u200b",
    "a@[127.0.0.1]",
    "a@localhost",
    "example.com",
    "@example.com",
    "a@",
    "",
]


@pytest.mark.parametrize("address", TRICKS)
def test_what_is_not_one_plain_address_is_never_within(address: str) -> None:
    for to in (address, [address], ["a@example.com", address]):
        with pytest.raises(ConditionError):
            holds("outside(args.to, ['example.com'])", {"to": to})


@given(
    st.lists(st.sampled_from(["a@example.com", "b@EXAMPLE.com", "c@x.example.com", *TRICKS]) | st.text(), max_size=5)
)
def test_only_plain_addresses_of_the_listed_domain_are_within(to: list[str]) -> None:
    try:
        within = not holds("outside(args.to, ['example.com'])", {"to": to})
    except ConditionError:
        return
    assert not within or all(re.fullmatch(r"[^@\s,;<>\"]+@example\.com", each.lower(), re.ASCII) for each in to)


@pytest.mark.parametrize("known", ["['']", "['example']", "['*.example.com']", "['example.com.']", "[args.to]"])
def test_a_list_of_domains_that_names_none_fails(known: str) -> None:
    with pytest.raises(ConditionError):
        holds(f"outside(args.to, {known})", {"to": "a@example.com"})


@pytest.mark.parametrize("to", [5, None, True, [5], [["a@example.com"]], {"a@example.com": 1}])
def test_what_is_no_list_of_addresses_fails(to: object) -> None:
    for text in ("outside(args.to, ['example.com'])", "size(domains(args.to)) > 1"):
        with pytest.raises(ConditionError):
            holds(text, {"to": to})


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@given(now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), zone=st.sampled_from(ZONES))
def test_business_hours_are_what_the_clock_of_the_zone_says(now: datetime, zone: str) -> None:
    open_, at = holds(f"business_hours(now, '{zone}')", now=now.replace(tzinfo=UTC)), now.replace(tzinfo=UTC)
    spelled = f"now.getDayOfWeek('{zone}') in [1,2,3,4,5] && now.getHours('{zone}') >= 9 && now.getHours('{zone}') < 17"
    assert open_ is holds(spelled, now=at)
    assert holds(f"business_hours(now, '{zone}', 0, 24)", now=at) is holds(
        f"!(now.getDayOfWeek('{zone}') in [0, 6])", now=at
    )


@pytest.mark.parametrize(("opens", "closes"), [(17, 9), (9, 9), (-1, 5), (9, 25)])
def test_hours_that_no_day_has_fail(opens: int, closes: int) -> None:
    with pytest.raises(ConditionError):
        holds(f"business_hours(now, 'UTC', {opens}, {closes})")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("mony(args.sum) > 5", "1:5", "did you mean money"),
        ("money(true) > 5", "1:6", "money doesn't work on bool"),
        ("outside(args.to, 'example.com')", "1:8", "outside doesn't work on"),
        ("business_hours(now)", "1:15", None),
        ("business_hours(now, 'Europe/Berlim')", "1:21", "no time zone 'Europe/Berlim'"),
        ("tool == '' ||\n now.getHours('../etc/passwd') > 3", "2:15", "no time zone"),
        ("args.x.matches('(')", "1:16", "missing ): (; correct the pattern"),
        ("args.x.matches(args.y)", "1:16", "a pattern stands in quotes"),
        ("matches(args.x, 'a')", "1:9", "a pattern stands in quotes"),
        ("matches('a', args.x)", "1:9", "a pattern stands in quotes"),
        ("args.x.matches('a' + args.y)", "1:16", "a pattern stands in quotes"),
        (r"args.x.matches('\\pL{1,300}')", "1:16", "repeats too much"),
        ("args.x.matches('((a{90}){90}){90}')", "1:16", "repeats too much"),
        (r"args.x.matches('a') && args.x.matches('(a\x7b99}){99}')", "1:39", "repeats too much"),
        ("recent.count(args.span) > 3", "1:14", "recent.count: write the duration in quotes, such as recent.count('1"),
        ("recent.tool_count('10 minutes') > 3", "1:19", "'10 minutes' is no duration"),
        ("recent.count('400d') > 3", "1:14", "out of bounds"),
        ("recent.count() > 3", "1:14", "write the duration in quotes"),
        ("recent.count('10m', '1h') > 3", "1:14", "it takes one duration"),
        ("recent.count['10m'] > 3", "1:13", "recent.count: write the duration in quotes, such as recent.count('10m')"),
        ("recent.count.exists(span, true)", "1:13", "write the duration in quotes"),
        ("recent.count('10m') > 'x'", "1:21", "> doesn't work on int and string"),
        ("recent.first_use > 1", "1:18", "> doesn't work on bool and int"),
        ("recent.first_uses", "1:7", "did you mean recent.first_use"),
    ],
)
def test_what_is_wrong_in_a_call_is_said_at_load_with_its_place(text: str, where: str, words: str | None) -> None:
    with pytest.raises(Faulty) as caught:
        compile_condition(text)
    assert caught.value.faults[0].where == where
    assert words is None or words in caught.value.faults[0].words, caught.value.faults[0].words


def test_what_stands_in_quotes_or_in_a_comment_is_no_call() -> None:
    text = """tool == "recent.count('1x') x.matches(y)" || tool == r'\\d' // .matches(x)\n || tool == '''it's\\''''"""
    assert compile_condition(text).names == {"tool"}


def policy(when: str) -> Policy:
    rule = f"- {{name: watched, match: [pay], when: {when!r}, checkpoint: deny}}"
    rest = "{name: rest, match: pay, checkpoint: allow}"
    return load(f"version: 1\nrules:\n  {rule}\n  - {rest}\ndefault: {{checkpoint: hard}}\n", source="p.yml")


def kind(of: Policy, recent: dict[str, int]) -> Kind:
    facts = Facts(agent="a", now=MONDAY, recent=recent)
    return judge(of, Submission(call=ToolCall(tool="pay", arguments={})), facts).kind


def test_a_policy_names_the_counts_that_its_conditions_read_and_no_others() -> None:
    assert counts(policy("args.sum > 3")) == {}
    assert counts(policy("recent.hour > 3 && recent.first_use")) == {
        "hour": RECENT["hour"],
        "tool_before": (timedelta(days=90), True),
    }
    assert counts(policy('recent.count("10m") > 3 || recent.tool_count("1h30m") + recent.count("10m") > 9')) == {
        "count(10m)": (timedelta(minutes=10), False),
        "tool_count(1h30m)": (timedelta(minutes=90), True),
    }


def test_a_rate_over_any_span_and_the_first_use_of_a_tool_can_gate_a_call() -> None:
    rate = policy('recent.count("10m") >= 5 || recent.tool_count("10m") >= 2')
    assert kind(rate, {"count(10m)": 4, "tool_count(10m)": 1}) is Kind.ALLOW
    assert kind(rate, {"count(10m)": 5, "tool_count(10m)": 1}) is Kind.DENY
    assert kind(rate, {"count(10m)": 4, "tool_count(10m)": 2}) is Kind.DENY
    first = policy("recent.first_use")
    assert kind(first, {"tool_before": 0}) is Kind.DENY
    assert kind(first, {"tool_before": 1}) is Kind.ALLOW


@pytest.mark.parametrize("recent", [{}, {"count(1h)": 0}, {"hour": 0, "tool_count(10m)": 0}])
def test_a_count_that_nobody_took_holds_the_call(recent: dict[str, int]) -> None:
    assert kind(policy('recent.count("10m") >= 5'), recent) is Kind.DENY
    assert kind(policy("recent.first_use"), recent) is Kind.DENY
