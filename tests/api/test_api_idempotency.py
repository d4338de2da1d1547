"""The same key with the same body is the same request, for as long as the request lives."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.api.house import MAIL, Answer, House, open_house


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


async def test_a_number_is_the_same_with_and_without_a_point(house: House) -> None:
    first = await post(house, "a", {**MAIL, "expires_in": 600, "group": {"id": "g", "size": 2}})
    again = await post(house, "a", {**MAIL, "expires_in": 600.0, "group": {"id": "g", "size": 2.0}})
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    for wrong in ({"expires_in": 600.5}, {"group": {"id": "g", "size": 2.5}}, {"group": {"id": "g", "size": True}}):
        assert (await post(house, "b", {**MAIL, **wrong})).status == 422


async def test_the_same_again_is_the_same_request_however_it_ended(house: House) -> None:
    read, drop = {"tool": "read_mail", "arguments": {}}, {"tool": "drop_database", "arguments": {}}
    ran = (await post(house, "ran", read)).body
    address, digest = f"/v1/requests/{ran['id']}", {"digest": ran["digest"]}
    await house.call("POST", f"{address}/claim", json=digest)
    for status in ("claimed", "succeeded"):
        again = await post(house, "ran", read)
        assert (again.status, again.body["id"], again.body["execution"]["state"]) == (200, ran["id"], status)
        await house.call("POST", f"{address}/report", json={"status": "succeeded"})
    denied, waited = (await post(house, "denied", drop)).body, (await post(house, "waited", MAIL)).body
    house.clock.move(timedelta(days=2))
    await house.gateway.advance(house.clock())
    for key, body, first, state in (("denied", drop, denied, "rejected"), ("waited", MAIL, waited, "expired")):
        again = await post(house, key, body)
        assert (again.status, again.body["id"], again.body["state"]) == (200, first["id"], state)


async def test_the_same_again_is_the_same_request_after_a_restart(house: House, tmp_path: Path) -> None:
    first = await post(house, "a", MAIL)
    await house.store.close()
    async with open_house(tmp_path, again=house) as later:
        again = await post(later, "a", MAIL)
        assert (again.status, again.body) == (200, first.body)
        assert (await post(later, "a", {**MAIL, "reason": "another"})).body["code"] == "idempotency_conflict"


async def test_after_a_purge_the_same_again_is_what_is_left_of_it_and_nothing_is_asked_or_run_twice(
    house: House,
) -> None:
    read = {"tool": "read_mail", "arguments": {"folder": "Inbox"}}
    first = (await post(house, "a", read)).body
    address, digest = f"/v1/requests/{first['id']}", {"digest": first["digest"]}
    claim = {"json": digest, "headers": {"Idempotency-Key": "c"}}
    assert (await house.call("POST", f"{address}/claim", **claim)).body["arguments"] == {"folder": "Inbox"}
    await house.call("POST", f"{address}/report", json={"status": "succeeded"})
    house.clock.move(timedelta(days=91))
    await house.store.purge(house.clock() - timedelta(days=90), house.clock())
    again = await post(house, "a", read)
    assert (again.status, again.body["id"], again.body["arguments"]) == (200, first["id"], {})
    assert again.body["purged_at"] is not None
    assert again.body["execution"]["state"] == "succeeded"
    assert (await post(house, "a", {**read, "reason": "another"})).body["code"] == "idempotency_conflict"
    refused = await house.call("POST", f"{address}/claim", **claim)
    assert (refused.status, refused.body["code"]) == (409, "call_purged")
    assert len((await house.call("GET", "/v1/requests")).body["requests"]) == 1


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
