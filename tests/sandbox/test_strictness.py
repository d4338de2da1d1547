"""What Slack does and toy doubles get wrong, one test for each such thing."""

import asyncio
import hashlib
import hmac
import time
from typing import Any

import aiohttp
import pytest

from tests.sandbox.kit_table import options
from tests.sandbox.raw_socket import RawSocket, raw_socket
from tests.sandbox.stock_app import actions, button, field, modal, plain, text_input
from tests.sandbox.test_http_delivery import receiving
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROOM = "C0APPROVALS"
INPUTS: dict[str, tuple[Json, Any, tuple[str, Any]]] = {
    "text": (text_input(), "words", ("value", "words")),
    "number": ({"type": "number_input", "is_decimal_allowed": True}, 1.5, ("value", "1.5")),
    "email": ({"type": "email_text_input"}, "ana@example.com", ("value", "ana@example.com")),
    "url": ({"type": "url_text_input"}, "https://example.com", ("value", "https://example.com")),
    "date": ({"type": "datepicker"}, "2026-11-23", ("selected_date", "2026-11-23")),
    "time": ({"type": "timepicker"}, "09:30", ("selected_time", "09:30")),
    "moment": ({"type": "datetimepicker"}, 1_790_000_000, ("selected_date_time", 1_790_000_000)),
    "pick": ({"type": "static_select", "options": options(2)}, "v1", ("selected_option", "v1")),
    "picks": ({"type": "multi_static_select", "options": options(3)}, ["v0", "v2"], ("selected_options", ["v0", "v2"])),
    "person": ({"type": "users_select"}, "U0BEN", ("selected_user", "U0BEN")),
    "people": ({"type": "multi_users_select"}, ["U0BEN"], ("selected_users", ["U0BEN"])),
    "place": ({"type": "channels_select"}, ROOM, ("selected_channel", ROOM)),
    "ticks": ({"type": "checkboxes", "options": options(2)}, ["v1"], ("selected_options", ["v1"])),
    "radio": ({"type": "radio_buttons", "options": options(2)}, "v0", ("selected_option", "v0")),
}
INITIAL: list[tuple[Json, tuple[str, Any]]] = [
    (text_input(initial_value="as it was"), ("value", "as it was")),
    ({"type": "number_input", "is_decimal_allowed": False, "initial_value": "7"}, ("value", "7")),
    ({"type": "datepicker", "initial_date": "2026-01-02"}, ("selected_date", "2026-01-02")),
    ({"type": "static_select", "options": options(2), "initial_option": options(2)[1]}, ("selected_option", "v1")),
    ({"type": "checkboxes", "options": options(2), "initial_options": options(1)}, ("selected_options", ["v0"])),
    ({"type": "users_select", "initial_user": "U0SAM"}, ("selected_user", "U0SAM")),
]


