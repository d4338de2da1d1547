"""People answer questions in the local workspace; the call then meets its gate, and never an easier one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.slack import ids
from policies.errors import Conflict
from policies.people import Person, Standing
from policies.question import Choice, Question
from policies.request import NO_CALL, Request, Requester, State, Submission
from policies.review import Verdict
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house, said
from tests.slack.samples import REFUND

POLICY = """
version: 1
reviewers:
  support: {channel: "#approvals", users: [U0ANA, ben@example.com]}
  finance: {channel: "#finance-approvals", users: [U0FAY, U0FRED]}
ladders:
  standard: [{after: 2h, then: expire}]
  pause: [{after: 2m, then: proceed}]
tools:
  wipe: {reversible: false, impact: medium}
rules:
  - {name: reads, match: [read_*, wipe], checkpoint: allow}
  - {name: posts, match: publish_post, checkpoint: soft, reviewers: support, ladder: pause}
  - {name: large, match: issue_refund, when: args.amount > 300, checkpoint: hard, reviewers: finance}
  - {name: unsure, when: confidence < 0.7, clarify: "Which customer is meant?"}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
WHICH = Question(
    text="Which order arrived broken?",
    choices=(
        Choice(id="lamp", label="HG-1042"),
        Choice(id="kettle", label="HG-1077", arguments={**REFUND, "order_id": "HG-1077", "amount": 39}),
        Choice(id="all", label="Everything", arguments={**REFUND, "amount": 400}),
    ),
    best_guess="lamp",
)
FIRST, SECOND, THIRD = (f"{ids.ANSWER}.{place}" for place in range(3))


