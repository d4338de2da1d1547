"""Whoever may not, whatever is stale, late, too large or foreign: each is told so, and nothing at all changes."""

import copy
import json
from typing import Any

import pytest

from tests.gateway.stage import REFUND, REFUND_SCHEMA, Card, Json, Stage
from tests.sandbox_process import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


async def _delivered(stage: Stage, kind: str = "hard", **rest: Any) -> tuple[Json, Card]:
    """A request whose card is out, so that the journal stands still."""
    asked = await stage.ask(kind, **rest)
    card = await stage.card(asked["id"])

    async def written() -> bool:
        return stage.journal(asked["id"]) == 2

    await until(written)
    return asked, card


async def _recorded_click(stage: Stage, card: Card) -> Json:
    """The payload of an outsider's click on the card, as Slack sent it."""
    await stage.press("U0FAY", card, "signoff.approve")
    await stage.whisper("U0FAY", card.channel, "not among the reviewers")
    clicks = await stage.control.calls("block_actions")
    return dict(clicks[-1]["body"]["payload"])


async def _is_told(stage: Stage, payload: Json, person: str, words: str) -> None:
    """Deliver the click again as another person's, and see that ``words`` are among the private answers.

    On a busy machine a look-up may take too long: then Signoff says "press again", and the person does.
    """
    forged = copy.deepcopy(payload)
    forged["user"]["id"] = person
    for _ in range(3):
        since = (await stage.control.record())[-1]["n"]
        assert (await stage.control.deliver("block_actions", forged))["outcome"] == "acked"

        async def answered(since: int = since) -> str | None:
            calls = [call for call in await stage.control.record(since) if call["kind"] == "response_url"]
            told = [call["body"]["text"] for call in calls if call["body"].get("response_type") == "ephemeral"]
            return next((text for text in told if words in text or "press again" in text), None)

        if words in await until(answered):
            return
    raise AssertionError(f"{person} was never told: {words}")


@pytest.mark.parametrize(
    ("person", "words"),
    [
        ("U0FAY", "You are not among the reviewers of this request"),
        ("U0GUS", "your account is a guest's"),
        ("U0EXT", "your account is another organisation's"),
    ],
    ids=["outsider", "guest", "stranger"],
)
async def test_a_click_by_somebody_who_may_not_decide_changes_nothing(stage: Stage, person: str, words: str) -> None:
    asked, card = await _delivered(stage)
    before = stage.journal()
    assert (await stage.press(person, card, "signoff.approve"))["ok"]
    await stage.whisper(person, card.channel, words)
    await stage.press(person, card, "signoff.reject")
    assert (await stage.fill(person, {"Why?": "no"}))["ok"]
    assert words in json.dumps(await stage.modal(person))
    await stage.people.close(person, (await stage.modal(person))["id"])
    assert (await stage.request(asked["id"]))["state"] == "pending"
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])


async def test_a_click_by_somebody_deactivated_meanwhile_changes_nothing(stage: Stage) -> None:
    asked, card = await _delivered(stage)
    click = await _recorded_click(stage, card)
    before = stage.journal()
    await _is_told(stage, click, "U0DEL", "your account is deactivated")
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])


async def test_somebody_whom_slack_does_not_know_decides_nothing(stage: Stage) -> None:
    asked, card = await _delivered(stage)
    click = await _recorded_click(stage, card)
    before = stage.journal()
    await _is_told(stage, click, "U0NOBODY", "doesn't know you")
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])


async def test_the_keys_owner_may_not_approve_or_modify_but_may_reject(stage: Stage) -> None:
    agent = await stage.serve.agent("anas", owner="U0ANA")
    asked, card = await _delivered(stage, by=agent, schema=REFUND_SCHEMA)
    before = stage.journal()
    assert (await stage.press("U0ANA", card, "signoff.approve"))["ok"]
    await stage.whisper("U0ANA", card.channel, "it was asked on your behalf")
    told = len(await stage.whispers("U0ANA", card.channel))
    assert (await stage.press("U0ANA", card, "signoff.modify"))["ok"]

    async def told_again() -> bool:
        return len(await stage.whispers("U0ANA", card.channel)) > told

    await until(told_again)
    assert stage.journal() == before
    await stage.press("U0ANA", card, "signoff.reject")
    assert (await stage.fill("U0ANA", {}))["ok"]
    assert stage.decisions(asked["id"]) == [("rejected", ["U0ANA"])]


