"""The laws once more, with people asking the agent: nothing of it settles, and the end moves within its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from policies import inquiring, pause
from policies.events import Inquired, Replied
from policies.request import Request, State
from tests.storage.planted import goes_red, opened
from tests.storage.test_laws import PEOPLE, Lifecycle, Witness

BOUND = timedelta(minutes=30)


class Waited(Witness):
    """A witness that counts by itself for how long the agent owed an answer."""

    def __init__(self, request: Request, name: str, early: int | None) -> None:
        super().__init__(request, name, early)
        self.open: set[str] = set()
        self.asked = 0
        self.held = timedelta(0)
        self.held_before = timedelta(0)

    @property
    def begins(self) -> datetime:
        return super().begins + self.held

    @property
    def deadline(self) -> datetime:
        return super().deadline + self.held - self.held_before


class Talking(Lifecycle):
    requests = Lifecycle.requests

    @rule(
        target=requests,
        name=st.sampled_from(["hard", "two", "soft", "soft"]),
        own_limit=st.sampled_from([None, None, 60]),
        early=st.just(0),
    )
    def submit(self, name: str, own_limit: int | None, early: int | None) -> str:
        request_id = str(super().submit(name, own_limit, early))
        self.witnesses[request_id] = Waited(self.witnesses[request_id].opened, name, early)
        return request_id

    def seen(self, request_id: str) -> Waited:
        witness = self.witnesses[request_id]
        assert isinstance(witness, Waited)
        return witness

    @rule(minutes=st.sampled_from([1, 9, 12, 16, 31, 61, 121]), tick=st.booleans())
    def time_passes(self, minutes: int, tick: bool) -> None:
        for request_id in self.witnesses:
            witness = self.seen(request_id)
            if witness.open and witness.decision is None:
                witness.held = min(witness.held + timedelta(minutes=minutes), BOUND)
        super().time_passes(minutes, tick)

    @rule(request=requests)
    def deliver(self, request: str) -> None:
        witness = self.seen(request)
        before = witness.delivered
        super().deliver(request)
        if before is None and witness.delivered is not None and witness.name == "soft":
            witness.held_before = witness.held

    @rule(request=requests, who=st.sampled_from(PEOPLE))
    def inquire(self, request: str, who: str) -> None:
        before, witness = self.stored(request), self.seen(request)
        name = f"inq_{witness.asked}"
        after = self.change(request, Inquired(person=self.person(who), inquiry_id=name, text="Why?"))
        if after is None:
            return
        self.check_may_stop(before, who)
        witness.asked += 1
        witness.open.add(name)
        assert len(witness.open) <= 5, "more was asked at a time than anybody answers"
        assert witness.asked <= 10, "more was asked than anybody answers"
        self.check_unsettled(before, after, witness)

    @rule(request=requests, number=st.integers(0, 3))
    def reply(self, request: str, number: int) -> None:
        before, witness = self.stored(request), self.seen(request)
        name = f"inq_{number}"
        if name not in witness.open:
            return
        after = self.change(request, Replied(inquiry_id=name, text="So it is"))
        if after is not None:
            witness.open.discard(name)
            self.check_unsettled(before, after, witness)

    def check_unsettled(self, before: Request, after: Request, witness: Waited) -> None:
        assert after.state is State.PENDING, "a question or its answer settled something"
        assert (before.digest, before.reviews) == (after.digest, after.reviews), "asking changed what is decided"
        latest = witness.deadline - witness.held + BOUND
        assert after.deadline_at is not None
        assert after.deadline_at <= latest, "the end moved beyond the bound"

    def check_decision(self, request: Request, witness: Witness) -> None:
        super().check_decision(request, witness)
        assert isinstance(witness, Waited)
        went_ahead = request.state is State.APPROVED and request.decision and request.decision.by == ("silence",)
        assert not (went_ahead and witness.open), "silence went ahead while the agent owed an answer"


QUICK = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_while_people_ask_the_agent() -> None:
    run_state_machine_as_test(Talking, settings=QUICK)


def _asked_for_an_hour(machine: Talking) -> None:
    request = machine.submit("hard", None, 0)
    for number in range(4):
        machine.inquire(request, "U1")
        machine.time_passes(16, tick=False)
        machine.reply(request, number)


def _left_open(machine: Talking) -> None:
    request = machine.submit("soft", None, 0)
    machine.deliver(request)
    machine.inquire(request, "U1")
    machine.time_passes(61, tick=True)


def _stays_paused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pause, "LONGEST", timedelta(hours=2))


def _silence_is_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Request, "unanswered", ())


def _anybody_asks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inquiring, "check_may_stop", lambda request, person: None)


def _as_a_stranger(machine: Talking) -> None:
    machine.inquire(machine.submit("hard", None, 0), "UOUT")


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Talking], None]]] = {
    "beyond the bound": (_stays_paused, _asked_for_an_hour),
    "while the agent owed an answer": (_silence_is_enough, _left_open),
    "none of theirs": (_anybody_asks, _as_a_stranger),
}


@pytest.fixture
def machine() -> Iterator[Talking]:
    with opened(Talking) as machine:
        yield machine


@pytest.mark.parametrize("words", BUGS)
def test_each_law_goes_red_with_its_bug_planted(words: str, machine: Talking, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_red(machine, *BUGS[words], words, monkeypatch)
