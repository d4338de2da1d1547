"""HTTP mode: signed requests, retried events, forged deliveries."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.sandbox.stock_app import actions, button, over_http, stock_app
from tests.sandbox_process import SandboxProcess, until

ROOM = "C0APPROVALS"


class Receiver:
    """A request URL that keeps what it got and answers what the test wants."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.text = ""
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        if b"url_verification" in body:
            return web.json_response({"challenge": json.loads(body)["challenge"]})
        self.requests.put_nowait((dict(request.headers), body))
        await self.let_go.wait()
        return web.Response(status=self.status, headers=self.headers, text=self.text)

    async def next(self) -> tuple[dict[str, str], bytes]:
        return await asyncio.wait_for(self.requests.get(), 5)


@asynccontextmanager
async def receiving(sandbox: SandboxProcess) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/events", receiver.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    await sandbox.control.app(mode="http", request_url=url)
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def card(sandbox: SandboxProcess) -> str:
    return str((await sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]}))["ts"])


async def test_an_interaction_is_a_signed_form(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with receiving(fresh) as receiver:
        assert await fresh.people.press("U0ANA", ROOM, ts, "go") == {"ok": True}
        headers, body = await receiver.next()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert SignatureVerifier(fresh.signing_secret).is_valid_request(body, headers)
    assert not SignatureVerifier("another").is_valid_request(body, headers)
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    assert (payload["type"], payload["actions"][0]["action_id"]) == ("block_actions", "go")


async def test_a_command_is_a_flat_signed_form(fresh: SandboxProcess) -> None:
    async with receiving(fresh) as receiver:
        receiver.text = "plain words"
        assert await fresh.people.command("U0ANA", ROOM, "/agent a & b") == {"ok": True}
        headers, body = await receiver.next()
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert (form["command"], form["text"], form["user_name"]) == ("/agent", "a &amp; b", "ana")
    assert SignatureVerifier(fresh.signing_secret).is_valid_request(body, headers)
    assert (await fresh.people.history("U0ANA", ROOM))[-1]["text"] == "plain words"


async def test_an_event_is_retried_at_once_after_a_minute_and_after_five(fresh: SandboxProcess) -> None:
    async with receiving(fresh) as receiver:
        receiver.status = 500
        await fresh.people.say("U0NEWT", "D0NEWT", "hello")
        headers, body = await receiver.next()
        assert "X-Slack-Retry-Num" not in headers
        seen = json.loads(body)["event_id"]
        for number, seconds in enumerate((0, 60, 300), start=1):
            await until(partial(_answered, fresh, number))
            await fresh.control.advance(seconds)
            headers, body = await receiver.next()
            assert (headers["X-Slack-Retry-Num"], headers["X-Slack-Retry-Reason"]) == (str(number), "http_error")
            assert json.loads(body)["event_id"] == seen
            assert SignatureVerifier(fresh.signing_secret).is_valid_request(body, headers)
        await fresh.control.advance(3600)
        await fresh.people.say("U0NEWT", "D0NEWT", "another")
        _, body = await receiver.next()
        assert json.loads(body)["event"]["text"] == "another", "after three retries Slack gives up"


async def _answered(sandbox: SandboxProcess, deliveries: int) -> bool:
    calls = await sandbox.control.calls("event_callback")
    return len([call for call in calls if call["status"] == 500]) >= deliveries


async def test_an_app_may_say_that_it_wants_no_retry(fresh: SandboxProcess) -> None:
    async with receiving(fresh) as receiver:
        receiver.status, receiver.headers = 500, {"X-Slack-No-Retry": "1"}
        await fresh.people.say("U0NEWT", "D0NEWT", "hello")
        await receiver.next()
        await fresh.people.say("U0NEWT", "D0NEWT", "another")
        _, body = await receiver.next()
        assert json.loads(body)["event"]["text"] == "another"


async def test_an_interaction_is_never_retried(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with receiving(fresh) as receiver:
        receiver.status = 500
        assert (await fresh.people.press("U0ANA", ROOM, ts, "go"))["error"] == "app_error"
        await receiver.next()
        await fresh.control.advance(3600)
        receiver.status = 200
        await fresh.people.command("U0ANA", ROOM, "/agent x")
        _, body = await receiver.next()
        assert b"command" in body


async def test_an_app_that_takes_longer_than_three_seconds_has_not_answered(fresh: SandboxProcess) -> None:
    ts = await card(fresh)
    async with receiving(fresh) as receiver:
        receiver.let_go.clear()
        pressing = asyncio.create_task(fresh.people.press("U0ANA", ROOM, ts, "go"))
        await receiver.next()
        await fresh.control.advance(3)
        assert await pressing == {"ok": False, "error": "operation_timeout"}
        receiver.let_go.set()


async def test_a_url_that_does_not_answer_the_challenge_is_not_taken(fresh: SandboxProcess) -> None:
    with pytest.raises(ValueError, match="challenge"):
        await fresh.control.app(mode="http", request_url=f"{fresh.url}/control/ready")


async def test_forged_deliveries_are_told_apart_by_a_stock_app(fresh: SandboxProcess) -> None:
    app = stock_app(fresh)

    @app.action("go")
    async def go(ack: Any) -> None:
        await ack()

    payload = {"type": "block_actions", "actions": [{"action_id": "go", "type": "button", "block_id": "b"}],
               "user": {"id": "U0ANA"}, "team": {"id": "T0SANDBOX"}}  # fmt: skip
    old = str(int(time.time()) - 3600)
    body = "payload=%7B%7D"
    digest = hmac.new(fresh.signing_secret.encode(), f"v0:{old}:{body}".encode(), hashlib.sha256).hexdigest()
    stale: dict[str, Any] = {
        "raw": body,
        "headers": {"X-Slack-Request-Timestamp": old, "X-Slack-Signature": f"v0={digest}"},
    }
    async with over_http(fresh, app):
        assert (await fresh.control.deliver("block_actions", payload))["status"] == 200
        for forged in ({"headers": {"X-Slack-Signature": "v0=00"}}, {"headers": {"X-Slack-Signature": None}}, stale):
            answer = await fresh.control.deliver("block_actions", payload, **forged)
            assert (answer["status"], answer["outcome"]) == (401, "refused")
