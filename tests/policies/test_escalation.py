"""Silence: each step falls due once, whenever somebody looks, and the end doesn't move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.calendar import Calendar, Hours
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.effects import Remind, Summon
from policies.errors import Invalid, Refused
from policies.escalation import elapse
from policies.events import Delivered, Elapsed, Event, Snoozed
from policies.lifecycle import apply
from policies.people import Person, Reviewers, Standing
from policies.request import Request, Requester, State, ToolCall

FRIDAY = datetime(2026, 10, 23, 13, 0, tzinfo=UTC)  # 15:00 in Berlin, two days before its clock is turned
MINUTE = timedelta(minutes=1)
OFFICE = Calendar(name="office", zone="Europe/Berlin", days=(0, 1, 2, 3, 4), hours=(Hours(opens=540, closes=1020),))
SUPPORT, SENIORS = Reviewers(name="support", users=("U0ANA",)), Reviewers(name="seniors", users=("U0SAM",))


def waiting(ladder: Ladder, **fields: object) -> Request:
    """A pending request behind ``ladder``, opened on a Friday afternoon."""
    asked: dict[str, object] = {
        "id": "req_1",
        "workspace_id": "T0",
        "requester": Requester(id="key:till", name="till"),
        "call": ToolCall(tool="refund", arguments={}),
        "proposed": {},
        "digest": "sha256:1",
        "checkpoint": Checkpoint(kind=Kind.HARD, rule="r", reason="r", reviewers=SUPPORT, ladder=ladder),
        "policy_digest": "p",
        "created_at": FRIDAY,
        **fields,
    }
    return Request(**asked)  # type: ignore[arg-type]


def ana(now: datetime, **fields: object) -> Person:
    """A reviewer, looked up just now."""
    told = {"id": "U0ANA", "name": "Ana", "standing": Standing.MEMBER, "looked_up_at": now, **fields}
    return Person(**told)  # type: ignore[arg-type]


def ladder_of(*steps: tuple[int, Act], calendar: Calendar | None = None) -> Ladder:
    made = (Step(after=at * MINUTE, act=act, add=SENIORS if act is Act.ADD else None) for at, act in steps)
    return Ladder(name="l", steps=tuple(made), calendar=calendar)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Reminders and groups that join, at uneven and at even distances, then the end; in office hours or not."""
    times = sorted(draw(st.sets(st.integers(1, 1200), min_size=1, max_size=12)))
    acts = draw(st.lists(st.sampled_from([Act.REMIND, Act.ADD]), min_size=len(times), max_size=len(times)))
    calendar = draw(st.sampled_from([None, OFFICE]))
    return ladder_of(*zip(times[:-1], acts, strict=False), (times[-1], Act.EXPIRE), calendar=calendar)


LOOKS = st.lists(st.integers(0, 6 * 1440), max_size=15).map(sorted)
"""When the ticker looks, in minutes: seldom, often, twice at once, or not at all for days."""


def acts_said(request: Request, looks: list[int]) -> tuple[Request, list[object], list[int]]:
    """The request after all looks, what the journal says of its steps, and how many reminders each look sent."""
    said: list[object] = []
    reminders = []
    for minute in looks:
        outcome = elapse(request, FRIDAY + minute * MINUTE)
        request = outcome.request
        said += [each.detail["act"] for each in outcome.entries if each.what == "step"]
        reminders.append(sum(isinstance(effect, Remind) for effect in outcome.effects))
    return request, said, reminders


@given(ladder=ladders(), looks=LOOKS)
def test_each_step_happens_once_whenever_somebody_looks(ladder: Ladder, looks: list[int]) -> None:
    request, said, reminders = acts_said(waiting(ladder), looks)
    seen = FRIDAY + max(looks, default=-1) * MINUTE
    due = [step.act for step in ladder.steps if ladder.falls_due(step, FRIDAY) <= seen]
    assert said == [act.value for act in due if not act.ends]
    assert len(request.joined) == due.count(Act.ADD)
    assert (request.state is State.EXPIRED) == (Act.EXPIRE in due)
    assert all(number <= 1 for number in reminders)


@given(ladder=ladders(), looks=LOOKS)
def test_what_is_due_next_is_never_behind_what_was_looked_at(ladder: Ladder, looks: list[int]) -> None:
    request, _, _ = acts_said(waiting(ladder), looks)
    seen = FRIDAY + max(looks, default=-1) * MINUTE
    assert request.settled or (request.next_action_at is not None and request.next_action_at > seen)


def test_after_a_stop_of_the_gateway_only_the_last_reminder_is_sent() -> None:
    ladder = ladder_of(*((minute, Act.REMIND) for minute in range(10, 60, 10)), (120, Act.EXPIRE))
    woken = elapse(waiting(ladder), FRIDAY + 45 * MINUTE)
    assert (woken.request.steps_done, [type(effect) for effect in woken.effects]) == (4, [Remind])
    assert [type(effect) for effect in elapse(woken.request, FRIDAY + 50 * MINUTE).effects] == [Remind]


