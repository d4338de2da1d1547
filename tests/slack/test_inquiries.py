"""People ask the agent from the card, over the real wires: question and answer stand in the thread and on the card."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views.card import card
from bot.slack.views.modals import inquiry_form, object_form, view_form
from bot.slack.views.thread import inquired
from policies.inquiry import Inquiry
from policies.request import Request, Requester, State
from tests.sandbox_process import until
from tests.slack.house import House, said
from tests.slack.judging import check_form, check_message, compare, texts
from tests.slack.samples import LOOK, NOW, PLACES

AGENT = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")
MEMO = Memo(r=PLACES["pending"].id, v=1)


async def asks(home: House, person: str, request: Request, text: str) -> Inquiry:
    """The inquiry that this person has made from the card's menu."""
    assert await home.choose(person, request, "ask") == {"ok": True}
    assert (await home.submit(person, inquiry=text))["ok"]
    return (await home.now(request)).inquiries[-1]


async def thread_says(home: House, request: Request, words: str) -> None:
    channel, ts = await home.place(request)

    async def found() -> bool:
        replies = [one for one in await home.sandbox.people.history("U0ANA", channel, ts) if one["ts"] != ts]
        return any(words in said(one) for one in replies)

    await until(found)


async def test_a_reviewer_asks_and_the_answer_comes_to_the_thread_and_the_card(home: House) -> None:
    request = await home.ask()
    inquiry = await asks(home, "U0ANA", request, "Why this customer?")
    await home.card_says(request, "Ana Reyes asks (the agent hasn't answered yet)")
    await home.card_says(request, "The clock stands still until the agent answers")
    await thread_says(home, request, "Why this customer?")
    home.clock.ahead += timedelta(minutes=3)
    await home.serving.gateway.reply(request.id, AGENT, inquiry.id, "She wrote <!here> & is *right*.")
    await thread_says(home, request, "<@U0ANA> Shop agent answers, in its own words (not checked)")
    await home.card_says(request, "The agent answers Ana Reyes (not checked)")
    await home.card_says(request, "The end moved by")
    assert "<!here>" not in str((await home.card(request))["text"])
    assert (await home.now(request)).state is State.PENDING


async def test_the_person_served_may_ask_from_the_card_and_a_stranger_is_told_no(home: House) -> None:
    request = await home.ask()
    assert (await asks(home, "U0NEWT", request, "Which order?")).by == "U0NEWT"
    await home.card_says(request, "Which order?")
    await home.choose("U0FRED", request, "ask")
    assert "nothing was changed" in await home.whispered("U0FRED")
    assert len((await home.now(request)).inquiries) == 1


async def test_what_is_asked_too_late_is_told_and_changes_nothing(home: House) -> None:
    request = await home.ask()
    assert await home.choose("U0ANA", request, "ask") == {"ok": True}
    await home.press("U0BEN", request, ids.REJECT)
    assert (await home.submit("U0BEN"))["ok"]
    await home.submit("U0ANA", inquiry="Why?")
    assert "rejected this" in str(await home.front("U0ANA"))
    assert (await home.now(request)).inquiries == ()


def test_the_forms_and_the_notes_are_the_golden_ones() -> None:
    form = inquiry_form(PLACES["pending"], LOOK, MEMO)
    check_form(form)
    compare("form_inquiry", form)
    objection = object_form(PLACES["proceeded"], LOOK, MEMO)
    check_form(objection)
    compare("form_object", objection)
    full = view_form(PLACES["pending_replied"], LOOK, MEMO)
    check_form(full)
    compare("form_view_replied", full)
    replied = PLACES["pending_replied"]
    notes = [inquired(replied, one, LOOK) for one in (PLACES["pending_inquired"].inquiries[0], replied.inquiries[0])]
    for note in notes:
        check_message(note)
    compare("inquiry_notes", [{"text": note.text, "blocks": note.blocks} for note in notes])


def test_a_full_talk_leaves_the_card_within_bounds_and_is_read_whole_in_view_all() -> None:
    long = tuple(
        Inquiry(id=f"inq_{number}", by="U0ANA", name="Ana Reyes", at=NOW, text="? " * 500, answer="<&> " * 1_000)
        for number in range(10)
    )
    request = replace(PLACES["pending"], inquiries=long)
    message = card(request, LOOK)
    check_message(message)
    assert message.cut
    assert ids.option("ask", ids.Target(request_id=request.id, revision=1)) not in str(message.blocks)
    form = view_form(request, LOOK, MEMO)
    check_form(form)
    assert "Page 1 of" in "\n".join(text for _, text in texts(form["blocks"]))
