"""Who approves a long call faster than one can read is asked back once; who rejects it, never."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.slack import ids
from bot.slack.desk import memo_of
from bot.slack.memo import Memo
from bot.slack.payloads import Click
from bot.slack.views.card import Measured, is_cut, measured
from bot.slack.views.haste import length
from bot.slack.views.modals import view_form
from policies.attention import SAME_PRESS
from policies.request import Request, State
from policies.review import Verdict
from tests.sandbox_process import until
from tests.slack.house import House, said
from tests.slack.samples import LOOK, PLACES, ask, person

LETTER = {"order_id": "HG-1042", "letter": "Dear Ms Tran, we are sorry that it came broken.\n" * 30}
SCRIPT = {"path": "/srv", "script": "echo fine & <true>\n" * 600 + "rm -rf /srv"}


async def noted(home: House, request: Request, person: str = "U0ANA") -> None:
    """Wait until it is kept that the person was asked back."""

    async def kept() -> bool:
        return (await home.serving.store.sight(request.id, 1, person)).asked_at is not None

    await until(kept)


async def _opened(home: House, request: Request) -> bool:
    return (await home.serving.store.sight(request.id, 1, "U0ANA")).opened_at is not None


async def test_a_hasty_approval_opens_the_whole_call_and_counts_only_when_it_is_said_again(home: House) -> None:
    request = await home.ask(LETTER, tool="send_letter")
    assert await home.press("U0ANA", request, ids.APPROVE) == {"ok": True}
    assert (await home.now(request)).state is State.PENDING
    view = await home.front("U0ANA")
    assert "You approved 1,4" in said(view)
    assert "nothing is approved yet" in said(view)
    assert "we are sorry that it came broken" in said(view)
    assert view["submit"]["text"] == "Approve anyway"
    await noted(home, request)
    assert await home.press("U0ANA", request, ids.APPROVE) == {"ok": True}  # the second half of a double click
    assert (await home.now(request)).state is State.PENDING
    assert (await home.submit("U0ANA"))["ok"]
    (review,) = (await home.now(request)).reviews
    assert (review.by, review.verdict, review.asked_at is not None) == ("U0ANA", Verdict.APPROVE, True)
    figures = [*await home.serving.store.tallies("U0ANA", home.clock() - timedelta(days=1))]
    assert [one.asked_back for one in figures] == [True]


async def test_nobody_is_asked_twice_nor_who_had_the_time_nor_who_rejects(home: House) -> None:
    first, second, third = [
        await home.ask(LETTER, tool="pair_up"),
        await home.ask(LETTER, tool="send_letter"),
        await home.ask(LETTER, tool="send_letter"),
    ]
    await home.press("U0ANA", first, ids.APPROVE)
    await noted(home, first)
    home.clock.ahead += SAME_PRESS
    await home.press("U0ANA", first, ids.APPROVE)
    assert [review.by for review in (await home.now(first)).approvals] == ["U0ANA"]
    home.clock.ahead += timedelta(seconds=20)
    await home.press("U0BEN", first, ids.APPROVE)  # another person, and time to read
    assert (await home.now(first)).state is State.APPROVED
    await home.press("U0BEN", second, ids.REJECT)
    assert (await home.submit("U0BEN", reason="no"))["ok"]
    assert (await home.now(second)).state is State.REJECTED
    await home.press("U0BEN", third, ids.APPROVE)  # straight after the last decision
    assert (await home.now(third)).state is State.PENDING
    assert "Approve anyway" in str(await home.front("U0BEN"))


async def test_the_last_page_asks_back_whoever_turned_to_it_at_once_and_leads_to_the_first(home: House) -> None:
    request = await home.ask(SCRIPT, tool="run_script")
    home.clock.ahead += timedelta(minutes=5)
    await home.press("U0ANA", request, ids.VIEW)
    await until(lambda: _opened(home, request))
    assert (await home.submit("U0ANA"))["response_action"] == "update"
    assert (await home.now(request)).state is State.PENDING
    assert "⏱️ You approved 1" in str(await home.front("U0ANA"))
    assert (await home.submit("U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED
    told = (await home.now(request)).reviews[0]
    assert told.opened_at is not None
    assert told.shown_at is not None
    assert told.opened_at - told.shown_at > timedelta(minutes=4)


async def test_where_the_question_cannot_be_opened_it_is_asked_in_words_and_nothing_is_approved(home: House) -> None:
    request = await home.ask(LETTER, tool="send_letter")
    await home.sandbox.control.faults({"method": "views.open", "error": "expired_trigger_id"})
    await home.press("U0ANA", request, ids.APPROVE)
    assert "Nobody reads that fast, so nothing was approved" in await home.whispered("U0ANA")
    assert (await home.now(request)).state is State.PENDING


async def test_the_command_and_a_grant_ask_back_as_well(home: House) -> None:
    request, people = await home.ask(LETTER, tool="send_letter"), home.sandbox.people
    await people.command("U0ANA", "C0GENERAL", f"/approvals approve {request.id}")
    assert "Nothing is approved yet: the whole call is open" in await home.whispered("U0ANA", "C0GENERAL")
    assert "Approve anyway" in str(await home.front("U0ANA"))
    assert (await home.now(request)).state is State.PENDING
    await home.choose("U0BEN", request, "grant")
    assert (await home.submit("U0BEN"))["response_action"] == "update"
    assert "read it, then send this again" in str(await home.front("U0BEN"))
    assert (await home.now(request)).state is State.PENDING
    assert (await home.submit("U0BEN"))["ok"]
    assert (await home.now(request)).state is State.APPROVED


async def test_the_question_is_about_one_revision_and_stands_for_no_other(home: House) -> None:
    request = await home.ask(LETTER, tool="send_letter")
    await home.press("U0ANA", request, ids.APPROVE)
    asked = Memo.model_validate_json((await home.front("U0ANA"))["private_metadata"])
    assert asked.had is not None
    click = Click(user_id="U0ANA", team_id=None, action_id=ids.NEXT, value="", trigger_id="", memo=asked)
    settled = view_form(replace(request, state=State.WITHDRAWN), LOOK, asked)
    assert "nothing is approved yet" not in str(settled)
    later = view_form(replace(request, revision=2), LOOK, asked)
    assert "Approve anyway" not in str(later)
    assert Memo.model_validate_json(later["private_metadata"]).had is None
    assert memo_of(click, request).had == asked.had
    assert memo_of(click, replace(request, revision=2)).had is None


def test_the_card_is_as_long_as_all_that_there_is_to_read() -> None:
    many = ask({f"part_{number}": "x" * 300 for number in range(60)})
    for request in (*PLACES.values(), ask(SCRIPT), many):
        if not request.asking:
            assert measured(request, LOOK) == Measured(cut=is_cut(request, LOOK), characters=length(request, LOOK))


async def test_whoever_turns_pages_while_somebody_edits_begins_again_with_the_edited_call(home: House) -> None:
    long = {**SCRIPT, "script": SCRIPT["script"] * 4}
    request = await home.ask(long, tool="pair_up")
    await home.press("U0ANA", request, ids.VIEW)
    ben = replace(person("U0BEN", home.clock()), email="ben@example.com")
    edited = {**long, "path": "/etc"}
    await home.serving.gateway.review(request.id, ben, Verdict.MODIFY, 1, arguments=edited)
    shown: list[str] = []
    while not (view := await home.front("U0ANA"))["submit"]:
        shown.append(said(view))
        await home.press_in_view("U0ANA", ids.NEXT)
    assert "Page 1 of" in shown[1]
    assert "/etc" in shown[1]
