"""People ask the agent: who may, how much, and what it does to the clock (it stands still, half an hour at most)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.calendar import Calendar, Hours
from policies.checkpoint import Act, Kind, Ladder
from policies.effects import Refresh, TellInquiry
from policies.errors import AlreadySettled, Conflict, Invalid, NotAllowed, NotFound, Refused
from policies.events import Delivered, Elapsed, Event, Inquired, Outcome, Replied, Reviewed, Snoozed
from policies.lifecycle import apply
from policies.pause import LONGEST, Pause
from policies.people import Person, Standing
from policies.purging import PURGED, blanked
from policies.request import Request, State
from policies.review import Verdict
from tests.policies.test_escalation import FRIDAY, MINUTE, ana, ladder_of, waiting

ENDS = ladder_of((10, Act.REMIND), (120, Act.EXPIRE))
GOES = ladder_of((20, Act.PROCEED))
AGENT_SLEPT = "the agent left a question unanswered, so silence means nothing"


def at(minutes: float) -> datetime:
    return FRIDAY + minutes * MINUTE


def happens(request: Request, event: Event, now: float) -> Outcome:
    return apply(request, event, at(now))


def asked(
    request: Request, now: float = 0, *, name: str = "inq_1", text: str = "Why him?", who: str = "U0ANA"
) -> Request:
    person = replace(ana(at(now)), id=who)
    return happens(request, Inquired(person=person, inquiry_id=name, text=text), now).request


def replied(request: Request, now: float, *, name: str = "inq_1", text: str = "He paid.") -> Request:
    return happens(request, Replied(inquiry_id=name, text=text), now).request


def soft() -> Request:
    request = waiting(GOES)
    return happens(replace(request, checkpoint=replace(request.checkpoint, kind=Kind.SOFT)), Delivered(), 0).request


def test_a_question_and_its_answer_are_kept_told_and_written_down_without_their_words() -> None:
    person = ana(at(1))
    first = happens(waiting(ENDS), Inquired(person=person, inquiry_id="inq_1", text=" Why him? "), 1)
    inquiry = first.request.inquiries[0]
    assert (inquiry.by, inquiry.name, inquiry.at, inquiry.text, inquiry.answer) == (
        "U0ANA", "Ana", at(1), "Why him?", None,
    )  # fmt: skip
    assert first.effects == (
        Refresh(request_id="req_1"),
        TellInquiry(request_id="req_1", inquiry_id="inq_1", answered=False),
    )
    second = happens(first.request, Replied(inquiry_id="inq_1", text=" He paid. "), 3)
    assert (second.request.inquiries[0].answer, second.request.inquiries[0].answered_at) == ("He paid.", at(3))
    assert second.effects[1] == TellInquiry(request_id="req_1", inquiry_id="inq_1", answered=True)
    assert [(one.what, one.actor, one.detail) for one in first.entries + second.entries] == [
        ("inquired", "U0ANA", {"inquiry": "inq_1"}),
        ("replied", first.request.requester.id, {"inquiry": "inq_1"}),
    ]


def test_neither_decides_or_changes_the_call_and_whoever_may_decide_still_may() -> None:
    before = waiting(ENDS)
    talked = replied(asked(before), 5)
    unchanged = ("digest", "revision", "call", "checkpoint", "reviews", "state", "decision", "reviewers")
    assert all(getattr(talked, each) == getattr(before, each) for each in unchanged)
    approve = Reviewed(person=ana(at(6)), verdict=Verdict.APPROVE, revision=1)
    assert happens(asked(talked, 6, name="inq_2"), approve, 6).request.state is State.APPROVED


def test_the_clock_stands_still_until_the_answer_and_everything_is_due_so_much_later() -> None:
    paused = asked(waiting(ENDS), 5)
    assert (paused.next_action_at, paused.deadline_at) == (at(35), at(150))
    assert happens(paused, Elapsed(), 34).request == paused
    running = replied(paused, 12)
    assert (running.next_action_at, running.deadline_at) == (at(17), at(127))
    assert happens(running, Elapsed(), 127).request.state is State.EXPIRED


def test_the_clock_runs_on_after_half_an_hour_in_all_however_often_somebody_asks() -> None:
    request = replied(asked(waiting(ENDS)), 20)
    request = asked(request, 20, name="inq_2")
    assert request.next_action_at == at(30)
    request = happens(request, Elapsed(), 33).request
    assert (request.pause.moves, request.deadline_at, request.steps_done) == (LONGEST, at(150), 0)
    again = asked(request, 34, name="inq_3")
    assert (again.pause, again.deadline_at) == (request.pause, at(150))
    late = happens(asked(waiting(ENDS)), Elapsed(), 500).request
    assert (late.state, late.pause.moves) == (State.EXPIRED, LONGEST)


def test_the_clock_runs_on_with_the_last_answer_not_with_the_first() -> None:
    both = asked(asked(waiting(ENDS)), 2, name="inq_2")
    assert replied(both, 4).pause.since == at(0)
    assert replied(replied(both, 4), 6, name="inq_2").pause == Pause(spent=6 * MINUTE)


def test_nothing_goes_ahead_while_a_question_is_open_and_then_with_so_much_more_time() -> None:
    assert happens(asked(soft(), 19), Elapsed(), 49).request.state is State.PENDING
    ended = happens(asked(soft(), 19), Elapsed(), 50).request
    assert (ended.state, ended.decision and ended.decision.note) == (State.EXPIRED, AGENT_SLEPT)
    told = replied(asked(soft(), 19), 25)
    assert happens(told, Elapsed(), 25.9).request.state is State.PENDING
    assert happens(told, Elapsed(), 26).request.state is State.APPROVED


def test_a_clock_that_starts_anew_is_moved_by_what_is_waited_from_then_on() -> None:
    request = waiting(GOES)
    request = asked(replace(request, checkpoint=replace(request.checkpoint, kind=Kind.SOFT)), 1)
    delivered = happens(request, Delivered(), 4).request
    assert delivered.pause == Pause(spent=3 * MINUTE, since=at(4), before=3 * MINUTE)
    assert delivered.deadline_at == at(4 + 20 + 27)
    assert replied(delivered, 6).deadline_at == at(4 + 20 + 2)


def test_the_agents_own_limit_stays_where_it_is() -> None:
    request = asked(replace(waiting(ENDS), expires_at=at(15)), 5)
    assert (request.next_action_at, request.deadline_at) == (at(15), at(15))
    assert happens(request, Elapsed(), 15).request.state is State.EXPIRED


def test_a_snooze_may_not_reach_past_the_end_that_an_answer_would_bring_back() -> None:
    paused = asked(waiting(ENDS), 5)
    with pytest.raises(Conflict, match="a snooze moves no end"):
        happens(paused, Snoozed(person=ana(at(6)), until=at(130)), 6)
    snoozed = happens(paused, Snoozed(person=ana(at(6)), until=at(60)), 6).request
    assert snoozed.next_action_at == at(35)
    assert happens(snoozed, Elapsed(), 35).request.next_action_at == at(60)


def test_in_office_hours_the_end_moves_by_office_hours() -> None:
    office = Calendar(name="office", zone="UTC", days=(0, 1, 2, 3, 4), hours=(Hours(opens=540, closes=1020),))
    ladder = Ladder(name="office", steps=ENDS.steps, calendar=office)
    request = waiting(ladder)
    start = datetime(2026, 10, 23, 14, 55, tzinfo=UTC)
    request = replace(request, created_at=start)
    assert request.deadline_at == datetime(2026, 10, 23, 16, 55, tzinfo=UTC)
    moved = replace(request, pause=Pause(spent=timedelta(minutes=15)))
    assert moved.deadline_at == datetime(2026, 10, 26, 9, 10, tzinfo=UTC)


def test_reviewers_and_the_person_served_may_ask_and_nobody_else() -> None:
    served = replace(waiting(ENDS), on_behalf_of="U0SERVED")
    assert asked(served, who="U0SERVED").inquiries
    with pytest.raises(NotAllowed, match="not among the reviewers"):
        asked(served, who="U0STRANGER")
    stale = replace(ana(at(0)), looked_up_at=at(-2))
    with pytest.raises(NotAllowed, match="press again"):
        happens(served, Inquired(person=stale, inquiry_id="inq_1", text="Why?"), 0)
    gone = Person(id="U0ANA", name="Ana", standing=Standing.DEACTIVATED, looked_up_at=at(0))
    with pytest.raises(NotAllowed, match="Only members"):
        happens(served, Inquired(person=gone, inquiry_id="inq_1", text="Why?"), 0)


def test_five_wait_at_a_time_and_ten_are_asked_in_all() -> None:
    request = waiting(ENDS)
    for number in range(5):
        request = asked(request, name=f"inq_{number}")
    with pytest.raises(Conflict, match="wait for the agent's answer already"):
        asked(request, name="inq_5")
    for number in range(5):
        request = asked(replied(request, 0, name=f"inq_{number}"), name=f"inq_{number + 5}")
    with pytest.raises(Conflict, match="10 times"):
        asked(replied(request, 0, name="inq_9"), name="inq_10")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1_001])
def test_a_question_of_no_or_too_many_words_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="Ask in 1 to 1,000 characters"):
        asked(waiting(ENDS), text=text)
    assert asked(waiting(ENDS), text=" " + "x" * 1_000).inquiries


def test_an_answer_is_given_once_to_a_question_that_was_asked_while_it_matters() -> None:
    told = replied(asked(waiting(ENDS)), 1)
    assert happens(told, Replied(inquiry_id="inq_1", text="He paid."), 2) == Outcome(request=told)
    with pytest.raises(Conflict, match="the first answer stands"):
        replied(told, 2, text="Other words")
    with pytest.raises(NotFound):
        replied(told, 2, name="inq_7")
    for text in (" ", "x" * 4_001):
        with pytest.raises(Invalid, match="characters besides spaces"):
            replied(asked(told, 2, name="inq_2"), 2, name="inq_2", text=text)
    over = happens(asked(told, 2, name="inq_2"), Elapsed(), 500).request
    for event in (Replied(inquiry_id="inq_2", text="Late"), Inquired(person=ana(at(501)), inquiry_id="i", text="?")):
        with pytest.raises(AlreadySettled):
            happens(over, event, 501)


def test_what_was_asked_and_answered_is_blanked_with_everything_else() -> None:
    over = happens(asked(replied(asked(waiting(ENDS)), 1), 2, name="inq_2"), Elapsed(), 500).request
    first, second = blanked(over, at(600), at(700)).request.inquiries
    assert (first.text, first.answer, second.text, second.answer) == (PURGED, PURGED, PURGED, None)


@given(waits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6))
def test_the_clock_never_stands_still_longer_than_the_bound_nor_longer_than_was_waited(
    waits: list[tuple[int, int]],
) -> None:
    request, now, waited = waiting(ladder_of((1000, Act.EXPIRE))), 0, 0
    for number, (before, lasts) in enumerate(waits):
        now += before
        request = asked(request, now, name=f"inq_{number}")
        now, waited = now + lasts, waited + lasts
        request = replied(request, now, name=f"inq_{number}")
    assert request.pause.moves == min(LONGEST, waited * MINUTE)
    assert request.deadline_at == at(1000) + request.pause.moves