async def test_whom_the_agent_says_it_acts_for_may_not_approve(stage: Stage) -> None:
    asked, card = await _delivered(stage, on_behalf_of="ben@example.com")
    before = stage.journal()
    await stage.press("U0BEN", card, "signoff.approve")
    await stage.whisper("U0BEN", card.channel, "it was asked on your behalf")
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])


async def test_what_belongs_to_an_older_revision_decides_nothing(stage: Stage) -> None:
    asked, card = await _delivered(stage, "pair", schema=REFUND_SCHEMA)
    click = await _recorded_click(stage, card)
    await stage.press("U0BEN", card, "signoff.modify")
    await stage.press("U0ANA", card, "signoff.modify")
    assert (await stage.fill("U0ANA", {"Amount": "90"}))["ok"]
    assert (await stage.request(asked["id"]))["revision"] == 2
    before = stage.journal()
    assert (await stage.fill("U0BEN", {"Amount": "20"}))["ok"]
    assert "so this is revision 2 by now" in json.dumps(await stage.modal("U0BEN"))
    await stage.people.close("U0BEN", (await stage.modal("U0BEN"))["id"])
    await _is_told(stage, click, "U0BEN", "This is revision 2 by now")
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])
    standing = await stage.request(asked["id"])
    assert (standing["state"], standing["arguments"]["amount"]) == ("pending", 90)


async def test_a_second_click_is_told_who_decided(stage: Stage) -> None:
    asked, card = await _delivered(stage)
    click = await _recorded_click(stage, card)
    await stage.press("U0ANA", card, "signoff.approve")
    before = stage.journal()
    for person in ("U0ANA", "U0BEN"):
        await _is_told(stage, click, person, "Ana Reyes approved this")
    assert (stage.journal(), stage.decisions(asked["id"])) == (before, [("approved", ["U0ANA"])])


FAILURES: list[Json] = [
    {"error": "internal_error"},
    {"status": 500},
    {"reset": True},
    {"delay": 2.4},
    {"status": 429, "retry_after": 1},
]


async def test_while_slack_can_not_say_who_somebody_is_nothing_is_approved_and_they_are_asked_to_press_again(
    stage: Stage,
) -> None:
    asked, card = await _delivered(stage)
    before = stage.journal()
    for failure in FAILURES:
        told = len(await stage.whispers("U0SAM", card.channel))
        await stage.control.faults({"method": "users.info", "times": 3, **failure})
        assert (await stage.press("U0SAM", card, "signoff.approve"))["ok"]

        async def answered(number: int = told + 1) -> bool:
            return len(await stage.whispers("U0SAM", card.channel)) == number

        await until(answered)
        assert (stage.journal(), stage.decisions(asked["id"])) == (before, [])
    assert all("press again" in words for words in await stage.whispers("U0SAM", card.channel))
    await stage.control.faults()
    await stage.press("U0SAM", card, "signoff.approve")
    assert stage.decisions(asked["id"]) == [("approved", ["U0SAM"])]


async def test_another_agents_key_finds_nothing(stage: Stage) -> None:
    asked, card = await _delivered(stage)
    await stage.press("U0ANA", card, "signoff.approve")
    other = await stage.serve.agent("other")
    before = stage.journal()
    unknown = await other.read("req_00000000000000000000000000000000")
    answers = [
        await other.read(asked["id"]),
        await other.claim(asked["id"], asked["digest"]),
        await other.report(asked["id"], "succeeded"),
        await other.withdraw(asked["id"]),
    ]
    assert answers == [unknown] * 4
    assert unknown.status == 404
    assert (stage.journal(), stage.execution(asked["id"])) == (before, "unclaimed")


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        ({"text": "x" * 1_000_000}, 413, "body_too_large"),
        ({"text": "x" * 70_000}, 422, "too_large"),
        ({"deep": _nested(70)}, 400, "malformed"),
        ({"number": 2**53 + 1}, 400, "malformed"),
    ],
    ids=["a megabyte", "70 kB", "70 deep", "beyond 2^53"],
)
async def test_arguments_out_of_bounds_are_refused_with_words_and_nothing_is_stored(
    stage: Stage, arguments: Json, status: int, code: str
) -> None:
    before = stage.journal()
    answer = await stage.agent.submit("hard_0", arguments)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.body["detail"]
    assert stage.journal() == before


async def test_a_call_that_the_schema_does_not_admit_is_refused_with_the_place(stage: Stage) -> None:
    answer = await stage.agent.submit("hard_0", {**REFUND, "amount": -1}, schema=REFUND_SCHEMA)
    assert (answer.status, answer.body["errors"][0]["where"]) == (422, "/arguments/amount")
