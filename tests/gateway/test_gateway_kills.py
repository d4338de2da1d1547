"""`kill -9` at the worst moments: what was promised stands, nothing runs twice, and the old cards still work."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.stage import Card, Stage, staged
from tests.sandbox_process import until
from tests.serve_process import DEMO_POLICY

pytestmark = pytest.mark.process

STORIES = Path(__file__).with_name("stories")


@pytest_asyncio.fixture
async def company() -> AsyncIterator[Stage]:
    """The demo's company with its own policy; the runner plays the demo's stories."""
    env = {"SIGNOFF_TOOLS": "bot.demo.company"}
    async with staged(lanes=0, policy=DEMO_POLICY.read_text(encoding="utf-8"), env=env) as stage:
        yield stage


@pytest_asyncio.fixture
async def counted() -> AsyncIterator[Stage]:
    """A runner whose one tool counts its effects; cards of its calls come to #lane-0."""
    async with staged(lanes=1, stories=STORIES, env={"SIGNOFF_TOOLS": "tests.gateway.effect_tools"}) as stage:
        (stage.serve.folder / "company").mkdir()
        yield stage


def _effects(stage: Stage) -> list[dict[str, object]]:
    path = stage.serve.folder / "company" / "effects.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


async def _open_cards(stage: Stage, person: str, channel: str) -> list[Card]:
    """The cards in a channel on which there is still something to press."""
    found = []
    for message in await stage.people.history(person, channel):
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") == "signoff_request":
            found.append(Card(request_id=metadata["event_payload"]["request_id"], channel=channel, message=message))
    return [card for card in found if card.buttons]


async def _runs_ended(stage: Stage, number: int, approving: str = "") -> None:
    """Wait until all runs are done; in the channel `approving` whatever they ask meanwhile is approved."""

    async def ended() -> bool:
        for card in await _open_cards(stage, "U0ANA", approving) if approving else ():
            if "signoff.approve" in card.buttons:
                await stage.people.click("U0ANA", channel=approving, ts=card.ts, **card.place("signoff.approve"))
        return stage.serve.rows("SELECT count(*) FROM runs WHERE state = 'done'") == [(number,)]

    try:
        await until(ended, 60.0)
    except TimeoutError:
        raise AssertionError(stage.serve.rows("SELECT state, document FROM runs")) from None


async def test_three_runs_that_wait_for_people_go_on_after_a_kill_by_the_buttons_of_the_old_cards(
    company: Stage,
) -> None:
    errands = ["Mara Holm's lamp HG-1042 arrived cracked: refund", "Tell Wren Ashdown of her storm kettle", "complain"]
    for errand in errands:
        assert (await company.people.command("U0NEWT", "C0AGENTS", f"/agent {errand}"))["ok"]

    async def all_wait() -> list[Card]:
        cards = await _open_cards(company, "U0ANA", "C0APPROVALS")
        return cards if len(cards) == 3 else []

    old = await until(all_wait)
    before = len(_effects(company))
    await company.serve.restart()
    assert [card.ts for card in await all_wait()] == [card.ts for card in old]
    for person, card in zip(("U0ANA", "U0BEN", "U0ANA"), old, strict=True):
        assert (await company.press(person, card, "signoff.approve"))["ok"]
    await _runs_ended(company, 3, approving="C0APPROVALS")
    ran = [str(effect["tool"]) for effect in _effects(company)[before:]]
    assert sorted(ran) == ["issue_refund", "send_email", "send_email", "send_email"]
    assert company.serve.rows("SELECT count(*) FROM decisions") == company.serve.rows("SELECT count(*) FROM requests")


async def test_a_call_killed_between_its_effect_and_its_report_is_in_doubt_until_a_person_says_how_it_went(
    counted: Stage,
) -> None:
    hold = counted.serve.folder / "company" / "hold"
    hold.touch()
    for name, verdict in (("mark one", "signoff.ran"), ("mark two", "signoff.didnt_run")):
        runs = len(_effects(counted))
        assert (await counted.people.command("U0SAM", "C0AGENTS", f"/agent {name}"))["ok"]

        async def asked() -> list[Card]:
            cards = await _open_cards(counted, "U0ANA", "C0LANE0")
            return [card for card in cards if "signoff.approve" in card.buttons]

        (card,) = await until(asked)
        assert (await counted.press("U0ANA", card, "signoff.approve"))["ok"]

        async def under_way(number: int = runs + 1) -> bool:
            return len(_effects(counted)) == number

        await until(under_way)
        await counted.serve.restart()
        counted.where[card.request_id] = card.channel
        doubtful = await counted.card_saying(card.request_id, "may or may not have run")
        assert {"signoff.ran", "signoff.didnt_run"} <= set(doubtful.buttons)
        assert counted.execution(card.request_id) == "unknown"
        assert (await counted.press("U0BEN", doubtful, verdict))["ok"]
    await _runs_ended(counted, 2)
    assert [effect["mark"] for effect in _effects(counted)] == ["mark one", "mark two"]  # nothing ran again
    states = counted.serve.rows("SELECT execution_state FROM requests ORDER BY created_at")
    assert states == [("succeeded",), ("failed",)]


async def test_a_click_that_was_acknowledged_is_decided_although_the_gateway_dies_the_same_instant() -> None:
    acknowledged: list[str] = []
    async with staged(lanes=40, kinds=("hard",)) as stage:

        async def click(card: Card) -> None:
            answer = await stage.press("U0ANA", card, "signoff.approve")
            if answer["ok"]:
                stage.serve.strike()
                acknowledged.append(card.request_id)

        for _ in range(5):
            asked = [await stage.ask("hard") for _ in range(8)]
            cards = [await stage.card(each["id"]) for each in asked]
            before = len(acknowledged)
            await asyncio.gather(*(click(card) for card in cards))
            await stage.serve.restart()
            assert len(acknowledged) > before
            for each in acknowledged[before:]:
                assert stage.decisions(each) == [("approved", ["U0ANA"])]
            await _rest_by_their_old_buttons(stage, cards)
        settled = stage.serve.rows("SELECT count(*), count(DISTINCT subject) FROM journal WHERE what = 'settled'")
        assert settled == [(40, 40)]


async def _rest_by_their_old_buttons(stage: Stage, cards: list[Card]) -> None:
    """Those whose click died with the gateway are decided by another press of the same button."""
    for card in cards:
        if not stage.decisions(card.request_id):
            assert (await stage.press("U0BEN", card, "signoff.approve"))["ok"]
        assert [verdict for verdict, _ in stage.decisions(card.request_id)] == ["approved"]
        await stage.card_saying(card.request_id, "was approved by")
