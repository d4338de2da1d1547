"""What the card shows at each place of a request's life."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import ids
from bot.slack.views.card import card, is_cut, may_approve
from bot.slack.views.look import Look, Message
from bot.slack.views.thread import absences, called_in, cooled_off, reminder, served, summons
from bot.slack.views.words import left
from policies.calendar import Calendar, Hours
from policies.checkpoint import Kind
from policies.effects import TellOfCoolOff
from policies.request import Request
from policies.review import Verdict
from tests.slack.judging import check_message, compare, texts
from tests.slack.samples import KEY, LOOK, NOW, PLACES, after, ask, checkpoint, verdict

NOTES = {
    "note_reminder": reminder(PLACES["pending"], LOOK),
    "note_question": reminder(PLACES["asking"], LOOK),
    "note_summons": summons(PLACES["pending_joined"], "seniors", LOOK),
    "note_delegated": called_in(PLACES["pending_delegated"], PLACES["pending_delegated"].delegations[0], LOOK),
    "note_absences": absences(PLACES["pending_stand_in"], LOOK),
    "note_served": served((PLACES["pending_served"],), LOOK),
    "note_served_many": served([PLACES["expired"]] * 30, LOOK),
    "note_cools_off": cooled_off(
        PLACES["rejected"],
        TellOfCoolOff(
            request_id="", what="begun", by="U0ANA", until=NOW + timedelta(minutes=15), rejections=3, seconds=600
        ),
        LOOK,
    ),
    "note_goes_on": cooled_off(
        PLACES["rejected"], TellOfCoolOff(request_id="", what="ended", by="U0ANA", until=NOW), LOOK
    ),
}


def shown(request: Request) -> Message:
    message = card(request, LOOK)
    check_message(message)
    return message


def words(message: Message) -> str:
    return "\n".join(text for _, text in texts(list(message.blocks)))


def buttons(message: Message) -> dict[str, Any]:
    last = message.blocks[-1]
    elements = last["elements"] if last["type"] == "actions" else []
    return {element["action_id"]: element for element in elements if element["type"] == "button"}


def offered(message: Message) -> list[str]:
    """The values of the card's menu."""
    last = message.blocks[-1]
    menus = [element for element in last.get("elements", ()) if element["type"] == "overflow"]
    return [option["value"] for menu in menus for option in menu["options"]]


def test_the_menu_offers_what_can_be_put_off_and_nothing_that_always_reaches_past_the_end() -> None:
    verbs = {place: [value.split(":")[0] for value in offered(shown(request))] for place, request in PLACES.items()}
    assert verbs["pending"] == ["grant", "view", "ask", "hour"]
    assert verbs["pending_snoozed"] == ["grant", "view", "ask", "wake"]
    assert (verbs["pending_soft"], verbs["pending_joined"]) == (["view", "ask"], ["grant", "view", "ask"])


def test_a_pause_that_counts_in_office_hours_says_so_before_its_end_is_known() -> None:
    office = Calendar(name="office", zone="UTC", days=(0,), hours=(Hours(opens=540, closes=1020),))
    soft = PLACES["pending_soft_undelivered"]
    gate = replace(soft.checkpoint, ladder=replace(soft.checkpoint.ladder, calendar=office))
    assert "Goes ahead 2 minutes of working time after posting" in words(shown(replace(soft, checkpoint=gate)))


@pytest.mark.parametrize("place", PLACES)
def test_the_card_at_each_place_is_the_golden_one_and_any_workspace_takes_it(place: str) -> None:
    message = shown(PLACES[place])
    compare(place, {"text": message.text, "metadata": message.metadata, "blocks": message.blocks})


@pytest.mark.parametrize("name", NOTES)
def test_each_note_beside_a_card_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    note = NOTES[name]
    check_message(note)
    compare(name, {"text": note.text, "blocks": note.blocks})


