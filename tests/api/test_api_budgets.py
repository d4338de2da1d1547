"""Agents' budgets over HTTP: who is refused, with what words and until when, and who never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.crowding import AT_ONCE
from policies.errors import NotAllowed, NotFound
from policies.loader import load
from policies.review import Verdict
from tests.api.house import MAIL, POLICY, Answer, House, open_house

BUDGETS = """
budgets:
  - {agents: "*", waiting: 3}
  - {agents: mailer, cool_off: {rejections: 2, within: 10m, for: 15m}, same_again: 30m}
  - {agents: [other, "o*"], asks: {most: 2, per: 1h}}
"""


@pytest.fixture
async def tight(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, POLICY + BUDGETS) as house:
        yield house


async def ask(house: House, number: int = 0, key: str | None = None, again: str = "") -> Answer:
    """One mail of its own for each number."""
    mail = {**MAIL, "arguments": {"to": [f"max{number}@example.com"]}}
    headers = {"Idempotency-Key": again} if again else {}
    return await house.call("POST", "/v1/requests", key=key, json=mail, headers=headers)


async def reject(house: House, answer: Answer) -> None:
    await house.gateway.review(answer.body["id"], house.person("U0ANA"), Verdict.REJECT, 1)


async def journal(house: House) -> list[tuple[str, str, str]]:
    """What stands in it about agents."""
    kinds = ("held_back", "cooling_off", "resumed")
    return [(line.what, line.actor, line.subject) for line in await house.store.journal() if line.what in kinds]


async def test_a_flood_is_stopped_at_the_budget_and_the_calm_go_on(tight: House) -> None:
    told = await asyncio.gather(*(ask(tight, number, again=f"k{number}") for number in range(12)))
    refused = [each for each in told if each.status == 429]
    assert [each.status for each in told].count(201) == 3
    assert {(each.body["code"], each.headers["Retry-After"]) for each in refused} == {("rate_limited", "60")}
    assert refused[0].body["detail"] == (
        "3 of your calls wait for people already; wait until one is settled. Calls that need nobody still run."
    )
    page = await tight.call("GET", "/v1/requests?limit=100")
    assert len(page.body["requests"]) == 3
    assert await journal(tight) == [("held_back", "policy", "key:mailer")]
    asked = next(number for number, each in enumerate(told) if each.status == 201)
    assert (await ask(tight, asked, again=f"k{asked}")).status == 200
    assert (await ask(tight, key=tight.other_agent)).status == 201
    for tool, state in (("read_order", "approved"), ("drop_database", "rejected")):
        settled = await tight.call("POST", "/v1/requests", json={"tool": tool, "arguments": {}})
        assert (settled.status, settled.body["state"]) == (201, state)
    assert b'signoff_budget_refusals_total{budget="waiting"} 9.0' in tight.metrics.text()


async def test_whoever_is_rejected_again_and_again_cools_off_and_then_asks_again(tight: House) -> None:
    for number in range(2):
        await reject(tight, await ask(tight, number))
        tight.clock.move(timedelta(minutes=1))
    refused = await ask(tight, 7)
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (429, "cooling_off", "840")
    assert refused.body["detail"] == (
        "2 of your calls were rejected within 10 minutes; nothing new goes to people before 09:16 UTC."
        " Calls that need nobody still run."
    )
    assert (await ask(tight, 8, key=tight.other_agent)).status == 201
    tight.clock.move(timedelta(seconds=839))
    assert (await ask(tight, 7)).headers["Retry-After"] == "1"
    tight.clock.move(timedelta(seconds=1))
    assert (await ask(tight, 7)).status == 201
    assert await journal(tight) == [("cooling_off", "policy", "key:mailer")]


async def test_the_very_call_that_people_rejected_is_not_put_before_them_again_for_a_while(tight: House) -> None:
    await reject(tight, await ask(tight, 1))
    refused = await ask(tight, 1)
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (429, "rejected_before", "1800")
    assert refused.body["detail"] == (
        "People rejected this very call at 09:00 UTC; it isn't put before them again before 09:30 UTC."
        " Change it, or go on without it."
    )
    assert (await ask(tight, 2)).status == 201
    tight.clock.move(timedelta(minutes=30))
    assert (await ask(tight, 1)).status == 201


async def test_so_many_asks_an_hour_and_the_next_one_when_the_first_is_an_hour_old(tight: House) -> None:
    for number in range(2):
        asked = await ask(tight, number, key=tight.other_agent)
        await tight.call("DELETE", f"/v1/requests/{asked.body['id']}", key=tight.other_agent)
        tight.clock.move(timedelta(minutes=20))
    refused = await ask(tight, 3, key=tight.other_agent)
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (429, "rate_limited", "1200")
    tight.clock.move(timedelta(minutes=20))
    assert (await ask(tight, 3, key=tight.other_agent)).status == 201


async def test_only_who_could_approve_the_rejected_call_lets_the_agent_go_on(tight: House) -> None:
    for number in range(2):
        await reject(tight, await ask(tight, number))
    budgets = tight.gateway.budgets
    for who in ("U0FAY", "U0OWNER"):  # another group's, and the person whom the agent works for
        assert await budgets.cooling(tight.person(who)) == ()
        with pytest.raises(NotFound, match="cools off that you may let go on"):
            await budgets.resume("mailer", tight.person(who))
    assert (await ask(tight, 7)).status == 429
    ((request, until),) = await budgets.cooling(tight.person("U0BEN"))
    assert (request.requester.id, until) == ("key:mailer", tight.clock() + timedelta(minutes=15))
    await budgets.resume("mailer", tight.person("U0BEN"))
    assert (await ask(tight, 7)).status == 201
    with pytest.raises(NotFound):
        await budgets.resume("mailer", tight.person("U0BEN"))
    assert await journal(tight) == [("cooling_off", "policy", "key:mailer"), ("resumed", "U0BEN", "key:mailer")]


async def test_a_person_who_was_looked_up_too_long_ago_lets_nobody_go_on(tight: House) -> None:
    for number in range(2):
        await reject(tight, await ask(tight, number))
    ben = tight.person("U0BEN")
    tight.clock.move(timedelta(minutes=5))
    with pytest.raises((NotAllowed, NotFound)):
        await tight.gateway.budgets.resume("mailer", ben)
    assert (await ask(tight, 7)).status == 429


async def test_the_budgets_are_those_of_the_policy_in_force(tight: House) -> None:
    for number in range(3):
        await ask(tight, number)
    assert (await ask(tight, 3)).status == 429
    await tight.gateway.shelf.replace(load(POLICY, source="p.yml"), "test", tight.clock())
    assert (await ask(tight, 3)).status == 201


async def test_whatever_the_policy_says_at_most_200_of_an_agent_s_calls_wait(house: House) -> None:
    told = await asyncio.gather(*(ask(house, number) for number in range(205)))
    assert [each.status for each in told].count(201) == 200


async def test_who_was_just_refused_waits_for_a_place_and_keeps_nobody_else_waiting(
    tight: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.crowding.AFTER", 3600.0)  # a busy machine may be late
    for number in range(4):
        last = await ask(tight, number)
    assert last.status == 429
    async with AsyncExitStack() as worked_on:
        for _ in range(AT_ONCE):
            await worked_on.enter_async_context(tight.gateway.budgets.crowding.place("key:mailer"))
        waits = asyncio.create_task(ask(tight, 7))
        assert (await ask(tight, 7, key=tight.other_agent)).status == 201
        assert not waits.done()
    assert (await waits).status == 429
