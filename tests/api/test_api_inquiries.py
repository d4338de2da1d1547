"""What people ask the agent, over HTTP: it hears of it while it waits, answers once, and nothing is decided by it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.api.house import Answer, House, until


async def ask_agent(house: House, request_id: str, text: str = "Why Max?") -> str:
    """The id of what Ana asked."""
    asked = await house.gateway.inquire(request_id, house.person("U0ANA"), text)
    return asked.inquiries[-1].id


async def answer(house: House, request_id: str, key: str | None = None, **body: Any) -> Answer:
    return await house.call("POST", f"/v1/requests/{request_id}/answers", key=key, json=body)


async def test_a_question_reads_as_it_was_asked_and_the_answer_stands_beside_it(house: House) -> None:
    asked = await house.ask()
    assert (asked["inquiries"], asked["paused_until"]) == ([], None)
    inquiry = await ask_agent(house, asked["id"])
    shown = (await house.call("GET", f"/v1/requests/{asked['id']}")).body
    assert shown["inquiries"] == [
        {
            "id": inquiry,
            "by": "U0ANA",
            "name": "U0Ana",
            "at": "2026-11-23T09:00:00Z",
            "text": "Why Max?",
            "answer": None,
            "answered_at": None,
        }
    ]
    assert shown["paused_until"] == "2026-11-23T09:30:00Z"
    house.clock.move(timedelta(minutes=4))
    told = await answer(house, asked["id"], inquiry=inquiry, text="He ordered it.")
    assert (told.status, told.body["state"], told.body["paused_until"]) == (200, "pending", None)
    kept = told.body["inquiries"][0]
    assert (kept["answer"], kept["answered_at"]) == ("He ordered it.", "2026-11-23T09:04:00Z")
    for same in ("digest", "revision", "arguments", "checkpoint", "reviews", "decision"):
        assert told.body[same] == asked[same]


async def test_a_wait_that_names_how_many_it_knows_ends_with_the_next_question_and_no_other_does(house: House) -> None:
    asked = await house.ask()
    path = f"/v1/requests/{asked['id']}"
    knowing = asyncio.create_task(house.call("GET", f"{path}?wait=25&revision=1&inquiry=0"))
    others = asyncio.create_task(house.call("GET", f"{path}?wait=1&revision=1"))
    await until(lambda: house.waiting.topics == 1)
    inquiry = await ask_agent(house, asked["id"])
    assert [each["id"] for each in (await knowing).body["inquiries"]] == [inquiry]
    assert not others.done()
    assert (await others).body["state"] == "pending"
    unfit = await house.call("GET", f"{path}?inquiry=-1")
    assert (unfit.status, unfit.body["errors"][0]["where"]) == (422, "?inquiry")


async def test_an_answer_is_taken_once_from_the_agent_that_asked_and_from_nobody_else(house: House) -> None:
    asked = await house.ask()
    inquiry = await ask_agent(house, asked["id"])
    foreign = await answer(house, asked["id"], key=house.other_agent, inquiry=inquiry, text="I am it")
    assert (foreign.status, foreign.body["code"]) == (404, "not_found")
    unknown = await answer(house, asked["id"], inquiry="inq_7", text="So it is")
    assert (unknown.status, unknown.body["code"]) == (404, "not_found")
    empty = await answer(house, asked["id"], inquiry=inquiry, text=" ")
    assert (empty.status, empty.body["errors"][0]["where"]) == (422, "/text")
    first = [(await answer(house, asked["id"], inquiry=inquiry, text="Yes")).status for _ in range(2)]
    assert first == [200, 200]
    other = await answer(house, asked["id"], inquiry=inquiry, text="No")
    assert (other.status, other.body["code"]) == (409, "already_answered")
    await house.call("DELETE", f"/v1/requests/{asked['id']}")
    late = await answer(house, asked["id"], inquiry=inquiry, text="Yes")
    assert (late.status, late.body["code"]) == (409, "already_settled")
