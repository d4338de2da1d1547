"""The forms that people fill in, and how what they entered becomes arguments again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import ids
from bot.slack.editing import edit_of, typed_into
from bot.slack.home_memo import HomeMemo
from bot.slack.memo import Memo
from bot.slack.views.card import card
from bot.slack.views.delegate_form import delegate_form
from bot.slack.views.home import listing, unknown_word
from bot.slack.views.inbox import SECTIONS, home
from bot.slack.views.inputs import block_of
from bot.slack.views.modals import answer_form, notice, reject_form, view_form
from bot.slack.views.modify import modify_form
from policies.checkpoint import Kind
from policies.dialect import Dialect
from policies.draft_fields import draft_fields
from policies.errors import Faulty
from policies.form import Form
from policies.form_building import build_form
from policies.inbox import Inbox, Numbers
from policies.people import Absence
from policies.request import Request
from tests.slack import invoice
from tests.slack.judging import check_form, compare, texts
from tests.slack.samples import DAYS, KEY, LOOK, NOW, PLACES, PLAIN, REFUND, SCHEMA, ask, checkpoint, person

MEMO = Memo(r=PLACES["pending"].id, v=1, c="C0APPROVALS", t="1795435200.000100")


def form_of(request: Request) -> Form:
    schema = dict(request.call.schema) if request.call.schema else None
    form = build_form(schema, dict(request.call.arguments), key=KEY)
    return replace(form, drafts=draft_fields(request.drafts_at(request.revision), KEY))


def edit(request: Request, form: Form, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments once the form was sent with these values, by the inputs' block ids."""
    return dict(edit_of(request, form, typed_into(form, values, 0))[0])


