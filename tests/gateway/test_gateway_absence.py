"""People out of office, their deputies, and edits that nobody left could approve, over real wires."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.slack import ids
from policies.question import Choice, Question
from policies.request import Request, Requester, State, Submission, ToolCall
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house, said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

POLICY = """
version: 1
digest: off
reviewers:
  support: {channel: "#approvals", users: [U0ANA, U0BEN]}
  finance: {channel: "#finance-approvals", users: [U0FAY, U0FRED], deputy: chiefs}
  chiefs: {users: [U0SAM]}
  treasury: {users: [U0FAY, U0FRED]}
  lone: {users: [U0FAY]}
  gone: {users: [U0DEL]}
ladders:
  standard: [{after: 2h, then: expire}]
  grows: [{after: 1h, add: chiefs}, {after: 2h, then: expire}]
rules:
  - {name: payments, match: pay, checkpoint: hard, reviewers: finance}
  - {name: transfers, match: move, checkpoint: hard, reviewers: treasury, ladder: grows}
  - {name: small, match: buy, when: args.amount < 100, checkpoint: hard, reviewers: support, ladder: grows}
  - {name: huge, match: buy, when: args.amount >= 1000, checkpoint: hard, quorum: {support: 1, gone: 1}}
  - {name: large, match: buy, when: args.amount >= 100, checkpoint: hard, quorum: {support: 1, lone: 1}, ladder: grows}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
AGENT = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")
NOBODYS = Requester(id="key:plain", name="Plain agent")
SCHEMA = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    with SandboxProcess() as sandbox:
        async with house(sandbox, Path(tmp_path_factory.mktemp("absence")), policy=POLICY) as running:
            yield running
        await sandbox.aclose()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _everybody_is_here(home: House) -> None:
    for who in ("U0FAY", "U0FRED", "U0SAM"):
        await home.sandbox.control.person(who, status_emoji="", status_text="", status_expiration=0)
    home.clock.ahead += timedelta(minutes=11)


async def _leave(home: House, *people: str, days: int = 3, **status: Any) -> None:
    back = int((home.clock() + timedelta(days=days)).timestamp())
    told = {"status_emoji": ":palm_tree:", "status_text": "Vacationing", "status_expiration": back, **status}
    for who in people:
        await home.sandbox.control.person(who, **told)


async def _ask(home: House, tool: str) -> Request:
    """A request, whose cards may still be on their way: channels take one message a second."""
    call = ToolCall(tool=tool, arguments={"amount": 9}, schema=SCHEMA)
    return (await home.serving.gateway.submit(Submission(call=call), AGENT)).request


async def _thread(home: House, request: Request) -> str:
    """Everything that is said in the thread of the request's card in finance's channel."""
    copies = [copy for copy in await home.serving.store.copies(request.id) if copy.channel == "C0FINANCE"]
    seen = [await home.sandbox.people.history("U0FAY", "C0FINANCE", copy.ts) for copy in copies]
    return "\n".join(said(one) for messages in seen for one in messages)


async def test_the_deputy_of_a_group_that_is_away_is_asked_at_once_and_everybody_can_see_why(home: House) -> None:
    await _leave(home, "U0FAY", "U0FRED")
    request = await _ask(home, "pay")
    assert [(one.of, one.group.name) for one in request.stand_ins] == [("finance", "chiefs")]

    async def reached() -> bool:
        return {"#finance-approvals", "U0SAM"} <= {copy.to for copy in await home.serving.store.copies(request.id)}

    await until(reached)
    told = await _thread(home, request)
    assert "finance is out of office until <!date^" in told
    assert "Fay Lindqvist (away), Fred Marsh (away)" in told
    assert "<@U0FAY>" not in told

    async def explained() -> bool:
        return "<@U0SAM> finance is out of office until" in await _thread(home, request)

    await until(explained)
    assert (await home.sandbox.people.press("U0SAM", *await _copy(home, request, "U0SAM"), ids.APPROVE)) == {"ok": True}
    assert (await home.now(request)).state is State.APPROVED


async def _copy(home: House, request: Request, to: str) -> tuple[str, str]:
    """Where the copy of the card stands that was posted there, as soon as it does."""

    async def found() -> list[tuple[str, str]]:
        copies = await home.serving.store.copies(request.id)
        return [(copy.channel, copy.ts) for copy in copies if copy.to == to]

    place: tuple[str, str] = (await until(found))[0]
    return place