def test_a_pending_card_says_what_why_who_until_when_and_how_to_decide() -> None:
    message = shown(PLACES["pending"])
    said = words(message)
    for piece in (
        "issue_refund needs your approval",
        "amount: 180.5",
        "notify: true",
        "• tran@example.com",
        "Asked by Shop agent for Nia Newton",
        "The agent says (not checked), 82% sure",
        "Stopped by the rule “refunds”: issue_refund is always looked at",
        "May decide: support",
        "<@U0ANA> <@U0BEN>",
        "Needs one approval",
        "Expires <!date^1795442400^",
    ):
        assert piece in said
    assert list(buttons(message)) == [ids.APPROVE, ids.MODIFY, ids.REJECT]
    assert {button["value"] for button in buttons(message).values()} == {f"{PLACES['pending'].id}:1"}


def test_the_menu_stands_on_pending_cards_only_and_opens_those_that_have_no_view_all() -> None:
    for place, request in PLACES.items():
        expected = (
            []
            if request.settled or place in ("pending_cut", "asking_cut")
            else [f"view:{request.id}:{request.revision}"]
        )
        assert [value for value in offered(shown(request)) if value.startswith("view:")] == expected


def test_a_soft_card_can_be_stopped_and_modified_and_says_when_it_goes_ahead() -> None:
    waiting, running = shown(PLACES["pending_soft_undelivered"]), shown(PLACES["pending_soft"])
    assert list(buttons(running)) == [ids.STOP, ids.MODIFY]
    assert "Goes ahead 2 minutes after posting" in words(waiting)
    assert "Goes ahead <!date^" in words(running)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "at most 2 minutes left"),
        (59, "at most 2 minutes left"),
        (60, "less than a minute left"),
        (119, "less than a minute left"),
    ],
)
def test_the_time_left_to_stop_it_is_true_for_as_long_as_the_card_stands(seconds: int, said: str) -> None:
    look = replace(LOOK, now=NOW + timedelta(seconds=seconds))
    assert said in words(card(PLACES["pending_soft"], look))
    late = replace(LOOK, now=NOW + timedelta(minutes=2))
    assert " left" not in words(card(PLACES["pending_soft"], late)) + words(card(PLACES["pending"], look))


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(hours=2, seconds=1), "at most 121 minutes left"),
        (timedelta(hours=5, minutes=1), "at most 6 hours left"),
        (timedelta(days=3), "at most 3 days left"),
        (timedelta(days=6, hours=1), "at most 7 days left"),
    ],
)
def test_time_left_is_rounded_up_in_a_unit_that_fits(span: timedelta, said: str) -> None:
    assert left(span) == said


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("approved", [ids.STOP]),
        ("rejected", []),
        ("expired", []),
        ("claimed", []),
        ("unknown", [ids.RAN, ids.DIDNT_RUN]),
        ("proceeded", [ids.STOP, ids.SEEN, ids.OBJECT]),
        ("proceeded_objected", [ids.STOP]),
    ],
)
def test_a_settled_card_has_only_the_buttons_that_still_do_something(place: str, expected: list[str]) -> None:
    assert list(buttons(shown(PLACES[place]))) == expected


def test_a_card_that_leaves_something_out_has_no_approve_but_says_so_and_shows_the_end() -> None:
    request = PLACES["pending_cut"]
    message = shown(request)
    assert message.cut
    assert is_cut(request, Look(key=KEY, now=NOW))
    assert list(buttons(message)) == [ids.MODIFY, ids.REJECT, ids.VIEW]
    assert "rm -rf /srv" in words(message)
    assert "doesn't show everything" in words(message)


@pytest.mark.parametrize(
    "request_",
    [
        ask({f"argument_{number}": number for number in range(300)}),
        ask({f"text_{number}": "long " * 30 for number in range(60)}),
        ask(reason="because " * 400),
        ask({"script": "<" * 2_000}),
    ],
)
def test_whatever_is_left_out_takes_approve_away(request_: Request) -> None:
    message = shown(request_)
    assert message.cut
    assert ids.APPROVE not in buttons(message)


