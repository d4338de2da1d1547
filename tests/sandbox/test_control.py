"""Planned faults, rate limits and the record: what tests turn and what they trust."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.pacing import Pace
from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"
POST: dict[str, Any] = {"channel": ROOM, "text": "card"}


async def shown(sandbox: SandboxProcess) -> int:
    return len(await sandbox.people.history("U0ANA", ROOM))


async def test_a_fault_before_the_effect_leaves_nothing_behind(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "chat.postMessage", "status": 500, "times": 2})
    for _ in range(2):
        assert (await fresh.api("chat.postMessage", POST))["error"] == "internal_error"
    assert await shown(fresh) == 0
    assert (await fresh.api("chat.postMessage", POST))["ok"]


async def test_a_fault_after_the_effect_hides_that_it_happened(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "chat.postMessage", "error": "fatal_error", "effect": "after"})
    assert (await fresh.api("chat.postMessage", POST))["error"] == "fatal_error"
    assert await shown(fresh) == 1


async def test_a_reset_cuts_the_connection(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "chat.postMessage", "reset": True, "effect": "after"})
    with pytest.raises(aiohttp.ClientError):
        await fresh.api("chat.postMessage", POST)
    assert await shown(fresh) == 1


async def test_faults_match_by_method_in_order(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "chat.update", "error": "a"}, {"error": "b"}, {"error": "c"})
    assert (await fresh.api("chat.postMessage", POST))["error"] == "b"
    assert (await fresh.api("chat.update", POST))["error"] == "a"
    assert (await fresh.api("auth.test"))["error"] == "c"
    assert (await fresh.api("auth.test"))["ok"]


async def test_a_slow_call_goes_well(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "auth.test", "delay": 0.05})
    assert (await fresh.api("auth.test"))["user_id"] == "U0SIGNOFF"


async def test_a_misspelt_fault_is_refused_with_words(fresh: SandboxProcess) -> None:
    with pytest.raises(ValueError, match="a fault has no tmes"):
        await fresh.control.faults({"method": "auth.test", "tmes": 1})
    with pytest.raises(ValueError, match="unknown fields: colour"):
        await fresh.control.person("U0ANA", colour="red")


async def test_a_stock_client_waits_as_long_as_it_is_told(fresh: SandboxProcess) -> None:
    await fresh.control.faults({"method": "chat.postMessage", "status": 429, "retry_after": 1})
    handlers: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    client = AsyncWebClient(token=fresh.bot_token, base_url=fresh.api_url, retry_handlers=handlers)
    await client.chat_postMessage(**POST)
    first, second = await fresh.control.calls("chat.postMessage")
    assert (first["status"], second["status"]) == (429, 200)
    assert second["at"] - first["at"] >= 1


async def test_the_record_keeps_what_was_sent_and_answered(fresh: SandboxProcess) -> None:
    await fresh.api("chat.postMessage", POST)
    (call,) = await fresh.control.calls("chat.postMessage")
    assert (call["direction"], call["kind"], call["token"], call["body"]) == ("in", "api", "xoxb-sandbox", POST)
    assert call["answer"]["ok"]
    assert await fresh.control.record(since=call["n"] + 1) == []


async def test_one_message_a_second_with_short_bursts_then_429(fresh: SandboxProcess) -> None:
    await fresh.control.pace(enabled=True)
    answers = [await fresh.api("chat.postMessage", POST) for _ in range(5)]
    assert [answer["ok"] for answer in answers[:3]] == [True] * 3
    assert answers[-1] == {"ok": False, "error": "ratelimited"}
    assert (await fresh.api("chat.postMessage", {**POST, "channel": "C0GENERAL"}))["ok"], "each channel has its own"
    await fresh.control.advance(1)
    assert (await fresh.api("chat.postMessage", POST))["ok"]


@pytest.mark.parametrize(("method", "calls"), [("views.open", 100), ("chat.update", 50), ("users.list", 20)])
def test_each_tier_has_its_calls_a_minute(method: str, calls: int) -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.wait_for(method) for _ in range(calls)] == [0] * calls
    assert pace.wait_for(method) > 0
    clock.advance(60)
    assert [pace.wait_for(method) for _ in range(calls)] == [0] * calls


def test_the_wait_is_as_long_as_retry_after_says() -> None:
    clock = Clock()
    pace = Pace(clock)
    while not (seconds := pace.wait_for("usergroups.list")):
        pass
    clock.advance(seconds)
    assert pace.wait_for("usergroups.list") == 0
    pace.enabled = False
    assert [pace.wait_for("usergroups.list") for _ in range(100)] == [0] * 100
