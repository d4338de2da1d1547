"""Questions over HTTP: asked before a call or alone, answered once, and never a permission."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from policies.review import Verdict
from tests.api.house import MAIL, PAYMENT, House

KETTLE = {"to": ["ines@example.com"], "subject": "Hello"}
WHO: dict[str, Any] = {
    "text": "Max or Ines?",
    "choices": [{"id": "max", "label": "Max"}, {"id": "ines", "label": "Ines", "arguments": KETTLE}],
    "best_guess": "max",
}


async def read(house: House, request_id: str, **query: Any) -> Any:
    return (await house.call("GET", f"/v1/requests/{request_id}", params=query)).body


async def answer(house: House, request_id: str, by: str = "U0ANA", **said: Any) -> None:
    await house.gateway.answer(request_id, house.person(by), 1, **said)


async def test_a_question_reads_as_it_was_asked_and_its_answer_wakes_a_long_poll(house: House) -> None:
    asked = await house.ask(MAIL, question=WHO)
    assert asked["question"] == {
        "text": "Max or Ines?",
        "choices": [{"id": "max", "label": "Max"}, {"id": "ines", "label": "Ines", "arguments": KETTLE}],
        "free_text": True,
        "best_guess": "max",
        "asked_by": "agent",
    }
    assert (asked["state"], asked["answer"], asked["revision"]) == ("pending", None, 1)
    waiting = asyncio.create_task(read(house, asked["id"], wait=20, revision=1))
    await asyncio.sleep(0)
    await answer(house, asked["id"], choice="ines")
    answered = await asyncio.wait_for(waiting, 5)
    assert (answered["state"], answered["revision"], answered["modified"]) == ("pending", 2, True)
    assert answered["arguments"] == KETTLE
    assert answered["answer"] == {
        "by": "U0ANA",
        "name": "U0Ana",
        "choice": "ines",
        "text": None,
        "guessed": False,
        "at": "2026-11-23T09:00:00Z",
    }
    assert [(one["verdict"], one["note"]) for one in answered["reviews"]] == [("answer", "Ines")]


async def test_nothing_is_claimed_while_a_question_is_open_nor_with_the_digest_from_before(house: House) -> None:
    asked = await house.ask(MAIL, question=WHO)
    path = f"/v1/requests/{asked['id']}/claim"
    assert (await house.call("POST", path, json={"digest": asked["digest"]})).status == 409
    await answer(house, asked["id"], choice="max")
    await house.gateway.review(asked["id"], house.person("U0ANA"), Verdict.APPROVE, 2)
    old = await house.call("POST", path, json={"digest": asked["digest"]})
    assert (old.status, old.body["code"]) == (409, "digest_mismatch")
    standing = await read(house, asked["id"])
    claimed = await house.call("POST", path, json={"digest": standing["digest"]})
    assert (claimed.status, claimed.body["arguments"]) == (200, MAIL["arguments"])


async def test_what_is_allowed_is_asked_about_first_and_what_is_denied_never(house: House) -> None:
    allowed = await house.ask({"tool": "read_mail", "arguments": {}}, question=WHO)
    assert (allowed["state"], allowed["checkpoint"]["kind"]) == ("pending", "allow")
    await answer(house, allowed["id"], choice="max")
    settled = await read(house, allowed["id"])
    assert (settled["state"], settled["decision"]["by"], settled["revision"]) == ("approved", ["policy"], 2)
    denied = await house.ask({"tool": "drop_database", "arguments": {}}, question=WHO)
    assert (denied["state"], denied["question"]) == ("rejected", None)


async def test_an_answer_in_words_lets_nothing_go_that_the_policy_would_allow(house: House) -> None:
    asked = await house.ask({"tool": "read_mail", "arguments": {}}, question=WHO)
    await answer(house, asked["id"], text="No! Neither of them")
    held = await read(house, asked["id"])
    assert (held["state"], held["checkpoint"]["kind"], held["revision"]) == ("pending", "hard", 2)
    assert "answered in words" in held["checkpoint"]["reason"]
    assert held["answer"]["text"] == "No! Neither of them"
    await house.gateway.review(asked["id"], house.person("U0ANA"), Verdict.APPROVE, 2)
    assert (await read(house, asked["id"]))["state"] == "approved"


async def test_a_question_alone_has_no_tool_and_ends_with_its_answer(house: House) -> None:
    asked = await house.ask({"question": {"text": "Which customer?"}})
    assert (asked["tool"], asked["arguments"], asked["checkpoint"]["kind"]) == (None, {}, "clarify")
    await answer(house, asked["id"], by="U0OWNER", text="Mara Holm")
    settled = await read(house, asked["id"], wait=5)
    assert (settled["state"], settled["decision"]["verdict"]) == ("answered", "answered")
    assert settled["decision"]["answer"]["text"] == settled["answer"]["text"] == "Mara Holm"
    assert settled["execution"] is None


async def test_silence_takes_the_best_guess_to_the_gate_and_says_so(house: House) -> None:
    asked = await house.ask(PAYMENT, question={"text": "Now?", "best_guess": "Yes, it is due"})
    stored = await house.gateway.request(asked["id"])
    await house.store.change(stored.id, house.delivered)
    house.clock.move(timedelta(minutes=11))
    await house.gateway.advance(house.clock())
    guessed = await read(house, asked["id"])
    assert (guessed["state"], guessed["checkpoint"]["rule"]) == ("pending", "payments")
    assert (guessed["answer"]["by"], guessed["answer"]["text"]) == ("silence", "Yes, it is due")
    assert guessed["answer"]["guessed"] is True
    assert guessed["deadline_at"] == "2026-11-23T11:11:00Z"


async def test_the_agents_own_limit_only_expires_and_withdrawing_works(house: House) -> None:
    asked = await house.ask(MAIL, question=WHO, expires_in=60)
    house.clock.move(timedelta(minutes=2))
    await house.gateway.advance(house.clock())
    assert (await read(house, asked["id"]))["state"] == "expired"
    other = await house.ask(MAIL, question=WHO)
    assert (await house.call("DELETE", f"/v1/requests/{other['id']}")).body["state"] == "withdrawn"


async def test_the_journal_tells_a_choice_by_its_place_never_by_the_agents_words(house: House) -> None:
    told = {"text": "Which?", "choices": [{"id": "a", "label": "A"}, {"id": "Mara Holm, ill", "label": "B"}]}
    asked = await house.ask(MAIL, question=told)
    await answer(house, asked["id"], choice="Mara Holm, ill")
    lines = await house.store.journal()
    assert [line.detail["choice"] for line in lines if line.what == "answered"] == [2]
    assert "Mara Holm" not in str(lines)