def test_a_modified_card_shows_before_and_after_and_who_changed_it() -> None:
    said = words(shown(PLACES["pending_modified"]))
    assert "Changed by Ana Reyes" in said
    assert "amount: 180.5 → 150" in said
    assert "recipients, item 2: desk@example.com → (absent)" in said
    assert "1 of 2 approvals: Ana Reyes" in said
    assert "amount: 150" in said


def test_secrets_are_shown_neither_by_name_nor_by_shape() -> None:
    token = "xoxb-" + "1234567890-1234567890123-" + "AbCdEfGhIjKlMnOpQrStUvWx"
    request = ask({"password": "hunter2hunter2", "note": f"use {token}", "deep": {"api_key": "k" * 30}}, reason=token)
    said = words(shown(request)) + shown(request).text
    assert "hunter2" not in said
    assert token not in said
    assert "k" * 30 not in said
    assert said.count("[redacted") >= 4


def test_texts_that_could_be_taken_for_other_values_keep_their_quotation_marks() -> None:
    said = words(shown(ask({"a": "5", "b": 5, "c": "", "d": "true", "e": True, "f": " x", "g": None, "h": []})))
    assert 'a: "5"' in said
    assert "b: 5" in said
    assert 'c: ""' in said
    assert 'd: "true"' in said
    assert "e: true" in said
    assert 'f: " x"' in said
    assert "g: null" in said
    assert "[]" in said


def test_a_reviewer_who_is_the_one_served_is_not_called() -> None:
    look = Look(key=KEY, now=NOW, members={"support": ("U0ANA", "U0NEWT", "U0BEN")})
    said = "\n".join(text for _, text in texts(list(card(ask(), look).blocks)))
    assert "<@U0NEWT>" not in said
    assert "<@U0ANA> <@U0BEN>" in said


def test_at_most_four_people_are_called() -> None:
    look = Look(key=KEY, now=NOW, members={"support": tuple(f"U0P{number}" for number in range(9))})
    said = "\n".join(text for _, text in texts(list(card(ask(), look).blocks)))
    assert said.count("<@") == 4
    assert "and 5 more" in said


def test_ids_of_blocks_change_with_every_version() -> None:
    before = PLACES["pending"]
    later = after(ask(gate=checkpoint(quorum=2)), verdict("U0ANA", Verdict.APPROVE))
    ids_before = {block["block_id"] for block in card(before, LOOK).blocks}
    assert ids_before.isdisjoint(block["block_id"] for block in card(later, LOOK).blocks)


def test_the_mark_for_finding_a_post_again_holds_ids_only() -> None:
    metadata = card(PLACES["pending"], LOOK, owed_id=7).metadata
    assert metadata == {
        "event_type": "signoff_request",
        "event_payload": {"request_id": PLACES["pending"].id, "owed_id": 7},
    }


def test_manual_cards_say_that_approving_takes_more_than_a_click() -> None:
    message = shown(ask(gate=checkpoint(Kind.MANUAL)))
    assert buttons(message)[ids.APPROVE]["text"]["text"] == "Approve…"
    assert "typed confirmation" in words(message)


def test_who_asked_somebody_else_is_not_reminded_and_who_handed_over_is_not_called() -> None:
    delegated, handed_over = PLACES["pending_delegated"], PLACES["pending_handed_over"]
    assert may_approve(delegated, LOOK) == ("U0ANA", "U0BEN", "U0SAM")
    assert may_approve(handed_over, LOOK) == ("U0BEN", "U0SAM")
    assert reminder(delegated, LOOK).text.startswith("<@U0BEN> <@U0SAM> issue")
    assert reminder(handed_over, LOOK).text.startswith("<@U0BEN> <@U0SAM> issue")