async def test_somebody_away_who_decides_all_the_same_counts(home: House) -> None:
    await _leave(home, "U0FAY", "U0FRED", status_expiration=0)
    request = await _ask(home, "pay")
    assert [one.until for one in request.stand_ins] == [None]
    await home.sandbox.people.press("U0FAY", *await _copy(home, request, "#finance-approvals"), ids.APPROVE)
    assert (await home.now(request)).state is State.APPROVED


@pytest.mark.parametrize(
    "status", [{"status_expiration": 1}, {"status_emoji": ":house_with_garden:", "status_text": "Working remotely"}]
)
async def test_nobody_else_is_asked_while_somebody_is_here(home: House, status: dict[str, Any]) -> None:
    await _leave(home, "U0FAY")
    await _leave(home, "U0FRED", **status)
    request = await _ask(home, "pay")
    assert (request.stand_ins, request.joined) == ((), ())


async def test_without_a_deputy_the_ladders_next_group_is_asked_early(home: House) -> None:
    await _leave(home, "U0FAY", "U0FRED")
    request = await _ask(home, "move")
    assert [group.name for group in request.joined] == ["chiefs"]
    assert [(one.of, one.by_ladder) for one in request.stand_ins] == [("treasury", True)]


async def test_while_slack_can_not_be_asked_who_is_away_a_request_is_opened_as_usual(home: House) -> None:
    await _leave(home, "U0FAY", "U0FRED")
    await home.sandbox.control.faults({"method": "users.info", "times": 30, "status": 500, "effect": "before"})
    request = await _ask(home, "pay")
    await home.sandbox.control.faults()
    assert (request.state, request.stand_ins) == (State.PENDING, ())


async def _edited(home: House, amount: str) -> tuple[Request, dict[str, Any]]:
    request = await _ask(home, "buy")
    await _copy(home, request, "#approvals")
    await home.press("U0ANA", request, ids.MODIFY)
    return request, await home.submit("U0ANA", field_0=amount)


async def test_an_edit_that_nobody_left_could_approve_is_refused_in_the_form_with_the_reason(home: House) -> None:
    request, answer = await _edited(home, "1000")
    assert "With these changes nobody could approve it" in json.dumps([answer, await home.front("U0ANA")])
    standing = await home.now(request)
    assert (standing.revision, standing.reviews, standing.state) == (1, (), State.PENDING)
    await home.press("U0BEN", request, ids.APPROVE)
    assert (await home.now(request)).state is State.APPROVED


async def test_an_edit_before_people_who_are_away_calls_the_ladders_next_group_at_once(home: House) -> None:
    await _leave(home, "U0FAY")
    request, _ = await _edited(home, "100")
    standing = await home.now(request)
    assert (standing.revision, standing.state, [each.name for each in standing.joined]) == (
        2,
        State.PENDING,
        ["chiefs"],
    )
    await home.card_says(request, "lone is out of office until")


async def _answered(home: House, amount: int) -> Request:
    """A purchase before which somebody chose another amount."""
    call = ToolCall(tool="buy", arguments={"amount": 9}, schema=SCHEMA)
    asked = Question(text="How much?", choices=(Choice(id="other", label="More", arguments={"amount": amount}),))
    request = (await home.serving.gateway.submit(Submission(call=call, question=asked), NOBODYS)).request
    await _copy(home, request, "#approvals")
    await home.press("U0ANA", request, f"{ids.ANSWER}.0")
    return await home.now(request)


async def test_an_answer_that_leads_before_people_who_are_away_calls_the_ladders_next_group_at_once(
    home: House,
) -> None:
    await _leave(home, "U0FAY")
    standing = await _answered(home, 100)
    assert (standing.revision, standing.state) == (2, State.PENDING)
    assert [each.name for each in standing.joined] == ["chiefs"]


async def test_an_answer_after_which_nobody_could_approve_is_refused_with_the_reason(home: House) -> None:
    standing = await _answered(home, 1000)
    assert (standing.revision, standing.asking, standing.state) == (1, True, State.PENDING)
    assert "With this answer nobody could approve it" in await home.whispered("U0ANA")


async def test_an_edit_after_an_answer_calls_the_ladders_next_group_too(home: House) -> None:
    await _leave(home, "U0FAY")
    request = await _answered(home, 50)
    await home.shown(request)
    await home.press("U0ANA", request, ids.MODIFY)
    await home.submit("U0ANA", field_0="100")
    standing = await home.now(request)
    assert (standing.revision, [each.name for each in standing.joined]) == (3, ["chiefs"])
