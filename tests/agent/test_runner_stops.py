"""Runs that are stopped, interrupted and taken up again: nothing runs afterwards, and nothing runs twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.agent.errand import Errand
from bot.agent.leftovers import ITSELF
from policies.agent_run import RunState
from policies.request import ExecutionState, State, Submission, ToolCall
from tests.agent.runner_house import House, execution_of, is_claimed, results, resumed, said, use


async def test_a_run_that_is_stopped_takes_back_its_calls_and_the_one_under_way_is_reported(home: House) -> None:
    run = await home.start("slowly pay")
    waiting = await home.asked("issue_refund")
    under_way = await home.review(await home.asked("slow_refund"))
    await home.asked("slow_refund", is_claimed)
    stopped = await home.gateway.stop_run(run.id, home.person("U0NEWT", "Nia Newton"))
    assert stopped.state is RunState.STOPPED
    await home.asked("issue_refund", lambda each: each.state is State.WITHDRAWN)
    (home.folder / "let-end").touch()
    ended = await home.asked("slow_refund", lambda each: execution_of(each) is ExecutionState.SUCCEEDED)
    assert (waiting.state, ended.id) == (State.PENDING, under_way.id)
    assert [each.get("refund") for each in home.effects()] == [None, "HG-2"]
    assert "This run was stopped by Nia Newton." in (await home.thread_says(run, "• slow_refund: done"))[1]


async def test_a_gateway_that_is_told_to_end_lets_the_call_under_way_end_and_be_reported(home: House) -> None:
    run = await home.start("slowly pay")
    await home.review(await home.asked("slow_refund"))
    await home.asked("slow_refund", is_claimed)
    ending = asyncio.create_task(home.stop_serving())
    await asyncio.sleep(0)
    (home.folder / "let-end").touch()
    await ending
    reported = await home.asked("slow_refund")
    assert reported.execution is not None
    assert (reported.execution.state, reported.execution.result) == (ExecutionState.SUCCEEDED, "slowly done")
    home.serve()
    await home.review(await home.asked("issue_refund"))
    assert ("slowly done", False) in results(await home.over(run), 2).values()


async def test_a_run_taken_up_again_joins_the_call_that_still_is_under_way(home: House) -> None:
    await home.stop_serving()
    run = await resumed(home, "slowly pay", use("a", "slow_refund", order_id="HG-2"))
    first = asyncio.create_task(Errand(home.kit, run).live())
    await home.review(await home.asked("slow_refund"))
    await home.asked("slow_refund", is_claimed)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(Errand(home.kit, run).live())
    await asyncio.sleep(0.05)
    (home.folder / "let-end").touch()
    await second
    assert results(await home.over(run), 2) == {"a": ("slowly done", False)}
    assert [each.get("refund") for each in home.effects()] == [None, "HG-2"], "begun once, ended once"
    assert "unknown" not in [row.what for row in await home.store.journal()], "it never was in doubt"


async def test_what_an_approval_let_through_is_revoked_when_the_run_was_stopped_first(home: House) -> None:
    run = await home.start("refund the lamp")
    request = await home.asked("issue_refund")
    await home.stop_serving()
    await home.review(request)
    await home.gateway.stop_run(run.id, home.person("U0NEWT"))
    home.serve()
    revoked = await home.asked("issue_refund", lambda each: execution_of(each) is not ExecutionState.UNCLAIMED)
    assert revoked.execution is not None
    assert revoked.execution.state is ExecutionState.REVOKED
    assert home.effects() == []


async def test_what_a_run_left_open_that_was_stopped_before_it_could_note_it_is_taken_back(home: House) -> None:
    """As after a kill between a submission's commit and the note of it, or between a stop and its clearing up."""
    await home.stop_serving()
    over = await resumed(home, "over", state=RunState.STOPPED)
    alive = await resumed(home, "alive", use("a", "issue_refund", order_id="HG-2", amount=1))
    asked = {}
    for order in ("pending", "approved", "claimed"):
        call = ToolCall(tool="issue_refund", arguments={"order_id": order, "amount": 1})
        asked[order] = (await home.gateway.submit(Submission(call=call, run=over.id), ITSELF)).request
    for order in ("approved", "claimed"):
        await home.review(asked[order])
    await home.gateway.claim(asked["claimed"].id, ITSELF, asked["claimed"].digest)
    home.serve()
    kept = await home.asked("issue_refund", lambda each: each.run == alive.id)
    await home.asked("issue_refund", lambda each: each.state is State.WITHDRAWN)
    await home.asked("issue_refund", lambda each: execution_of(each) is ExecutionState.REVOKED)
    await home.asked("issue_refund", lambda each: execution_of(each) is ExecutionState.UNKNOWN)
    assert (await home.gateway.request(kept.id)).state is State.PENDING, "an active run keeps its own"
    assert home.effects() == []


@pytest.mark.parametrize(("ran", "words"), [(True, "Ana Reyes said that it ran"), (False, "said that it didn't run")])
async def test_a_person_who_says_whether_a_lost_call_ran_lets_the_run_go_on(home: House, ran: bool, words: str) -> None:
    await home.stop_serving()
    run = await resumed(home, "refund", use("a", "issue_refund", order_id="HG-1", amount=1))
    home.serve()
    request = await home.asked("issue_refund")
    await home.stop_serving()
    approved = await home.review(request)
    await home.gateway.claim(request.id, approved.requester, approved.digest)  # and then the lights went out
    home.serve()
    unknown = await home.asked("issue_refund", lambda each: execution_of(each) is ExecutionState.UNKNOWN)
    await home.thread_says(run, "nobody knows whether it ran")
    await home.gateway.attest(unknown.id, home.person(), ran)
    assert words in said(await home.over(run))
    assert home.effects() == [], "it is never run a second time"


async def test_a_lost_call_that_nobody_speaks_for_is_told_as_unknown(home: House) -> None:
    await home.stop_serving()
    run = await resumed(home, "refund", use("a", "issue_refund", order_id="HG-1", amount=1))
    home.serve()
    request = await home.asked("issue_refund")
    await home.stop_serving()
    approved = await home.review(request)
    await home.gateway.claim(request.id, approved.requester, approved.digest)
    await home.gateway.lose(request.id, approved.requester)
    home.clock.ahead = timedelta(hours=2)
    home.serve()
    assert "Nobody knows whether this ran" in said(await home.over(run))
    assert home.effects() == []


async def test_a_tool_that_hangs_ends_as_unknown_and_the_run_goes_on(home: House) -> None:
    run = await home.start("slowly pay")
    await home.review(await home.asked("slow_refund"))
    await home.review(await home.asked("issue_refund"))
    await home.asked("slow_refund", is_claimed)
    home.clock.ahead += timedelta(hours=1, minutes=1)
    await home.gateway.advance(home.clock())
    doubted = await home.asked("slow_refund", lambda each: execution_of(each) is ExecutionState.UNKNOWN)
    home.clock.ahead += timedelta(hours=1, minutes=1)  # the time that people have to say whether it ran
    home.gateway.waiting.wake((doubted.id,))
    over = await home.over(run)
    assert any("Nobody knows whether this ran" in text for text, _ in results(over, 2).values())
    (home.folder / "let-end").touch()
    late = await home.asked("slow_refund", lambda each: execution_of(each) is ExecutionState.SUCCEEDED)
    assert late.execution is not None
    assert late.execution.result == "slowly done"
