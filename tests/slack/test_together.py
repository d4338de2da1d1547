"""Several calls of one rule approved in one go: each seen whole by whoever does, each a decision of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.peeks import Peeks
from policies.attention import SAME_PRESS
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import POLICY, House, house, said
from tests.slack.samples import ask
from tests.slack.test_batch import press, pressable

OUR_POLICY = POLICY.replace(
    "rules:\n", 'rules:\n  - {name: tickets, match: "close_*", checkpoint: hard, batch: true}\n'
)
ALL = f"{ids.TOGETHER}.0"


@pytest.fixture
async def home(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway with a rule whose calls may be approved in one go."""
    async with house(sandbox, tmp_path, policy=OUR_POLICY, batch_from=4) as running:
        yield running


async def gathered(home: House, calls: list[tuple[str, dict[str, Any], str]]) -> tuple[dict[str, Any], list[Request]]:
    """All these calls (tool, arguments, whom the agent serves) in one message."""
    await home.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "delay": 30, "effect": "after"})
    first = asyncio.create_task(home.ask({"n": 0}, tool="warm_up"))
    await until(lambda: home.sandbox.control.calls("chat.postMessage"))
    submitted = [
        home.serving.gateway.submit(
            Submission(call=ToolCall(tool=tool, arguments=arguments)),
            Requester(id="key:shop", name="Shop agent", owner=owner),
        )
        for tool, arguments, owner in calls
    ]
    found = [added.request for added in await asyncio.gather(*submitted)]
    # What was asked for after them has its card, in another channel: so they all wait for their turn in theirs.
    await home.ask({"payee": "ACME"}, tool="execute_payment")
    await home.sandbox.control.faults()
    await first
    return await message_of(home, found[0]), found


async def pressed(home: House, person: str, request: Request, action_id: str, value: str = "") -> None:
    """Press the button, in the message with the request as it looks now; the first such button where none is named."""
    for _ in range(3):  # it may be drawn anew in that very moment
        message = await message_of(home, request)
        if (await press(home, person, message, action_id, value or pressable(message, action_id)[0]))["ok"]:
            return
    raise LookupError(f"{action_id} can't be pressed")


async def message_of(home: House, request: Request) -> dict[str, Any]:
    await until(lambda: home.serving.store.copies(request.id))
    return await home.card(request)


async def states(home: House, requests: list[Request]) -> list[State]:
    return [(await home.now(request)).state for request in requests]


async def reads(home: House, person: str) -> str:
    """What the form in front of this person says."""
    return said({"blocks": (await home.front(person))["blocks"]})


async def test_what_was_seen_whole_is_approved_in_one_go_and_the_rest_stays_and_says_why(home: House) -> None:
    shown = [("close_ticket", {"ticket": f"T-{n}"}, "U0NEWT") for n in range(4)]
    cut = ("close_ticket", {"ticket": "T-cut", "note": "x" * 300}, "U0NEWT")
    same = [("close_ticket", {"ticket": "T-same"}, "U0NEWT")] * 3
    message, found = await gathered(
        home, [*shown, cut, *same, ("archive", {"a": 1}, "U0NEWT"), ("close_ticket", {"ticket": "T-mine"}, "U0ANA")]
    )
    assert len(pressable(message, ids.ROW_VIEW)) == 8, "identical calls share a row"

    # somebody whom the policy doesn't name sees why, and no form that approves
    await home.sandbox.control.channel("C0APPROVALS", members=["U0ANA", "U0BEN", "U0FRED", "U0SIGNOFF"])
    await pressed(home, "U0FRED", found[0], ALL)
    assert "Nothing here can be approved together by you" in await home.whispered("U0FRED")

    # identical calls alone; to look decides nothing
    await pressed(home, "U0BEN", found[0], ids.IDENTICAL)
    assert "×3" in await reads(home, "U0BEN")
    assert await states(home, found) == [State.PENDING] * 10
    await pressed(home, "U0FRED", found[0], ids.REJECT_IDENTICAL)
    await home.submit("U0FRED", reason="no")
    assert "0 of 3 were rejected" in await reads(home, "U0FRED")
    assert "not among the reviewers" in await reads(home, "U0FRED")

    await pressed(home, "U0ANA", found[0], ALL)
    told = await reads(home, "U0ANA")
    assert "you haven't seen all of it" in told
    assert "it was asked on your behalf" in told
    assert "1 call of another rule stays" in told
    memo = Memo.model_validate_json((await home.front("U0ANA"))["private_metadata"])
    assert memo.together.keys() == {one.id for one in (*found[:4], *found[5:8])}

    # meanwhile one is rejected and one taken back
    await home.serving.gateway.withdraw(found[1].id, found[1].requester)
    await pressed(home, "U0BEN", found[0], ids.ROW_VIEW, f"{found[0].id}:1")
    await home.press_in_view("U0BEN", ids.REJECT)
    assert (await home.submit("U0BEN", reason="no"))["ok"]
    await home.submit("U0ANA")
    left = await reads(home, "U0ANA")
    assert "5 of 7 were approved" in left
    assert "took this back" in left
    assert "Ben Okafor rejected this" in left
    approved = {one.id for one in (*found[2:4], *found[5:8])}
    became = [State.APPROVED if one.id in approved else State.PENDING for one in found[2:]]
    assert await states(home, found) == [State.REJECTED, State.WITHDRAWN, *became]
    for one in (*found[2:4], *found[5:8]):
        (review,) = (await home.now(one)).reviews
        assert (review.by, review.verdict, review.revision) == ("U0ANA", Verdict.APPROVE, 1)

    # whatever was decided wherever, the message says so
    assert (await home.sandbox.people.command("U0BEN", "C0APPROVALS", f"/approvals approve {found[9].id}"))["ok"]
    for one, words in ((found[9], "approved by Ben Okafor"), (found[2], "approved by Ana Reyes")):
        await home.card_says(one, words)
    await home.card_says(found[0], "rejected by Ben Okafor")
    await home.card_says(found[1], "withdrawn by the agent")
    assert pressable(await message_of(home, found[0]), ALL) == [], "nothing is left to approve in one go"


