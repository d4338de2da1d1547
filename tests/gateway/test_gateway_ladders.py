"""Typed confirmations, silence and stopping, each as the people and the agent see it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from tests.gateway.stage import REFUND, Stage
from tests.sandbox_process import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

PAYMENT = {"payee": "Lindgren & Sons <AB>", "amount": 1800}
PHRASE = "Type the confirmation to approve"


@asynccontextmanager
async def _old_cards(stage: Stage) -> AsyncIterator[None]:
    """People see their cards as they are now, however long they take: Slack takes no updates meanwhile."""
    await stage.control.faults({"method": "chat.update", "times": 1_000, "status": 500})
    yield
    await stage.control.faults()


async def test_a_manual_call_wants_the_phrase_exactly_and_two_people(stage: Stage) -> None:
    asked = await stage.ask("manual", PAYMENT)
    card = await stage.card(asked["id"])
    await stage.press("U0ANA", card, "signoff.approve")
    wrong = await stage.fill("U0ANA", {PHRASE: "Lindgren"})
    assert (wrong["ok"], list(wrong["errors"])) == (False, ["phrase"])
    assert (await stage.request(asked["id"]))["reviews"] == []
    assert (await stage.fill("U0ANA", {PHRASE: PAYMENT["payee"]}))["ok"]
    shown = await stage.card_saying(asked["id"], "1 of 2 approvals: Ana Reyes")
    await stage.press("U0ANA", shown, "signoff.approve")
    assert (await stage.fill("U0ANA", {PHRASE: PAYMENT["payee"]}))["ok"]
    assert (await stage.request(asked["id"]))["state"] == "pending"  # one vote a person
    await stage.press("U0BEN", shown, "signoff.approve")
    assert (await stage.fill("U0BEN", {PHRASE: PAYMENT["payee"]}))["ok"]
    settled = await stage.settled(asked["id"])
    assert (settled["state"], sorted(settled["decision"]["by"])) == ("approved", ["U0ANA", "U0BEN"])


async def test_a_soft_call_proceeds_on_silence_counted_from_delivery_and_is_looked_at_afterwards(stage: Stage) -> None:
    asked = await stage.ask("soft")
    await stage.card_saying(asked["id"], "goes ahead unless stopped")
    settled = await stage.settled(asked["id"])
    assert (settled["state"], settled["decision"]["by"], settled["audit"]) == ("approved", ["silence"], "open")
    ((delivered,),) = stage.serve.rows("SELECT at FROM journal WHERE subject = ? AND what = 'delivered'", asked["id"])
    waited = datetime.fromisoformat(settled["decision"]["at"]).timestamp() - delivered / 1_000_000
    assert 2.0 <= waited < 7.0  # the ticker comes each second; a busy machine may be late
    assert (await stage.agent.claim(asked["id"], asked["digest"])).status == 200
    card = await stage.card_saying(asked["id"], "Nobody looked at this before it went ahead")
    await stage.press("U0BEN", card, "signoff.object")
    assert (await stage.fill("U0BEN", {"What is wrong with it?": "Not on a Sunday"}))["ok"]
    looked_at = await stage.request(asked["id"])
    assert (looked_at["audit"], looked_at["audit_note"]) == ("objected", "Not on a Sunday")


async def test_a_stopped_soft_call_never_runs(stage: Stage) -> None:
    asked = await stage.ask("soft")
    card = await stage.card(asked["id"])
    assert (await stage.press("U0ANA", card, "signoff.stop"))["ok"]
    settled = await stage.settled(asked["id"])
    assert (settled["state"], settled["decision"]["by"]) == ("rejected", ["U0ANA"])
    assert (await stage.agent.claim(asked["id"], asked["digest"])).status == 409


async def test_stop_counts_until_the_call_is_claimed(stage: Stage) -> None:
    asked = await stage.ask("hard")
    await stage.press("U0ANA", await stage.card(asked["id"]), "signoff.approve")
    approved = await stage.card_saying(asked["id"], "was approved by Ana Reyes")
    assert (await stage.press("U0BEN", approved, "signoff.stop"))["ok"]
    assert (await stage.request(asked["id"]))["execution"]["state"] == "revoked"
    refused = await stage.agent.claim(asked["id"], asked["digest"])
    assert (refused.status, refused.body["code"]) == (409, "call_revoked")
    await stage.card_saying(asked["id"], "was stopped before it ran by Ben Okafor")


async def test_silence_brings_a_reminder_then_the_seniors_by_thread_and_direct_message_then_the_end(
    stage: Stage,
) -> None:
    agent = await stage.serve.agent("climber", owner="U0NEWT")
    asked = await stage.ask("short", by=agent)
    card = await stage.card(asked["id"])

    async def thread() -> list[str]:
        found = await stage.people.history("U0ANA", card.channel, card.ts)
        return [message["text"] for message in found if message["ts"] != card.ts]

    async def joined() -> bool:
        said = await thread()
        return any("still waits" in text for text in said) and any("seniors may decide too" in text for text in said)

    await until(joined)
    senior = await stage.card(asked["id"], "U0FRED", "D0FRED")
    assert "signoff.approve" in senior.buttons
    settled = (await agent.read(asked["id"], wait=10)).body
    assert (settled["state"], settled["decision"]["by"]) == ("expired", ["silence"])
    assert "signoff.approve" not in (await stage.card_saying(asked["id"], "expired: nobody decided")).buttons
    await stage.card_saying(asked["id"], "expired: nobody decided", "U0FRED", "D0FRED")

    async def told() -> bool:
        return any("expired" in message["text"] for message in await stage.people.history("U0NEWT", "D0NEWT"))

    await until(told)
    acts = stage.serve.rows("SELECT what, detail FROM journal WHERE subject = ? ORDER BY seq", asked["id"])
    assert [what for what, _ in acts] == ["opened", "delivered", "step", "step", "settled"]


async def test_a_senior_who_joined_may_decide_from_the_direct_message(stage: Stage) -> None:
    asked = await stage.ask("short")
    early = await stage.card(asked["id"])
    before = stage.journal(asked["id"])
    await stage.press("U0FRED", early, "signoff.approve")
    await stage.whisper("U0FRED", early.channel, "not among the reviewers")
    assert (await stage.request(asked["id"]))["state"] == "pending"
    assert stage.journal(asked["id"]) - before <= 1  # at most the reminder
    senior = await stage.card(asked["id"], "U0FRED", "D0FRED")
    assert (await stage.press("U0FRED", senior, "signoff.approve"))["ok"]
    assert (await stage.settled(asked["id"]))["decision"]["by"] == ["U0FRED"]
    await stage.card_saying(asked["id"], "was approved by Fred Marsh")


async def test_an_approval_after_the_deadline_finds_it_expired_even_before_the_tick(stage: Stage) -> None:
    """Requests expire at moments of their own between two ticks; whoever clicks in between is told that it is over."""
    late = 0

    async def click_after_the_deadline(asked: dict[str, str]) -> None:
        nonlocal late
        card = await stage.card(asked["id"])
        deadline = datetime.fromisoformat(asked["deadline_at"]).timestamp()
        await asyncio.sleep(max(0.0, deadline + 0.01 - time.time()))
        ((state,),) = stage.serve.rows("SELECT state FROM requests WHERE id = ?", asked["id"])
        assert (await stage.press("U0ANA", card, "signoff.approve"))["ok"]
        late += state == "pending"
        assert (await stage.settled(asked["id"]))["state"] == "expired"
        assert stage.decisions(asked["id"]) == [("expired", ["silence"])]
        await stage.whisper("U0ANA", card.channel, "This expired")

    async with _old_cards(stage), asyncio.TaskGroup() as clicks:
        for _ in range(8):
            clicks.create_task(click_after_the_deadline(await stage.ask("quick")))
            await asyncio.sleep(0.13)
    assert late >= 3  # the ticker had not been there yet


async def test_a_withdrawn_request_is_over_for_everybody(stage: Stage) -> None:
    asked = await stage.ask("hard", REFUND)
    card = await stage.card(asked["id"])
    async with _old_cards(stage):
        assert (await stage.agent.withdraw(asked["id"])).body["state"] == "withdrawn"
        await stage.press("U0ANA", card, "signoff.approve")
        await stage.whisper("U0ANA", card.channel, "took this back")
    assert stage.decisions(asked["id"]) == [("withdrawn", ["requester"])]
