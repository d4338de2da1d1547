"""Slack that fails, hangs up, asks to wait or is gone: every card arrives, and ends up telling what was decided."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway.stage import Json, Stage, staged
from tests.sandbox_process import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

SCOPES = (
    *("chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read"),
    *("channels:read", "groups:read"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeing() -> AsyncIterator[Stage]:
    """A gateway that may read the channels' history."""
    async with staged(lanes=20) as found:
        await found.control.app(scopes=[*SCOPES, "channels:history"])
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def blind() -> AsyncIterator[Stage]:
    """A gateway that may not."""
    async with staged(lanes=6) as found:
        await found.control.app(scopes=list(SCOPES))
        yield found


async def _kept(stage: Stage, request_id: str) -> None:
    """Wait until the gateway knows where the request's card stands, and owes nothing more."""

    async def kept() -> bool:
        copies = stage.serve.rows("SELECT count(*) FROM copies WHERE request_id = ?", request_id)
        return copies == [(1,)] and stage.serve.rows("SELECT count(*) FROM outbox") == [(0,)]

    await until(kept)


UPDATED_MEANWHILE = {"ok": False, "error": "unknown_action"}
"""What a person sees whose card lost its buttons just before the click."""

TROUBLES: dict[str, Json] = {
    "500 although it was posted": {"status": 500, "effect": "after"},
    "hung up although it was posted": {"reset": True, "effect": "after"},
    "500": {"status": 500},
    "hung up": {"reset": True},
    "internal_error although it was posted": {"error": "internal_error", "effect": "after"},
    "429": {"status": 429, "retry_after": 1},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_with_the_history_to_look_at_each_card_is_posted_exactly_once(seeing: Stage, trouble: Json) -> None:
    await seeing.control.faults({"method": "chat.postMessage", "times": 1, **trouble})
    asked = await seeing.ask("hard")
    await _kept(seeing, asked["id"])
    (card,) = await seeing.cards(asked["id"])
    assert (await seeing.press("U0ANA", card, "signoff.approve"))["ok"]
    await seeing.card_saying(asked["id"], "was approved by Ana Reyes")


@pytest.mark.parametrize("trouble", ["500 although it was posted", "hung up although it was posted", "hung up", "429"])
async def test_without_the_history_there_is_at_most_one_card_more_and_any_of_them_decides_once(
    blind: Stage, trouble: str
) -> None:
    await blind.control.faults({"method": "chat.postMessage", "times": 1, **TROUBLES[trouble]})
    asked = await blind.ask("hard")
    await _kept(blind, asked["id"])
    cards = await blind.cards(asked["id"])
    assert 1 <= len(cards) <= (2 if "although" in trouble else 1)
    for person, card in zip(("U0ANA", "U0BEN"), cards, strict=False):
        place = {"channel": card.channel, "ts": card.ts, **card.place("signoff.approve")}
        assert (await blind.people.click(person, **place)) in ({"ok": True}, UPDATED_MEANWHILE)
    assert blind.decisions(asked["id"]) == [("approved", ["U0ANA"])]

    async def all_tell() -> bool:
        return all("was approved by Ana Reyes" in card.words for card in await blind.cards(asked["id"]))

    await until(all_tell)


async def test_no_post_falls_into_the_time_that_slack_asked_to_wait(seeing: Stage) -> None:
    since = (await seeing.control.record())[-1]["n"]
    await seeing.control.faults({"method": "chat.postMessage", "status": 429, "retry_after": 2})
    asked = [await seeing.ask("hard") for _ in range(3)]
    for each in asked:
        await seeing.card(each["id"])
    calls = await seeing.control.calls("chat.postMessage", since)
    limited = next(call["at"] for call in calls if call["status"] == 429)
    after = [call["at"] - limited for call in calls if call["status"] == 200]
    assert len(after) == 3
    assert [each for each in after if 0.5 < each < 2.0] == []  # those under way at the same time had left already


async def test_the_card_of_a_decided_request_tells_so_once_slack_takes_updates_again(seeing: Stage) -> None:
    asked = await seeing.ask("hard")
    card = await seeing.card(asked["id"])
    await seeing.control.faults(
        {"method": "response_url", "times": 1, "status": 500}, {"method": "chat.update", "times": 2, "status": 500}
    )
    assert (await seeing.press("U0ANA", card, "signoff.approve"))["ok"]
    assert seeing.decisions(asked["id"]) == [("approved", ["U0ANA"])]
    (old,) = await seeing.cards(asked["id"])
    assert "needs your approval" in old.words
    await seeing.card_saying(asked["id"], "was approved by Ana Reyes")


async def test_what_was_asked_while_slack_was_gone_arrives_once_each_when_it_is_back(seeing: Stage) -> None:
    os.kill(seeing.sandbox.pid, signal.SIGSTOP)
    try:
        asked = [await seeing.ask("hard") for _ in range(5)]
        await asyncio.sleep(1.5)
    finally:
        os.kill(seeing.sandbox.pid, signal.SIGCONT)
    for each in asked:
        await _kept(seeing, each["id"])
        assert len(await seeing.cards(each["id"])) == 1


async def test_a_new_connection_takes_over_when_slack_ends_the_old_one(seeing: Stage) -> None:
    asked = await seeing.ask("hard")
    card = await seeing.card(asked["id"])
    await seeing.control.disconnect("refresh_requested")

    async def decided() -> bool:
        if not seeing.decisions(asked["id"]):
            with contextlib.suppress(LookupError):  # a press before it counted late, and the button is gone
                await seeing.press("U0ANA", card, "signoff.approve")
        return bool(seeing.decisions(asked["id"]))

    await until(decided)
    assert seeing.decisions(asked["id"]) == [("approved", ["U0ANA"])]
