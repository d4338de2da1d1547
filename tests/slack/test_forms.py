"""The forms that people fill in, and how what they entered becomes arguments again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.payloads import Submitted
from bot.slack.submissions import edited_arguments
from bot.slack.views.card import card
from bot.slack.views.home import home, listing, unknown_word
from bot.slack.views.modals import notice, reject_form, view_form
from bot.slack.views.modify import block_of, modify_form
from policies.checkpoint import Kind
from policies.errors import Faulty
from policies.fields import Field, form_fields
from policies.request import Request
from tests.slack.judging import check_form, compare, texts
from tests.slack.samples import KEY, LOOK, PLACES, REFUND, SCHEMA, ask, checkpoint

MEMO = Memo(r=PLACES["pending"].id, v=1, c="C0APPROVALS", t="1795435200.000100")


def fields_of(request: Request) -> tuple[Field, ...]:
    schema = dict(request.call.schema) if request.call.schema else None
    return form_fields(schema, dict(request.call.arguments), key=KEY)


def sent(**values: Any) -> Submitted:
    named = {name.replace("field_", ids.FIELD): value for name, value in values.items()}
    return Submitted(user_id="U0ANA", team_id=None, callback_id=ids.MODIFY_FORM, memo=MEMO, view_id="V1", values=named)


def untouched(fields: tuple[Field, ...], view: dict[str, Any]) -> dict[str, Any]:
    """What Slack sends for a form that nobody touched: every input with its initial value."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            chosen = element.get("initial_option", {}).get("value")
            many = element.get("initial_options")
            values[block["block_id"]] = (
                tuple(option["value"] for option in many)
                if many
                else chosen or element.get("initial_value") or element.get("initial_date")
            )
    return values


SCHEMED = ask(schema=SCHEMA)
FORMS: dict[str, dict[str, Any]] = {
    "form_view": view_form(PLACES["pending"], LOOK, MEMO),
    "form_view_manual": view_form(PLACES["pending_manual"], LOOK, MEMO),
    "form_view_soft": view_form(PLACES["pending_soft"], LOOK, MEMO),
    "form_view_settled": view_form(PLACES["rejected"], LOOK, MEMO),
    "form_reject": reject_form(PLACES["pending"], LOOK, MEMO),
    "form_modify": modify_form(SCHEMED, fields_of(SCHEMED), LOOK, MEMO),
    "form_notice": notice("Nothing was changed", "Ana Reyes approved this; nothing was changed."),
    "home": home((PLACES["pending"], PLACES["pending_manual"]), (PLACES["pending_soft"],), LOOK),
    "home_empty": home((), (), LOOK),
    "list": {"type": "home", "blocks": listing("Waiting for you", (PLACES["pending_quorum"],), LOOK, "Nothing.")},
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    check_form(FORMS[name])
    compare(name, FORMS[name])


def test_a_form_warns_of_look_alikes_and_hidden_characters_as_the_card_does() -> None:
    request = ask({"payee": "p\u0430ypal", "note": "pay\u202eme"}, checkpoint(Kind.MANUAL))
    for shown in (card(request, LOOK).blocks, view_form(request, LOOK, MEMO)["blocks"]):
        said = "\n".join(text for _, text in texts(list(shown)))
        assert "mixes alphabets" in said
        assert "change the reading order" in said


def test_the_phrase_is_asked_where_it_counts_and_nowhere_else() -> None:
    asked = {
        name for name, view in FORMS.items() if any(block.get("block_id") == ids.PHRASE for block in view["blocks"])
    }
    assert asked == {"form_view_manual"}
    assert "Type exactly: HG-1042" in str(FORMS["form_view_manual"])


def test_only_what_is_pending_can_be_approved_from_a_form() -> None:
    assert "submit" in FORMS["form_view"]
    assert "submit" not in FORMS["form_view_settled"]
    assert "submit" not in FORMS["form_view_soft"]


def test_the_schema_draws_the_fields() -> None:
    kinds = {
        block["label"]["text"]: block["element"]["type"]
        for block in FORMS["form_modify"]["blocks"]
        if block["type"] == "input"
    }
    assert list(kinds.values()) == [
        "plain_text_input",
        "number_input",
        "static_select",
        "static_select",
        "plain_text_input",
        "plain_text_input",
        "datepicker",
    ]


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_an_untouched_form_is_sent_back_as_nothing_changed(schema: dict[str, Any] | None) -> None:
    request = ask(schema=schema)
    fields = fields_of(request)
    view = modify_form(request, fields, LOOK, MEMO)
    with pytest.raises(Faulty, match="use Approve"):
        edited_arguments(request, fields, replace(sent(), values=untouched(fields, view)))


def test_what_was_entered_becomes_typed_arguments() -> None:
    fields = fields_of(SCHEMED)
    values = untouched(fields, FORMS["form_modify"])
    values |= {block_of(1): "150.10", block_of(2): "1", block_of(5): "a@example.com\nb@example.com"}
    values |= {block_of(6): "2026-12-24"}
    edited = edited_arguments(SCHEMED, fields, replace(sent(), values=values))
    assert edited == {
        **REFUND,
        "amount": 150.1,
        "currency": "GBP",
        "recipients": ["a@example.com", "b@example.com"],
        "due": "2026-12-24",
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"field_1": "9999"}, "amount"),
        ({"field_1": "many"}, "amount"),
        ({"field_2": "99"}, "currency"),
        ({"field_0": None, "field_1": "1,5"}, "amount"),
    ],
)
def test_what_does_not_fit_is_a_fault_of_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Faulty) as faulty:
        edited_arguments(SCHEMED, fields_of(SCHEMED), sent(**values))
    assert field in {fault.where for fault in faulty.value.faults}


def test_a_secret_and_a_text_that_no_box_can_hold_are_shown_locked_and_kept() -> None:
    request = ask({"password": "hunter2hunter2", "body": "x" * 5_000, "amount": 1})
    fields = fields_of(request)
    view = modify_form(request, fields, LOOK, MEMO)
    check_form(view)
    said = "\n".join(text for _, text in texts(view["blocks"]))
    assert "hunter2" not in said
    assert said.count("can't be changed here") == 2
    assert edited_arguments(request, fields, sent(field_2="2")) == {**request.call.arguments, "amount": 2}


def test_a_manual_modification_asks_for_the_phrase_again() -> None:
    request = ask(gate=checkpoint(Kind.MANUAL))
    view = modify_form(request, fields_of(request), LOOK, MEMO)
    assert view["blocks"][-1]["block_id"] == ids.PHRASE
    assert '"q":true' in view["private_metadata"]


def test_a_form_remembers_ids_only() -> None:
    assert FORMS["form_view"]["private_metadata"] == (
        f'{{"r":"{MEMO.request_id}","v":1,"c":"C0APPROVALS","t":"1795435200.000100"}}'
    )


def test_unknown_words_after_the_command_are_repeated_inertly() -> None:
    said = unknown_word("<!channel>*x*", LOOK)
    assert "&lt;!channel&gt;" in said
    assert "*x*" not in said
    assert "not available yet" in unknown_word("stats", LOOK)
