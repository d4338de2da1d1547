"""What people see and may do: their channels, their ephemerals, their direct messages, live updates."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.sandbox.raw_socket import raw_socket
from tests.sandbox.stock_app import actions, button, plain
from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"


async def test_the_workspace_shows_a_person_what_is_theirs(fresh: SandboxProcess) -> None:
    seen = await fresh.people.workspace("U0ANA")
    assert seen["team"] == {"id": "T0SANDBOX", "name": "Harbour Goods", "domain": "harbour"}
    assert seen["me"]["real_name"] == "Ana Reyes"
    kinds = {channel["id"]: channel["kind"] for channel in seen["channels"]}
    assert kinds == {
        "C0APPROVALS": "channel", "C0FINANCE": "channel", "C0AGENTS": "channel", "C0GENERAL": "channel", "D0ANA": "im"
    }  # fmt: skip
    assert next(channel for channel in seen["channels"] if channel["kind"] == "im")["with"] == "U0SIGNOFF"
    assert [command["command"] for command in seen["commands"]] == ["/approvals", "/agent"]
    guest = await fresh.people.workspace("U0GUS")
    assert "C0FINANCE" not in [channel["id"] for channel in guest["channels"]]


async def test_unread_counts_what_others_said_until_it_is_read(fresh: SandboxProcess) -> None:
    await fresh.people.say("U0BEN", ROOM, "hello")

    async def unread(person: str) -> int:
        seen = await fresh.people.workspace(person)
        return int(next(channel["unread"] for channel in seen["channels"] if channel["id"] == ROOM))

    assert (await unread("U0ANA"), await unread("U0BEN")) == (1, 0)
    await fresh.people.history("U0ANA", ROOM)
    assert await unread("U0ANA") == 0


async def test_nobody_acts_where_they_are_not(fresh: SandboxProcess) -> None:
    blocks = [actions(button("go"))]
    ts = (await fresh.api("chat.postMessage", {"channel": "C0FINANCE", "blocks": blocks}))["ts"]
    place = {"channel": "C0FINANCE", "ts": ts, "block_id": "buttons", "action_id": "go"}
    assert (await fresh.people.click("U0GUS", **place))["error"] == "channel_not_found"
    assert (await fresh.people.say("U0GUS", "C0FINANCE", "hi"))["error"] == "channel_not_found"
    assert (await fresh.people.say("U0ANA", "D0BEN", "hi"))["error"] == "channel_not_found"
    assert (await fresh.people.click("U0DEL", **place))["error"] == "account_inactive"
    assert (await fresh.people.click("U0SIGNOFF", **place))["error"] == "user_not_found"
    assert (await fresh.people.click("U0ANA", **{**place, "action_id": "other"}))["error"] == "unknown_action"


async def test_a_button_for_named_people_is_not_there_for_others(fresh: SandboxProcess) -> None:
    blocks = [actions(button("go", visible_to_user_ids=["U0BEN"]))]
    ts = (await fresh.api("chat.postMessage", {"channel": ROOM, "blocks": blocks}))["ts"]
    assert (await fresh.people.press("U0ANA", ROOM, ts, "go"))["error"] == "unknown_action"
    assert (await fresh.people.press("U0BEN", ROOM, ts, "go"))["error"] == "no_connection"


async def test_only_subscribed_events_with_their_scope_are_delivered(fresh: SandboxProcess) -> None:
    await fresh.people.say("U0ANA", ROOM, "hello <@U0SIGNOFF>")
    await fresh.control.app(scopes=["chat:write"])
    await fresh.people.say("U0ANA", ROOM, "again <@U0SIGNOFF>")
    await fresh.people.say("U0ANA", "D0ANA", "direct")
    await fresh.control.app(scopes=["app_mentions:read"], events=["app_home_opened"])
    await fresh.people.say("U0ANA", ROOM, "more <@U0SIGNOFF>")
    calls = await fresh.control.calls("event_callback")
    assert {call["body"]["payload"]["event"]["text"] for call in calls} == {"hello <@U0SIGNOFF>"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example:4390", "Origin": "http://evil.example:4390"}, 403),
        ({"Host": "evil.example"}, 403),
        ({}, 200),
    ],
    ids=["cross-site", "opaque", "rebound", "foreign name", "none"],
)
async def test_a_foreign_web_page_cannot_act_here(fresh: SandboxProcess, headers: dict[str, str], status: int) -> None:
    body = {"as": "U0ANA", "channel": ROOM, "text": "hello"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fresh.url}/people/say", json=body, headers=headers) as response,
    ):
        assert response.status == status
    assert len(await fresh.people.history("U0ANA", ROOM)) == (status == 200)


async def test_every_element_of_a_message_sends_what_was_chosen(fresh: SandboxProcess) -> None:
    options = [{"text": plain(name), "value": name} for name in ("red", "blue")]
    blocks = [
        actions(
            {"type": "static_select", "action_id": "select", "options": options},
            {"type": "overflow", "action_id": "more", "options": options},
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-01"},
            {"type": "users_select", "action_id": "who"},
            {"type": "checkboxes", "action_id": "ticks", "options": options},
        )
    ]
    ts = (await fresh.api("chat.postMessage", {"channel": ROOM, "blocks": blocks}))["ts"]
    chosen: dict[str, tuple[Any, Any]] = {
        "select": ("blue", ("selected_option", options[1]["value"])),
        "more": (0, ("selected_option", options[0]["value"])),
        "day": ("2026-05-06", ("selected_date", "2026-05-06")),
        "who": ("U0BEN", ("selected_user", "U0BEN")),
        "ticks": (["red"], ("selected_options", ["red"])),
    }
    async with raw_socket(fresh) as socket:
        for action_id, (selected, (name, expected)) in chosen.items():
            place = {"channel": ROOM, "ts": ts, "block_id": "buttons", "action_id": action_id, "selected": selected}
            clicking = asyncio.create_task(fresh.people.click("U0ANA", **place))
            envelope = await socket.receive()
            await socket.acknowledge(envelope)
            assert (await clicking)["ok"]
            payload = envelope["payload"]
            assert _value(payload["actions"][0][name]) == expected
            state = payload["state"]["values"]["buttons"]
            assert set(state) == {"select", "day", "who", "ticks"}, "an overflow menu keeps nothing"
            assert action_id == "more" or _value(state[action_id][name]) == expected
    wrong = {"channel": ROOM, "ts": ts, "block_id": "buttons", "action_id": "select", "selected": "green"}
    assert (await fresh.people.click("U0ANA", **wrong))["error"] == "invalid_value"


def _value(found: Any) -> Any:
    if isinstance(found, list):
        return [_value(entry) for entry in found]
    return found["value"] if isinstance(found, dict) else found


async def test_an_ephemeral_message_is_clicked_by_its_person_alone(fresh: SandboxProcess) -> None:
    content = {"channel": ROOM, "user": "U0ANA", "blocks": [actions(button("go"))]}
    ts = (await fresh.api("chat.postEphemeral", content))["message_ts"]
    place = {"channel": ROOM, "ts": ts, "block_id": "buttons", "action_id": "go"}
    assert (await fresh.people.click("U0BEN", **place))["error"] == "message_not_found"
    assert (await fresh.people.click("U0ANA", **place))["error"] == "no_connection"


async def test_live_updates_reach_those_whom_they_concern(fresh: SandboxProcess) -> None:
    heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
    listening = asyncio.Event()

    async def listen() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{fresh.url}/people/events?as=U0BEN") as response:
            event = ""
            async for raw in response.content:
                line = raw.decode().strip()
                listening.set()
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: "):
                    heard.put_nowait((event, json.loads(line[6:])))

    task = asyncio.create_task(listen())
    await asyncio.wait_for(listening.wait(), 5)
    await fresh.api("chat.postEphemeral", {"channel": ROOM, "user": "U0ANA", "text": "not for Ben"})
    ts = (await fresh.api("chat.postMessage", {"channel": ROOM, "text": "card"}))["ts"]
    await fresh.api("chat.update", {"channel": ROOM, "ts": ts, "text": "changed"})
    await fresh.api("chat.postMessage", {"channel": ROOM, "text": "reply", "thread_ts": ts})
    await fresh.api("chat.delete", {"channel": ROOM, "ts": ts})
    await fresh.api("views.publish", {"user_id": "U0ANA", "view": {"type": "home", "blocks": []}})
    await fresh.api("views.publish", {"user_id": "U0BEN", "view": {"type": "home", "blocks": []}})
    await fresh.api("chat.postEphemeral", {"channel": ROOM, "user": "U0BEN", "text": "for Ben"})
    events = [await asyncio.wait_for(heard.get(), 5) for _ in range(6)]
    names = ["message", "message_changed", "message", "message_deleted", "home", "ephemeral"]
    assert [name for name, _ in events] == names
    assert events[1][1]["message"]["text"] == "changed"
    assert events[2][1]["thread_ts"] == ts
    assert events[5][1]["message"]["ephemeral"] is True
    await fresh.control.reset()
    await asyncio.wait_for(task, 5)