async def clicked(sandbox: SandboxProcess, socket: RawSocket, element: Json | None = None) -> Json:
    """The payload of a press on a button in a message."""
    blocks = [actions(element or button("go"))]
    ts = (await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": blocks}))["ts"]
    pressing = asyncio.create_task(sandbox.people.press("U0ANA", ROOM, ts, "go"))
    envelope = await socket.receive()
    await socket.acknowledge(envelope)
    assert (await pressing)["ok"]
    return dict(envelope["payload"])


async def opened(sandbox: SandboxProcess, socket: RawSocket, view: Json) -> Json:
    trigger = (await clicked(sandbox, socket))["trigger_id"]
    answer = await sandbox.api("views.open", {"trigger_id": trigger, "view": view})
    assert answer["ok"], answer
    return dict(answer["view"])


async def submitted(sandbox: SandboxProcess, socket: RawSocket, view: Json, values: Json | None = None) -> Json:
    """`state.values` as the app gets them."""
    submitting = asyncio.create_task(sandbox.people.submit("U0ANA", view["id"], values or {}))
    envelope = await socket.receive()
    await socket.acknowledge(envelope)
    assert (await submitting)["ok"]
    return dict(envelope["payload"]["view"]["state"]["values"])


def bare(value: Any) -> Any:
    """Options by their values."""
    if isinstance(value, list):
        return [bare(entry) for entry in value]
    return value["value"] if isinstance(value, dict) else value


async def test_an_untouched_input_returns_its_initial_value_never_null(fresh: SandboxProcess) -> None:
    form = modal(*[field(f"f{number}", element) for number, (element, _) in enumerate(INITIAL)])
    async with raw_socket(fresh) as socket:
        values = await submitted(fresh, socket, await opened(fresh, socket, form))
    for number, (_, (name, expected)) in enumerate(INITIAL):
        assert bare(values[f"f{number}"]["value"][name]) == expected


async def test_a_multiline_input_keeps_its_newlines(fresh: SandboxProcess) -> None:
    form = modal(field("note", text_input(multiline=True)))
    async with raw_socket(fresh) as socket:
        view = await opened(fresh, socket, form)
        values = await submitted(fresh, socket, view, {"note": {"value": "one\n\n two\n"}})
    assert values["note"]["value"]["value"] == "one\n\n two\n"


async def test_a_confirm_dialog_reaches_the_person_who_must_answer_it(fresh: SandboxProcess) -> None:
    """The page asks before it sends (tests/sandbox/test_page.py); the server hands the dialog on untouched."""
    confirm = {"title": plain("Sure?"), "text": plain("It runs."), "confirm": plain("Yes"), "deny": plain("No")}
    blocks = [actions(button("go", confirm=confirm, style="danger"))]
    await fresh.api("chat.postMessage", {"channel": ROOM, "blocks": blocks})
    (message,) = await fresh.people.history("U0ANA", ROOM)
    shown = message["blocks"][0]["elements"][0]["confirm"]
    assert {name: shown[name]["text"] for name in shown} == {name: confirm[name]["text"] for name in confirm}


async def test_every_input_kind_works_in_a_modal(fresh: SandboxProcess) -> None:
    form = modal(*[field(name, element) for name, (element, _, _) in INPUTS.items()])
    async with raw_socket(fresh) as socket:
        view = await opened(fresh, socket, form)
        typed = {name: {"value": given} for name, (_, given, _) in INPUTS.items()}
        values = await submitted(fresh, socket, view, typed)
    for name, (element, _, (key, expected)) in INPUTS.items():
        assert values[name]["value"]["type"] == element["type"]
        assert bare(values[name]["value"][key]) == expected


async def test_inputs_that_dispatch_and_buttons_in_modals_send_their_view(fresh: SandboxProcess) -> None:
    form = modal(field("note", text_input(), dispatch_action=True), actions(button("go")), submit=plain("Send"))
    async with raw_socket(fresh) as socket:
        view = await opened(fresh, socket, form)
        for block_id, action_id in (("note", "value"), ("buttons", "go")):
            place = {"view_id": view["id"], "block_id": block_id, "action_id": action_id}
            filled = {"note": {"value": "half done"}}
            pressing = asyncio.create_task(fresh.people.click("U0ANA", **place, values=filled))
            envelope = await socket.receive()
            await socket.acknowledge(envelope)
            assert (await pressing)["ok"]
            payload = envelope["payload"]
            assert payload["container"] == {"type": "view", "view_id": view["id"]}
            assert payload["view"]["hash"]
            assert payload["view"]["state"]["values"]["note"]["value"]["value"] == "half done"


async def test_metadata_is_kept_and_returned_when_asked_for(fresh: SandboxProcess) -> None:
    await fresh.control.app(scopes=["chat:write", "channels:history"])
    metadata = {"event_type": "card", "event_payload": {"id": "r1"}}
    await fresh.api("chat.postMessage", {"channel": ROOM, "text": "x", "metadata": metadata})
    asked = await fresh.api("conversations.history", {"channel": ROOM, "include_all_metadata": True})
    assert asked["messages"][0]["metadata"] == metadata
    assert "metadata" not in (await fresh.api("conversations.history", {"channel": ROOM}))["messages"][0]


async def test_an_update_follows_slacks_rules(fresh: SandboxProcess) -> None:
    posted = await fresh.api("chat.postMessage", {"channel": ROOM, "text": "x", "blocks": [actions(button("go"))]})
    place = {"channel": ROOM, "ts": posted["ts"]}
    assert (await fresh.api("chat.update", {**place, "text": "y" * 4001}))["error"] == "msg_too_long"
    assert "blocks" not in (await fresh.api("chat.update", {**place, "text": "y"}))["message"], (
        "text alone removes blocks"
    )
    theirs = (await fresh.people.say("U0ANA", ROOM, "mine"))["ts"]
    own = {"channel": ROOM, "ts": theirs, "text": "x"}
    assert (await fresh.api("chat.update", own))["error"] == "cant_update_message"
    hidden = await fresh.api("chat.postEphemeral", {"channel": ROOM, "user": "U0ANA", "text": "psst"})
    late = {"channel": ROOM, "ts": hidden["message_ts"], "text": "x"}
    assert (await fresh.api("chat.update", late))["error"] == "message_not_found"


async def test_views_keep_their_ids_guard_their_hash_and_stack_three_high(fresh: SandboxProcess) -> None:
    form = modal(actions(button("go")))
    async with raw_socket(fresh) as socket:
        first = await opened(fresh, socket, form)
        again = await fresh.api("views.update", {"view_id": first["id"], "view": form, "hash": first["hash"]})
        assert again["view"]["id"] == first["id"]
        stale = await fresh.api("views.update", {"view_id": first["id"], "view": form, "hash": first["hash"]})
        assert stale["error"] == "hash_conflict"
        assert (await fresh.api("views.update", {"view_id": "V0NONE", "view": form}))["error"] == "not_found"
        view_id, answers = first["id"], []
        for _ in range(3):
            place = {"view_id": view_id, "block_id": "buttons", "action_id": "go"}
            pressing = asyncio.create_task(fresh.people.click("U0ANA", **place))
            envelope = await socket.receive()
            await socket.acknowledge(envelope)
            await pressing
            pushed = await fresh.api("views.push", {"trigger_id": envelope["payload"]["trigger_id"], "view": form})
            answers.append(pushed.get("error", "ok"))
            view_id = pushed["view"]["id"] if pushed["ok"] else view_id
    assert answers == ["ok", "ok", "push_limit_reached"]


async def test_a_trigger_works_once_and_for_three_seconds(fresh: SandboxProcess) -> None:
    form = modal(actions(button("go")))
    async with raw_socket(fresh) as socket:
        trigger = (await clicked(fresh, socket))["trigger_id"]
        answers = [await fresh.api("views.open", {"trigger_id": trigger, "view": form}) for _ in range(2)]
        late = (await clicked(fresh, socket))["trigger_id"]
        await fresh.control.advance(3.1)
        answers.append(await fresh.api("views.open", {"trigger_id": late, "view": form}))
    assert [answer.get("error", "ok") for answer in answers] == ["ok", "exchanged_trigger_id", "expired_trigger_id"]


async def test_an_envelope_goes_to_one_of_ten_connections_and_only_events_come_again(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as one, raw_socket(fresh) as other:
        await fresh.people.say("U0ANA", "D0ANA", "hello")
        waiting = [asyncio.create_task(each.receive(8.0)) for each in (one, other)]
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        first = done.pop().result()
        assert not done, "the other connection got nothing"
        await fresh.control.advance(3.1)
        second = await asyncio.wait_for(asyncio.wait({*rest}), 5) and rest.pop().result()
        assert first["payload"]["event_id"] == second["payload"]["event_id"]
        assert second["retry_attempt"] == 1
        ts = (await fresh.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]}))["ts"]
        pressing = asyncio.create_task(fresh.people.press("U0ANA", ROOM, ts, "go"))
        await asyncio.sleep(0)
        while (await fresh.control.calls("block_actions")) == []:
            await asyncio.sleep(0.01)
        await fresh.control.advance(3.1)
        assert await pressing == {"ok": False, "error": "operation_timeout"}
        await fresh.control.advance(600)
        assert len(await fresh.control.calls("block_actions")) == 1, "a click is never sent again"
        await fresh.control.disconnect("warning")