def untouched(view: dict[str, Any]) -> dict[str, Any]:
    """What Slack sends for a form that nobody touched: every input with its initial value."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            chosen = element.get("initial_option", {}).get("value")
            many = element.get("initial_options")
            moment = element.get("initial_date_time")
            texts = (chosen, element.get("initial_value"), element.get("initial_date"), element.get("initial_time"))
            text = next((one for one in texts if one), None) or (str(moment) if moment else None)
            values[block["block_id"]] = tuple(option["value"] for option in many) if many else text
    return values


INBOX = Inbox(
    waiting=(PLACES["pending_manual"], PLACES["pending"]),
    escalated=(PLACES["pending_joined"],),
    questions=(ask(question=PLAIN),),
    given=(PLACES["pending_by_groups"],),
    mine=(PLACES["pending_soft"],),
    audits=(PLACES["proceeded"],),
    recent=(PLACES["rejected"],),
    numbers=Numbers(
        decided=16,
        unchanged=12,
        edited=1,
        rejected=2,
        typical=timedelta(minutes=4),
        opened=5,
        to_open=timedelta(minutes=3),
        to_decide=timedelta(seconds=48),
        asked_back=2,
        after_hours=3,
    ),
    teams=("seniors", "support"),
)
MANY = Inbox(**{part: tuple(ask() for _ in range(30)) for part in SECTIONS}, numbers=INBOX.numbers, more=True)
SCHEMED = ask(schema=SCHEMA)
SENT_BACK = replace(SCHEMED, dialect=Dialect(name="aap", sent={}))
BILL = ask(invoice.INVOICE, tool="send_invoice", schema=invoice.SCHEMA)
LETTER = ask(
    {**REFUND, "message": "Dear Ms Tran, we are sorry that it came broken.\n" * 30 + "Nord"}, reason="She sent photos."
)
TYPED = ask(LETTER.call.arguments, checkpoint(Kind.MANUAL))
HASTY = MEMO.model_copy(update={"had": 1_200})
FORMS: dict[str, dict[str, Any]] = {
    "form_view": view_form(PLACES["pending"], LOOK, MEMO),
    "form_view_manual": view_form(PLACES["pending_manual"], LOOK, MEMO),
    "form_view_soft": view_form(PLACES["pending_soft"], LOOK, MEMO),
    "form_view_settled": view_form(PLACES["rejected"], LOOK, MEMO),
    "form_asked_back": view_form(LETTER, LOOK, HASTY),
    "form_asked_back_manual": view_form(TYPED, LOOK, HASTY.model_copy(update={"had": 11_400})),
    "form_asked_back_pages": view_form(PLACES["pending_cut"], LOOK, HASTY.model_copy(update={"had": 0})),
    "form_reject": reject_form(PLACES["pending"], LOOK, MEMO),
    "form_modify": modify_form(SCHEMED, form_of(SCHEMED), LOOK, MEMO),
    "form_modify_sent_back": modify_form(SENT_BACK, form_of(SENT_BACK), LOOK, MEMO),
    "form_modify_drafts": modify_form(PLACES["pending_drafts"], form_of(PLACES["pending_drafts"]), LOOK, MEMO),
    "form_view_drafts": view_form(PLACES["pending_drafts"], LOOK, MEMO),
    "form_modify_invoice": modify_form(BILL, form_of(BILL), LOOK, MEMO),
    "form_view_modified": view_form(PLACES["pending_modified"], LOOK, MEMO),
    "form_view_pages": view_form(PLACES["pending_cut"], LOOK, MEMO),
    "form_view_last_page": view_form(PLACES["pending_cut"], LOOK, MEMO.model_copy(update={"page": 99})),
    "form_view_asking": view_form(PLACES["asking"], LOOK, MEMO),
    "form_delegate": delegate_form(PLACES["pending"], person("U0ANA"), LOOK, MEMO, "You know the payee."),
    "form_answer": answer_form(PLACES["asking"], LOOK, MEMO),
    "form_notice": notice("Nothing was changed", "Ana Reyes approved this; nothing was changed."),
    "home": home(INBOX, LOOK),
    "home_away": home(INBOX, LOOK, away=Absence(until=NOW + DAYS), asked=("seniors",)),
    "home_found": home(MANY, LOOK, HomeMemo(s="agent:key:shop", q="hg-1042", p=1, n=3)),
    "home_team": home(INBOX, LOOK, HomeMemo(s="team:seniors")),
    "home_found_nothing": home(INBOX, LOOK, HomeMemo(s="agent:gone", q="<!here>")),
    "home_full": home(MANY, LOOK, away=Absence(until=NOW + DAYS), asked=("seniors",)),
    "home_empty": home(Inbox(), LOOK),
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
    assert asked == {"form_view_manual", "form_asked_back_manual"}
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
    form = form_of(request)
    with pytest.raises(Faulty, match="use Approve"):
        edit(request, form, untouched(modify_form(request, form, LOOK, MEMO)))


def test_what_was_entered_becomes_typed_arguments() -> None:
    values = untouched(FORMS["form_modify"])
    values |= {block_of("1"): "150.10", block_of("2"): "1", block_of("5"): "a@example.com\nb@example.com"}
    values |= {block_of("6"): "2026-12-24"}
    edited = edit(SCHEMED, form_of(SCHEMED), values)
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
        ({"field:1": "9999"}, "1"),
        ({"field:1": "many"}, "1"),
        ({"field:2": "99"}, "2"),
        ({"field:0": None, "field:1": "1,5"}, "1"),
    ],
)
def test_what_does_not_fit_is_a_fault_of_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Faulty) as faulty:
        edit(SCHEMED, form_of(SCHEMED), values)
    assert field in {fault.where for fault in faulty.value.faults}


def test_a_text_that_no_boxes_can_hold_is_shown_locked_and_kept() -> None:
    request = ask({"note": "a\u202eb", "body": "x" * 30_000, "amount": 1})
    form = form_of(request)
    view = modify_form(request, form, LOOK, MEMO)
    check_form(view)
    said = "\n".join(text for _, text in texts(view["blocks"]))
    assert said.count("can't be changed here") == 2
    assert edit(request, form, {"field:2": "2"}) == {**request.call.arguments, "amount": 2}


def test_a_secret_is_kept_unless_a_new_one_is_entered_and_never_shown() -> None:
    request = ask({"password": "hunter2hunter2", "note": "Bearer abcdefghijklmnop\nthen go", "amount": 1})
    form = form_of(request)
    view = modify_form(request, form, LOOK, MEMO, typed={"0": "hunter3hunter3", "1": "x", "2": "7"})
    check_form(view)
    assert "hunter" not in str(view)
    assert "abcdefghijklmnop" not in str(view)
    assert "[redacted password, 14 characters" in str(view)
    assert untouched(view)["field:2"] == "7"
    kept = edit(request, form, {"field:0": None, "field:1": "", "field:2": "2"})
    assert kept == {**request.call.arguments, "amount": 2}
    assert edit(request, form, {"field:0": "new one"})["password"] == "new one"
    with pytest.raises(Faulty, match="in the place of the secret"):
        edit(request, form, {"field:1": "[redacted authorization, 16 characters, #0badcafe]\nthen stop"})


def test_a_form_of_long_words_gives_up_its_hints_before_slack_refuses_it() -> None:
    said = {"type": "string", "description": "𝄲" * 350}
    schema = {"type": "object", "properties": {f"p{one}": said for one in range(38)} | {"password": said}}
    request = ask({f"p{one}": "𝄲" * 380 for one in range(38)} | {"password": "hunter2"}, schema=schema)
    view = modify_form(request, form_of(request), LOOK, MEMO, typed={"0": "x" * 2_000} | {"1": "y" * 200_000})
    check_form(view)
    hints = [block["hint"]["text"] for block in view["blocks"] if "hint" in block]
    assert len(hints) == 1
    assert "[redacted password" in hints[0]


def test_a_manual_modification_asks_for_the_phrase_again() -> None:
    request = ask(gate=checkpoint(Kind.MANUAL))
    view = modify_form(request, form_of(request), LOOK, MEMO)
    assert view["blocks"][-1]["block_id"] == ids.PHRASE
    assert '"q":true' in view["private_metadata"]


def test_a_form_remembers_ids_only() -> None:
    assert FORMS["form_view"]["private_metadata"] == (
        f'{{"r":"{MEMO.request_id}","v":1,"c":"C0APPROVALS","t":"1795435200.000100"}}'
    )


def test_unknown_words_after_the_command_are_repeated_inertly() -> None:
    said = unknown_word("<!channel>*x*", "", LOOK)
    assert "&lt;!channel&gt;" in said
    assert "*x*" not in said
    assert "“&lt;!here&gt;” is one too many" in unknown_word("stats", "<!here>", LOOK)
