"""What a digest says, in the morning and after what it lists was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack.views.digest import digest
from bot.slack.views.inbox import SECTIONS, inbox_form
from policies.checkpoint import Kind
from policies.digest import MOST, Page, Part, page
from policies.inbox import Inbox, Numbers
from policies.request import ToolCall
from tests.slack.judging import check_form, check_message, compare, texts
from tests.slack.samples import LOOK, PLACES, PLAIN, ask, checkpoint, person

ANA = person("U0ANA")
NUMBERS = Numbers(decided=8, unchanged=6, typical=timedelta(minutes=4))
PATIENT = ask({"folder": "2019"}, tool="archive_mails", gate=checkpoint(Kind.INBOX))
INBOX = Inbox(
    waiting=(PLACES["pending_manual"], PLACES["pending"], PATIENT),
    escalated=(PLACES["pending_quorum"],),
    questions=(ask(question=PLAIN),),
    audits=(PLACES["proceeded"],),
    numbers=NUMBERS,
)
MORNING = page(ANA, INBOX, (PLACES["expired"],))
assert MORNING is not None
LATER = Page(
    parts=(
        Part(name="waiting", requests=(PLACES["approved"], PLACES["pending"]), more=3),
        Part(name="escalated", requests=(PLACES["rejected"],)),
    ),
    numbers=NUMBERS,
)
DIGESTS = {
    "digest": digest(MORNING, LOOK, 7),
    "digest_later": digest(LATER, LOOK),
    "digest_done": digest(Page(parts=(Part(name="waiting", requests=(PLACES["approved"],)),)), LOOK),
    "digest_full": digest(
        Page(parts=tuple(Part(name=name, requests=(ask(),) * most, more=20) for name, most in MOST.items())), LOOK
    ),
}
FORMS = {
    "form_inbox": inbox_form(INBOX, LOOK),
    "form_inbox_full": inbox_form(Inbox(**{name: tuple(ask() for _ in range(30)) for name in SECTIONS}), LOOK),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_each_digest_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    message = DIGESTS[name]
    check_message(message)
    compare(name, {"text": message.text, "metadata": message.metadata, "blocks": message.blocks})


@pytest.mark.parametrize("name", FORMS)
def test_the_inbox_as_a_form_is_the_golden_one_and_any_workspace_takes_it(name: str) -> None:
    check_form(FORMS[name])
    compare(name, FORMS[name])


def test_the_notification_tells_numbers_and_times_and_nobodys_words() -> None:
    assert DIGESTS["digest"].text == (
        "5 wait for you, the first until <!date^1795435800^{date_short_pretty} at {time}|2026-11-23 12:10 UTC>. "
        "1 went ahead on silence and nobody has looked. 1 ended without anybody deciding."
    )
    assert DIGESTS["digest_done"].text == "Nothing of this morning waits for you any more."


def test_however_much_is_written_in_the_calls_the_message_is_taken_and_says_what_it_leaves_out() -> None:
    quiet = PLACES["rejected"]
    assert quiet.decision is not None
    loud = replace(
        quiet,
        requester=replace(quiet.requester, name="Shop agent " * 9),
        call=ToolCall(tool="refund" * 9, arguments={name: name * 40 for name in ("a", "b", "c")}),
        decision=replace(quiet.decision, note="no " * 90),
    )
    full = Page(parts=tuple(Part(name=name, requests=(loud,) * most) for name, most in MOST.items()))
    message = digest(full, LOOK)
    check_message(message)
    said = " ".join(text for _, text in texts(list(message.blocks)))
    assert "*Ended without anybody* (2) · see your inbox" in said


def test_a_row_says_who_decided_and_each_version_has_new_ids() -> None:
    said = " ".join(text for _, text in texts(list(DIGESTS["digest_later"].blocks)))
    assert "was approved by" in said
    assert "*Waiting for you* (4 of 5 left)" in said
    assert "*Escalated to you* (all decided)" in said
    changed = replace(PLACES["pending"], version=PLACES["pending"].version + 1)
    before, after = (
        {block["block_id"] for block in digest(Page(parts=(Part(name="waiting", requests=(one,)),)), LOOK).blocks}
        for one in (PLACES["pending"], changed)
    )
    assert before.isdisjoint(after)
