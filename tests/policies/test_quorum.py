"""One approval from each of several groups: whose word fills which place, and what is still waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Place, Step, together
from policies.errors import NotAllowed
from policies.events import Edit, Elapsed, Reviewed
from policies.judgement import RECENT, Facts, judge
from policies.lifecycle import apply, open_request
from policies.loader import load
from policies.people import Person, Reviewers, Standing
from policies.quorum import count, is_met, reached, waiting_for
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=11)
FINANCE = Reviewers(name="finance", users=("U0FAY", "U0FRED", "U0BOTH"))
SECURITY = Reviewers(name="security", users=("U0SEC", "U0BOTH"))
SENIORS = Reviewers(name="seniors", users=("U0SAM",))
LADDER = Ladder(
    name="standard",
    steps=(
        Step(after=timedelta(minutes=10), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)


def gate(*places: Place, **more: Any) -> Checkpoint:
    asked = places or (Place(group=FINANCE), Place(group=SECURITY))
    plain = Checkpoint(
        kind=Kind.HARD,
        rule="payments",
        reason="because",
        reviewers=together(asked),
        places=asked,
        quorum=sum(place.count for place in asked),
        ladder=LADDER,
    )
    return replace(plain, **more)


def asked(checkpoint: Checkpoint | None = None, owner: str | None = None) -> Request:
    return open_request(
        Submission(call=ToolCall(tool="pay", arguments={"n": 1})),
        checkpoint or gate(),
        request_id="req_1",
        workspace_id="T0",
        requester=Requester(id="key:a", name="a", owner=owner),
        policy_digest="p",
        now=NOW,
    ).request


def said(request: Request, who: str, verdict: Verdict = Verdict.APPROVE, *, at: datetime = NOW, n: int = 2) -> Request:
    person = Person(id=who, name=who, standing=Standing.MEMBER, looked_up_at=at)
    edit = Edit(arguments={"n": n}, checkpoint=request.checkpoint) if verdict is Verdict.MODIFY else None
    event = Reviewed(person=person, verdict=verdict, revision=request.revision, edit=edit)
    return apply(request, event, at).request


def test_one_of_each_group_approves() -> None:
    first = said(asked(), "U0FAY")
    assert (first.state, reached(first), waiting_for(first)) == (State.PENDING, 1, ("security",))
    both = said(first, "U0SEC")
    assert (both.state, both.decision and both.decision.by) == (State.APPROVED, ("U0FAY", "U0SEC"))


def test_two_of_one_group_are_not_one_of_each() -> None:
    two = said(said(asked(), "U0FAY"), "U0FRED")
    assert (two.state, reached(two), waiting_for(two)) == (State.PENDING, 1, ("security",))


def test_who_is_in_both_groups_fills_one_place_only() -> None:
    one = said(asked(), "U0BOTH")
    assert (one.state, reached(one), waiting_for(one)) == (State.PENDING, 1, ("finance", "security"))
    assert said(one, "U0BOTH").state is State.PENDING


@pytest.mark.parametrize("order", list(permutations(["U0BOTH", "U0SEC"])) + list(permutations(["U0BOTH", "U0FRED"])))
def test_who_is_in_both_groups_fills_whichever_place_the_other_leaves(order: tuple[str, str]) -> None:
    assert said(said(asked(), order[0]), order[1]).state is State.APPROVED


def test_n_of_a_group_are_different_people_of_it() -> None:
    checkpoint = gate(Place(group=FINANCE, count=2), Place(group=SECURITY))
    request = said(said(asked(checkpoint), "U0FAY"), "U0SEC")
    assert (request.state, reached(request), waiting_for(request)) == (State.PENDING, 2, ("finance",))
    assert said(request, "U0FAY").state is State.PENDING
    assert said(request, "U0FRED").state is State.APPROVED


def test_seniors_who_joined_fill_any_open_place_and_each_of_them_one() -> None:
    request = apply(said(asked(), "U0FAY"), Elapsed(), LATER).request
    assert said(request, "U0SAM", at=LATER).state is State.APPROVED
    alone = said(apply(asked(), Elapsed(), LATER).request, "U0SAM", at=LATER)
    assert (alone.state, reached(alone), waiting_for(alone)) == (State.PENDING, 1, ("finance", "security"))


def test_a_named_group_that_joins_as_well_keeps_to_its_own_places() -> None:
    ladder = replace(LADDER, steps=(replace(LADDER.steps[0], add=FINANCE), LADDER.steps[1]))
    request = apply(asked(gate(ladder=ladder)), Elapsed(), LATER).request
    two = said(said(request, "U0FAY", at=LATER), "U0FRED", at=LATER)
    assert (two.state, waiting_for(two)) == (State.PENDING, ("security",))


def test_an_edit_voids_all_approvals_and_is_its_authors_own_in_their_group() -> None:
    edited = said(said(asked(), "U0FAY"), "U0SEC", Verdict.MODIFY)
    assert (edited.state, reached(edited), waiting_for(edited)) == (State.PENDING, 1, ("finance",))
    assert said(edited, "U0FRED").state is State.APPROVED


def test_a_quorum_above_the_places_takes_anybody_of_the_groups_besides() -> None:
    request = said(said(asked(gate(quorum=3)), "U0FAY"), "U0SEC")
    assert (request.state, reached(request), waiting_for(request)) == (State.PENDING, 2, ())
    assert said(request, "U0FRED").state is State.APPROVED
    crowded = said(said(asked(gate(quorum=3)), "U0FAY"), "U0FRED")
    assert (reached(crowded), waiting_for(crowded)) == (2, ("security",))


def test_n_of_several_groups_are_any_different_people_of_them() -> None:
    any_two = gate(Place(group=FINANCE, count=0), Place(group=SECURITY, count=0), quorum=2)
    first = said(asked(any_two), "U0FAY")
    assert (first.state, reached(first), waiting_for(first)) == (State.PENDING, 1, ())
    assert said(first, "U0FAY").state is State.PENDING
    assert said(first, "U0FRED").state is State.APPROVED
    assert said(first, "U0SEC").state is State.APPROVED
    with pytest.raises(NotAllowed):
        said(first, "U0OUT")


def test_one_reject_ends_it_whatever_the_places() -> None:
    assert said(said(asked(), "U0FAY"), "U0FRED", Verdict.REJECT).state is State.REJECTED


NAMES = ("a", "b", "c")
VOICES = st.lists(st.frozensets(st.sampled_from((*NAMES, "senior"))), max_size=6)


def brute(slots: list[str], voices: list[frozenset[str]]) -> int:
    """The most places that can be filled, by trying every seating."""
    seats: list[int | None] = [*range(len(voices)), *([None] * len(slots))]
    best = 0
    for seating in set(permutations(seats, len(slots))):
        pairs = [(slot, voices[who]) for slot, who in zip(slots, seating, strict=True) if who is not None]
        best = max(best, sum(slot in voice or "senior" in voice for slot, voice in pairs))
    return best


@settings(max_examples=150, deadline=None)
@given(VOICES, st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 2)), max_size=2), st.integers(0, 2))
def test_as_many_places_are_filled_as_any_seating_of_different_people_could(
    voices: list[frozenset[str]], shares: list[tuple[str, int]], more: int
) -> None:
    places = tuple(Place(group=Reviewers(name=name), count=number) for name, number in dict(shares).items())
    slots = [place.group.name for place in places for _ in range(place.count)]
    checkpoint = replace(gate(), places=places, quorum=len(slots) + more)
    filled = brute(slots, voices)
    assert count(checkpoint, {"senior"}, voices) == filled + min(len(voices) - filled, more)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["U0FAY", "U0FRED", "U0BOTH", "U0SEC"]), max_size=5))
def test_it_is_approved_exactly_when_two_different_people_stand_for_the_two_groups(order: list[str]) -> None:
    request = asked()
    for who in order:
        before = {review.by for review in request.reviews} | {who}
        seated = any(one != two and one in FINANCE.users and two in SECURITY.users for one in before for two in before)
        request = said(request, who)
        assert (request.state is State.APPROVED) == seated == is_met(request)
        if seated:
            return


def test_the_judge_ranks_by_the_total_and_keeps_the_places_of_the_winner() -> None:
    policy = load(
        """
version: 1
reviewers: {finance: {users: [U0FAY, U0FRED]}, security: {users: [U0SEC]}, support: {users: [U0ANA, U0BEN, U0CY]}}
ladders: {day: [{after: 1d, then: expire}]}
rules:
  - {name: two, match: pay, checkpoint: hard, quorum: {finance: 1, security: 1}}
  - {name: one, match: pay, checkpoint: hard, reviewers: support}
  - {name: three, match: pay, when: args.n > 9, checkpoint: hard, quorum: 3, reviewers: support}
default: {checkpoint: hard, reviewers: support, ladder: day}
""",
        source="p.yml",
    )

    def judged(n: int) -> Checkpoint:
        facts = Facts(agent="a", now=NOW, recent=dict.fromkeys(RECENT, 0))
        return judge(policy, Submission(call=ToolCall(tool="pay", arguments={"n": n})), facts)

    small, large = judged(1), judged(10)
    assert (small.rule, small.quorum, [place.group.name for place in small.places]) == (
        "two",
        2,
        ["finance", "security"],
    )
    assert (large.rule, large.quorum, large.places) == ("three", 3, ())