@pytest.fixture
async def home(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    async with house(sandbox, tmp_path, policy=POLICY) as running:
        yield running


async def copies(home: House, request: Request, number: int = 2) -> list[Any]:
    """Its cards once there are so many: in the channel, and the direct message to whom the agent works for."""

    async def enough() -> list[Any]:
        found = list(await home.serving.store.copies(request.id))
        return found if len(found) >= number else []

    found: list[Any] = await until(enough)
    return found


async def press(home: House, person: str, request: Request, action_id: str, channel: str = "C0APPROVALS") -> Any:
    for _ in range(3):
        copy = next(each for each in await copies(home, request) if each.channel == channel or channel == "DM")
        copy = next((each for each in await copies(home, request) if each.private), copy) if channel == "DM" else copy
        pressed = await home.sandbox.people.press(person, copy.channel, copy.ts, action_id)
        if pressed.get("error") != "unknown_action":
            break
    return pressed


async def says(home: House, person: str, request: Request, words: str, *, private: bool = False) -> None:
    """Wait until a copy of the card says ``words``."""

    async def found() -> bool:
        for copy in await copies(home, request):
            if copy.private is private:
                shown = await home.sandbox.people.history(person, copy.channel)
                return any(words in said(one) for one in shown if one["ts"] == copy.ts)
        return False

    await until(found)


async def silence(home: House, minutes: float) -> None:
    home.clock.ahead += timedelta(minutes=minutes)
    await home.serving.gateway.advance(home.clock())


async def bare(home: House, question: Question, owner: str | None = "U0NEWT") -> Request:
    requester = Requester(id="key:shop", name="Shop agent", owner=owner)
    added = await home.serving.gateway.submit(Submission(call=NO_CALL, question=question), requester)
    return added.request


async def test_an_answer_that_changes_the_call_makes_a_revision_that_people_still_approve(home: House) -> None:
    request = await home.ask(question=WHICH)
    await says(home, "U0ANA", request, "order_id: HG-1042 → HG-1077")
    assert await press(home, "U0ANA", request, SECOND) == {"ok": True}
    answered = await home.now(request)
    assert (answered.state, answered.revision, answered.call.arguments["order_id"]) == (State.PENDING, 2, "HG-1077")
    assert answered.digest != request.digest
    for private, person in ((False, "U0ANA"), (True, "U0NEWT")):
        await says(home, person, request, "Answered by Ana Reyes", private=private)
        await says(home, person, request, "Changed by the answer", private=private)
    await home.shown(request)
    assert await press(home, "U0ANA", request, ids.APPROVE) == {"ok": True}
    assert (await home.now(request)).state is State.APPROVED


async def test_an_answer_may_lead_to_other_people_and_they_get_the_card(home: House) -> None:
    request = await home.ask(question=WHICH)
    assert (await press(home, "U0ANA", request, THIRD))["ok"]
    await copies(home, request, 3)
    standing = await home.now(request)
    assert (standing.checkpoint.rule, standing.checkpoint.reviewers.name) == ("large", "finance")
    await home.shown(request)
    await press(home, "U0ANA", request, ids.APPROVE)
    assert "not among the reviewers" in await home.whispered("U0ANA")
    assert (await home.now(request)).state is State.PENDING


async def test_whom_the_agent_works_for_answers_in_words_and_approves_nothing(home: House) -> None:
    request = await home.ask(question=WHICH)
    assert (await press(home, "U0NEWT", request, ids.ANSWER_WORDS, "DM"))["ok"]
    form = await home.front("U0NEWT")
    assert form["callback_id"] == ids.ANSWER_FORM
    assert WHICH.text in str(form)
    assert (await home.submit("U0NEWT", answer="Both of them, *see* <!channel>"))["ok"]
    answered = await home.now(request)
    assert answered.answer is not None
    assert (answered.answer.by, answered.answer.text) == ("U0NEWT", "Both of them, *see* <!channel>")
    assert (answered.state, answered.revision, answered.modified) == (State.PENDING, 2, False)
    await home.shown(request)
    await press(home, "U0NEWT", request, ids.APPROVE, "DM")
    assert (await home.now(request)).state is State.PENDING


async def test_nobody_decides_before_the_answer_and_only_those_who_may_answer_do(home: House) -> None:
    request = await home.ask(question=WHICH)
    await press(home, "U0FAY", request, FIRST)
    assert "not among the reviewers" in await home.whispered("U0FAY")
    await press(home, "U0FAY", request, ids.ANSWER_WORDS)
    assert await home.sandbox.people.views("U0FAY") == []
    ana = Person(id="U0ANA", name="Ana Reyes", standing=Standing.MEMBER, looked_up_at=home.clock())
    with pytest.raises(Conflict, match="question about this call is still open"):
        await home.serving.gateway.review(request.id, ana, Verdict.APPROVE, 1)
    assert (await home.now(request)).answer is None


async def test_a_late_answer_is_told_who_answered(home: House) -> None:
    request = await home.ask(question=WHICH)
    channel, ts = next((each.channel, each.ts) for each in await copies(home, request) if not each.private)
    await home.sandbox.control.faults({"method": "chat.update", "times": 9, "status": 500, "effect": "before"})
    assert (await press(home, "U0NEWT", request, FIRST, "DM"))["ok"]
    await home.sandbox.people.press("U0ANA", channel, ts, SECOND)
    assert "Nia Newton answered this already; nothing was changed." in await home.whispered("U0ANA")
    assert (await home.now(request)).call.arguments["order_id"] == "HG-1042"


async def test_on_silence_the_best_guess_stands_marked_as_one_and_the_gates_clock_begins_then(home: House) -> None:
    request = await home.ask(question=WHICH)
    await copies(home, request)
    await silence(home, 11)
    guessed = await home.now(request)
    assert guessed.answer is not None
    assert (guessed.answer.by, guessed.answer.choice, guessed.answer.guessed) == ("silence", "lamp", True)
    assert guessed.state is State.PENDING
    assert guessed.deadline_at is not None
    assert timedelta(hours=1, minutes=59) < guessed.deadline_at - home.clock() <= timedelta(hours=2)
    await says(home, "U0ANA", request, "Nobody answered; this is the agent's best guess")


async def test_what_the_policy_allows_is_allowed_once_answered_and_a_guess_is_looked_at_where_it_can_not_be_undone(
    home: House,
) -> None:
    read = await home.ask({"id": 1}, tool="read_order", confidence=0.5)
    await says(home, "U0ANA", read, "The policy asks, by its rule “unsure”")
    await says(home, "U0ANA", read, "After the answer the policy lets the call run")
    assert (await press(home, "U0ANA", read, FIRST))["ok"]
    settled = await home.now(read)
    assert (settled.state, settled.decision and settled.decision.by) == (State.APPROVED, ("policy",))
    await says(home, "U0ANA", read, "was approved by the policy")
    wiped = await home.ask({"id": 1}, tool="wipe", confidence=0.5)
    await copies(home, wiped)
    await silence(home, 11)
    held = await home.now(wiped)
    assert (held.state, held.checkpoint.kind.value) == (State.PENDING, "hard")
    assert "nobody answered" in held.checkpoint.reason


async def test_a_soft_gate_counts_from_when_its_card_was_seen_after_the_answer(home: House) -> None:
    request = await home.ask({"text": "Open on Sunday"}, tool="publish_post", question=WHICH_DAY)
    assert (await press(home, "U0ANA", request, FIRST))["ok"]

    async def seen() -> bool:
        return (await home.now(request)).delivered_at is not None

    await until(seen)
    standing = await home.now(request)
    assert standing.answer is not None
    assert standing.delivered_at is not None
    assert standing.delivered_at >= standing.answer.at
    assert standing.deadline_at == standing.delivered_at + timedelta(minutes=2)
    await says(home, "U0ANA", request, "goes ahead unless stopped")


async def test_what_only_the_person_served_saw_of_a_soft_gate_never_goes_ahead(home: House) -> None:
    request = await home.ask({"text": "Open on Sunday"}, tool="publish_post", question=WHICH_DAY)
    await copies(home, request)
    gone = {"method": "chat.update", "times": 30, "error": "is_archived", "effect": "before"}
    await home.sandbox.control.faults(gone)
    assert (await press(home, "U0NEWT", request, FIRST, "DM"))["ok"]
    await says(home, "U0NEWT", request, "goes ahead unless stopped", private=True)
    await home.shown(request)
    await silence(home, 3)
    assert (await home.now(request)).state is State.EXPIRED


WHICH_DAY = Question(text="Which Sunday?", choices=(Choice(id="next", label="The next one"),))


async def test_a_question_alone_ends_with_its_answer_and_is_found_in_home_and_list(home: House) -> None:
    request = await bare(home, Question(text="Which of the two customers?", best_guess="Mara Holm"))
    await says(home, "U0ANA", request, "A question from Shop agent")
    await says(home, "U0NEWT", request, "The agent's best guess: Mara Holm", private=True)
    await home.sandbox.people.command("U0NEWT", "C0APPROVALS", "/approvals")
    assert "Which of the two customers?" in await home.whispered("U0NEWT")
    await home.sandbox.people.open_home("U0NEWT")

    async def shown() -> bool:
        return "Which of the two customers?" in str(await home.sandbox.people.home("U0NEWT"))

    await until(shown)
    assert str(await home.sandbox.people.home("U0NEWT")).count("Which of the two customers?") == 1
    assert (await press(home, "U0ANA", request, ids.ANSWER_WORDS))["ok"]
    assert (await home.submit("U0ANA", answer="Ines Duarte"))["ok"]
    answered = await home.now(request)
    assert (answered.state, answered.decision and answered.decision.by) == (State.ANSWERED, ("U0ANA",))
    await says(home, "U0ANA", request, "A question was answered by Ana Reyes")


async def test_a_question_that_the_card_cuts_is_answered_from_view_all(home: House) -> None:
    long = Question(text="Which? " + "one more, " * 300 + "or the last", choices=WHICH_DAY.choices)
    request = await bare(home, long)
    await copies(home, request)
    with pytest.raises(LookupError, match="sees no"):
        await press(home, "U0ANA", request, FIRST)
    assert (await press(home, "U0ANA", request, ids.VIEW))["ok"]
    assert "or the last" in str(await home.front("U0ANA"))
    assert (await home.press_in_view("U0ANA", FIRST))["ok"]
    assert (await home.now(request)).state is State.ANSWERED

    async def told() -> bool:
        return "Answered by Ana Reyes" in str(await home.front("U0ANA"))

    await until(told)


async def test_a_question_that_nobody_could_answer_is_refused_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    policy = POLICY.replace("default: {checkpoint: hard, reviewers: support, ladder: standard}", "default: {}")
    async with house(sandbox, tmp_path, policy=policy) as home:
        refused = await bare(home, WHICH_DAY, owner=None)
        assert (refused.state, refused.decision and refused.decision.by) == (State.REJECTED, ("policy",))
        assert "nobody who could answer" in str(refused.decision)
        assert (await bare(home, WHICH_DAY)).state is State.PENDING