async def test_a_response_url_is_ephemeral_five_times_for_thirty_minutes(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket, aiohttp.ClientSession() as session:
        url = (await clicked(fresh, socket))["response_url"]
        statuses = []
        for _ in range(6):
            async with session.post(url, json={"text": "only you"}) as response:
                statuses.append(response.status)
        late = (await clicked(fresh, socket))["response_url"]
        await fresh.control.advance(30 * 60 + 1)
        async with session.post(late, json={"text": "late"}) as response:
            statuses.append(response.status)
    assert statuses == [200] * 5 + [404, 404]
    said = [message for message in await fresh.people.history("U0ANA", ROOM) if message["text"] == "only you"]
    assert [message.get("ephemeral") for message in said] == [True] * 5


async def test_http_signs_every_request_and_retries_events_on_slacks_schedule(fresh: SandboxProcess) -> None:
    async with receiving(fresh) as receiver:
        receiver.status = 500
        await fresh.people.say("U0ANA", "D0ANA", "hello")
        numbers = []
        for attempt, wait in enumerate((0, 0, 60, 300)):
            if wait:
                await _delivered(fresh, attempt)
                await fresh.control.advance(wait)
            headers, body = await receiver.next()
            numbers.append(headers.get("X-Slack-Retry-Num"))
            stamp = headers["X-Slack-Request-Timestamp"]
            digest = hmac.new(fresh.signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
            assert headers["X-Slack-Signature"] == f"v0={digest}"
            assert abs(time.time() - int(stamp)) < 300
    assert numbers == [None, "1", "2", "3"]


async def _delivered(sandbox: SandboxProcess, times: int) -> None:
    deadline = time.monotonic() + 5
    while len([call for call in await sandbox.control.calls("event_callback") if call["status"] == 500]) < times:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_tokens_scopes_and_cursors_are_checked(fresh: SandboxProcess) -> None:
    assert (await fresh.api("auth.test", token="xoxb-made-up"))["error"] == "invalid_auth"
    await fresh.control.app(scopes=["chat:write", "commands"])
    refused = await fresh.api("users.list")
    expected = {"ok": False, "error": "missing_scope", "needed": "users:read", "provided": "chat:write,commands"}
    assert {name: refused[name] for name in expected} == expected
    await fresh.control.app(scopes=["users:read"])
    first = await fresh.api("users.list", {"limit": 4})
    cursor = first["response_metadata"]["next_cursor"]
    second = await fresh.api("users.list", {"limit": 4, "cursor": cursor})
    seen = [[person["id"] for person in page["members"]] for page in (first, second)]
    assert len(seen[0]) == 4
    assert not set(seen[0]) & set(seen[1])


async def test_a_channel_takes_a_message_a_second_and_a_method_its_tier(fresh: SandboxProcess) -> None:
    await fresh.control.pace(enabled=True)
    url, headers = f"{fresh.api_url}chat.postMessage", {"Authorization": f"Bearer {fresh.bot_token}"}
    statuses = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(5):
            async with session.post(url, json={"channel": ROOM, "text": "x"}) as response:
                statuses.append((response.status, response.headers.get("Retry-After")))
    assert statuses[:3] == [(200, None)] * 3
    assert statuses[-1] == (429, "1")
    answers = [await fresh.api("usergroups.list") for _ in range(21)]
    assert [answer["ok"] for answer in answers] == [True] * 20 + [False], "Tier 2 is twenty a minute"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"blocks": [{"type": "header", "text": plain("h" * 151)}]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider", "colour": "red"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": plain("s" * 3000)}] * 5}, "msg_blocks_too_long"),
    ],
    ids=["limit", "unknown field", "together"],
)
async def test_block_kit_is_validated_with_slacks_limits(
    sandbox: SandboxProcess, arguments: Json, expected: str
) -> None:
    assert (await sandbox.api("chat.postMessage", {"channel": ROOM, "text": "x", **arguments}))["error"] == expected


