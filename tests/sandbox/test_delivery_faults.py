"""Trouble on the way to the app: lost, doubled and unanswered deliveries; slow bodies on the way back."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from tests.sandbox.raw_socket import raw_socket
from tests.sandbox.stock_app import actions, button
from tests.sandbox_process import SandboxProcess, until

ROOM = "C0APPROVALS"


async def press(sandbox: SandboxProcess) -> "asyncio.Task[dict[str, Any]]":
    ts = (await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]}))["ts"]
    return asyncio.create_task(sandbox.people.press("U0ANA", ROOM, ts, "go"))


async def noted(sandbox: SandboxProcess, fault: str) -> None:
    await until(lambda: sandbox.control.calls(fault))


async def test_a_dropped_press_never_arrives_and_its_person_is_told(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.faults({"method": "block_actions", "delivery": "drop"})
        pressing = await press(fresh)
        await noted(fresh, "drop")
        await fresh.control.advance(3.1)
        assert await pressing == {"ok": False, "error": "operation_timeout"}
        assert await fresh.control.calls("block_actions") == []
        second = await press(fresh)
        await socket.acknowledge(await socket.receive())
        assert (await second)["ok"], "the fault was used up"


async def test_a_doubled_press_arrives_twice_with_one_trigger(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.faults({"method": "block_actions", "delivery": "duplicate"})
        pressing = await press(fresh)
        envelopes = [await socket.receive(), await socket.receive()]
        for envelope in envelopes:
            await socket.acknowledge(envelope)
        assert (await pressing)["ok"]
    first, second = envelopes
    assert first["payload"] == second["payload"]
    assert first["envelope_id"] != second["envelope_id"]


async def test_a_lost_acknowledgement_shows_an_error_although_the_app_has_acted(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.faults({"method": "block_actions", "delivery": "lose_ack"})
        pressing = await press(fresh)
        await socket.acknowledge(await socket.receive())
        assert await pressing == {"ok": False, "error": "operation_timeout"}


async def test_an_event_whose_acknowledgement_is_lost_comes_again(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.faults({"method": "event_callback", "delivery": "lose_ack"})
        await fresh.people.say("U0ANA", "D0ANA", "hello")
        first = await socket.receive()
        await socket.acknowledge(first)
        second = await socket.receive()
        await socket.acknowledge(second)
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert second["retry_attempt"] == 1


async def test_a_fault_of_delivery_leaves_the_web_api_alone(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"delivery": "drop"})
    assert (await fresh.api("auth.test"))["ok"]
    with pytest.raises(ValueError, match="drop, duplicate, lose_ack"):
        await fresh.control.faults({"delivery": "mangle"})


async def test_a_slow_body_begins_at_once_and_ends_late(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "auth.test", "slow_body": 0.2})
    url, headers = f"{fresh.api_url}auth.test", {"Authorization": f"Bearer {fresh.bot_token}"}
    started = time.monotonic()
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url) as response:
        assert response.status == 200
        begun = time.monotonic() - started
        answer = await response.json()
    assert answer["user_id"] == "U0SIGNOFF"
    assert begun < 0.2 <= time.monotonic() - started
