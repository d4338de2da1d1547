"""A request that nobody eligible can approve is known for that before it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checkpoint import NOBODY, Act, Checkpoint, Kind, Ladder, Place, Step, together
from policies.effects import Announce, Summon
from policies.errors import Refused
from policies.events import Elapsed, Outcome, Reviewed
from policies.lifecycle import apply, open_request
from policies.people import Person, Reviewers, Standing
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from policies.satisfiable import admit, can_fill, steps_needed

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEAM = Reviewers(name="team", users=("U0ANA", "ben@example.com"), usergroups=("S0TEAM",))
SECURITY = Reviewers(name="security", users=("U0SEC",))
DEPUTIES = Reviewers(name="deputies", users=("U0DEP",))
SENIORS = Reviewers(name="seniors", users=("U0SAM",))
LADDER = Ladder(
    name="standard",
    steps=(
        Step(after=timedelta(minutes=5), act=Act.REMIND),
        Step(after=timedelta(minutes=10), act=Act.ADD, add=DEPUTIES),
        Step(after=timedelta(minutes=15), act=Act.REMIND),
        Step(after=timedelta(minutes=20), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(minutes=25), act=Act.REMIND),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)


def gate(**more: Any) -> Checkpoint:
    plain = Checkpoint(kind=Kind.HARD, rule="pay", reason="because", reviewers=TEAM, ladder=LADDER)
    return replace(plain, **more)


def opened(checkpoint: Checkpoint, *, owner: str | None = None, on_behalf_of: str | None = None) -> Outcome:
    return open_request(
        Submission(call=ToolCall(tool="pay", arguments={}), on_behalf_of=on_behalf_of),
        checkpoint,
        request_id="req_1",
        workspace_id="T0",
        requester=Requester(id="key:a", name="a", owner=owner),
        policy_digest="p",
        now=NOW,
    )


def person(who: str, **more: Any) -> Person:
    known = {"id": who, "name": who, "standing": Standing.MEMBER, "looked_up_at": NOW, **more}
    return Person(**known)


ANA, BEN = person("U0ANA"), person("U0BEN", email="Ben@example.com")
GROUPED = person("U0GRP", usergroups=frozenset({"S0TEAM"}))
DEP, SAM, SEC = person("U0DEP"), person("U0SAM"), person("U0SEC")


@pytest.mark.parametrize(
    ("people", "steps"),
    [
        ((ANA,), 0),
        ((BEN,), 0),
        ((GROUPED,), 0),
        ((person("U0ANA", standing=Standing.GUEST), DEP), 2),
        ((person("U0ANA", standing=Standing.DEACTIVATED), SAM), 4),
        ((person("U0ANA", standing=Standing.STRANGER),), None),
        ((person("U0ANA", standing=Standing.BOT),), None),
        ((person("U0OUT"),), None),
        ((), None),
    ],
)
def test_only_standing_members_whom_the_policy_names_count(people: tuple[Person, ...], steps: int | None) -> None:
    assert steps_needed(opened(gate()).request, people) == steps


@pytest.mark.parametrize(
    "excluded",
    [{"owner": "U0BEN"}, {"on_behalf_of": "ben@example.com"}, {"on_behalf_of": "U0BEN"}],
)
def test_who_is_served_does_not_count_unless_the_rule_consents(excluded: dict[str, str]) -> None:
    assert steps_needed(opened(gate(), **excluded).request, (BEN,)) is None
    assert steps_needed(opened(gate(self_approval=True), **excluded).request, (BEN,)) == 0
    manual = gate(kind=Kind.MANUAL, self_approval=True)
    assert steps_needed(opened(manual, **excluded).request, (BEN,)) is None


def test_a_second_account_with_the_served_ones_address_does_not_count() -> None:
    request = replace(opened(gate(), owner="U0ELSE").request, known_as=("U0ELSE", "ben@example.com"))
    assert steps_needed(request, (BEN,)) is None


def test_each_person_counts_once_and_each_place_takes_its_own_group() -> None:
    two = opened(gate(quorum=2)).request
    assert not can_fill(two, (ANA, ANA))
    assert can_fill(two, (ANA, BEN))
    places = (Place(group=TEAM), Place(group=SECURITY))
    each = opened(gate(places=places, reviewers=together(places), quorum=2)).request
    assert (can_fill(each, (ANA, BEN)), can_fill(each, (ANA, SEC))) == (False, True)
    assert steps_needed(each, (ANA, BEN, SAM)) == 4


def test_what_can_be_approved_is_opened_unchanged() -> None:
    before = opened(gate())
    assert admit(before, 0, NOW) == before


def test_seniors_are_called_at_once_and_later_steps_keep_their_time() -> None:
    admitted = admit(opened(gate()), 4, NOW)
    request = admitted.request
    assert (request.state, [group.name for group in request.joined]) == (State.PENDING, ["deputies", "seniors"])
    assert [type(effect) for effect in admitted.effects if isinstance(effect, (Announce, Summon))] == [
        Announce,
        Summon,
        Summon,
    ]
    assert [entry.detail.get("group") for entry in admitted.entries] == [None, "deputies", "seniors"]
    assert {entry.actor for entry in admitted.entries[1:]} == {"policy"}
    assert request.next_action_at == NOW + timedelta(minutes=25)
    later = apply(request, Elapsed(), NOW + timedelta(minutes=21)).request
    assert [group.name for group in later.joined] == ["deputies", "seniors"]
    senior = person("U0SAM")
    settled = apply(request, Reviewed(person=senior, verdict=Verdict.APPROVE, revision=1), NOW).request
    assert settled.state is State.APPROVED


def test_what_nobody_can_approve_is_refused_at_once_with_the_reason_and_without_a_card() -> None:
    refused = admit(opened(gate(quorum=2)), None, NOW)
    decision = refused.request.decision
    assert decision is not None
    assert (refused.request.state, decision.by, refused.effects) == (State.REJECTED, ("policy",), ())
    assert decision.note is not None
    assert decision.note.startswith("There is nobody who may decide this: it takes approvals by 2 of team")
    assert [entry.what for entry in refused.entries] == ["opened", "settled"]


def test_where_the_policy_names_nobody_the_reason_says_so() -> None:
    request = opened(gate(reviewers=NOBODY, ladder=replace(LADDER, steps=LADDER.steps[-1:]))).request
    assert steps_needed(request, (ANA,)) is None
    decision = admit(opened(gate(reviewers=NOBODY)), None, NOW).request.decision
    assert decision is not None
    assert "the policy names no reviewers" in str(decision.note)


IDS = ("U0ANA", "U0BEN", "U0GRP", "U0SEC", "U0DEP", "U0SAM", "U0OUT")
SOMEBODY = st.builds(
    person,
    st.sampled_from(IDS),
    standing=st.sampled_from([Standing.MEMBER, Standing.MEMBER, Standing.MEMBER, Standing.GUEST]),
    usergroups=st.sampled_from([frozenset[str](), frozenset({"S0TEAM"})]),
)


def _approved_by_some(request: Request, people: Sequence[Person]) -> bool:
    """Does any selection of these people, each pressing Approve, get the request approved by the real lifecycle?"""
    for number in range(1, len(people) + 1):
        for some in combinations(people, number):
            standing = request
            for one in some:
                try:
                    event = Reviewed(person=one, verdict=Verdict.APPROVE, revision=1)
                    standing = apply(standing, event, NOW).request
                except Refused:
                    continue
                if standing.state is State.APPROVED:
                    return True
    return False


@settings(max_examples=150, deadline=None)
@given(
    st.lists(SOMEBODY, max_size=4, unique_by=lambda one: one.id),
    st.sampled_from([None, "U0ANA", "U0SEC"]),
    st.sampled_from([(), (Place(group=TEAM), Place(group=SECURITY)), (Place(group=TEAM, count=2),)]),
    st.integers(1, 3),
    st.booleans(),
)
def test_it_is_called_satisfiable_exactly_when_pressing_approve_gets_it_approved(
    people: list[Person], owner: str | None, places: tuple[Place, ...], quorum: int, consent: bool
) -> None:
    checkpoint = gate(
        places=places,
        reviewers=together(places) if places else TEAM,
        quorum=max(quorum, sum(place.count for place in places)),
        self_approval=consent,
    )
    before = opened(checkpoint, owner=owner)
    assert can_fill(before.request, people) == _approved_by_some(before.request, people)
    steps = steps_needed(before.request, people)
    admitted = admit(before, steps, NOW).request
    assert (admitted.state is State.PENDING) == (steps is not None)
    if steps is not None:
        assert _approved_by_some(admitted, people)
