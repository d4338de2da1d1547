"""The door over HTTP: only what Slack signed just now, once, comes in; nothing that isn't signed is ever a 500."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.front import MOST_BYTES, Front, Seen, Turned, parse, verify
from bot.slack.listeners import Identity, new_app

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLICK = {
    "type": "block_actions",
    "user": {"id": "U0ANA"},
    "team": {"id": "T0SANDBOX"},
    "actions": [{"action_id": "signoff.approve", "block_id": "b", "value": "é + <&> 1"}],
}


def sign(body: bytes, stamp: str | None = None, secret: str = SECRET) -> dict[str, str]:
    stamp = stamp if stamp is not None else str(int(NOW.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def form(payload: object) -> bytes:
    return urlencode({"payload": payload if isinstance(payload, str) else json.dumps(payload)}).encode()


@dataclass
class Door:
    """A front before a Bolt app that notes what reached it."""

    client: TestClient[web.Request, web.Application]
    reached: list[dict[str, Any]] = field(default_factory=list)
    now: datetime = NOW

    async def knock(
        self, body: bytes, headers: Mapping[str, str], kind: str = "application/x-www-form-urlencoded"
    ) -> int:
        told = {"Content-Type": kind, **headers}
        async with self.client.post("/slack/events", data=BytesIO(body), headers=told) as answer:
            return answer.status


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    app = new_app(AsyncWebClient(), Identity(team_id="T0SANDBOX", bot_id="B0SIGNOFF", bot_user_id="U0SIGNOFF"))
    served = web.Application()
    found: list[Door] = []

    async def reached(ack: Any, body: dict[str, Any]) -> None:
        found[0].reached.append(body)
        await ack()

    app.action("signoff.approve")(reached)
    front = Front(app=app, secret=SECRET, clock=lambda: found[0].now, seen=Seen())
    served.router.add_post("/slack/events", front.events)
    async with TestClient(TestServer(served)) as client:
        found.append(Door(client=client))
        yield found[0]


async def test_a_signed_click_comes_in_as_it_was_sent(door: Door) -> None:
    body = form(CLICK)
    assert await door.knock(body, sign(body)) == 200
    assert door.reached == [CLICK]


async def test_the_same_click_played_again_does_not(door: Door) -> None:
    body = form(CLICK)
    headers = sign(body)
    assert [await door.knock(body, headers) for _ in range(4)] == [200, 401, 401, 401]
    door.now = NOW + timedelta(minutes=4, seconds=59)
    assert await door.knock(body, headers) == 401
    assert len(door.reached) == 1


@pytest.mark.parametrize("seconds", [-301, 301, 3_600, -86_400])
async def test_a_signature_outside_the_window_does_not_come_in(door: Door, seconds: int) -> None:
    body = form(CLICK)
    assert await door.knock(body, sign(body, str(int(NOW.timestamp()) + seconds))) == 401
    assert door.reached == []


STAMP = str(int(NOW.timestamp()))
BODY = form(CLICK)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, {"X-Slack-Request-Timestamp": STAMP}),
        (BODY, {"X-Slack-Signature": "v0=00"}),
        (BODY, {**sign(BODY), "X-Slack-Request-Timestamp": "now"}),
        (BODY, {**sign(BODY), "X-Slack-Request-Timestamp": "9" * 5_000}),
        (BODY, {**sign(BODY), "X-Slack-Request-Timestamp": "-1"}),
        (BODY, {**sign(BODY), "X-Slack-Request-Timestamp": "１７９５"}),
        (BODY, {**sign(BODY), "X-Slack-Signature": "v0=é"}),
        (BODY, {**sign(BODY), "X-Slack-Signature": "v1=" + "0" * 64}),
        (BODY, sign(BODY, secret="another")),
        (BODY + b" ", sign(BODY)),
        (b"\xff\xfe", sign(BODY)),
        (b"payload=[", sign(BODY)),
        (b"[" * 100_000, sign(BODY)),
    ],
)
async def test_whatever_is_not_signed_is_turned_away_unread(door: Door, body: bytes, headers: dict[str, str]) -> None:
    assert await door.knock(body, headers) == 401
    assert door.reached == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"1", "application/json"),
        (form("[]"), "application/x-www-form-urlencoded"),
        (form("1"), "application/x-www-form-urlencoded"),
        (form("{"), "application/x-www-form-urlencoded"),
        (form("[" * 100_000), "application/x-www-form-urlencoded"),
        (form(CLICK) + b"&" + form({"type": "x"}), "application/x-www-form-urlencoded"),
        ("payload=é".encode(), "application/x-www-form-urlencoded"),
    ],
)
async def test_signed_garbage_is_a_bad_request_and_never_a_fault(door: Door, body: bytes, kind: str) -> None:
    assert await door.knock(body, sign(body), kind) == 400
    assert door.reached == []


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": 1},
        {"type": "block_actions", "actions": [], "user": []},
        {"type": "block_actions", "actions": "x"},
        {"type": "view_submission", "view": None, "user": 3, "team": "T"},
        {"type": "event_callback", "event": [], "event_id": 7},
        {"command": "/approvals", "user_id": None},
        {"authorizations": 3, "type": "event_callback", "event": {"type": "app_mention"}},
        {"type": "block_actions", "actions": [None], "user": {"id": "U0ANA"}},
    ],
)
async def test_signed_nonsense_of_any_shape_is_answered_below_500(door: Door, payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    assert await door.knock(body, sign(body), "application/json") < 500


async def test_a_body_above_the_cap_is_refused_however_it_is_sent(door: Door) -> None:
    body = b"a" * (MOST_BYTES + 1)
    assert await door.knock(body, sign(body)) == 413

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // 65_536 + 1):
            yield b"a" * 65_536

    async with door.client.post("/slack/events", data=slowly(), headers=sign(b"")) as answer:
        assert answer.status == 413


async def test_slacks_own_questions_are_answered(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZb"}).encode()
    headers = {"Content-Type": "application/json", **sign(body)}
    async with door.client.post("/slack/events", data=body, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "3eZb")
    check = b"ssl_check=1&token=x"
    assert await door.knock(check, sign(check)) == 200
    assert await door.knock(check, {}) == 401


def test_slacks_published_example_verifies() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    at = datetime.fromtimestamp(1531420618, UTC)
    assert verify(headers, body, SECRET, at) == headers["X-Slack-Signature"]
    parsed = parse(body, "application/x-www-form-urlencoded")
    assert (parsed["command"], parsed["text"]) == ("/webhook-collect", "")


@given(
    st.binary(max_size=300), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"])
)
def test_parsing_either_gives_an_object_or_turns_away(body: bytes, kind: str) -> None:
    with suppress(Turned):
        assert isinstance(parse(body, kind), dict)


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "payload"), st.text(), max_size=5))
def test_form_fields_come_through_as_they_were(fields: dict[str, str]) -> None:
    assert parse(urlencode(fields).encode(), "application/x-www-form-urlencoded") == fields


def test_a_full_memory_lets_nothing_in_and_empties_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.front.MOST_REMEMBERED", 2)
    seen = Seen()
    assert [seen.first_time(f"v0={number}", NOW) for number in range(3)] == [True, True, False]
    assert seen.first_time("v0=2", NOW + timedelta(minutes=11))
