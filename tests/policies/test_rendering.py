"""The form in which an argument reads best; whatever the form, nothing of the value is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Invalid
from policies.rendering import (
    PLAIN,
    Rendering,
    Style,
    host_of,
    in_reading_order,
    money,
    read_rendering,
    rendering,
    weekday,
)


@pytest.mark.parametrize(
    ("name", "value", "style"),
    [
        ("to", "mara@example.com", Style.PEOPLE),
        ("recipients", ["mara@example.com", "wren@example.org"], Style.PEOPLE),
        ("recipients", ["mara@example.com", "everybody"], Style.PLAIN),
        ("recipients", [], Style.PLAIN),
        ("to", "Mara <mara@example.com>", Style.PLAIN),
        ("page", "https://example.com/a?b=c", Style.LINK),
        ("page", "https://user:pw@example.com:8443/", Style.LINK),
        ("page", "see https://example.com", Style.PLAIN),
        ("page", "javascript:alert(1)", Style.PLAIN),
        ("query", "DELETE FROM customers", Style.SQL),
        ("query", "delete", Style.PLAIN),
        ("query", "lamps in stock", Style.PLAIN),
        ("command", "rm -rf build", Style.SHELL),
        ("shell_command", "ls", Style.SHELL),
        ("patch", "diff --git a/x b/x\n", Style.DIFF),
        ("change", "--- a/x\n+++ b/x\n@@ -1 +1 @@", Style.DIFF),
        ("body", "Dear Mara,\nwe are sorry for the lamp.", Style.PROSE),
        ("body", "short", Style.PLAIN),
        ("source_code", "print(1)", Style.CODE),
        ("amount", 140, Style.PLAIN),
        ("flag", True, Style.PLAIN),
        ("body", {"text": "Dear Mara, we are sorry"}, Style.PLAIN),
    ],
)
def test_the_value_says_how_it_reads_best(name: str, value: Any, style: Style) -> None:
    assert rendering(name, value, None, {}).style is style


def test_a_schema_s_format_counts_and_a_broken_schema_does_not() -> None:
    schema = {"properties": {"due": {"format": "date"}, "site": {"format": "uri"}, "odd": {"format": 7}}}
    assert rendering("due", "2026-11-30", schema, {}).style is Style.DATE
    assert rendering("site", "example.com", schema, {}).style is Style.LINK
    assert rendering("odd", "x", schema, {}) == PLAIN
    for broken in ({}, {"properties": 3}, {"properties": {"due": True}}):
        assert rendering("due", "2026-11-30", broken, {}) == PLAIN


def test_what_the_policy_chose_wins() -> None:
    chosen = {"body": Rendering(style=Style.CODE), "amount": Rendering(style=Style.MONEY, unit="EUR")}
    assert rendering("body", "Dear Mara, we are sorry", None, chosen).style is Style.CODE
    assert str(rendering("amount", 3, None, chosen)) == "money EUR"


@pytest.mark.parametrize("words", [*(style.value for style in Style if style is not Style.MONEY), "money EUR"])
def test_every_way_to_show_is_read_as_it_is_written(words: str) -> None:
    assert str(read_rendering(words)) == words


@pytest.mark.parametrize("words", ["", "fancy", "money", "money euro", "money EUR now", "code EUR", "Money EUR"])
def test_any_other_way_to_show_is_refused(words: str) -> None:
    with pytest.raises(Invalid):
        read_rendering(words)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (140, "140.00 EUR"),
        (1234567.5, "1,234,567.50 EUR"),
        (0.005, "0.005 EUR"),
        (-3, "-3.00 EUR"),
        (-0.5, "-0.50 EUR"),
        (1e30, "1e+30 EUR"),
        (2**53 - 1, "9,007,199,254,740,991.00 EUR"),
    ],
)
def test_money_keeps_every_digit(amount: float, shown: str) -> None:
    assert money(amount, "EUR") == shown


@given(st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False)))
def test_money_reads_back_as_the_same_number(amount: float) -> None:
    shown = money(amount, "EUR")
    assert shown is not None
    assert float(json.loads(shown.removesuffix(" EUR").replace(",", ""))) == float(amount)


@pytest.mark.parametrize("value", [True, "140", None, [1], {"amount": 1}])
def test_what_is_no_number_is_no_money(value: Any) -> None:
    assert money(value, "EUR") is None


@given(st.text(max_size=60))
def test_no_text_breaks_a_look_at_it(text: str) -> None:
    assert rendering(text, text, {"properties": {text: {"format": text}}}, {}).style in Style
    assert re.fullmatch(r"[^/\s]*", host_of(f"https://{text}"))
    assert weekday(text) is None or text in str(weekday(text))


def test_dates_tell_their_weekday_and_what_is_no_date_tells_none() -> None:
    assert weekday("2026-11-30") == "2026-11-30 (Monday)"
    assert weekday("2026-02-30") is None
    assert weekday("tomorrow") is None


def test_the_host_is_where_the_browser_would_go() -> None:
    assert host_of("https://bank.example@evil.example/login") == "evil.example"
    assert host_of("HTTPS://X.example") == "x.example"
    assert host_of("https://evil.example\\@bank.example") == ""
    assert host_of("https://[::1]:x/") == ""
    assert host_of("https://X.example:8443/a") == "x.example:8443"


def test_a_mail_reads_as_a_mail_whatever_order_it_comes_in() -> None:
    mail = {
        "body": "Your kettle leaves the harbour today.",
        "urgent": True,
        "subject": "On its way",
        "cc": "Desk <desk@example.com>",
        "to": ["tran@example.com"],
    }
    assert order(mail) == ["to", "cc", "subject", "urgent", "body"]


@pytest.mark.parametrize("without", ["to", "subject", "body"])
def test_what_is_no_mail_keeps_the_agent_s_order(without: str) -> None:
    mail = {"body": "It leaves the harbour today.", "subject": "On its way", "to": "tran@example.com", "copies": 1}
    rest = {name: value for name, value in mail.items() if name != without}
    assert order(rest) == list(rest)


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(["to", "From", "cc_list", "subject", "body"]), st.text()))
def test_the_order_leaves_no_argument_out(arguments: dict[str, str]) -> None:
    assert sorted(order(arguments)) == sorted(arguments)


def order(arguments: Mapping[str, Any]) -> list[str]:
    forms = {name: rendering(name, value, None, {}) for name, value in arguments.items()}
    return list(in_reading_order(forms))
