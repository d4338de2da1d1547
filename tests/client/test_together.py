"""Calls that an agent asks about together, by both clients: each decided alone, all waited for at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from policies.review import Verdict
from signoff import AsyncSignoff, Inquiry, NotApproved, Refused, Rejected, Request, Signoff
from tests.api.house import House, open_house, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL: dict[str, Any] = {"tool": "send_email", "arguments": {"to": ["max@example.com"]}}
PAYMENT: dict[str, Any] = {
    "tool": "execute_payment",
    "arguments": {"payee": "Nordkai", "amount": 40},
    "reason": "The parcel broke.",
}
READ: dict[str, Any] = {"tool": "read_order", "arguments": {}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("together")) as opened:
        yield opened


async def told(request: Request, inquiry: Inquiry) -> str:
    return f"{request.tool}: {inquiry.text}"


@pytest_asyncio.fixture(loop_scope="module")
async def agent(house: House) -> AsyncIterator[AsyncSignoff]:
    async with AsyncSignoff(house.address(""), house.agent, on_inquiry=told) as client:
        yield client


async def state(house: House, request: Request) -> str:
    found = await house.store.request(request.id)
    assert found is not None
    return found.state.value


async def test_each_is_decided_alone_and_the_wait_ends_with_the_last(house: House, agent: AsyncSignoff) -> None:
    asked = await agent.submit_all([MAIL, PAYMENT, READ])
    assert [(one.tool, one.group and one.group.size) for one in asked] == [
        ("send_email", 3), ("execute_payment", 3), ("read_order", 3)
    ]  # fmt: skip
    waiting = asyncio.create_task(agent.wait_all(asked))
    await until(lambda: house.waiting.agents == 1)
    await house.gateway.inquire(asked[1].id, house.person("U0FAY"), "Which parcel?")
    await until(lambda: house.waiting.agents == 1)
    await house.gateway.review(asked[0].id, house.person("U0ANA"), Verdict.REJECT, 1, note="Not today.")
    changed = {"payee": "Nordkai", "amount": 39}
    await house.gateway.review(asked[1].id, house.person("U0FAY"), Verdict.MODIFY, 1, arguments=changed)
    assert not waiting.done()
    await house.gateway.review(asked[1].id, house.person("U0FRED"), Verdict.APPROVE, 2)
    mail, payment, read = await waiting
    assert [one.state for one in (mail, payment, read)] == ["rejected", "approved", "approved"]
    assert (payment.inquiries[0].answer, payment.arguments) == ("execute_payment: Which parcel?", changed)
    with pytest.raises(Rejected, match="Not today"):
        await agent.claim(mail)
    async with await agent.claim(payment) as permit:
        assert permit.arguments == changed
    assert asked[0].group is not None
    group = await agent.group(asked[0].group.id)
    assert (group.settled, [one.id for one in group.requests]) == (3, [one.id for one in asked])


async def test_after_its_time_a_wait_says_how_they_stand_and_what_is_pending_cannot_run(
    house: House, agent: AsyncSignoff
) -> None:
    stands = await agent.wait_all(await agent.submit_all([MAIL, READ]), timeout=0)
    assert [one.state for one in stands] == ["pending", "approved"]
    with pytest.raises(NotApproved):
        await agent.claim(stands[0])


async def test_a_cancelled_wait_takes_them_back_and_one_of_a_run_finds_them_again(house: House) -> None:
    for run, left in ((None, "withdrawn"), ("nightly", "pending")):
        async with AsyncSignoff(house.address(""), house.agent, run=run) as agent:
            asked = await agent.submit_all([MAIL, PAYMENT])
            waiting = asyncio.create_task(agent.wait_all(asked))
            await until(lambda: house.waiting.agents == 1)
            waiting.cancel()
            await asyncio.wait({waiting})
            assert [await state(house, one) for one in asked] == [left, left]
    async with AsyncSignoff(house.address(""), house.agent, run="nightly") as again:
        found = await again.submit_all([PAYMENT, MAIL, READ])  # its model proposes another set, in another order
        assert [one.id for one in found[:2]] == [asked[1].id, asked[0].id]
        waiting = asyncio.create_task(again.wait_all(found))
        await until(lambda: house.waiting.agents == 1)
        await house.gateway.review(asked[0].id, house.person("U0ANA"), Verdict.REJECT, 1)
        await house.gateway.review(asked[1].id, house.person("U0FAY"), Verdict.REJECT, 1)
        assert [one.state for one in await waiting] == ["rejected", "rejected", "approved"]


async def test_where_one_cannot_be_asked_none_stays_asked(house: House, agent: AsyncSignoff) -> None:
    before = {one.id for one in await agent.requests(state=["pending"])}
    wrong: dict[str, Any] = {"tool": "two words", "arguments": {}}
    with pytest.raises(Refused, match="without spaces"):
        await agent.submit_all([MAIL, wrong])
    assert {one.id for one in await agent.requests(state=["pending"])} == before


async def test_more_than_one_group_takes_are_asked_in_several_by_threads_too(house: House) -> None:
    def work() -> list[Request]:
        with Signoff(house.address(""), house.agent) as client:
            return client.wait_all(client.submit_all([READ] * 52))

    found = await asyncio.to_thread(work)
    sizes = [one.group.size for one in found if one.group is not None]
    assert ({one.state for one in found}, sizes) == ({"approved"}, [50] * 50 + [2] * 2)


async def test_the_wait_ends_where_the_rest_of_the_group_was_never_asked(house: House, agent: AsyncSignoff) -> None:
    group = {"id": "short-of-one", "size": 3}
    asked = [await agent.submit(one["tool"], one["arguments"], group=group) for one in (MAIL, PAYMENT)]
    waiting = asyncio.create_task(agent.wait_all(asked))
    await until(lambda: house.waiting.agents == 1)
    for one, person in zip(asked, ("U0ANA", "U0FAY"), strict=True):
        await house.gateway.review(one.id, house.person(person), Verdict.REJECT, 1)
    async with asyncio.timeout(10):
        assert [one.state for one in await waiting] == ["rejected", "rejected"]
