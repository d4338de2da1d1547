"""Silence: each step falls due once, whenever somebody looks, and the end doesn't move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.calendar import Calendar, Hours
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.effects import Remind, Summon
from policies.escalation import elapse
from policies.people import Reviewers
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
