"""Two people answer the same request at the same instant: one decision, and the other is told whose it was."""

import asyncio
import json
from collections import Counter

import pytest

from tests.gateway.stage import Card, Json, Stage, staged
from tests.sandbox_process import until

pytestmark = pytest.mark.process

LEAST, MOST, WIDE = 3, 15, 20
"""Waves of so many races each, until each side has won often enough to call it a race."""
CROWD = tuple(f"U0R{number}" for number in range(WIDE))


async def _opened(stage: Stage, rejecter: str) -> tuple[Card, Json]:
    """A request with its card, and the Reject form open before `rejecter`."""
    asked = await stage.ask("hard")
    card = await stage.card(asked["id"])
    assert (await stage.press(rejecter, card, "signoff.reject"))["ok"]
    return card, await stage.modal(rejecter)


async def _race(stage: Stage, number: int, card: Card, form: Json, lead: float) -> None:
    """Ana approves while the other one sends the form, up to twice `lead` seconds later."""

    async def reject() -> Json:
        await asyncio.sleep(lead * 2 * number / WIDE)
        return dict(await stage.people.submit(CROWD[number], form["id"]))

    async def approve() -> Json:
        place = card.place("signoff.approve")
        answer = dict(await stage.people.click("U0ANA", channel=card.channel, ts=card.ts, **place))
        # The card may have been drawn anew since it was looked at: a person presses the button that is there then.
        return await stage.press("U0ANA", card, "signoff.approve") if _is_gone(answer) else answer

    answers = await asyncio.gather(approve(), reject())
    assert all(answer["ok"] for answer in answers), answers


def _is_gone(answer: Json) -> bool:
    return answer.get("error") == "unknown_action"


async def _loser_was_told(stage: Stage, verdict: str, rejecter: str, card: Card) -> None:
    if verdict == "rejected":
        await stage.whisper("U0ANA", card.channel, f"Crowd {rejecter} rejected this")
        return
    form = await stage.modal(rejecter)
    assert "Ana Reyes approved this" in json.dumps(form), form
    await stage.people.close(rejecter, form["id"])


async def test_of_two_answers_at_the_same_instant_one_decides_and_the_loser_is_told_who_won() -> None:
    async with staged(lanes=70, crowd=CROWD, kinds=("hard",)) as stage:
        won: Counter[str] = Counter()
        lead = 0.02  # seconds that a button's way is longer than a form's; found by each wave for the next
        for wave in range(1, MOST + 1):
            before = won["approved"]
            opened = await asyncio.gather(*(_opened(stage, rejecter) for rejecter in CROWD))
            await asyncio.gather(*(_race(stage, number, *each, lead) for number, each in enumerate(opened)))
            for rejecter, (card, _) in zip(CROWD, opened, strict=True):
                ((verdict, by),) = stage.decisions(card.request_id)
                assert by == (["U0ANA"] if verdict == "approved" else [rejecter])
                await _loser_was_told(stage, verdict, rejecter, card)
                won[verdict] += 1
            lead *= 0.6 if won["approved"] - before > WIDE / 2 else 1.6
            if wave >= LEAST and min(won["approved"], won["rejected"]) > 10:
                break
        await _judge(stage, won)


async def _judge(stage: Stage, won: Counter[str]) -> None:
    """The raw rows: each request settled once, by one person; and the journal's chain is whole."""
    assert min(won["approved"], won["rejected"]) > 10, won  # it was a race indeed
    settled = stage.serve.rows("SELECT subject, count(*) FROM journal WHERE what = 'settled' GROUP BY subject")
    assert [count for _, count in settled] == [1] * won.total()
    assert stage.serve.rows("SELECT count(*) FROM journal WHERE what = 'reviewed'") == [(won.total(),)]
    verified = await stage.serve.signoff("audit", "verify")
    assert verified.code == 0, verified.err

    async def empty() -> bool:
        return stage.serve.rows("SELECT count(*) FROM outbox") == [(0,)]

    await until(empty, 60.0)