def test_a_reminder_before_a_group_that_joins_is_sent_with_it() -> None:
    ladder = ladder_of((10, Act.REMIND), (20, Act.ADD), (120, Act.EXPIRE))
    effects = [type(effect) for effect in elapse(waiting(ladder), FRIDAY + 30 * MINUTE).effects]
    assert effects[:2] == [Remind, Summon]


def test_over_a_weekend_a_ladder_in_office_hours_stands_still() -> None:
    request = waiting(ladder_of((60, Act.REMIND), (180, Act.EXPIRE), calendar=OFFICE))
    reminded = elapse(request, FRIDAY + 2 * 60 * MINUTE).request
    monday = datetime(2026, 10, 26, 9, 0, tzinfo=UTC)  # 10:00, now an hour from UTC
    assert reminded.next_action_at == reminded.deadline_at == monday
    assert elapse(reminded, monday - MINUTE).request == reminded
    assert elapse(reminded, monday).request.state is State.EXPIRED


def test_the_requesters_own_limit_counts_all_time() -> None:
    ladder = ladder_of((60, Act.REMIND), (180, Act.EXPIRE), calendar=OFFICE)
    limited = replace(waiting(ladder), expires_at=FRIDAY + timedelta(hours=3))
    ended = elapse(limited, FRIDAY + timedelta(hours=3)).request
    assert (ended.state, ended.deadline_at) == (State.EXPIRED, None)


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Looks (a minute), and snoozes (a minute, and for how many more), in order of time."""
    minute, lasting = st.integers(0, 1200) | st.integers(0, 4 * 1440), st.none() | st.integers(-5, 1441)
    return sorted(draw(st.lists(st.tuples(minute, lasting), max_size=12)), key=lambda each: each[0])


def woken_at(due: datetime, snoozes: list[tuple[datetime, datetime]]) -> datetime:
    """The oracle: when a step that was due at ``due`` happens, by those snoozes that were admitted."""
    carried = False
    for index, (since, until) in enumerate(snoozes):
        replaced = snoozes[index + 1][0] if index + 1 < len(snoozes) else until
        ends, begun = min(until, replaced), since < due or (carried and since == due)
        if begun and (due < ends or due == replaced < until):
            due, carried = ends, replaced < until
    return due


@given(ladder=ladders(), happened=happenings())
def test_snoozed_steps_happen_once_when_the_last_snooze_ends_and_the_end_stays(
    ladder: Ladder, happened: list[tuple[int, int | None]]
) -> None:
    request, said, admitted = waiting(ladder), [], []
    for minute, lasting in happened:
        now = FRIDAY + minute * MINUTE
        event: Event = Elapsed() if lasting is None else Snoozed(person=ana(now), until=now + lasting * MINUTE)
        try:
            outcome = apply(request, event, now)
        except (Refused, Invalid):
            continue
        if isinstance(event, Snoozed):
            admitted.append((now, event.until))
        request = outcome.request
        said += [each.detail["act"] for each in outcome.entries if each.what == "step"]
        happens = [woken_at(ladder.falls_due(step, FRIDAY), admitted) for step in ladder.steps[:-1]]
        due = [step.act.value for step, at in zip(ladder.steps, happens, strict=False) if at <= now]
        assert said == due[: len(said)]
        assert len(due) == len(said) or lasting is not None  # whoever ends a snooze sees it at the next look
        assert (request.state is State.EXPIRED) == (ladder.ends_at(FRIDAY) <= now)
        assert request.settled or request.deadline_at == ladder.ends_at(FRIDAY)


def test_a_group_that_joined_before_the_card_was_delivered_does_not_join_again() -> None:
    """Silence counts from delivery: a reminder that nobody saw comes again, whoever joined meanwhile has joined."""
    ladder = ladder_of((10, Act.REMIND), (20, Act.ADD), (30, Act.REMIND), (60, Act.PROCEED))
    gate = Checkpoint(kind=Kind.SOFT, rule="r", reason="r", reviewers=SUPPORT, ladder=ladder)
    early = elapse(waiting(ladder, checkpoint=gate), FRIDAY + 25 * MINUTE)
    assert [entry.detail["act"] for entry in early.entries] == ["remind", "add"]
    shown = apply(early.request, Delivered(), FRIDAY + 40 * MINUTE).request
    request, said, _ = acts_said(shown, [99, 100, 101])
    assert (said, request.joined, request.state) == (["remind"], (SENIORS,), State.APPROVED)


def test_reminders_that_came_before_anybody_could_see_the_card_come_again() -> None:
    ladder = ladder_of((10, Act.REMIND), (60, Act.PROCEED))
    gate = Checkpoint(kind=Kind.SOFT, rule="r", reason="r", reviewers=SUPPORT, ladder=ladder)
    early = elapse(waiting(ladder, checkpoint=gate), FRIDAY + 25 * MINUTE).request
    shown = apply(early, Delivered(), FRIDAY + 40 * MINUTE).request
    assert acts_said(shown, [49, 50, 99])[1:] == (["remind"], [0, 1, 0])
