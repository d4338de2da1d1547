"""One person's inbox: each request in one section, the nearest end first, and nothing that isn't theirs to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.checkpoint import Kind
from policies.events import Edit
from policies.inbox import Inbox, Numbers, Tally, numbers_of, sort_out
from policies.request import Request, State
from policies.review import Decision, Review, Verdict
from tests.slack.samples import NOW, PLAIN, SENIORS, after, ask, checkpoint, person, verdict

ANA, SAM, NEWT = (person(who) for who in ("U0ANA", "U0SAM", "U0NEWT"))
FRED = replace(ANA, id="U0FRED")


def named(name: str, request: Request | None = None, **fields: object) -> Request:
    return replace(request or ask(), id=name, **fields)  # type: ignore[arg-type]


def sorted_for(who: object, *pending: Request, **more: object) -> Inbox:
    rest = {"unseen": (), "decided": (), "numbers": Numbers()} | more
    return sort_out(who, pending=pending, **rest)  # type: ignore[arg-type]


def test_each_section_holds_what_its_name_says() -> None:
    late, soon = named("late"), named("soon", expires_at=NOW + timedelta(minutes=1))
    joined, question = named("joined", joined=(SENIORS,)), named("question", ask(question=PLAIN))
    unseen = named("unseen", ask(gate=checkpoint(Kind.SOFT)), state=State.APPROVED, audit="open")
    by_ana = Review(by="U0ANA", name="Ana", verdict=Verdict.REJECT, at=NOW, revision=1)
    settled = {"state": State.REJECTED, "decision": Decision(verdict="rejected", by=("U0ANA",), at=NOW)}
    over = named("over", reviews=(by_ana,), **settled)
    pending = (late, soon, joined, question)

    ana = sorted_for(ANA, *pending, unseen=(unseen,), decided=(over, unseen))
    assert [one.id for one in ana.waiting] == ["soon", "joined", "late"]
    assert [[one.id for one in part] for part in (ana.questions, ana.audits, ana.recent)] == [
        ["question"],
        ["unseen"],
        ["over"],
    ]
    sam = sorted_for(SAM, *pending)
    assert ([one.id for one in sam.waiting], [one.id for one in sam.escalated]) == ([], ["joined"])
    newt = sorted_for(NEWT, *pending)
    assert newt.waiting == ()
    assert {one.id for one in newt.mine} == {"soon", "joined", "late"}
    assert [one.id for one in newt.questions] == ["question"]
    assert sorted_for(FRED, *pending, unseen=(unseen,), decided=(over,)).shown == ()


def test_what_i_approved_waits_for_others_until_an_edit_asks_me_anew() -> None:
    two = ask(gate=checkpoint(quorum=2))
    approved = after(two, verdict("U0BEN", Verdict.APPROVE))
    ben = person("U0BEN")
    assert (sorted_for(ben, approved).waiting, sorted_for(ben, approved).given) == ((), (approved,))
    edited = after(approved, verdict("U0ANA", Verdict.MODIFY, edit=Edit(arguments={"a": 1}, checkpoint=two.checkpoint)))
    assert (sorted_for(ben, edited).waiting, sorted_for(ben, edited).given) == ((edited,), ())
    assert sorted_for(ANA, edited).given == (edited,), "an edit is its author's own approval"


def test_teams_are_my_own_groups_alone() -> None:
    joined = named("joined", joined=(SENIORS,))
    assert (sorted_for(ANA, joined).teams, sorted_for(SAM, joined).teams) == (("support",), ("seniors",))


@given(st.lists(st.sampled_from(["plain", "joined", "asking", "soft"]), max_size=6), st.sampled_from([ANA, SAM, NEWT]))
def test_no_request_stands_in_two_sections(kinds: list[str], who: object) -> None:
    shapes = {
        "plain": ask(),
        "joined": replace(ask(), joined=(SENIORS,)),
        "asking": ask(question=PLAIN),
        "soft": ask(gate=checkpoint(Kind.SOFT)),
    }
    pending = [named(f"r{place}", shapes[kind]) for place, kind in enumerate(kinds)]
    ids = [one.id for one in sorted_for(who, *pending).shown]
    assert len(ids) == len(set(ids))


def decision(verdict: Verdict, after: int, *, opened: int | None = None, **more: Any) -> Tally:
    """A decision so many minutes after the card came, opened whole so many minutes after it."""
    told = {"revision": 1, "shown_at": NOW, "decided_at": NOW + timedelta(minutes=after)} | more
    return Tally(verdict=verdict, opened_at=None if opened is None else NOW + timedelta(minutes=opened), **told)


def test_a_persons_numbers_are_medians_and_counts_of_their_own_decisions() -> None:
    found = numbers_of(
        [
            decision(Verdict.APPROVE, 1),
            decision(Verdict.APPROVE, 9, opened=3, asked_back=True),
            decision(Verdict.MODIFY, 12, opened=7, revision=2),
            decision(Verdict.REJECT, 2),
        ],
        "Europe/London",
    )
    assert (found.decided, found.unchanged, found.edited, found.rejected) == (4, 2, 1, 1)
    assert (found.typical, found.opened) == (timedelta(minutes=5.5), 2)
    assert (found.to_open, found.to_decide) == (timedelta(minutes=5), timedelta(minutes=5.5))
    assert (found.asked_back, found.after_hours) == (1, 0)
    assert numbers_of([], "Europe/London").decided == 0
    back = numbers_of([decision(Verdict.APPROVE, -5)])
    assert (back.typical, back.after_hours) == (timedelta(), None)
