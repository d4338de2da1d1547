"""What a run of the agent does with its calls, over the real wires."""

from __future__ import annotations

from datetime import timedelta

import pytest

from policies.agent_run import RunState
from policies.errors import NotAllowed
from policies.loader import load
from policies.request import ExecutionState, State
from policies.review import Verdict
from tests.agent.runner_house import POLICY, House, execution_of, of_order, results, resumed, said, use


async def test_all_calls_of_one_message_are_answered_together_each_as_it_ended(home: House) -> None:
    run = await resumed(
        home,
        "refund",
        use("a", "read_order", order_id="HG-7"),
        use("b", "issue_refund", order_id="HG-7", amount=5, signoff_reason="broken", signoff_confidence=0.4),
        use("c", "drop_table", name="orders"),
        use("d", "fly_to_moon", speed=3),
        use("e", "read_order", order_number=7),
        use("f", "issue_refund", order_id="HG-8", amount=5000),
    )
    for order in ("HG-7", "HG-8"):
        request = await home.asked("issue_refund", of_order(order))
        standing = await home.store.run(run.id)
        assert standing is not None
        assert len(standing.transcript) == 2, "nothing is answered before everything is"
        await home.review(request)
    told = results(await home.over(run), 2)
    assert list(told) == ["a", "b", "c", "d", "e", "f"]
    assert told["a"] == ('{"order_id": "HG-7", "total": 140}', False)
    assert told["b"] == ('{"refunded": 5.0}', False)
    assert told["c"][0].startswith("The policy refuses this call")
    assert told["d"][0].startswith("There is no tool named fly_to_moon")
    assert "order_number" in told["e"][0]
    assert told["f"] == ("The bank refuses more than 1000.", True)
    assert all(told[each][1] for each in "cdef")
    assert home.effects() == [{"refund": "HG-7", "amount": 5.0}]


async def test_reason_and_confidence_are_asked_for_gated_calls_only_and_never_reach_the_tool(home: House) -> None:
    run = await home.start("refund the lamp")
    request = await home.asked("issue_refund")
    assert (request.reason, request.confidence) == ("It came broken.", 0.8)
    assert request.call.arguments == {"order_id": "HG-1", "amount": 140}
    await home.review(request)
    uses = [block for block in (await home.over(run)).transcript[1]["content"] if block["type"] == "tool_use"]
    assert uses[0]["input"] == {"order_id": "HG-1"}, "reading is always allowed, so nobody is told why"
    assert uses[1]["input"]["signoff_reason"] == "It came broken."


async def test_a_no_is_told_as_a_no_with_its_words(home: House) -> None:
    run = await home.start("refund the lamp")
    await home.review(await home.asked("issue_refund"), Verdict.REJECT, note="too much")
    ended = await home.over(run)
    assert said(ended).startswith("The end: Rejected by Ana Reyes: too much")
    assert home.effects() == []
    await home.thread_says(run, "✗ issue_refund: Rejected by Ana Reyes: too much")


async def test_who_is_over_budget_is_told_when_to_ask_again_and_the_run_ends(home: House) -> None:
    strict = "budgets: [{agents: runner, cool_off: {rejections: 1, within: 10m, for: 15m}}]"
    await home.gateway.shelf.replace(load(f"{POLICY}{strict}\n", source="p.yml"), "test", home.clock())
    rejected, other = await home.start("refund the lamp"), await home.start("refund the lamp", owner="U0BEN")
    await home.review(await home.asked("issue_refund", lambda each: each.run == rejected.id), Verdict.REJECT)
    await home.over(rejected)
    ended = await home.over(await home.start("refund the lamp"))
    assert ended.state is RunState.DONE
    assert said(ended).startswith("The end: 1 of your calls was rejected; nothing new goes to people before ")
    assert said(ended).endswith("It was not run. Do not try it again in this run; say plainly that it is still open.")
    await home.review(await home.asked("issue_refund", lambda each: each.run == other.id))
    assert (await home.over(other)).state is RunState.DONE, "another person's runs are another agent's"


async def test_silence_is_told_as_silence_and_not_as_a_no(home: House) -> None:
    run = await home.start("refund the lamp")
    await home.asked("issue_refund")
    home.clock.ahead = timedelta(hours=3)
    await home.gateway.advance(home.clock())
    ended = said(await home.over(run))
    assert "Nobody answered in time" in ended
    assert "That is not a no" in ended
    assert home.effects() == []


async def test_a_changed_call_runs_as_changed_and_the_agent_hears_what_changed(home: House) -> None:
    run = await home.start("refund the lamp")
    request = await home.asked("issue_refund")
    await home.review(request, Verdict.MODIFY, arguments={"order_id": "HG-1", "amount": 40})
    ended = said(await home.over(run))
    assert "A reviewer changed the arguments before this ran." in ended
    assert "- amount: 140 → 40" in ended
    assert home.effects() == [{"refund": "HG-1", "amount": 40.0}]


