"""What people see of grants: the form that says in words what it allows, the notes in the thread, the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.terms import terms_of
from bot.slack.views.card import card, is_cut
from bot.slack.views.grant_form import grant_form, groups, usual_terms, written
from bot.slack.views.grants import clauses, grant_news, grants_list
from bot.slack.views.look import Look, Message
from policies.checkpoint import GrantBound
from policies.effects import TellOfGrant
from policies.errors import Invalid
from policies.events import Granted, Outcome
from policies.grant import Grant, Terms, leaves
from policies.granting import MOST_LEAVES, go_ahead, why_never
from policies.lifecycle import apply
from policies.request import Request
from tests.slack.judging import check_form, check_message, compare, texts
from tests.slack.samples import LOOK, NAMES, NOW, ask, checkpoint, person
from tests.slack.test_display_laws import ARGUMENTS, TEXT

REFUND = {"order_id": "HG-1042", "amount": 140.5, "reason": "Arrived cracked", "api_key": "k" * 30, "to": {"vat": None}}
HOUR = timedelta(hours=1)
MEMO = Memo(r=ask().id, v=1, c="C0APPROVALS", t="1795435200.000100")
SHOWN = replace(LOOK, names={**LOOK.names, **NAMES})


def granted(request: Request, *loose: str) -> Grant:
    terms = Terms(loose=loose, lasts=HOUR, most=10)
    event = Granted(person=person("U0ANA"), revision=1, terms=terms, grant_id="grant_0011")
    grant = apply(request, event, NOW).grant
    assert grant is not None
    return grant


def news(grant: Grant, what: Literal["made", "used", "ended"], used_by: Request | None = None) -> Message:
    effect = TellOfGrant(
        request_id=grant.request_id, grant_id=grant.id, what=what, number=3 if used_by else 0, used_by=None
    )
    return grant_news(effect, grant, used_by, SHOWN)


def words(blocks: Any) -> str:
    return "\n".join(text for _, text in texts(list(blocks)))


CALL = ask(REFUND)
GRANT = replace(granted(CALL, "/order_id", "/amount"), used=3)
LOOSE = Terms(loose=("/order_id", "/amount"), lasts=timedelta(hours=4), most=20)
ENDED = replace(GRANT, id="grant_0022", revoked_at=NOW, revoked_by="U0BEN")
NOTES = {
    "grant_made": news(GRANT, "made"),
    "grant_used": news(GRANT, "used", go_ahead(Outcome(request=CALL), GRANT, person("U0ANA"), NOW).request),
    "grant_ended": news(ENDED, "ended"),
    "grant_ended_by_policy": news(replace(ENDED, revoked_by="policy"), "ended"),
    "grant_ended_by_operator": news(replace(ENDED, revoked_by="operator"), "ended"),
}
FORMS = {
    "form_grant": grant_form(CALL, usual_terms(CALL), LOOK, MEMO),
    "form_grant_loose": grant_form(CALL, LOOSE, LOOK, MEMO, "You changed something."),
    "list_grants": {
        "type": "home",
        "blocks": grants_list((ENDED, GRANT, replace(GRANT, used=10), replace(GRANT, expires_at=NOW)), SHOWN),
    },
    "list_grants_empty": {"type": "home", "blocks": grants_list((), SHOWN)},
}


@pytest.mark.parametrize("name", NOTES)
def test_each_note_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    note = NOTES[name]
    check_message(note)
    compare(name, {"text": note.text, "metadata": note.metadata, "blocks": note.blocks})


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    check_form(FORMS[name])
    compare(name, FORMS[name])


def test_the_form_says_in_words_what_it_allows_and_shows_no_secret() -> None:
    said = words(FORMS["form_grant_loose"]["blocks"])
    for piece in (
        "Shop agent may then call issue_refund again without asking, at most 20 times within 4 hours, where",
        "• order_id may be any text",
        "• amount may be between 0 and 140.5",
        "• reason is “Arrived cracked”",
        "• api_key is “[redacted api key, 30 characters, #",
        "• to › vat is null",
        "• nothing else is passed along",
        "unticked: between 0 and 140.5",
    ):
        assert piece in said
    assert "kkkk" not in "".join(map(str, [*FORMS.values(), *NOTES.values()]))


def test_the_form_offers_no_more_than_the_policy_allows() -> None:
    for bound, lasts, most in (
        (GrantBound(longest=timedelta(minutes=5), most=3), ["300"], ["3"]),
        (GrantBound(longest=timedelta(minutes=20), most=9), ["900"], ["5"]),
        (GrantBound(), ["900", "3600", "14400", "28800"], ["5", "10", "20", "50"]),
    ):
        request = ask(REFUND, checkpoint(grants=bound))
        view = grant_form(request, usual_terms(request), LOOK, MEMO)
        check_form(view)
        offered = {
            block["block_id"]: [option["value"] for option in block["element"]["options"]]
            for block in view["blocks"]
            if block["type"] == "input"
        }
        assert (offered[ids.LASTS], offered[ids.MOST]) == (lasts, most)


def test_the_menu_offers_a_grant_only_where_one_can_be_made() -> None:
    can = ask(REFUND)
    cannot = (ask(REFUND, checkpoint(quorum=2)), ask({"script": "echo fine\n" * 2_000}), ask({"a": [1] * 2_000}))
    for request in (can, *cannot):
        values = [option["value"] for option in _menu(request)]
        assert (f"grant:{request.id}:1" in values) == (request is can)


def _menu(request: Request) -> list[dict[str, Any]]:
    elements = card(request, LOOK).blocks[-1]["elements"]
    return [option for element in elements for option in element.get("options", ())]


def test_what_was_entered_becomes_terms_and_what_was_not_counts_as_ticked() -> None:
    entered = {ids.LASTS: "3600", ids.MOST: "10", "same:0": ("1", "3")}
    assert terms_of(CALL, entered).loose == ("/order_id", "/reason")
    assert terms_of(CALL, {**entered, "same:0": None}).loose == ()
    assert terms_of(CALL, {**entered, "same:0": ()}).loose == ("/order_id", "/amount", "/reason", "/api_key")
    for wrong in ({"same:0": ("9",)}, {"same:0": "1"}, {ids.MOST: "ten"}, {ids.LASTS: None}, {ids.LASTS: "9" * 8}):
        with pytest.raises(Invalid):
            terms_of(CALL, {**entered, **wrong})


def test_many_values_stand_in_several_groups_of_boxes() -> None:
    request = ask({f"value_{number}": number + 1 for number in range(MOST_LEAVES)})
    assert [len(boxes) for boxes in groups(request).values()] == [10, 10]
    loosest = Terms(loose=tuple(leaf.pointer for leaf in leaves(request.call.arguments)), lasts=HOUR, most=50)
    check_form(grant_form(request, loosest, LOOK, MEMO))
    assert len(written(request, loosest)) <= 100


@settings(max_examples=12, deadline=None)
@given(ARGUMENTS, TEXT)
def test_no_argument_breaks_the_form_the_notes_or_the_list_and_each_value_has_its_line(
    arguments: dict[str, Any], tool: str
) -> None:
    request = ask(arguments, tool=tool or "x")
    assume(why_never(request) is None and not is_cut(request, LOOK))
    free = [leaf.pointer for leaf in leaves(arguments) if leaf.may_differ]
    for loose in (tuple(free[::2]), tuple(free)):
        check_form(grant_form(request, Terms(loose=loose, lasts=HOUR, most=10), LOOK, Memo(r=request.id, v=1)))
        grant = granted(request, *loose)
        assert len(clauses(arguments, loose, LOOK)) == len(leaves(arguments)) + 1
        assert not any("\n" in line for line in clauses(arguments, loose, LOOK))
        check_form({"type": "home", "blocks": grants_list((grant,) * 3, LOOK)})
        for note in (news(grant, "made"), news(grant, "used", request), news(grant, "ended")):
            check_message(note)


def test_a_look_without_names_says_what_the_granter_was_called_then() -> None:
    bare = Look(key=LOOK.key, now=NOW)
    assert "Ana Reyes" in words(grants_list((GRANT,), bare))
