"""Groups over HTTP: calls that an agent waits for together, each decided alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from policies.review import Verdict
from tests.api.house import MAIL, PAYMENT, Answer, House, until

READ: Mapping[str, Any] = {"tool": "read_order", "arguments": {}}


def of(size: int, group_id: str = "batch-1") -> dict[str, Any]:
    return {"group": {"id": group_id, "size": size}}


async def wait(house: House, query: str = "wait=25", group_id: str = "batch-1", **more: Any) -> Answer:
    return await house.call("GET", f"/v1/groups/{group_id}?{query}", **more)


async def test_a_wait_for_a_group_ends_with_the_last_decision_and_each_was_decided_alone(house: House) -> None:
    mail, payment = await house.ask(MAIL, **of(3)), await house.ask(PAYMENT, **of(3))
    assert mail["group"] == {"id": "batch-1", "size": 3}
    waiting = asyncio.create_task(wait(house))
    await until(lambda: house.waiting.topics == 1)
    await house.gateway.review(mail["id"], house.person("U0ANA"), Verdict.REJECT, 1)
    await house.gateway.withdraw(payment["id"], await _requester(house))
    half = await wait(house, "wait=1")
    assert (half.status, half.body["asked"], half.body["settled"], waiting.done()) == (200, 2, 2, False)
    late = await house.ask(READ, **of(3))  # allowed at once: it's settled when it is born
    answer = (await waiting).body
    assert [one["id"] for one in answer["requests"]] == [mail["id"], payment["id"], late["id"]]
    assert [one["state"] for one in answer["requests"]] == ["rejected", "withdrawn", "approved"]
    assert (answer["id"], answer["size"], answer["asked"], answer["settled"]) == ("batch-1", 3, 3, 3)
    assert house.waiting.topics == 0
    began = time.perf_counter()
    assert (await wait(house)).body == answer
    assert time.perf_counter() - began < 10, "what is settled isn't waited for"


async def _requester(house: House) -> Any:
    return (await house.store.requests(limit=1)).requests[0].requester


async def test_a_wait_ends_sooner_where_the_agent_wants_to_hear_of_each_or_of_questions(house: House) -> None:
    mail, payment = await house.ask(MAIL, **of(2)), await house.ask(PAYMENT, **of(2))
    asked = asyncio.create_task(wait(house, "wait=25&settled=0&inquiry=0"))
    await until(lambda: house.waiting.topics == 1)
    await house.gateway.inquire(payment["id"], house.person("U0FAY"), "Which invoice?")
    (inquiry,) = (await asked).body["requests"][1]["inquiries"]
    assert inquiry["text"] == "Which invoice?"
    one = asyncio.create_task(wait(house, "wait=25&settled=0&inquiry=1"))
    await until(lambda: house.waiting.topics == 1)
    await house.gateway.review(mail["id"], house.person("U0ANA"), Verdict.APPROVE, 1)
    assert (await one).body["settled"] == 1


async def test_a_foreign_or_unknown_group_is_not_found_in_the_same_words(house: House) -> None:
    await house.ask(MAIL, **of(2))
    foreign = await wait(house, key=house.other_agent)
    unknown = await wait(house, group_id="nothing", key=house.other_agent)
    unusable = await wait(house, "wait=0", group_id="%20", key=house.other_agent)
    assert [each.status for each in (foreign, unknown, unusable)] == [404] * 3
    assert foreign.body == unknown.body == unusable.body
    assert (await wait(house, key="")).status == 401
    assert (await house.call("GET", "/v1/groups/batch-1?wait=56")).body["errors"][0]["where"] == "?wait"


async def test_what_does_not_fit_its_group_is_refused_and_nothing_is_stored(house: House) -> None:
    await house.ask(MAIL, **of(1))
    full = await house.call("POST", "/v1/requests", json={**PAYMENT, **of(1)})
    other = await house.call("POST", "/v1/requests", json={**PAYMENT, **of(2)})
    assert [(each.status, each.body["code"]) for each in (full, other)] == [
        (409, "group_full"),
        (409, "group_conflict"),
    ]
    assert len((await house.store.requests()).requests) == 1


async def test_the_same_call_is_found_again_whatever_it_is_asked_together_with(house: House) -> None:
    key = {"Idempotency-Key": "order-7"}
    asked = await house.call("POST", "/v1/requests", json={**MAIL, **of(1)}, headers=key)
    again = [
        await house.call("POST", "/v1/requests", json={**MAIL, **group}, headers=key)
        for group in (of(1), of(4, "after-the-crash"), {})
    ]
    assert [each.status for each in again] == [200] * 3
    assert [each.body for each in again] == [asked.body] * 3
    assert (await wait(house, group_id="after-the-crash")).status == 404
    other = await house.call("POST", "/v1/requests", json={**PAYMENT, **of(1)}, headers=key)
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")


async def test_a_question_alone_may_be_one_of_a_group(house: House) -> None:
    asked = await house.ask({"question": {"text": "Which?"}}, **of(2))
    assert [one["id"] for one in (await wait(house, "wait=0")).body["requests"]] == [asked["id"]]