async def test_an_approval_that_nobody_used_in_time_is_told_as_lapsed(home: House) -> None:
    await home.stop_serving()
    run = await resumed(home, "refund", use("a", "issue_refund", order_id="HG-1", amount=1))
    home.serve()
    request = await home.asked("issue_refund")
    await home.stop_serving()
    await home.review(request)
    home.clock.ahead = timedelta(hours=1)
    await home.gateway.advance(home.clock())
    home.serve()
    assert "the approval lapsed" in said(await home.over(run))
    assert home.effects() == []


async def test_a_queued_call_is_answered_at_once_and_its_result_enters_later(home: House) -> None:
    run = await home.start("file a note")
    refund = await home.asked("issue_refund")
    note = await home.asked("file_note")
    assert note.state is State.PENDING
    await home.review(refund)
    standing = await home.thread_says(run, "⏸ file_note: waits for support")
    assert standing
    current = await home.store.run(run.id)
    assert current is not None
    assert current.state is RunState.ACTIVE, "the run stays open for the queued call"
    assert results(current, 2)[next(iter(results(current, 2)))][0].startswith("Queued for review")
    await home.review(note)
    ended = await home.over(run)
    entered = [block["text"] for block in ended.transcript[-2]["content"] if block["type"] == "text"]
    assert entered == [f"The call that was queued for review ({note.id}): filed hello"]
    assert {"note": "hello"} in home.effects()


async def test_an_approval_of_a_queued_call_is_used_while_the_agent_waits_for_another(home: House) -> None:
    """Left until the agent has nothing else to do, the approval would lapse."""
    run = await home.start("file a note")
    refund, note = await home.asked("issue_refund"), await home.asked("file_note")
    await home.review(note)
    await home.asked("file_note", lambda each: execution_of(each) is ExecutionState.SUCCEEDED)
    await home.review(refund)
    ended = await home.over(run)
    together = ended.transcript[4]["content"]
    assert [block["type"] for block in together] == ["tool_result", "text"], "the result comes with the next message"
    assert together[1]["text"].endswith("filed hello")


async def test_a_queued_call_that_nobody_looks_at_ends_the_run_at_its_limit(home: House) -> None:
    run = await home.start("stand in line")
    await home.asked("file_note")
    home.clock.ahead = timedelta(hours=25)
    await home.gateway.advance(home.clock())
    ended = await home.over(run)
    assert ended.state is RunState.DONE
    assert "not done: Nobody answered in time" in ended.transcript[-2]["content"][0]["text"]
    assert home.effects() == []


async def test_who_started_a_run_can_not_approve_its_calls(home: House) -> None:
    await home.start("refund the lamp")
    request = await home.asked("issue_refund")
    with pytest.raises(NotAllowed):
        await home.gateway.review(request.id, home.person("U0NEWT", "Nia Newton"), Verdict.APPROVE, request.revision)
    assert request.requester.owner == "U0NEWT"


async def test_a_run_that_goes_round_in_circles_is_ended(home: House) -> None:
    ended = await home.over(await home.start("go in circles"), within=30)
    assert ended.state is RunState.FAILED
    assert ended.note == "The run was ended after 60 turns without a result."
    assert sum(message["role"] == "assistant" for message in ended.transcript) == 60


async def test_a_run_that_always_falls_over_is_ended_and_others_go_on(
    home: House, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = await resumed(home, "broken", {"type": "tool_use", "id": "x"})
    other = await home.start("anything")
    assert (await home.over(other)).state is RunState.DONE
    ended = await home.over(broken)
    assert ended.state is RunState.FAILED
    assert "again and again" in str(ended.note)


async def test_the_thread_reads_in_order_and_ends_with_what_came_of_it(home: House) -> None:
    run = await home.start("pay both")
    for order in ("HG-1", "HG-2"):
        await home.review(await home.asked("issue_refund", of_order(order)))
    await home.over(run)
    texts = await home.thread_says(run, "Both are paid.")
    assert texts[0] == "Working on: pay both"
    assert texts[1].splitlines()[0] in ("Done.", "Working on it …")
    assert texts[2:] == ["First the one.", "Then the other.", "Both are paid."]
    final = await home.thread_says(run, "Done.\n✓ issue_refund\n✓ read_order\n✓ issue_refund")
    assert len(final) == 5


async def test_words_too_long_for_slack_are_cut_with_a_notice_and_kept_in_the_run(home: House) -> None:
    run = await home.start("talk")
    ended = await home.over(run)
    assert said(ended).endswith("end.")
    text = (await home.thread_says(run, "Start"))[-1]
    assert len(text) < 10_000
    assert "more characters in" in text
