"""The HTTP door: what Slack did not sign, just now, once, does not come in."""

import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from tests.gateway.stage import Card, Stage, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

APPROVE = "signoff.approve"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wired() -> AsyncIterator[Stage]:
    """A gateway that Slack reaches by signed HTTP."""
    async with staged(http=True, lanes=6) as found:
        yield found


def _click(card: Card, person: str, *, marker: str = "") -> bytes:
    """A click on Approve as Slack writes it; `marker` makes its bytes, and so its signature, differ."""
    payload = {
        "type": "block_actions",
        "user": {"id": person, "team_id": "T0SANDBOX"},
        "team": {"id": "T0SANDBOX"},
        "api_app_id": "A0SIGNOFF",
        "trigger_id": f"1.{marker}",
        "container": {"type": "message", "message_ts": card.ts, "channel_id": card.channel},
        "actions": [{"type": "button", "action_id": APPROVE, "block_id": "b", "value": card.buttons[APPROVE]}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def _signed(body: bytes, *, secret: str = "sandbox-signing-secret", age: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def _post(stage: Stage, body: bytes, headers: Mapping[str, str]) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{stage.serve.url}/slack/events"
    async with stage.serve.session.post(url, data=io.BytesIO(body), headers={**form, **headers}) as response:
        return response.status


async def test_a_forged_an_unsigned_and_an_old_click_are_turned_away_and_change_nothing(wired: Stage) -> None:
    asked = await wired.ask("hard")
    card = await wired.card(asked["id"])
    body = _click(card, "U0ANA")
    true = _signed(body)
    refused = [
        await _post(wired, body, _signed(body, secret="another-secret")),
        await _post(wired, body, {}),
        await _post(wired, body, {**true, "X-Slack-Signature": "v0=" + "0" * 64}),
        await _post(wired, body, {**true, "X-Slack-Signature": "v0=é"}),
        await _post(wired, body, {**true, "X-Slack-Request-Timestamp": "9" * 30}),
        await _post(wired, _click(card, "U0BEN"), true),
        await _post(wired, body, _signed(body, age=301)),
        await _post(wired, body, _signed(body, age=-301)),
    ]
    assert refused == [401] * 8
    assert (await wired.request(asked["id"]))["state"] == "pending"
    assert wired.decisions(asked["id"]) == []
    assert await _post(wired, body, true) == 200
    assert wired.decisions(asked["id"]) == [("approved", ["U0ANA"])]


async def test_a_signed_click_that_is_played_again_is_turned_away(wired: Stage) -> None:
    asked = await wired.ask("pair")
    card = await wired.card(asked["id"])
    body = _click(card, "U0ANA")
    headers = _signed(body)
    assert await _post(wired, body, headers) == 200
    await wired.card_saying(asked["id"], "1 of 2 approvals")
    before = wired.journal()
    assert [await _post(wired, body, headers) for _ in range(3)] == [401] * 3
    assert wired.journal() == before
    assert len((await wired.request(asked["id"]))["reviews"]) == 1
    assert await _post(wired, _click(card, "U0ANA", marker="2"), _signed(_click(card, "U0ANA", marker="2"))) == 200
    assert (await wired.request(asked["id"]))["state"] == "pending"  # the same person again is still one vote


async def test_signed_garbage_and_too_much_of_it_never_end_in_a_server_error(wired: Stage) -> None:
    bodies = [b"", b"payload=[]", b"payload=1", b"[" * 100_000, b"\xff\xfe", b"payload=%7B%7D&payload=%7B%7D"]
    answers = [await _post(wired, body, _signed(body)) for body in bodies]
    assert all(status in (200, 400, 404) for status in answers), answers
    assert await _post(wired, b"x" * 1_100_000, _signed(b"x" * 1_100_000)) == 413
    assert wired.serve.log().count("Traceback") == 0
