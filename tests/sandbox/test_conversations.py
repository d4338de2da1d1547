"""Group messages, joining, and what a user object says of time and absence."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.sandbox.raw_socket import raw_socket
from tests.sandbox.stock_app import actions, button
from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"


async def test_several_people_share_one_group_message(fresh: SandboxProcess) -> None:
    refused = await fresh.api("conversations.open", {"users": "U0ANA,U0BEN"})
    assert (refused["error"], refused["needed"]) == ("missing_scope", "mpim:write")
    await fresh.control.app(scopes=["mpim:write", "mpim:read", "chat:write"])
    opened = await fresh.api("conversations.open", {"users": "U0ANA,U0BEN"})
    again = await fresh.api("conversations.open", {"users": "U0BEN,U0ANA"})
    name = opened["channel"]["id"]
    assert again["channel"]["id"] == name
    info = (await fresh.api("conversations.info", {"channel": name}))["channel"]
    assert (info["is_mpim"], info["is_private"], info["name"]) == (True, True, "mpdm-ana--ben--signoff-1")
    listed = await fresh.api("conversations.list", {"types": "mpim"})
    assert [channel["id"] for channel in listed["channels"]] == [name]
    assert (await fresh.api("chat.postMessage", {"channel": name, "text": "both of you"}))["ok"]
    assert (await fresh.people.history("U0BEN", name))[0]["text"] == "both of you"
    assert (await fresh.people.say("U0FAY", name, "x"))["error"] == "channel_not_found"


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ("U0ANA,U0DEL", "user_disabled"),
        ("U0ANA,U0NONE", "user_not_found"),
        ("U0ANA,U0EXT", "user_not_visible"),
        (",".join(f"U0MANY{number}" for number in range(9)), "too_many_users"),
    ],
    ids=["deactivated", "unknown", "stranger", "nine"],
)
async def test_a_group_message_with_the_wrong_people_is_refused(
    fresh: SandboxProcess, users: str, expected: str
) -> None:
    await fresh.control.app(scopes=["mpim:write"])
    assert (await fresh.api("conversations.open", {"users": users}))["error"] == expected


async def test_a_group_message_tells_the_app_by_its_own_event(fresh: SandboxProcess) -> None:
    await fresh.control.app(scopes=["mpim:write", "mpim:history"], events=["message.mpim"])
    name = (await fresh.api("conversations.open", {"users": ["U0ANA", "U0BEN"]}))["channel"]["id"]
    async with raw_socket(fresh) as socket:
        await fresh.people.say("U0ANA", name, "hello")
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
    assert envelope["payload"]["event"]["channel_type"] == "mpim"


async def test_an_app_joins_public_channels_only(fresh: SandboxProcess) -> None:
    await fresh.control.app(scopes=["channels:join", "chat:write"])
    await fresh.control.channel("C0AWAY", name="away", members=["U0ANA"])
    assert (await fresh.api("chat.postMessage", {"channel": "C0AWAY", "text": "x"}))["error"] == "not_in_channel"
    assert (await fresh.api("conversations.join", {"channel": "C0AWAY"}))["channel"]["is_member"] is True
    assert (await fresh.api("chat.postMessage", {"channel": "C0AWAY", "text": "x"}))["ok"]
    twice = await fresh.api("conversations.join", {"channel": "C0AWAY"})
    assert (twice["ok"], twice["warning"]) == (True, "already_in_channel")
    await fresh.control.channel("C0HID", name="hidden", kind="private", members=["U0SIGNOFF"])
    kinds = await fresh.api("conversations.join", {"channel": "C0HID"})
    assert kinds["error"] == "method_not_supported_for_channel_type"


async def test_the_bot_describes_itself(fresh: SandboxProcess) -> None:
    bot = (await fresh.api("bots.info", {"bot": "B0SIGNOFF"}))["bot"]
    assert (bot["user_id"], bot["app_id"], bot["name"]) == ("U0SIGNOFF", "A0SIGNOFF", "Signoff")
    assert (await fresh.api("bots.info", {"bot": "B0OTHER"}))["error"] == "bot_not_found"


async def test_time_zones_and_absence_stand_in_the_profile_until_they_end(fresh: SandboxProcess) -> None:
    fred = (await fresh.api("users.info", {"user": "U0FRED"}))["user"]
    offset = datetime.now(UTC).astimezone(ZoneInfo("America/New_York")).utcoffset() or timedelta()
    assert (fred["tz"], fred["tz_offset"]) == ("America/New_York", offset.total_seconds())
    until = int(datetime.now(UTC).timestamp()) + 3600
    status = {"status_text": "Out of office", "status_emoji": ":palm_tree:", "status_expiration": until}
    await fresh.control.person("U0ANA", **status)
    profile = (await fresh.api("users.info", {"user": "U0ANA"}))["user"]["profile"]
    assert {name: profile[name] for name in status} == status
    await fresh.control.advance(3601)
    assert (await fresh.api("users.info", {"user": "U0ANA"}))["user"]["profile"]["status_text"] == ""


async def test_slack_warns_of_a_charset_that_is_missing_or_too_much(fresh: SandboxProcess) -> None:
    url, token = f"{fresh.api_url}auth.test", {"Authorization": f"Bearer {fresh.bot_token}"}
    sent = [
        ("application/json", b"{}", "missing_charset"),
        ("application/json; charset=utf-8", b"{}", ""),
        ("application/x-www-form-urlencoded; charset=utf-8", b"a=b", "superfluous_charset"),
        ("application/x-www-form-urlencoded", b"a=b", ""),
    ]
    for kind, body, expected in sent:
        headers = {**token, "Content-Type": kind}
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            answer = await response.json()
        assert answer["ok"]
        assert answer.get("warning", "") == expected
        assert answer.get("response_metadata", {}).get("warnings", []) == ([expected] if expected else [])


async def test_history_can_be_read_a_page_at_a_time(fresh: SandboxProcess) -> None:
    for number in range(5):
        await fresh.api("chat.postMessage", {"channel": ROOM, "text": str(number)})
    newest = await fresh.people.get("history", **{"as": "U0ANA", "channel": ROOM, "limit": 2})
    assert [message["text"] for message in newest["messages"]] == ["3", "4"]
    assert newest["has_more"] is True
    before = newest["messages"][0]["ts"]
    older = await fresh.people.get("history", **{"as": "U0ANA", "channel": ROOM, "limit": 3, "before": before})
    assert [message["text"] for message in older["messages"]] == ["0", "1", "2"]
    assert "has_more" not in older


async def test_the_workspace_can_be_looked_at_before_choosing_who_to_be(fresh: SandboxProcess) -> None:
    found = await fresh.people.get("workspace")
    assert found["me"]["id"] == "U0ANA"
    assert (await fresh.people.get("workspace", **{"as": "U0NONE"}))["error"] == "user_not_found"


async def test_shortcuts_are_listed_and_reach_the_app_with_a_trigger(fresh: SandboxProcess) -> None:
    new = {"callback_id": "new", "name": "New request", "type": "global"}
    await fresh.control.app(shortcuts=[new])
    assert (await fresh.people.workspace("U0ANA"))["shortcuts"] == [new]
    view = {"type": "modal", "title": {"type": "plain_text", "text": "New"}, "blocks": [actions(button("go"))]}
    async with raw_socket(fresh) as socket:
        using = asyncio.create_task(fresh.people.post("shortcut", {"as": "U0ANA", "callback_id": "new"}))
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
        assert await using == {"ok": True}
        trigger = envelope["payload"]["trigger_id"]
        assert (await fresh.api("views.open", {"trigger_id": trigger, "view": view}))["ok"]
    unknown = await fresh.people.post("shortcut", {"as": "U0ANA", "callback_id": "new", "channel": ROOM, "ts": "1.1"})
    assert unknown["error"] == "unknown_shortcut", "a global shortcut stands in no message's menu"
