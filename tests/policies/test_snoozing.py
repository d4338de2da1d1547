"""A reviewer puts reminders off: who may, how long, and what it changes (nothing but the steps before the end)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.checkpoint import Act
from policies.effects import Refresh, Remind, Summon
from policies.errors import AlreadySettled, Conflict, Invalid, NotAllowed, Refused
from policies.events import Elapsed, Outcome, Reviewed, Snoozed, Withdrawn
from policies.lifecycle import apply
from policies.people import Person, Standing
from policies.request import Request, Snooze, State
from policies.review import Verdict
from policies.snoozing import next_morning
from tests.policies.test_escalation import FRIDAY, MINUTE, ana, ladder_of, waiting

LADDER = ladder_of((10, Act.REMIND), (20, Act.REMIND), (30, Act.ADD), (2 * 1440, Act.EXPIRE))
HOUR = 60


def snoozed(request: Request, until: int, *, now: int = 0, person: Person | None = None) -> Outcome:
    at = FRIDAY + now * MINUTE
    return apply(request, Snoozed(person=person or ana(at), until=FRIDAY + until * MINUTE), at)


def looked(request: Request, now: int) -> Outcome:
    return apply(request, Elapsed(), FRIDAY + now * MINUTE)


def test_reminders_and_groups_come_when_the_snooze_ends_and_the_journal_and_every_copy_say_so() -> None:
    outcome = snoozed(waiting(LADDER), HOUR)
    assert outcome.request.snoozed == Snooze(by="U0ANA", name="Ana", until=FRIDAY + HOUR * MINUTE)
    assert [(each.what, each.actor, each.detail) for each in outcome.entries] == [
        ("snoozed", "U0ANA", {"until": "2026-10-23T14:00:00+00:00"})
    ]
    assert outcome.effects == (Refresh(request_id="req_1"),)
    assert looked(outcome.request, HOUR - 1).effects == ()
    woken = looked(outcome.request, HOUR)
    assert [type(effect) for effect in woken.effects] == [Refresh, Remind, Summon, Refresh]
    assert (woken.request.snoozed, woken.request.steps_done) == (None, 3)


def test_a_second_snooze_replaces_the_first_and_now_ends_it() -> None:
    twice = snoozed(snoozed(waiting(LADDER), HOUR).request, 15, now=5).request
    assert twice.next_action_at == FRIDAY + 15 * MINUTE
    woken = snoozed(twice, 12, now=12).request
    assert (woken.snoozed, woken.next_action_at) == (None, FRIDAY + 10 * MINUTE)
    with pytest.raises(Conflict, match="isn't snoozed"):
        snoozed(woken, 12, now=12)


def test_a_snooze_moves_neither_the_end_nor_a_decision() -> None:
    asleep = snoozed(waiting(LADDER), HOUR).request
    assert asleep.deadline_at == waiting(LADDER).deadline_at
    approve = Reviewed(person=ana(FRIDAY), verdict=Verdict.APPROVE, revision=1)
    assert apply(asleep, approve, FRIDAY).request.state is State.APPROVED
    assert apply(asleep, Withdrawn(), FRIDAY).request.state is State.WITHDRAWN
    assert looked(asleep, 2 * 1440).request.state is State.EXPIRED


@pytest.mark.parametrize(
    ("person", "words"),
    [
        ({"id": "U0BEN"}, "You are not among the reviewers"),
        ({"id": "U0OWN", "email": "own@example.com"}, "asked on your behalf"),
        ({"standing": Standing.GUEST}, "Only members"),
        ({"looked_up_at": FRIDAY - timedelta(minutes=2)}, "could not confirm with Slack who you are"),
    ],
)
def test_whoever_may_not_review_may_not_snooze(person: dict[str, object], words: str) -> None:
    request = replace(waiting(LADDER), on_behalf_of="U0OWN")
    with pytest.raises(NotAllowed, match=words):
        snoozed(request, HOUR, person=ana(FRIDAY, **person))


@pytest.mark.parametrize(
    ("request_", "until", "kind", "words"),
    [
        (waiting(LADDER), 24 * HOUR + 1, Invalid, "24 hours at most"),
        (waiting(ladder_of((10, Act.REMIND), (60, Act.EXPIRE))), 60, Conflict, "It ends before that"),
        (waiting(LADDER, expires_at=FRIDAY + 50 * MINUTE), 50, Conflict, "It ends before that"),
        (waiting(ladder_of((60, Act.EXPIRE))), 30, Conflict, "nothing left to put off"),
        (waiting(ladder_of((10, Act.REMIND), (60, Act.PROCEED))), 30, Conflict, "Silence lets this one go ahead"),
    ],
)
def test_what_would_hide_the_end_or_change_nothing_is_refused(
    request_: Request, until: int, kind: type[Refused], words: str
) -> None:
    with pytest.raises(kind, match=words):
        snoozed(request_, until)


def test_who_comes_too_late_is_told_so() -> None:
    with pytest.raises(AlreadySettled):
        snoozed(waiting(LADDER), 3 * 1440, now=2 * 1440)


@pytest.mark.parametrize(
    ("now", "zone", "morning"),
    [
        ("2026-11-23T07:30", "Europe/Berlin", "2026-11-23T08:00"),  # 8:30 there: half an hour
        ("2026-11-23T08:00", "Europe/Berlin", "2026-11-24T08:00"),
        ("2026-11-23T16:00", "America/New_York", "2026-11-24T14:00"),
        ("2026-03-28T20:00", "Europe/Berlin", "2026-03-29T07:00"),  # the clock is turned in between
        ("2026-10-24T07:10", "Europe/Berlin", "2026-10-25T07:10"),  # a night of 25 hours is cut short
    ],
)
def test_the_morning_is_the_persons_own(now: str, zone: str, morning: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_morning(at, ana(at, zone=zone)) == datetime.fromisoformat(morning).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Town", "../etc"])
def test_a_person_without_a_time_zone_is_told_what_to_choose(zone: str | None) -> None:
    with pytest.raises(Invalid, match="Snooze 1 hour"):
        next_morning(FRIDAY, ana(FRIDAY, zone=zone))
