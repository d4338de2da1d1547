"""Slack's payloads as values: what Signoff needs is checked, the rest is let be, and only Invalid is ever raised."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import ids, payloads
from bot.slack.memo import Memo
from policies.errors import Invalid

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0ANA", "username": "ana", "team_id": "T0SANDBOX"},
    "container": {"type": "message", "message_ts": "1795435200.000100", "channel_id": "C0APPROVALS"},
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/actions/1",
    "actions": [{"action_id": ids.APPROVE, "block_id": "b", "value": "req_1:2", "type": "button"}],
    "something": {"new": True},
}
SUBMITTED: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": "U0ANA", "team_id": "T0SANDBOX"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": ids.MODIFY_FORM,
        "private_metadata": Memo(r="req_1", v=2, c="C0APPROVALS", t="1795435200.000100").text(),
        "state": {
            "values": {
                "field:0": {"value": {"type": "plain_text_input", "value": "typed"}},
                "field:1": {"value": {"type": "static_select", "selected_option": {"text": {}, "value": "3"}}},
                "field:2": {
                    "value": {"type": "multi_static_select", "selected_options": [{"value": "0"}, {"value": "2"}]}
                },
                "field:3": {"value": {"type": "datepicker", "selected_date": "2026-12-24"}},
                "field:4": {"value": {"type": "plain_text_input", "value": None}},
                "field:5": {"value": {"type": "static_select", "selected_option": None}},
            }
        },
    },
}


def test_a_click_in_a_message() -> None:
    click = payloads.click(CLICK)
    assert (click.user_id, click.action_id, click.value) == ("U0ANA", ids.APPROVE, "req_1:2")
    assert (click.channel, click.ts, click.in_modal) == ("C0APPROVALS", "1795435200.000100", False)


def test_a_click_in_a_form_brings_its_memo_and_one_in_the_home_does_not() -> None:
    view = {"id": "V1", "type": "modal", "hash": "1.a", "private_metadata": '{"r":"req_1","v":2,"p":1}'}
    body = {**CLICK, "container": {"type": "view", "view_id": "V1"}, "view": view}
    assert payloads.click(body).memo == Memo(r="req_1", v=2, p=1)
    home = {**body, "view": {"id": "V2", "type": "home", "private_metadata": ""}}
    assert not payloads.click(home).in_modal


def test_a_submission_brings_each_kind_of_entry() -> None:
    sent = payloads.submitted(SUBMITTED)
    assert sent.memo == Memo(r="req_1", v=2, c="C0APPROVALS", t="1795435200.000100")
    assert list(sent.values.values()) == ["typed", "3", ("0", "2"), "2026-12-24", None, None]
    assert (sent.text("field:0"), sent.text("field:4"), sent.text("absent")) == ("typed", None, None)


def test_a_command_and_a_mention_bring_what_was_typed() -> None:
    command = payloads.command({"command": "/agent", "user_id": "U0ANA", "channel_id": "C1", "text": "  a &amp; b "})
    assert (command.text, command.user_id) == ("a & b", "U0ANA")
    event = {"type": "app_mention", "user": "U0ANA", "channel": "C1", "ts": "1.2", "text": "<@U0SIGNOFF> do &lt;it&gt;"}
    said = payloads.mention({"event_id": "Ev1", "event": event})
    assert (said.text, said.thread_ts) == ("do <it>", "1.2")


def test_a_buttons_value_names_its_request_revision_and_page() -> None:
    assert ids.target("req_1:2") == ids.Target(request_id="req_1", revision=2)
    assert ids.target(str(ids.Target(request_id="req_1", revision=2, page=3))).page == 3


@pytest.mark.parametrize(
    "value", ["", "req_1", "req_1:", "req_1:x", "req_1:-1", ":1", "a:1:2:3", "req_1:１", "r:1:9999999999"]
)
def test_a_value_that_signoff_did_not_write_is_invalid(value: str) -> None:
    with pytest.raises(Invalid):
        ids.target(value)


def test_a_choice_from_a_menu_brings_the_options_value_and_stands_for_a_buttons() -> None:
    option = {"text": {"type": "plain_text", "text": "Open in full"}, "value": "view:req_1:2"}
    body = {**CLICK, "actions": [{"action_id": ids.MORE, "type": "overflow", "selected_option": option}]}
    click = payloads.click(body)
    assert (click.action_id, click.value) == (ids.MORE, "view:req_1:2")
    assert ids.chosen(click.value) == (ids.VIEW, "req_1:2")
    assert ids.option("view", ids.target("req_1:2")) == "view:req_1:2"


@pytest.mark.parametrize("value", ["", "view", "view:", "view:req_1", "view:req_1:x", "approve:req_1:1", ":req_1:1"])
def test_a_menus_value_that_signoff_did_not_write_is_invalid(value: str) -> None:
    with pytest.raises(Invalid):
        ids.chosen(value)


@pytest.mark.parametrize(
    "metadata", ["[]", "{", '{"x":1}', '{"r":1}', '{"v":-1}', "null", '{"p":"' + "9" * 2_000 + '"}']
)
def test_a_form_that_signoff_did_not_open_is_invalid(metadata: str) -> None:
    with pytest.raises(Invalid):
        payloads.submitted({**SUBMITTED, "view": {**SUBMITTED["view"], "private_metadata": metadata}})


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=10,
)
KEYS = ["user", "actions", "container", "view", "trigger_id", "response_url", "event", "user_id", "text", "channel_id"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from([CLICK, SUBMITTED, {}]))
def test_nothing_but_invalid_comes_out_of_nonsense(changes: dict[str, Any], good: dict[str, Any]) -> None:
    for read in (payloads.click, payloads.submitted, payloads.command, payloads.mention, payloads.home_opened):
        with suppress(Invalid):
            read({**good, **changes})
    payloads.event_id(changes)
    payloads.challenge(changes)
    payloads.is_direct(changes)
