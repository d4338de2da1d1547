"""People ask the running agent about a call that waits: the model answers, and the run stays where it is."""

from __future__ import annotations

from policies.request import Request
from tests.agent.runner_house import House, said


def answered(request: Request) -> bool:
    """Has the model answered?"""
    return bool(request.inquiries) and not request.unanswered


async def test_the_model_answers_by_itself_and_the_talk_enters_the_transcript_with_the_calls_end(home: House) -> None:
    run = await home.start("pay the vase back")
    request = await home.asked("issue_refund")
    await home.gateway.inquire(request.id, home.person(), "Why the vase?")
    talked = await home.asked("issue_refund", answered)
    assert talked.inquiries[0].answer == "The photo shows it."
    standing = await home.store.run(run.id)
    assert standing is not None
    assert len(standing.transcript) == 2, "the run is where it was"
    await home.review(talked)
    last = said(await home.over(run))
    assert last.startswith('The end: {"refunded": 12.0}')
    assert "While it waited, Ana Reyes asked you: Why the vase?\nYou answered: The photo shows it." in last


async def test_a_question_that_was_open_when_the_gateway_stopped_is_answered_after_its_start(home: House) -> None:
    run = await home.start("pay the vase back")
    request = await home.asked("issue_refund")
    await home.stop_serving()
    await home.gateway.inquire(request.id, home.person(), "Why the vase?")
    home.serve()
    talked = await home.asked("issue_refund", answered)
    assert talked.inquiries[0].answer == "The photo shows it."
    await home.review(talked)
    assert said(await home.over(run)).startswith("The end: ")


async def test_a_model_that_fails_at_answering_fails_neither_the_call_nor_the_run(home: House) -> None:
    run = await home.start("pay the bowl back")
    request = await home.asked("issue_refund")
    await home.gateway.inquire(request.id, home.person(), "Why the bowl?")
    await home.review(request)
    assert said(await home.over(run)) == 'The end: {"refunded": 7.0}'
    assert (await home.gateway.request(request.id)).inquiries[0].answer is None