async def test_a_view_that_is_too_large_says_so(fresh: SandboxProcess) -> None:
    view = {"type": "home", "blocks": [{"type": "section", "text": plain("s" * 3000)}] * 90}
    assert (await fresh.api("views.publish", {"user_id": "U0ANA", "view": view}))["error"] == "view_too_large"


async def test_every_sort_of_person_is_there(fresh: SandboxProcess) -> None:
    listed = (await fresh.api("users.list"))["members"]
    people = {person["id"]: person for person in listed}
    assert people["U0SAM"]["is_admin"]
    assert people["U0GUS"]["is_restricted"]
    assert people["U0DEL"]["deleted"]
    assert people["U0SIGNOFF"]["is_bot"]
    assert "U0EXT" not in people
    assert (await fresh.api("users.info", {"user": "U0EXT"}))["user"]["is_stranger"]
    groups = (await fresh.api("usergroups.list"))["usergroups"]
    assert {group["id"] for group in groups} == {"S0SUPPORT", "S0FINANCE"}
    await fresh.control.person("W0GRID", enterprise_id="E0HARBOUR")
    grid = (await fresh.api("users.info", {"user": "W0GRID"}))["user"]
    assert grid["enterprise_user"]["enterprise_id"] == "E0HARBOUR"


async def test_a_file_takes_three_steps(sandbox: SandboxProcess) -> None:
    announced = await sandbox.api("files.getUploadURLExternal", {"filename": "a.txt", "length": 5})
    early = await sandbox.api("files.completeUploadExternal", {"files": [{"id": announced["file_id"]}]})
    assert early["error"] == "file_not_found"
    async with aiohttp.ClientSession() as session, session.post(announced["upload_url"], data=b"hello") as response:
        assert response.status == 200
    shared = {"files": [{"id": announced["file_id"]}], "channel_id": ROOM}
    assert (await sandbox.api("files.completeUploadExternal", shared))["ok"]
    assert (await sandbox.people.history("U0ANA", ROOM))[-1]["files"][0]["name"] == "a.txt"


@pytest.mark.parametrize("form", ["json", "form", "get", "query"])
async def test_arguments_come_in_four_forms_with_a_bearer_token(sandbox: SandboxProcess, form: str) -> None:
    sent: dict[str, Json] = {
        "json": {"json": {"user": "U0ANA"}},
        "form": {"data": {"user": "U0ANA"}},
        "get": {"params": {"user": "U0ANA"}},
        "query": {"params": {"user": "U0ANA"}},
    }
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    verb, url = "GET" if form == "get" else "POST", f"{sandbox.api_url}users.info"
    async with aiohttp.ClientSession(headers=headers) as session, session.request(verb, url, **sent[form]) as response:
        assert (await response.json())["user"]["id"] == "U0ANA"
