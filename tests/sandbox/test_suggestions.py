"""Menus that the app fills while somebody types: only what it offers can be chosen."""

import asyncio
from typing import Any

import pytest

from tests.sandbox.raw_socket import RawSocket, raw_socket
from tests.sandbox.stock_app import actions, field, modal, plain
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROOM = "C0APPROVALS"
OFFER = {"options": [{"text": plain("Order 7"), "value": "7"}, {"text": plain("Order 8"), "value": "8"}]}
MENU = {"type": "external_select", "action_id": "order", "min_query_length": 2}


async def ask(sandbox: SandboxProcess, socket: RawSocket, place: Json, answer: Json, value: str = "or") -> Json:
    body = {"as": "U0ANA", "action_id": "order", "value": value, **place}
    asking = asyncio.create_task(sandbox.people.post("suggest", body))
    envelope = await socket.receive()
    assert envelope["payload"]["value"] == value
    await socket.acknowledge(envelope, answer)
    return await asking


async def card(sandbox: SandboxProcess) -> Json:
    ts = (await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(MENU)]}))["ts"]
    return {"channel": ROOM, "ts": ts, "block_id": "buttons"}


async def test_what_was_offered_can_be_chosen_and_nothing_else(fresh: SandboxProcess) -> None:
    place = await card(fresh)
    choose = {**place, "action_id": "order"}
    async with raw_socket(fresh) as socket:
        assert (await fresh.people.click("U0ANA", **choose, selected="7"))["error"] == "invalid_value"
        assert await ask(fresh, socket, place, OFFER) == {"ok": True, **OFFER}
        assert (await fresh.people.click("U0ANA", **choose, selected="9"))["error"] == "invalid_value"
        assert (await fresh.people.click("U0BEN", **choose, selected="7"))["error"] == "invalid_value", "offered to Ana"
        choosing = asyncio.create_task(fresh.people.click("U0ANA", **choose, selected="7"))
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
        assert (await choosing)["ok"]
    assert envelope["payload"]["actions"][0]["selected_option"]["value"] == "7"


async def test_the_app_is_not_asked_before_enough_was_typed(fresh: SandboxProcess) -> None:
    body = {"as": "U0ANA", "action_id": "order", "value": "o", **await card(fresh)}
    assert await fresh.people.post("suggest", body) == {"ok": True, "options": []}
    assert await fresh.control.calls("block_suggestion") == []


@pytest.mark.parametrize(
    "answer",
    [{}, {"options": [{"text": plain("x")}]}, {"options": OFFER["options"] * 51}, {"options": "all"}],
    ids=["nothing", "no value", "too many", "no list"],
)
async def test_an_offer_that_slack_could_not_show_is_the_apps_error(fresh: SandboxProcess, answer: Json) -> None:
    place = await card(fresh)
    async with raw_socket(fresh) as socket:
        assert await ask(fresh, socket, place, answer) == {"ok": False, "error": "app_error"}


async def test_a_choice_in_a_form_is_submitted_with_it(fresh: SandboxProcess) -> None:
    form = modal(field("pick", {**MENU, "action_id": "order"}))
    async with raw_socket(fresh) as socket:
        opening = asyncio.create_task(fresh.people.command("U0ANA", ROOM, "/agent x"))
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
        await opening
        opened = await fresh.api("views.open", {"trigger_id": envelope["payload"]["trigger_id"], "view": form})
        view_id = opened["view"]["id"]
        groups = {"option_groups": [{"label": plain("Open"), "options": OFFER["options"]}]}
        await ask(fresh, socket, {"view_id": view_id, "block_id": "pick"}, groups)
        values = {"pick": {"order": "8"}}
        submitting = asyncio.create_task(fresh.people.submit("U0ANA", view_id, values))
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
        assert (await submitting)["ok"]
    state = envelope["payload"]["view"]["state"]["values"]
    assert state["pick"]["order"]["selected_option"] == OFFER["options"][1] | {"text": plain("Order 8")}
