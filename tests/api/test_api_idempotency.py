"""The same key with the same body is the same request, for as long as the request lives."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.api.house import MAIL, Answer, House


async def post(house: House, key: str, body: Any, *, secret: str | None = None) -> Answer:
    return await house.call("POST", "/v1/requests", json=body, key=secret, headers={"Idempotency-Key": key})


async def test_the_same_again_gets_the_same_request(house: House) -> None:
    first = await post(house, "a", MAIL)
    reordered = {"arguments": dict(reversed(MAIL["arguments"].items())), "tool": MAIL["tool"]}
    again = await post(house, "a", reordered)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body


async def test_the_same_again_shows_what_became_of_it(house: House) -> None:
    first = await post(house, "a", MAIL)
    await house.call("DELETE", f"/v1/requests/{first.body['id']}")
    again = await post(house, "a", MAIL)
    assert (again.status, again.body["id"], again.body["state"]) == (200, first.body["id"], "withdrawn")


async def test_the_same_key_with_another_body_is_a_conflict(house: House) -> None:
    await post(house, "a", MAIL)
    other = await post(house, "a", {**MAIL, "reason": "another"})
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")


async def test_twenty_at_once_make_one_request(house: House) -> None:
    answers = await asyncio.gather(*(post(house, "a", MAIL) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len((await house.call("GET", "/v1/requests")).body["requests"]) == 1


async def test_two_agents_may_use_the_same_key(house: House) -> None:
    mine, theirs = await post(house, "a", MAIL), await post(house, "a", MAIL, secret=house.other_agent)
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["id"] != theirs.body["id"]


async def test_without_a_key_each_is_a_request_of_its_own(house: House) -> None:
    assert (await house.ask())["id"] != (await house.ask())["id"]
