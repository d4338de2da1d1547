"""Socket Mode: tickets, one connection for each envelope, acknowledgements, redelivery and disconnects."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from tests.sandbox.raw_socket import RawSocket, raw_socket
from tests.sandbox.stock_app import actions, button, in_socket_mode, stock_app
from tests.sandbox_process import SandboxProcess, until

ROOM = "C0APPROVALS"


async def card(sandbox: SandboxProcess) -> str:
    return str((await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]}))["ts"])


def press(sandbox: SandboxProcess, ts: str) -> "asyncio.Task[dict[str, Any]]":
    return asyncio.create_task(sandbox.people.press("U0ANA", ROOM, ts, "go"))


async def test_hello_says_how_many_connections_there_are(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as first, raw_socket(fresh, "&debug_reconnects=true") as second:
        assert (first.hello["type"], first.hello["num_connections"]) == ("hello", 1)
        assert second.hello["num_connections"] == 2
        assert second.hello["debug_info"]["approximate_connection_time"] == 360
        assert second.hello["connection_info"] == {"app_id": "A0SIGNOFF"}


async def test_a_ticket_opens_one_connection_and_needs_the_app_token(fresh: SandboxProcess) -> None:
    assert (await fresh.api("apps.connections.open"))["error"] == "not_allowed_token_type"
    url = (await fresh.api("apps.connections.open", token=fresh.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_each_envelope_goes_to_one_connection(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(raw_socket(fresh)) for _ in range(3)]
        received: list[int] = []

        async def serve(index: int, socket: RawSocket) -> None:
            while True:
                envelope = await socket.receive(within=30)
                received.append(index)
                await socket.acknowledge(envelope)

        serving = [asyncio.create_task(serve(index, socket)) for index, socket in enumerate(sockets)]
        for _ in range(6):
            assert await press(fresh, ts) == {"ok": True}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
    assert sorted(received) == [0, 0, 1, 1, 2, 2]


async def test_the_eleventh_connection_is_sent_away(fresh: SandboxProcess) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(raw_socket(fresh))
        eleventh = await stack.enter_async_context(raw_socket(fresh))
        assert eleventh.hello == {
            "type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "applink-sandbox"}
        }  # fmt: skip


async def test_an_interaction_without_acknowledgement_is_not_redelivered_and_its_person_is_told(
    fresh: SandboxProcess,
) -> None:
    ts = await card(fresh)
    async with raw_socket(fresh) as socket:
        pressing = press(fresh, ts)
        envelope = await socket.receive()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
        assert "retry_attempt" not in envelope
        await fresh.control.advance(3)
        assert await pressing == {"ok": False, "error": "operation_timeout"}
        await socket.acknowledge(envelope)
        assert await until(lambda: fresh.control.calls("late_ack"))
        again = press(fresh, ts)
        following = await socket.receive()
        assert following["payload"]["trigger_id"] != envelope["payload"]["trigger_id"], "only the new click arrives"
        await socket.acknowledge(following)
        assert await again == {"ok": True}


async def test_an_event_without_acknowledgement_is_redelivered_with_its_attempt(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.people.say("U0NEWT", "D0NEWT", "hello")
        first = await socket.receive()
        assert (first["type"], first["retry_attempt"], first["retry_reason"]) == ("events_api", 0, "")
        await fresh.control.advance(3)
        second = await socket.receive()
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
        assert second["payload"]["event_id"] == first["payload"]["event_id"]
        assert second["envelope_id"] != first["envelope_id"]
        await socket.acknowledge(second)
        await fresh.people.say("U0NEWT", "D0NEWT", "more")
        third = await socket.receive()
        assert (third["payload"]["event"]["text"], third["retry_attempt"]) == ("more", 0)


async def test_an_event_is_redelivered_to_the_next_connection_when_its_own_ends(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as first:
        await fresh.people.say("U0NEWT", "D0NEWT", "hello")
        await first.receive()
        async with raw_socket(fresh) as second:
            await fresh.control.disconnect("drop")
            await second.closed()
    async with raw_socket(fresh) as third:
        await fresh.control.advance(60)
        assert (await third.receive())["payload"]["event"]["text"] == "hello"


async def test_a_connection_that_goes_away_takes_its_click_with_it_at_once(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with raw_socket(fresh) as socket:
        pressing = press(fresh, ts)
        await socket.receive()
        await fresh.control.disconnect("drop")
        answer = await asyncio.wait_for(pressing, 2)
    assert answer == {"ok": False, "error": "operation_timeout"}


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_refresh_gives_ten_seconds_to_reconnect(fresh: SandboxProcess, reason: str) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.disconnect(reason)
        assert (await socket.receive())["reason"] == reason
        async with raw_socket(fresh) as newer:
            ts = await card(fresh)
            for _ in range(2):
                pressing = press(fresh, ts)
                await newer.acknowledge(await newer.receive())
                assert await pressing == {"ok": True}, "a connection that is leaving gets no more envelopes"
            await fresh.control.advance(10)
            assert await socket.closed()


async def test_switching_to_http_disables_the_link(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        await fresh.control.app(mode="http")
        assert (await socket.receive())["reason"] == "link_disabled"
        assert await socket.closed()


async def test_a_payload_counts_only_where_slack_accepts_one(fresh: SandboxProcess) -> None:
    async with raw_socket(fresh) as socket:
        typing = asyncio.create_task(fresh.people.command("U0ANA", ROOM, "/approvals"))
        envelope = await socket.receive()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
        await socket.acknowledge(envelope, {"text": "Nothing waits."})
        assert await typing == {"ok": True}
        pressing = press(fresh, await card(fresh))
        envelope = await socket.receive()
        await socket.acknowledge(envelope, {"text": "ignored"})
        await pressing
    assert "Nothing waits." in [message["text"] for message in await fresh.people.history("U0ANA", ROOM)]
    answers = [call["answer"] for call in await fresh.control.record() if call["kind"] == "socket"]
    assert answers == [{"text": "Nothing waits."}, None]


async def test_a_stock_client_reconnects_after_a_refresh(fresh: SandboxProcess) -> None:
    app = stock_app(fresh)

    @app.action("go")
    async def go(ack: Any) -> None:
        await ack()

    ts = await card(fresh)
    async with in_socket_mode(fresh, app):
        await fresh.control.disconnect("refresh_requested")

        async def reopened() -> bool:
            return len(await fresh.control.calls("apps.connections.open")) == 2

        await until(reopened)
        await until(lambda: _works(fresh, ts))


async def _works(sandbox: SandboxProcess, ts: str) -> bool:
    return bool((await sandbox.people.press("U0ANA", ROOM, ts, "go"))["ok"])


async def test_the_record_knows_when_an_envelope_was_acknowledged(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with raw_socket(fresh) as socket:
        pressing = press(fresh, ts)
        envelope = await socket.receive()
        await socket.acknowledge(envelope)
        await pressing
    (call,) = await fresh.control.calls("block_actions")
    assert call["envelope_id"] == envelope["envelope_id"]
    assert (call["direction"], call["kind"], call["status"]) == ("out", "socket", "acked")
    assert 0 <= call["acked_at"] - call["at"] < 3
