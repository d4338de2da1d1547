"""Each kind of payload has Slack's fields and no others, in a workspace of its own and in an organisation's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from tests.sandbox.raw_socket import RawSocket, raw_socket
from tests.sandbox.shapes import SHAPES, differences
from tests.sandbox.stock_app import actions, button, field, modal, text_input
from tests.sandbox.test_http_delivery import receiving
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROOM = "C0APPROVALS"
SHORTCUTS = [
    {"callback_id": "new", "name": "New", "type": "global"},
    {"callback_id": "ask", "name": "Ask", "type": "message"},
]
FORM = modal(
    field("note", text_input()),
    field("who", {"type": "external_select", "min_query_length": 0}, optional=True),
    actions(button("go")),
    notify_on_close=True,
)


class Tour:
    """A sandbox with one raw connection; `got` acts as a person and takes the envelope that comes of it."""

    def __init__(self, sandbox: SandboxProcess, socket: RawSocket) -> None:
        self.sandbox = sandbox
        self.socket = socket

    async def got(self, act: Awaitable[Any], payload: Json | None = None) -> Json:
        acting = asyncio.ensure_future(act)
        envelope = await self.socket.receive()
        await self.socket.acknowledge(envelope, payload)
        await acting
        return envelope

    async def card(self, person: str = "") -> str:
        content = {"channel": ROOM, "text": "card", "blocks": [actions(button("go", value="v"))]}
        if not person:
            return str((await self.sandbox.api("chat.postMessage", content))["ts"])
        return str((await self.sandbox.api("chat.postEphemeral", {**content, "user": person}))["message_ts"])

    async def press(self, ts: str) -> Json:
        return await self.got(self.sandbox.people.press("U0ANA", ROOM, ts, "go"))

    async def opened(self) -> str:
        trigger = (await self.press(await self.card()))["payload"]["trigger_id"]
        answer = await self.sandbox.api("views.open", {"trigger_id": trigger, "view": FORM})
        assert answer["ok"], answer
        return str(answer["view"]["id"])


def same(found: Json, shape: str) -> None:
    assert differences(found, SHAPES[shape]) == []


@pytest.fixture(params=["workspace", "organisation", "org install"])
async def tour(fresh: SandboxProcess, request: pytest.FixtureRequest) -> AsyncIterator[Tour]:
    if request.param != "workspace":
        await fresh.control.post("team", {"enterprise_id": "E0HARBOUR", "enterprise_name": "Harbour Group"})
    await fresh.control.app(
        shortcuts=SHORTCUTS, is_enterprise_install=request.param == "org install",
        events=["app_mention", "message.im", "app_home_opened", "member_joined_channel"],
    )  # fmt: skip
    async with raw_socket(fresh) as socket:
        yield Tour(fresh, socket)


async def test_a_press_in_a_message_has_slacks_shape(tour: Tour) -> None:
    envelope = await tour.press(await tour.card())
    same(envelope, "interactive envelope")
    same(envelope["payload"], "block_actions of a message")


async def test_a_press_in_an_ephemeral_message_has_slacks_shape(tour: Tour) -> None:
    ts = await tour.card("U0ANA")
    envelope = await tour.press(ts)
    same(envelope["payload"], "block_actions of an ephemeral message")
    assert envelope["payload"]["container"]["is_ephemeral"] is True


async def test_what_comes_of_a_view_has_slacks_shape(tour: Tour) -> None:
    people, view_id = tour.sandbox.people, await tour.opened()
    place = {"view_id": view_id, "block_id": "buttons", "action_id": "go"}
    same((await tour.got(people.click("U0ANA", **place)))["payload"], "block_actions of a view")
    asked = {"as": "U0ANA", "view_id": view_id, "block_id": "who", "action_id": "value", "value": "an"}
    envelope = await tour.got(people.post("suggest", asked), {"options": []})
    same(envelope["payload"], "block_suggestion")
    assert envelope["accepts_response_payload"] is True
    envelope = await tour.got(people.submit("U0ANA", view_id, {"note": {"value": "x"}}))
    same(envelope["payload"], "view_submission")
    same((await tour.got(people.close("U0ANA", await tour.opened())))["payload"], "view_closed")


async def test_shortcuts_have_slacks_shape(tour: Tour) -> None:
    people = tour.sandbox.people
    envelope = await tour.got(people.post("shortcut", {"as": "U0ANA", "callback_id": "new"}))
    same(envelope["payload"], "shortcut")
    place = {"channel": ROOM, "ts": await tour.card()}
    envelope = await tour.got(people.post("shortcut", {"as": "U0ANA", "callback_id": "ask", **place}))
    same(envelope["payload"], "message_action")


async def test_a_command_has_slacks_shape(tour: Tour) -> None:
    envelope = await tour.got(tour.sandbox.people.command("U0ANA", ROOM, "/approvals mine"))
    same(envelope["payload"], "slash command")
    assert envelope["payload"]["is_enterprise_install"] in ("true", "false")


async def test_events_have_slacks_shape(tour: Tour) -> None:
    people = tour.sandbox.people
    envelope = await tour.got(people.say("U0ANA", ROOM, "<@U0SIGNOFF> hello"))
    same(envelope, "events_api envelope")
    same(envelope["payload"], "event")
    same(envelope["payload"]["event"], "app_mention")
    same((await tour.got(people.say("U0ANA", "D0ANA", "hello")))["payload"]["event"], "message event")
    same((await tour.got(people.open_home("U0ANA")))["payload"]["event"], "app_home_opened")
    await tour.sandbox.control.app(scopes=["channels:join"])
    await tour.sandbox.control.channel("C0NEW", name="new", members=["U0ANA"])
    joining = tour.sandbox.api("conversations.join", {"channel": "C0NEW"})
    same((await tour.got(joining))["payload"]["event"], "member_joined_channel")


async def test_an_organisation_is_named_where_slack_names_it(fresh: SandboxProcess) -> None:
    await fresh.control.post("team", {"enterprise_id": "E0HARBOUR", "enterprise_name": "Harbour Group"})
    async with raw_socket(fresh) as socket:
        tour = Tour(fresh, socket)
        found = (await tour.press(await tour.card()))["payload"]
        assert found["team"]["enterprise_id"] == found["enterprise"]["id"] == "E0HARBOUR"
        assert found["is_enterprise_install"] is False
        await fresh.control.app(is_enterprise_install=True)
        found = (await tour.press(await tour.card()))["payload"]
        assert (found["team"], found["enterprise"]["name"]) == (None, "Harbour Group")
        told = (await tour.got(fresh.people.say("U0ANA", "D0ANA", "hello")))["payload"]
        assert told["authorizations"][0] == {
            "enterprise_id": "E0HARBOUR", "team_id": None, "user_id": "U0SIGNOFF", "is_bot": True,
            "is_enterprise_install": True,
        }  # fmt: skip
        assert told["team_id"] == "T0SANDBOX"
    assert (await fresh.api("auth.test"))["enterprise_id"] == "E0HARBOUR"
    assert (await fresh.api("users.list"))["error"] == "missing_argument"
    assert (await fresh.api("users.list", {"team_id": "T0SANDBOX"}))["ok"]
    assert (await fresh.api("chat.postMessage", {"channel": "#general", "text": "x"}))["error"] == "team_not_found"


async def test_connections_say_hello_and_goodbye_as_slack_does(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        same(socket.hello, "hello")
        await fresh.control.disconnect("refresh_requested")
        same(await socket.receive(), "disconnect")


async def test_a_request_url_is_challenged_in_slacks_shape(fresh: SandboxProcess) -> None:
    async with receiving(fresh):
        (call,) = await fresh.control.calls("url_verification")
    same(json.loads(call["body"]), "url_verification")


def test_a_shape_tells_what_is_missing_what_is_more_and_what_is_of_another_sort() -> None:
    found = {"token": "t", "challenge": 7, "kind": "url_verification"}
    assert differences(found, SHAPES["url_verification"]) == [
        "/type: missing", "/kind: not Slack's", "/challenge: int instead of str"
    ]  # fmt: skip
