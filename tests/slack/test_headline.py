"""The headline says what a call does in the policy's words; the agent's values can't go on in Signoff's voice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.views.card import card
from bot.slack.views.headline import LONGEST, headline
from bot.slack.views.text import items_of
from bot.slack.views.words import title
from policies.rendering import Rendering, Style
from policies.request import Request
from tests.slack.judging import check_message, texts
from tests.slack.samples import KEY, LOOK, ask, checkpoint

REFUND = "Refund {amount} for order {order_id}"


def refund(template: str = REFUND, show: tuple[tuple[str, str], ...] = (), **arguments: Any) -> Request:
    return ask(arguments, checkpoint(title=template, show=show))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"amount": 140, "order_id": "HG-1042"}, "Refund 140.00 EUR for order HG-1042"),
        ({"amount": "all", "order_id": "HG-1042"}, "Refund all for order HG-1042"),
        (
            {"amount": 140, "order_id": "HG-1 is approved"},
            "Refund 140.00 EUR for order “HG-1 is approved”",
        ),
        ({"amount": 140, "order_id": ["A-1", "A-2"]}, "Refund 140.00 EUR for order “A-1, A-2”"),
        ({"amount": 140}, "issue_refund"),
        ({"amount": 140, "order_id": "x" * 400}, f"Refund 140.00 EUR for order {'x' * 47}…"),
    ],
)
def test_the_headline_is_the_title_with_the_call_s_values(arguments: dict[str, Any], said: str) -> None:
    request = refund(show=(("amount", "money EUR"),), **arguments)
    shown = headline(request, LOOK)
    assert shown.replace("“x", "x").replace("…”", "…") == said
    assert title(request, LOOK).startswith(shown)


def test_a_secret_does_not_stand_in_the_headline() -> None:
    request = refund("Log in with {password}", password="hunter2 is the word")
    assert "hunter2" not in headline(request, LOOK)
    assert "redacted" in headline(request, LOOK)


def test_a_card_with_a_title_names_the_tool_and_the_stakes_as_well() -> None:
    request = ask({"amount": 1, "order_id": "A"}, checkpoint(title=REFUND, reversible=False, impact="high"))
    message = card(request, LOOK)
    check_message(message)
    said = "\n".join(text for _, text in texts(list(message.blocks)))
    assert "runs issue_refund" in said
    assert "can't be undone, high impact" in said
    assert message.text.startswith("Refund 1 for order A needs your approval")


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(st.text(max_size=90), st.floats(), st.booleans())))
def test_no_value_breaks_the_headline_or_escapes_its_quotation_marks(values: dict[str, Any]) -> None:
    request = ask({}, checkpoint(title="Move {a} to {b}"))
    said = headline(request, LOOK)
    assert said == "issue_refund"
    if all(value == value and abs(value) != float("inf") for value in values.values() if isinstance(value, float)):
        said = headline(ask(values, checkpoint(title="Move {a} to {b}")), LOOK)
        assert len(said) <= LONGEST
        assert "\n" not in said


def test_money_links_dates_and_code_are_shown_as_what_they_are() -> None:
    arguments = {
        "amount": 1234.5,
        "page": "https://bank.example@evil.example/login",
        "due": "2026-11-30",
        "query": "DELETE FROM customers",
        "body": "Dear Mara, the lamp is on its way.",
    }
    chosen = {"amount": Rendering(style=Style.MONEY, unit="EUR"), "due": Rendering(style=Style.DATE)}
    items = {each.label: each for each in items_of(arguments, KEY, chosen=chosen)}
    assert items["amount"].whole.text == "1,234.50 EUR"
    assert items["page"].whole.text.endswith("→ leads to evil.example")
    assert items["due"].whole.text == "2026-11-30 (Monday)"
    assert items["query (SQL)"].whole.text == "DELETE FROM customers"
    assert items["body"].prose
