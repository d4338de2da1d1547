"""``python -m tests.gateway.hostile_run --calls 300``: calls made to deceive, sent to a real gateway, and decided.

Afterwards no secret, nothing invisible and nothing that steers a terminal stands in anything that it ever said: all
calls of Slack's API and answers to Slack, its log, ``requests list`` and ``show``, ``audit export``, ``/metrics``. What
it refuses it refuses with words. Slack fails now and then meanwhile, so that errors are logged too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.slack import ids
from tests.gateway.stage import Card, Stage, staged
from tests.slack.hostile_words import SECRET_PARTS, a_call, said
from tests.slack.judging import UNSEEN, everything

LANES = 20
ANA, BEN = "U0ANA", "U0BEN"
TOGETHER = 12
"""Calls under way at a time; an agent may have at most 200 that wait."""
FIELD = {"type": "string", "title": "<@U0ANA> \u202etitle", "description": "password=hunter2 :eyes:"}
SHOWN = 12


async def run(calls: int, seed: int, form: str) -> Counter[str]:
    """How the calls came out. Raises ``AssertionError`` at a broken promise."""
    async with staged(lanes=LANES, kinds=("hard", "soft"), env={"SIGNOFF_LOG": form}) as stage:
        found: Counter[str] = Counter()
        for start in range(0, calls, TOGETHER):
            if start % 60 == 0:
                await stage.control.faults(
                    {"method": "chat.update", "times": 2, "status": 500},
                    {"method": "views.open", "times": 1, "status": 500},
                )
            numbers = range(start, min(start + TOGETHER, calls))
            found.update(await asyncio.gather(*(_one(stage, random.Random(f"{seed}-{number}")) for number in numbers)))
        await stage.people.open_home(ANA)
        await stage.people.command(ANA, "C0LANE0", "/approvals all")
        await _search(stage)
        return found


async def _one(stage: Stage, dice: random.Random) -> str:
    lane = stage.lane()
    kind = dice.choice(("hard", "hard", "soft"))
    words: dict[str, Any] = {"reason": said(dice, 2_000), "context": said(dice, 2_000), "on_behalf_of": said(dice, 200)}
    if dice.random() < 0.3:
        words["preview"] = [{"title": said(dice, 100), "media_type": "text/html", "text": said(dice, 4_000)}]
    if dice.random() < 0.3:
        words["schema"] = {"type": "object", "properties": {"to": FIELD, "note": FIELD}}
    arguments = json.loads(json.dumps(a_call(dice), default=str))
    answer = await stage.agent.submit(f"{kind}_{lane}", arguments, **words)
    if answer.status != 201:
        assert answer.status in (400, 422), answer
        assert answer.body["detail"], answer
        assert len(json.dumps(answer.body)) < 20_000, answer
        return "refused"
    stage.where[answer.body["id"]] = f"C0LANE{lane}"
    card = await stage.card(answer.body["id"])
    act = dice.choice((_approve, _reject, _modify, _look, _inquire))
    await act(stage, card, dice)
    return act.__name__[1:]


async def _approve(stage: Stage, card: Card, dice: random.Random) -> None:
    """Approve it and report in deceiving words; from View all where the card doesn't show everything."""
    if ids.APPROVE not in card.buttons:
        await _look(stage, card, dice)
        return
    await stage.press(ANA, card, ids.APPROVE)  # of a long one the form asks back: nobody reads that fast
    settled = (await stage.agent.read(card.request_id, wait=2)).body
    if settled["state"] == "approved":
        await stage.agent.claim(card.request_id, settled["digest"])
        result = {"said": said(dice, 2_000)}
        told = await stage.agent.report(card.request_id, "failed", note=said(dice, 500), result=result)
        assert told.status == 200, told


async def _reject(stage: Stage, card: Card, dice: random.Random) -> None:
    note = " ".join(said(dice, 1_500).split())
    await stage.people.command(ANA, card.channel, f"/approvals reject {card.request_id} {note}")


async def _modify(stage: Stage, card: Card, dice: random.Random) -> None:
    await stage.press(BEN, card, ids.MODIFY)


async def _look(stage: Stage, card: Card, dice: random.Random) -> None:
    await stage.people.command(ANA, card.channel, f"/approvals show {card.request_id}")
    await stage.people.command(ANA, card.channel, f"/approvals history {card.request_id}")


async def _inquire(stage: Stage, card: Card, dice: random.Random) -> None:
    """A command that isn't one, and a request that is taken back."""
    await stage.people.command(ANA, card.channel, f"/approvals {' '.join(said(dice, 200).split())}")
    await stage.agent.withdraw(card.request_id)


async def _search(stage: Stage) -> None:
    """Look through everything that the gateway said."""
    for call in await stage.control.record():
        for text in _told(call):
            _check(text.replace("\r\n", "\n"), str(call.get("method") or call["kind"]))
    operator = await stage.serve.signoff("keys", "create", "watch", "--operator")
    headers = {"Authorization": f"Bearer {operator.out.strip()}"}
    async with stage.serve.session.get(f"{stage.serve.url}/metrics", headers=headers) as response:
        assert response.status == 200
        _check(await response.text(), "metrics")
    listed = (await stage.serve.signoff("requests", "list", "--state", "all", "--limit", "500")).out
    _check(listed, "requests list")
    for line in listed.splitlines()[:SHOWN]:
        shown = await stage.serve.signoff("requests", "show", line.split("\t")[0])
        assert shown.code == 0, shown.err
        _check(shown.out, "requests show")
        json.loads(shown.out)
    exported = await stage.serve.signoff("audit", "export")
    assert exported.code == 0
    assert len(exported.out.splitlines()) > SHOWN
    _check(exported.out, "audit export")
    log = (stage.serve.folder / "stderr").read_text(encoding="utf-8")
    assert log.strip(), "errors were logged"
    _check(log, "log")


def _told(call: dict[str, Any]) -> Iterator[str]:
    """Every text that the app sent: its call's body, or its answer to what Slack delivered."""
    sent = call.get("body") if call["direction"] == "in" else call.get("answer")
    for part in sent.values() if isinstance(sent, dict) else [sent]:
        yield from everything(_read(part) if isinstance(part, str) else part)


def _read(field: str) -> Any:
    """What a form's field holds: JSON where it is blocks or a view."""
    try:
        return json.loads(field)
    except ValueError:
        return field


def _check(text: str, where: str) -> None:
    for secret in SECRET_PARTS:
        assert secret not in text, (where, secret, text[:600])
    hidden = UNSEEN.search(text.replace("\ufe0f", ""))
    assert hidden is None, (where, hidden, text[max(0, hidden.start() - 80) : hidden.end() + 80] if hidden else "")


def main() -> None:
    """Run them, and say how they came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.hostile_run", description="Calls made to deceive.")
    parser.add_argument("--calls", type=int, default=300, help="how many (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other calls")
    parser.add_argument("--log", choices=("text", "json"), default="text", help="how the gateway writes its log")
    options = parser.parse_args()
    started = time.monotonic()
    found = asyncio.run(run(options.calls, options.seed, options.log))
    print(f"{options.calls} calls in {time.monotonic() - started:.0f} s: {dict(found)}; every promise kept")


if __name__ == "__main__":
    main()
