"""``/approvals`` and its words: what each shows and does, to whom, and what it never does blindly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack import ids
from bot.slack.views.card import why_form
from policies.checkpoint import Kind
from policies.request import Request, State
from tests.sandbox_process import until
from tests.slack.house import House, said
from tests.slack.samples import LOOK, REFUND, ask

LONG = {"path": "/srv", "script": "echo fine & <true>\n" * 2500 + "rm -rf /srv"}
ROOM = "C0GENERAL"


@pytest.fixture
def told(home: House) -> Told:
    return Told(home)


class Told:
    """Types commands in #general, and gives what the asker alone was told."""

    def __init__(self, home: House) -> None:
        self.home = home

    async def __call__(self, text: str, person: str = "U0ANA") -> str:
        people = self.home.sandbox.people
        before = [one["ts"] for one in await people.history(person, ROOM) if one.get("ephemeral")]
        assert (await people.command(person, ROOM, f"/approvals {text}"))["ok"]

        async def answered() -> str | None:
            seen = [one for one in await people.history(person, ROOM) if one.get("ephemeral")]
            fresh = [one for one in seen if one["ts"] not in before]
            return said(fresh[-1]) if fresh else None

        return str(await until(answered))


async def test_approve_and_reject_by_a_short_id_answer_with_the_whole_call_and_reach_the_card(told: Told) -> None:
    home = told.home
    first, second = await home.ask(), await home.ask()
    answer = await told(f"approve {first.id[:12]}")
    assert "was approved by Ana Reyes" in answer
    assert "HG-1042" in answer
    assert (await home.now(first)).state is State.APPROVED
    await home.card_says(first, "was approved by Ana Reyes")
    assert "was rejected by Ana Reyes" in await told(f"reject `{second.id}` the  box was whole")
    decision = (await home.now(second)).decision
    assert decision is not None
    assert (decision.verdict, decision.note) == ("rejected", "the  box was whole")
    assert "Ana Reyes approved this" in await told(f"reject {first.id}")
    assert "Ana Reyes rejected this" in await told(f"approve {second.id}")
    assert "you decided *2 requests*" in await told("stats")
    assert "approved *50 %* of them as proposed" in await told("stats")
    recent = await told("history")
    assert first.id[:12] in recent
    assert second.id[:12] in recent
    assert "rejected, revision 1. “the  box was whole”" in await told(f"history {second.id}")


async def test_what_no_answer_could_show_or_needs_more_than_a_word_opens_whole_and_is_not_approved(
    told: Told,
) -> None:
    home = told.home
    for tool, arguments, why in (
        ("run_script", LONG, "too long for an answer"),
        ("publish_post", {"text": "hi"}, "isn't held for an approval alone"),
        ("issue_refund", {**REFUND, "amount": 350}, "takes a typed confirmation"),
    ):
        request = await home.ask(arguments, tool=tool)
        assert why in await told(f"approve {request.id}")
        assert (await home.front("U0ANA"))["callback_id"] == ids.VIEW_FORM
        assert (await home.now(request)).state is State.PENDING


async def test_nobody_learns_of_or_decides_what_the_policy_does_not_show_them(told: Told) -> None:
    request = await told.home.ask()
    unknown = "There is no request with this id that you may see."
    for word in ("show", "approve", "reject", "snooze", "history"):
        assert unknown in await told(f"{word} {request.id}{' 1h' * (word == 'snooze')}", "U0FRED")
        assert unknown in await told(f"{word} req_0123456789", "U0FRED")
    assert "asked on your behalf" in await told(f"approve {request.id}", "U0NEWT")
    assert (await told.home.now(request)).state is State.PENDING
    assert "was rejected by" in await told(f"reject {request.id}", "U0NEWT")


async def test_words_that_are_wrong_are_answered_with_what_to_write_instead(told: Told) -> None:
    request = await told.home.ask()
    for text, expected in (
        ("aprove", "Did you mean */approvals approve*?"),
        ("frobnicate *x*", "There is no “frobnicate” here. What there is:"),
        ("list please", "“please” is one too many"),
        ("approve", "Say which request: its id, such as */approvals approve req_1c9f03ab*"),
        ("approve req_", "Give at least 8 characters of the id"),
        ("approve req_1c9f03a", "Give at least 8 characters of the id"),
        (f"approve {request.id} now", "An approval takes no more words than the id"),
        (f"reject {request.id} {'x' * 2001}", "A reason has at most 2,000 characters"),
    ):
        assert expected in await told(text), text
    assert (await told.home.now(request)).state is State.PENDING


@pytest.mark.parametrize(
    ("request_", "opens"),
    [
        (ask(), False),
        (replace(ask(), revision=2), True),
        (replace(ask(), checkpoint=replace(ask().checkpoint, kind=Kind.INBOX)), True),
        (replace(ask(), call=replace(ask().call, arguments={"to": "аna"})), True),
    ],
    ids=["plain", "changed", "inbox", "look-alike letters"],
)
def test_a_word_approves_only_what_stands_as_proposed_whole_and_unsuspicious(request_: Request, opens: bool) -> None:
    assert (why_form(request_, LOOK) is not None) is opens
