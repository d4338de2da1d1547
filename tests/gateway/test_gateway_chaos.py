"""Killed at random instants in the middle of everything: agents that ask, people who click, calls that run."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.gateway.stage import Card, Json, Stage, staged
from tests.sandbox_process import until
from tests.serve_process import Answer

pytestmark = pytest.mark.process

KILLS, AGENTS, RUNS, ENOUGH = 10, 5, 6, 60
STORIES = Path(__file__).with_name("stories")


@dataclass(kw_only=True, slots=True)
class Ledger:
    """What the tests' own side saw: which clicks were acknowledged, and what ran."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    ran: Counter[str] = field(default_factory=Counter)
    over: bool = False


async def _stubbornly(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer to a call that is repeated until the gateway is there again."""
    while True:
        try:
            answer = await call()
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(0.05)
            continue
        if answer.status != 503:
            return answer


async def _agent(stage: Stage, ledger: Ledger, name: int) -> None:
    """One request after the other; each fourth is rejected."""
    turn = 0
    while not ledger.over:
        turn += 1
        await _one_request(stage, ledger, f"agent-{name}-{turn}", "reject" if turn % 4 == 0 else "approve")


async def _one_request(stage: Stage, ledger: Ledger, key: str, verdict: str) -> None:
    """Ask, have it answered, claim by two racing workers, run, report."""
    lane = stage.lane()
    asked = (await _stubbornly(lambda: stage.agent.submit(f"hard_{lane}", {"n": key}, key=key))).body
    stage.where[asked["id"]] = f"C0LANE{lane}"
    await _answer(stage, ledger, asked, verdict)
    await asyncio.gather(*(_claim_and_run(stage, ledger, asked, worker) for worker in ("a", "b")))


async def _answer(stage: Stage, ledger: Ledger, asked: Json, verdict: str) -> None:
    """Press until the request is decided; an acknowledged answer is noted as a promise."""
    while (await _stubbornly(lambda: stage.agent.read(asked["id"]))).body["state"] == "pending":
        for card in await stage.cards(asked["id"]):
            answer = await (_rejected if verdict == "reject" else _approved)(stage, card)
            if answer["ok"]:
                ledger.acknowledged[asked["id"]] = {"reject": "rejected", "approve": "approved"}[verdict]
        await asyncio.sleep(0.02)


async def _approved(stage: Stage, card: Card) -> Json:
    if "signoff.approve" not in card.buttons:
        return {"ok": False}
    return dict(await stage.people.click("U0ANA", channel=card.channel, ts=card.ts, **card.place("signoff.approve")))


async def _rejected(stage: Stage, card: Card) -> Json:
    """Press Reject and send the form; each agent's rejecter has a form of their own."""
    if "signoff.reject" not in card.buttons:
        return {"ok": False}
    person = f"U0R{int(card.channel.removeprefix('C0LANE'))}"
    await stage.people.click(person, channel=card.channel, ts=card.ts, **card.place("signoff.reject"))
    forms = [form for form in await stage.people.views(person) if form["view"]["callback_id"] == "signoff.form.reject"]
    return dict(await stage.people.submit(person, forms[-1]["id"])) if forms else {"ok": False}


async def _claim_and_run(stage: Stage, ledger: Ledger, asked: Json, worker: str) -> None:
    key = f"{asked['id']}-{worker}"
    claimed = await _stubbornly(lambda: stage.agent.claim(asked["id"], asked["digest"], key=key))
    if claimed.status == 200:
        ledger.ran[asked["id"]] += 1
        reported = await _stubbornly(lambda: stage.agent.report(asked["id"], "succeeded"))
        assert reported.status == 200, reported


async def _steward(stage: Stage, ledger: Ledger) -> None:
    """Answer the runner's cards in #lane-0: approve what is asked, and say of what is in doubt whether it ran."""
    while not ledger.over or stage.serve.rows("SELECT count(*) FROM runs WHERE state = 'active'") != [(0,)]:
        for message in await stage.people.history("U0BEN", "C0LANE0"):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == "signoff_request":
                card = Card(request_id=metadata["event_payload"]["request_id"], channel="C0LANE0", message=message)
                await _attend(stage, ledger, card)
        await asyncio.sleep(0.05)


async def _attend(stage: Stage, ledger: Ledger, card: Card) -> None:
    said = "ran" if any(mark in card.words for mark in _marks(stage)) else "didnt_run"
    for action_id in ("signoff.approve", f"signoff.{said}"):
        if action_id in card.buttons and card.request_id not in stage.where:
            answer = await stage.people.click("U0BEN", channel=card.channel, ts=card.ts, **card.place(action_id))
            if answer["ok"] and action_id == "signoff.approve":
                ledger.acknowledged[card.request_id] = "approved"


def _marks(stage: Stage) -> list[str]:
    path = stage.serve.folder / "company" / "effects.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


async def _killer(stage: Stage, ledger: Ledger) -> None:
    """Each kill at another instant after the start; the next one spares nobody who is still recovering."""
    chance = random.Random(20261123)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.8))
        stage.serve.strike()
        await stage.serve.restart()

    async def much_was_decided() -> bool:
        return bool(stage.serve.rows("SELECT count(*) > ? FROM decisions", ENOUGH)[0][0])

    await until(much_was_decided, 60.0)
    ledger.over = True