async def test_a_row_that_leaves_something_out_is_approved_with_others_once_it_was_opened(home: House) -> None:
    calls = [("close_ticket", {"ticket": f"T-{n}", "note": "x" * 300}, "U0NEWT") for n in range(5)]
    _, found = await gathered(home, calls)
    for one in found[:2]:
        await pressed(home, "U0ANA", one, ids.ROW_VIEW, f"{one.id}:1")
    await pressed(home, "U0BEN", found[0], ALL)
    assert "open it first" in await home.whispered("U0BEN"), "what another one opened counts for nobody else"
    await pressed(home, "U0ANA", found[0], ALL)
    view = await home.front("U0ANA")
    assert "You opened it" in said({"blocks": view["blocks"]})

    # each is short, both together are longer than one reads in no time
    assert (await home.submit("U0ANA"))["response_action"] == "update"
    assert "You approved 6" in await reads(home, "U0ANA")
    assert await states(home, found) == [State.PENDING] * 5
    await until(lambda: _asked_back(home, found[:2]))
    home.clock.ahead = SAME_PRESS

    # a form that names more than it listed approves no more
    forged = Memo(r=found[0].id, v=1, b={one.id: 1 for one in found})
    payload = {
        "type": "view_submission",
        "user": {"id": "U0ANA", "team_id": "T0SANDBOX"},
        "view": {"id": "V1", "type": "modal", "callback_id": ids.TOGETHER_FORM, "private_metadata": forged.text()},
    }
    await home.sandbox.control.deliver("view_submission", payload)

    async def decided() -> bool:
        return await states(home, found) == [State.APPROVED] * 2 + [State.PENDING] * 3

    await until(decided)
    await home.submit("U0ANA")
    assert await decided()
    await home.card_says(found[0], "3 of 5 calls still wait")


async def _asked_back(home: House, requests: list[Request]) -> bool:
    sights = [await home.serving.store.sight(one.id, 1, "U0ANA") for one in requests]
    return all(sight.asked_at is not None for sight in sights)


async def test_identical_calls_are_rejected_together_whatever_the_rule_says_of_approving(home: House) -> None:
    _, found = await gathered(home, [("archive", {"folder": "2019"}, "U0NEWT")] * 4)
    message = await message_of(home, found[0])
    assert pressable(message, ids.IDENTICAL) == []
    (value,) = pressable(message, ids.ROW_APPROVE)
    await pressed(home, "U0ANA", found[0], ids.ROW_APPROVE, value)
    await home.card_says(found[0], "3 of 4 calls still wait")
    await pressed(home, "U0ANA", found[0], ids.REJECT_IDENTICAL)
    await home.serving.gateway.withdraw(found[3].id, found[3].requester)
    await home.submit("U0ANA", reason="Once is enough")
    assert "2 of 3 were rejected" in await reads(home, "U0ANA")
    rejected = [one for one in found if (await home.now(one)).state is State.REJECTED]
    assert len(rejected) == 2
    assert [(await home.now(one)).reviews[0].note for one in rejected] == ["Once is enough"] * 2
    assert sorted(state.value for state in await states(home, found)) == ["approved", *["rejected"] * 2, "withdrawn"]


async def test_what_was_opened_for_too_short_a_time_to_be_read_is_asked_back_once_with_the_others(home: House) -> None:
    calls = [("close_ticket", {"ticket": f"T-{n}", "note": "word " * 300 * n}, "U0NEWT") for n in range(5)]
    _, found = await gathered(home, calls)
    await pressed(home, "U0ANA", found[1], ids.ROW_VIEW, f"{found[1].id}:1")
    await pressed(home, "U0ANA", found[0], ALL)
    assert (await home.submit("U0ANA"))["response_action"] == "update"
    asked = await reads(home, "U0ANA")
    assert "You approved 1,5" in asked
    assert "nothing is approved yet" in asked
    assert await states(home, found[:2]) == [State.PENDING, State.PENDING]
    assert (await home.submit("U0ANA"))["ok"]
    assert await states(home, found[:3]) == [State.APPROVED, State.APPROVED, State.PENDING]


def test_looks_are_remembered_by_person_and_revision_and_not_for_ever() -> None:
    peeks = Peeks(most=2)
    requests = [replace(ask({"n": n}), id=f"req_{n}") for n in range(3)]
    peeks.note("U0ANA", requests[0])
    assert peeks.seen("U0ANA", requests[0])
    assert not peeks.seen("U0BEN", requests[0])
    assert not peeks.seen("U0ANA", replace(requests[0], revision=2))
    for request in requests[1:]:
        peeks.note("U0ANA", request)
    assert [peeks.seen("U0ANA", request) for request in requests] == [False, True, True]
