"""People press real buttons in the local workspace, and the gateway does what they mean."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.slack import ids
from policies.attention import ENOUGH
from policies.request import ExecutionState, State
from policies.snoozing import MORNING
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house, said
from tests.slack.samples import DRAFTS, REFUND

LONG = {"path": "/srv", "script": "echo fine & <true>\n" * 2500 + "rm -rf /srv"}


async def test_approve_settles_and_every_copy_says_who(home: House) -> None:
    request = await home.ask()
    assert await home.press("U0ANA", request, ids.APPROVE) == {"ok": True}
    assert (await home.now(request)).state is State.APPROVED
    await home.card_says(request, "was approved by Ana Reyes")


async def test_the_menu_opens_the_whole_request_and_one_can_approve_there(home: House) -> None:
    request = await home.ask()
    assert await home.choose("U0ANA", request, "view") == {"ok": True}
    assert "issue_refund needs your approval" in said(await home.front("U0ANA"))
    assert (await home.submit("U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED


async def test_a_menu_of_another_version_of_signoff_says_so_and_changes_nothing(home: House) -> None:
    request = await home.ask()
    channel, ts = await home.place(request)
    payload = await _forged(home, "U0ANA", channel, ts, "b", ids.MORE, f"approve:{request.id}:1")
    await home.sandbox.control.deliver("block_actions", payload)
    assert "another version of Signoff" in await home.whispered("U0ANA")
    assert (await home.now(request)).state is State.PENDING


async def test_a_reviewer_snoozes_from_the_menu_and_every_copy_says_who_and_until_when(home: House) -> None:
    request = await home.ask(tool="slow_refund")
    assert await home.choose("U0ANA", request, "hour") == {"ok": True}
    put_off = (await home.now(request)).snoozed
    assert put_off is not None
    assert (put_off.by, put_off.until - home.clock() <= timedelta(hours=1)) == ("U0ANA", True)
    await home.card_says(request, "💤 Ana Reyes put off the reminders until")
    assert await home.choose("U0ANA", request, "wake") == {"ok": True}
    assert (await home.now(request)).snoozed is None
    await home.card_says(request, "Snooze until 9:00 in the morning")
    assert await home.choose("U0ANA", request, "morning") == {"ok": True}
    there = (await home.now(request)).snoozed
    assert there is not None
    assert there.until.astimezone(ZoneInfo("Europe/London")).time() == MORNING
    await home.card_says(request, "End the snooze")


async def test_whoever_may_not_review_cannot_snooze_and_is_told_so(home: House) -> None:
    request = await home.ask(tool="slow_refund")
    await home.choose("U0FRED", request, "hour")
    assert "not among the reviewers" in await home.whispered("U0FRED")
    assert (await home.now(request)).snoozed is None


async def test_the_command_snoozes_wakes_and_helps_whoever_writes_it_otherwise(home: House) -> None:
    request = await home.ask(tool="slow_refund")
    people = home.sandbox.people
    for text, expected in (
        ("", "/approvals snooze ID 1h"),
        (" 1h", "Give at least 8 characters of the id"),
        (f" {request.id}", "/approvals snooze ID 1h"),
        (f" {request.id} 1h please", "/approvals snooze ID 1h"),
        (f" {request.id} soon", "'soon' is no duration"),
        (f" {request.id} 2d", "24 hours at most"),
        (f" {request.id} now", "It isn't snoozed"),
        (" req_unknown1 1h", "There is no request with this id"),
        (f" {request.id} 1h", "Reminders are put off until <!date^"),
        (f" {request.id} now", "Reminders are sent when they are due"),
    ):
        assert (await people.command("U0ANA", "C0GENERAL", f"/approvals snooze{text}"))["ok"]
        assert expected in await home.whispered("U0ANA", "C0GENERAL"), text
    assert (await people.command("U0FRED", "C0GENERAL", f"/approvals snooze {request.id} 1h"))["ok"]
    assert "There is no request with this id" in await home.whispered("U0FRED", "C0GENERAL")


async def test_the_card_behind_a_click_is_refreshed_outside_the_pace_of_updates(home: House) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.APPROVE)
    await home.card_says(request, "was approved")
    assert await home.sandbox.control.calls("chat.update") == []


async def test_a_late_click_is_told_who_decided_and_its_card_is_brought_up_to_date(home: House) -> None:
    request = await home.ask()
    channel, ts = await home.place(request)
    block = next(block for block in (await home.card(request))["blocks"] if block["type"] == "actions")
    await home.press("U0ANA", request, ids.APPROVE)
    pressed = await home.sandbox.control.deliver(
        "block_actions",
        await _forged(home, "U0BEN", channel, ts, block["block_id"], ids.REJECT, f"{request.id}:1"),
    )
    assert pressed["outcome"] == "ok" or pressed.get("status") in (None, 200)
    assert (await home.now(request)).state is State.APPROVED
    await until(lambda: _ephemerals(home, "U0BEN"))
    assert "Ana Reyes approved this <!date^" in await home.whispered("U0BEN")
    assert "nothing was changed" in await home.whispered("U0BEN")


async def _ephemerals(home: House, person: str) -> list[object]:
    return [one for one in await home.sandbox.people.history(person, "C0APPROVALS") if one.get("ephemeral")]


async def _forged(
    home: House, user: str, channel: str, ts: str, block_id: str, action_id: str, value: str
) -> dict[str, object]:
    return {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX", "domain": "harbour"},
        "user": {"id": user, "team_id": "T0SANDBOX"},
        "api_app_id": "A0SIGNOFF",
        "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
        "channel": {"id": channel, "name": "approvals"},
        "actions": [
            {"type": "button", "block_id": block_id, "action_id": action_id, "value": value, "action_ts": "1.1"}
        ],
    }


@pytest.mark.parametrize("person", ["U0NEWT", "U0FAY", "U0GUS", "U0DEL", "U0EXT"])
async def test_nobody_decides_whom_the_policy_does_not_name(home: House, person: str) -> None:
    request = await home.ask()
    channel, ts = await home.place(request)
    payload = await _forged(home, person, channel, ts, "b", ids.APPROVE, f"{request.id}:1")
    await home.sandbox.control.deliver("block_actions", payload)
    assert (await home.now(request)).state is State.PENDING


async def test_a_reviewer_who_was_deactivated_in_the_meantime_may_not_decide(home: House) -> None:
    request = await home.ask()
    await home.sandbox.control.person("U0ANA", is_restricted=True)
    home.clock.ahead = timedelta(seconds=50)
    await home.press("U0ANA", request, ids.APPROVE)
    assert (await home.now(request)).state is State.PENDING
    assert "Only members of this workspace may decide" in await home.whispered("U0ANA")


async def test_when_slack_does_not_say_who_somebody_is_nothing_is_approved(home: House) -> None:
    request = await home.ask()
    home.clock.ahead = timedelta(seconds=50)
    await home.sandbox.control.faults({"method": "users.info", "times": 9, "status": 500, "effect": "before"})
    await home.press("U0ANA", request, ids.APPROVE)
    assert (await home.now(request)).state is State.PENDING
    assert "could not be asked who you are" in await home.whispered("U0ANA")


async def test_two_people_make_a_quorum_and_one_person_twice_does_not(home: House) -> None:
    request = await home.ask({"a": 1}, tool="pair_up")
    await home.press("U0ANA", request, ids.APPROVE)
    await home.card_says(request, "1 of 2 approvals: Ana Reyes")
    assert (await home.press("U0ANA", request, ids.APPROVE))["ok"]
    assert (await home.now(request)).state is State.PENDING
    await home.shown(request)
    assert (await home.press("U0BEN", request, ids.APPROVE))["ok"]
    assert (await home.now(request)).state is State.APPROVED


async def test_reject_asks_why_and_the_reason_reaches_the_agent(home: House) -> None:
    request = await home.ask()
    await home.press("U0BEN", request, ids.REJECT)
    assert (await home.front("U0BEN"))["callback_id"] == ids.REJECT_FORM
    assert (await home.submit("U0BEN", reason="Refund 150 only."))["ok"]
    standing = await home.now(request)
    assert standing.state is State.REJECTED
    assert standing.decision is not None
    assert standing.decision.note == "Refund 150 only."
    await home.card_says(request, "Rejected by Ben Okafor. “Refund 150 only.”")


async def test_reject_without_a_reason_is_possible(home: House) -> None:
    request = await home.ask()
    await home.press("U0BEN", request, ids.REJECT)
    assert (await home.submit("U0BEN"))["ok"]
    assert (await home.now(request)).state is State.REJECTED


async def test_a_manual_approval_takes_the_phrase_exactly(home: House) -> None:
    request = await home.ask({"payee": "Nordkai Shipping", "amount": 4200}, tool="execute_payment")
    await home.press("U0FAY", request, ids.APPROVE)
    assert "Type exactly: Nordkai Shipping" in str(await home.front("U0FAY"))
    wrong = await home.submit("U0FAY", phrase="nordkai shipping")
    assert "Nordkai Shipping" in wrong["errors"][ids.PHRASE]
    assert (await home.now(request)).state is State.PENDING
    assert (await home.submit("U0FAY", phrase="Nordkai Shipping"))["ok"]
    assert (await home.now(request)).state is State.APPROVED
    assert await home.sandbox.people.views("U0FAY") == []


async def test_a_call_that_the_card_cuts_is_approved_only_after_its_last_page(home: House) -> None:
    request = await home.ask(LONG, tool="run_script")
    channel, ts = await home.place(request)
    payload = await _forged(home, "U0ANA", channel, ts, "b", ids.APPROVE, f"{request.id}:1")
    await home.sandbox.control.deliver("block_actions", payload)
    assert (await home.now(request)).state is State.PENDING
    assert (await home.press("U0ANA", request, ids.VIEW)) == {"ok": True}
    pages = 0
    while not (view := await home.front("U0ANA"))["submit"]:
        assert "rm -rf /srv" not in said(view)
        assert (await home.press_in_view("U0ANA", ids.NEXT))["ok"]
        pages += 1
    assert pages >= 1
    assert "rm -rf /srv" in said(await home.front("U0ANA"))
    home.clock.ahead = ENOUGH  # to read it
    assert (await home.submit("U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED


async def test_a_call_that_the_form_cuts_is_modified_only_from_the_last_page(home: House) -> None:
    request = await home.ask(LONG, tool="run_script")
    await home.press("U0ANA", request, ids.MODIFY)
    assert "press Modify there" in await home.whispered("U0ANA")
    await home.press("U0ANA", request, ids.VIEW)
    while not (await home.front("U0ANA"))["submit"]:
        assert (await home.press_in_view("U0ANA", ids.NEXT))["ok"]
    await home.press_in_view("U0ANA", ids.MODIFY)
    assert (await home.submit("U0ANA", field_0="/srv/old"))["ok"]
    standing = await home.now(request)
    assert (standing.state, standing.call.arguments["path"]) == (State.APPROVED, "/srv/old")


async def test_modify_changes_only_what_was_touched_and_counts_as_approval(home: House) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.MODIFY)
    assert (await home.submit("U0ANA", field_1="150.25"))["ok"]
    standing = await home.now(request)
    assert standing.state is State.APPROVED
    assert dict(standing.call.arguments) == {**REFUND, "amount": 150.25}
    await home.card_says(request, "amount: 180.5 → 150.25")


async def test_a_modification_that_does_not_fit_the_schema_is_refused_at_its_field(home: House) -> None:
    request = await home.ask(
        REFUND, schema={"type": "object", "properties": {"order_id": {"type": "string", "pattern": "^HG-"}}}
    )
    await home.press("U0ANA", request, ids.MODIFY)
    wrong = await home.submit("U0ANA", field_0="X-1")
    assert list(wrong["errors"]) == ["field:0"]
    assert (await home.now(request)).state is State.PENDING
    assert (await home.submit("U0ANA", field_0="HG-7"))["ok"]
    assert (await home.now(request)).call.arguments["order_id"] == "HG-7"


async def test_saving_an_untouched_form_says_use_approve(home: House) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.MODIFY)
    answer = await home.submit("U0ANA")
    assert "use Approve" in next(iter(answer["errors"].values()))
    assert (await home.now(request)).revision == 1


async def test_an_edit_that_crosses_a_line_of_the_policy_asks_for_the_phrase_and_keeps_what_was_typed(
    home: House,
) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.MODIFY)
    answer = await home.submit("U0ANA", field_1="350")
    assert answer["response_action"] == "update"
    assert (await home.now(request)).state is State.PENDING
    assert (await home.submit("U0ANA", phrase="CONFIRM"))["ok"]
    standing = await home.now(request)
    assert standing.state is State.APPROVED
    assert standing.call.arguments["amount"] == 350


async def test_an_edit_that_the_policy_refuses_is_an_error_in_the_form(home: House) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.MODIFY)
    answer = await home.submit("U0ANA", field_1="450")
    assert "policy refuses" in next(iter(answer["errors"].values()))
    assert (await home.now(request)).state is State.PENDING


async def test_a_form_of_an_older_revision_changes_nothing(home: House) -> None:
    request = await home.ask({"a": 1, "b": 2}, tool="pair_up")
    await home.press("U0ANA", request, ids.MODIFY)
    await home.press("U0BEN", request, ids.MODIFY)
    assert (await home.submit("U0BEN", field_0="7"))["ok"]
    answer = await home.submit("U0ANA", field_0="7")
    assert answer["response_action"] == "update", "not 'nothing was changed', although the field says what stands now"
    assert "revision 2" in said(await home.front("U0ANA"))
    assert dict((await home.now(request)).call.arguments) == {"a": 7, "b": 2}


async def test_a_form_sent_after_the_decision_is_told_who_decided(home: House) -> None:
    request = await home.ask()
    await home.press("U0BEN", request, ids.REJECT)
    await home.press("U0ANA", request, ids.APPROVE)
    await home.submit("U0BEN", reason="no")
    assert "Ana Reyes approved this" in said(await home.front("U0BEN"))
    assert (await home.now(request)).state is State.APPROVED


async def test_stop_ends_what_would_go_ahead(home: House) -> None:
    request = await home.ask({"text": "Hello"}, tool="publish_post")
    await home.card_says(request, "Goes ahead <!date")
    await home.press("U0ANA", request, ids.STOP)
    assert (await home.now(request)).state is State.REJECTED


async def test_what_went_ahead_on_silence_waits_for_somebody_to_look(home: House) -> None:
    request = await home.ask({"text": "Hello"}, tool="publish_post")
    await home.card_says(request, "Goes ahead <!date")
    home.clock.ahead = timedelta(minutes=3)
    await home.serving.gateway.advance(home.clock())
    await home.card_says(request, "Nobody looked at this")
    await home.press("U0FRED", request, ids.OBJECT)
    assert "nothing was changed" in await home.whispered("U0FRED")
    await home.press("U0BEN", request, ids.OBJECT)
    assert (await home.submit("U0BEN", reason="Not <!here>"))["ok"]
    marked = await home.now(request)
    assert (marked.audit, marked.audit_by, marked.audit_note) == ("objected", "Ben Okafor", "Not <!here>")
    await home.card_says(request, "Ben Okafor objected after it had gone ahead. “Not <!here>”")


async def test_a_person_says_whether_an_unknown_call_ran(home: House) -> None:
    request = await home.ask()
    await home.press("U0ANA", request, ids.APPROVE)
    approved = await home.now(request)
    await home.serving.gateway.claim(request.id, request.requester, approved.digest)
    await home.serving.gateway.lose(request.id, request.requester)
    await home.card_says(request, "may or may not have run")
    await home.press("U0ANA", request, ids.DIDNT_RUN)
    standing = await home.now(request)
    assert standing.execution is not None
    assert standing.execution.state is ExecutionState.FAILED


async def test_the_home_lists_what_waits_and_reviewing_from_there_works(home: House) -> None:
    request = await home.ask()
    await home.sandbox.people.open_home("U0ANA")
    view = await until(lambda: home.sandbox.people.home("U0ANA"))
    row = next(block for block in view["blocks"] if block.get("accessory", {}).get("action_id") == ids.VIEW)
    view_id = view.get("id") or view.get("view_id") or ""
    clicked = await home.sandbox.people.click("U0ANA", view_id=view_id, block_id=row["block_id"], action_id=ids.VIEW)
    assert clicked["ok"]
    assert (await home.submit("U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED

    async def empty() -> bool:
        return "Nothing waits for you" in str(await home.sandbox.people.home("U0ANA"))

    await until(empty)


async def test_the_command_lists_opens_helps_and_tells_strangers_nothing(home: House) -> None:
    request = await home.ask()
    people = home.sandbox.people
    for text, expected in (
        ("/approvals", "issue_refund needs your approval"),
        ("/approvals all", "Asked on your behalf"),
        ("/approvals help", "*/approvals approve ID*"),
        ("/approvals stats", "You decided nothing in the last 30 days."),
        ("/approvals frobnicate *x*", "There is no “frobnicate”"),
        ("/approvals req_unknown1", "There is no request with this id"),
    ):
        assert (await people.command("U0ANA", "C0GENERAL", text))["ok"]
        assert expected in await home.whispered("U0ANA", "C0GENERAL")
    assert (await people.command("U0NEWT", "C0GENERAL", "/approvals mine"))["ok"]
    assert "issue_refund" in await home.whispered("U0NEWT", "C0GENERAL")
    assert (await people.command("U0FRED", "C0GENERAL", f"/approvals {request.id}"))["ok"]
    assert "There is no request with this id" in await home.whispered("U0FRED", "C0GENERAL")
    assert (await people.command("U0ANA", "C0GENERAL", f"/approvals {request.id}"))["ok"]
    assert (await home.front("U0ANA"))["callback_id"] == ids.VIEW_FORM


async def test_who_may_start_the_agent_can_by_command_and_by_mention_and_others_cannot(home: House) -> None:
    people, store = home.sandbox.people, home.serving.store
    assert (await people.command("U0ANA", "C0AGENTS", "/agent refund order HG-1042"))["ok"]
    await people.say("U0BEN", "C0AGENTS", "<@U0SIGNOFF> tidy up the list & more")

    async def both() -> bool:
        return {run.errand for run in await store.runs()} == {"refund order HG-1042", "tidy up the list & more"}

    await until(both)
    assert (await people.command("U0FAY", "C0AGENTS", "/agent refund"))["ok"]
    assert "may not start the agent" in await home.whispered("U0FAY", "C0AGENTS")
    assert (await people.command("U0ANA", "C0AGENTS", "/agent"))["ok"]
    assert "Say what the agent should do" in await home.whispered("U0ANA", "C0AGENTS")
    assert len(await store.runs()) == 2


async def test_an_event_that_slack_delivers_twice_starts_one_run(home: House) -> None:
    event = {"type": "app_mention", "user": "U0ANA", "channel": "C0AGENTS", "ts": "1795435200.000100", "text": "go"}
    payload = {"type": "event_callback", "team_id": "T0SANDBOX", "event_id": "Ev0TWICE", "event": event}
    for _ in range(3):
        await home.sandbox.control.deliver("events_api", payload)
    await until(home.serving.store.runs)
    assert len(await home.serving.store.runs()) == 1


async def test_ten_people_who_press_at_once_make_one_decision(home: House) -> None:
    request = await home.ask()
    channel, ts = await home.place(request)
    presses = [
        home.sandbox.control.deliver(
            "block_actions",
            await _forged(home, user, channel, ts, "b", ids.APPROVE, f"{request.id}:1"),
        )
        for user in ("U0ANA", "U0BEN") * 5
    ]
    await asyncio.gather(*presses)
    standing = await home.now(request)
    assert standing.state is State.APPROVED
    assert standing.decision is not None
    assert len(standing.decision.by) == 1
    assert len(standing.reviews) == 1


async def test_over_http_the_same_buttons_work(sandbox: SandboxProcess, tmp_path: Path) -> None:
    async with house(sandbox, tmp_path, http=True) as home:
        request = await home.ask()
        assert await home.press("U0ANA", request, ids.APPROVE) == {"ok": True}
        assert (await home.now(request)).state is State.APPROVED
        other = replace(await home.ask({"payee": "Nordkai"}, tool="execute_payment"))
        await home.press("U0FRED", other, ids.APPROVE)
        assert (await home.submit("U0FRED", phrase="Nordkai"))["ok"]
        assert (await home.now(other)).state is State.APPROVED


async def test_a_draft_that_is_an_argument_is_edited_as_that_argument(home: House) -> None:
    request = await home.ask({"title": "Sunday", "body": "Open on Sunday"}, tool="send_post", preview=DRAFTS[:1])
    await home.press("U0ANA", request, ids.MODIFY)
    assert (await home.submit("U0ANA", field_1="Closed on Sunday"))["ok"]
    standing = await home.now(request)
    assert standing.call.arguments["body"] == standing.preview[0].text == "Closed on Sunday"