async def test_after_ten_kills_nothing_promised_is_lost_nothing_is_decided_or_run_twice_and_all_goes_on() -> None:
    env = {"SIGNOFF_TOOLS": "tests.gateway.effect_tools"}
    lanes, ledger = 60, Ledger()
    own = tuple(f"U0R{lane}" for lane in range(lanes))
    async with staged(lanes=lanes, stories=STORIES, env=env, own=own, kinds=("hard",)) as stage:
        (stage.serve.folder / "company").mkdir()
        await stage.control.app(scopes=[*SCOPES, "channels:history"])
        for run in range(RUNS):
            assert (await stage.people.command("U0SAM", "C0AGENTS", f"/agent mark {run}"))["ok"]
        async with asyncio.timeout(240), asyncio.TaskGroup() as busy:
            for name in range(AGENTS):
                busy.create_task(_agent(stage, ledger, name))
            busy.create_task(_steward(stage, ledger))
            busy.create_task(_killer(stage, ledger))
        await _judge(stage, ledger)


async def _judge(stage: Stage, ledger: Ledger) -> None:
    """By the raw rows, the effects' own file, and what Slack holds."""
    serve = stage.serve
    decided = dict(serve.rows("SELECT request_id, verdict FROM decisions"))
    assert {each: decided.get(each) for each in ledger.acknowledged} == ledger.acknowledged
    assert len(decided) > ENOUGH, decided
    settled = serve.rows("SELECT subject, count(*) FROM journal WHERE what = 'settled' GROUP BY subject")
    assert dict(settled) == dict.fromkeys(decided, 1)
    claimed = serve.rows("SELECT subject, count(*) FROM journal WHERE what = 'claimed' GROUP BY subject")
    assert {count for _, count in claimed} == {1}
    by_agents = {each for each, verdict in decided.items() if verdict == "approved" and each in stage.where}
    assert ledger.ran == dict.fromkeys(by_agents, 1)
    ran = Counter(_marks(stage))
    assert set(ran.values()) == {1}, ran  # an effect that may have happened is never repeated
    assert serve.rows("SELECT count(*) FROM runs WHERE state = 'done'") == [(RUNS,)]
    assert (await serve.signoff("audit", "verify")).code == 0
    await _every_card_is_there_once(stage, set(decided))


async def _every_card_is_there_once(stage: Stage, requests: set[str]) -> None:
    async def delivered() -> bool:
        return stage.serve.rows("SELECT count(*) FROM outbox WHERE NOT given_up") == [(0,)]

    await until(delivered, 60.0)
    cards: Counter[str] = Counter()
    for lane in range(stage.lanes):
        for message in await stage.people.history("U0ANA", f"C0LANE{lane}"):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == "signoff_request":
                cards[metadata["event_payload"]["request_id"]] += 1
                assert "needs your approval" not in message["text"]
    assert cards == dict.fromkeys(requests, 1)


SCOPES = (
    "chat:write",
    "commands",
    "app_mentions:read",
    "im:write",
    "im:history",
    "users:read",
    "users:read.email",
    "usergroups:read",
    "channels:read",
    "groups:read",
)
