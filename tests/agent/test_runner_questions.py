"""The model asks people, and calls that a rule asks about first, over the real wires."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.agent.progress import progress
from bot.agent.questions import SCHEMA, question_of
from bot.agent.tools import ToolFailed
from bot.agent.transcript import tool_uses
from policies.request import Request, State
from tests.agent.runner_house import House, results, resumed, said, use
from tests.sandbox_process import until


async def asked(home: House) -> Request:
    """The open question, once its card is there."""

    async def there() -> Request | None:
        found = (await home.store.requests(states=(State.PENDING,))).requests
        open_ = [request for request in found if request.asking and await home.store.copies(request.id)]
        return open_[0] if open_ else None

    found: Request = await until(there)
    return found


async def test_the_model_asks_people_and_hears_who_answered_what(home: House) -> None:
    run = await home.start("write to Mara")
    question = await asked(home)
    assert (question.call.tool, question.question and question.question.best_guess) == ("", "1")
    standing = await home.store.run(run.id)
    assert standing is not None
    (asking,) = tool_uses(standing.transcript[-1])
    assert "⏸ ask_people: waits for an answer" in progress(standing, {asking.id: question})
    ana = home.person("U0ANA")
    await home.gateway.answer(question.id, ana, 1, choice="2")
    assert said(await home.over(run)) == "The end: Ana Reyes answered: Mara Lind"


async def test_on_silence_the_models_best_guess_stands_and_it_hears_that(home: House) -> None:
    run = await home.start("write to Mara")
    await asked(home)
    home.clock.ahead = timedelta(minutes=11)
    await home.gateway.advance(home.clock())
    assert said(await home.over(run)) == "The end: Nobody answered; your best guess stands: Mara Holm"


async def test_a_question_that_is_declined_or_unfit_is_told_as_such(home: House) -> None:
    run = await resumed(
        home, "unclear", use("a", "ask_people", question="Which?"), use("b", "ask_people", question=" ", who="you")
    )
    question = await asked(home)
    await home.gateway.stop(question.id, home.person("U0ANA"), note="Ask the customer")
    told = results(await home.over(run), 2)
    assert told["a"][0].startswith("Ana Reyes declined to answer: Ask the customer.")
    assert told["b"][0].startswith("ask_people was called with unfit arguments")
    assert told["a"][1]
    assert told["b"][1]


async def test_the_models_guess_is_the_choice_of_that_label() -> None:
    asked = question_of({"question": "Which?", "choices": ["A", "B", "A"], "best_guess": "B"})
    assert [choice.label for choice in asked.choices] == ["A", "B"]
    assert (asked.best_guess, asked.guess) == ("2", "B")
    assert question_of({"question": "Which?", "best_guess": " "}).best_guess is None
    assert SCHEMA["required"] == ["question"]
    with pytest.raises(ToolFailed, match="choices"):
        question_of({"question": "Which?", "choices": ["A"] * 20})
