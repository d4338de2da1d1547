"""Deputies, and groups of the ladder that join early, where those who should decide are out of office."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checkpoint import Checkpoint, Place, together
from policies.effects import Summon
from policies.errors import Faulty, NotAllowed, Refused
from policies.events import Edit, Outcome, Reviewed
from policies.lifecycle import apply
from policies.loader import load
from policies.people import Absence, Person, Reviewers, Standing
from policies.request import Request, State
from policies.review import Verdict
from policies.standing_in import admit_those_here, readmit, with_deputies
from tests.policies.test_satisfiable import DEP, LADDER, NOW, SAM, gate, opened, person

BOARD = Reviewers(name="board", users=("U0BOS",))
CHIEFS = Reviewers(name="chiefs", users=("U0CHI",), deputy=BOARD)
FINANCE = Reviewers(name="finance", users=("U0FAY", "U0FRED"), deputy=CHIEFS)
SECURITY = Reviewers(name="security", users=("U0SEC",))
MONDAY, FRIDAY = NOW + timedelta(days=7), NOW + timedelta(days=4)
SHORT = replace(LADDER, steps=LADDER.steps[-1:])


def away(one: Person, until: Absence | None = None) -> Person:
    return replace(one, away=until or Absence())


FAY, FRED, SEC = person("U0FAY"), person("U0FRED"), person("U0SEC")
CHI, BOS = person("U0CHI"), person("U0BOS")


def alone(**more: object) -> Outcome:
    return opened(gate(**{"reviewers": FINANCE, "ladder": SHORT, **more}))


def each(*places: Place, **more: object) -> Outcome:
    quorum = sum(place.count for place in places)
    return opened(gate(places=places, reviewers=together(places), quorum=quorum, **{"ladder": SHORT, **more}))


def press(request: Request, *people: Person) -> Request:
    for one in people:
        request = apply(request, Reviewed(person=one, verdict=Verdict.APPROVE, revision=request.revision), NOW).request
    return request


def test_while_somebody_is_here_nothing_changes() -> None:
    before = alone()
    assert admit_those_here(before, (away(FAY), FRED, CHI), NOW) == before


def test_where_all_are_away_the_deputy_is_asked_with_the_reason_and_the_journal_says_so() -> None:
    found = admit_those_here(alone(), (away(FAY, Absence(until=MONDAY)), away(FRED, Absence(until=FRIDAY)), CHI), NOW)
    (one,) = found.request.stand_ins
    assert (one.of, one.group.name, one.until, one.away, one.by_ladder) == ("finance", "chiefs", FRIDAY, True, False)
    assert [effect.group for effect in found.effects if isinstance(effect, Summon)] == ["chiefs"]
    entry = found.entries[-1]
    assert (entry.what, entry.actor, entry.detail) == (
        "step",
        "policy",
        {"act": "deputy", "group": "chiefs", "of": "finance"},
    )
    assert press(found.request, CHI).state is State.APPROVED
    assert press(found.request, away(FAY)).state is State.APPROVED, "somebody away who decides all the same counts"


def test_until_is_when_enough_are_back() -> None:
    people = (away(FAY, Absence(until=MONDAY)), away(FRED, Absence(until=FRIDAY)), CHI, BOS)
    (one, other) = admit_those_here(alone(quorum=2), people, NOW).request.stand_ins
    assert (one.until, one.group.name, other.group.name) == (MONDAY, "chiefs", "board")
    (unknown,) = admit_those_here(alone(quorum=2), (FRED, away(FAY), CHI), NOW).request.stand_ins
    assert unknown.until is None


def test_a_deputy_who_is_away_as_well_is_passed_over_for_the_deputys_own() -> None:
    found = admit_those_here(alone(), (away(FAY), away(FRED), away(CHI), BOS), NOW).request
    assert [one.group.name for one in found.stand_ins] == ["board"]
    with pytest.raises(NotAllowed):
        press(found, CHI)
    assert press(found, BOS).state is State.APPROVED


def test_where_nobody_at_all_is_here_it_waits_for_those_who_are_away() -> None:
    before = alone()
    assert admit_those_here(before, (away(FAY), away(FRED), away(CHI), away(BOS)), NOW) == before


def test_a_deputy_fills_the_places_of_its_group_and_no_others() -> None:
    found = admit_those_here(each(Place(group=FINANCE), Place(group=SECURITY)), (away(FAY), SEC, CHI), NOW).request
    two = replace(CHIEFS, users=("U0CHI", "U0TWO"))
    widened = replace(found, stand_ins=(replace(found.stand_ins[0], group=two),))
    assert press(widened, CHI, person("U0TWO")).state is State.PENDING, "two chiefs are nobody of security"
    assert press(found, CHI, SEC).state is State.APPROVED


def test_without_a_deputy_the_ladders_next_group_joins_early_and_it_is_said_why() -> None:
    plain = replace(FINANCE, deputy=None)
    found = admit_those_here(alone(reviewers=plain, ladder=LADDER), (away(FAY), away(FRED), DEP, SAM), NOW).request
    assert [group.name for group in found.joined] == ["deputies"]
    (one,) = found.stand_ins
    assert (one.of, one.group.name, one.by_ladder) == ("finance", "deputies", True)
    assert press(found, DEP).state is State.APPROVED


def test_seniors_who_are_called_since_nobody_is_active_are_not_said_to_stand_in_for_people_on_holiday() -> None:
    plain = replace(FINANCE, deputy=None)
    found = admit_those_here(alone(reviewers=plain, ladder=LADDER), (SAM, DEP), NOW).request
    assert (found.stand_ins, [group.name for group in found.joined]) == ((), ["deputies"])


def test_a_deputy_stands_in_for_too_few_people_as_well() -> None:
    (one,) = admit_those_here(alone(quorum=2), (FAY, CHI), NOW).request.stand_ins
    assert (one.group.name, one.away) == ("chiefs", False)


def test_a_deputy_whom_the_call_serves_does_not_help() -> None:
    own = opened(gate(reviewers=FINANCE, ladder=SHORT), owner="U0CHI")
    found = admit_those_here(own, (away(FAY), CHI, BOS), NOW).request
    assert [one.group.name for one in found.stand_ins] == ["board"]
    assert admit_those_here(own, (CHI,), NOW).request.state is State.REJECTED


def edited(request: Request, checkpoint: Checkpoint, by: Person) -> Outcome:
    edit = Edit(arguments={"amount": 9}, checkpoint=checkpoint)
    return apply(request, Reviewed(person=by, verdict=Verdict.MODIFY, revision=1, edit=edit), NOW)


def test_an_edit_into_a_gate_that_nobody_can_fill_is_refused_with_the_reason() -> None:
    stricter = gate(reviewers=FINANCE, quorum=2, ladder=SHORT)
    changed = edited(alone().request, stricter, FAY)
    assert changed.request.state is State.PENDING
    with pytest.raises(NotAllowed, match=r"With these changes nobody could approve it.*2 of finance"):
        readmit(changed, (FAY,), NOW)
    assert readmit(changed, (FAY, FRED), NOW) == changed


def test_an_edit_before_people_who_are_away_asks_their_deputy_and_lets_go_of_the_former_one() -> None:
    first = admit_those_here(alone(), (away(FAY), away(FRED), CHI), NOW).request
    assert first.stand_ins
    guards = replace(SECURITY, deputy=BOARD)
    both = (Place(group=FINANCE), Place(group=guards))
    changed = edited(first, gate(places=both, reviewers=together(both), quorum=2, ladder=SHORT), CHI)
    found = readmit(changed, (away(FAY), CHI, away(SEC), BOS), NOW).request
    assert [(one.of, one.group.name) for one in found.stand_ins] == [("finance", "chiefs"), ("security", "board")]
    with pytest.raises(NotAllowed, match="not among the reviewers"):
        edited(first, gate(reviewers=guards, quorum=2, ladder=SHORT), CHI)


PEOPLE = st.lists(
    st.builds(
        person,
        st.sampled_from(["U0FAY", "U0FRED", "U0CHI", "U0BOS", "U0SEC", "U0SAM", "U0DEP"]),
        standing=st.sampled_from([Standing.MEMBER, Standing.MEMBER, Standing.GUEST]),
        away=st.sampled_from([None, None, Absence(), Absence(until=MONDAY)]),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


def _approved_by(request: Request, people: tuple[Person, ...]) -> bool:
    for one in people:
        try:
            request = press(request, one) if not request.settled else request
        except Refused:
            continue
    return request.state is State.APPROVED


@settings(max_examples=120, deadline=None)
@given(PEOPLE, st.booleans(), st.integers(1, 2), st.booleans())
def test_deputies_only_ever_add_a_way_for_those_here_to_decide(
    people: list[Person], split: bool, number: int, climbs: bool
) -> None:
    """Whom the policy names can decide as before; what those who are here could decide they still can; and it is only
    refused where nobody could, deputies included."""
    ladder = LADDER if climbs else SHORT
    places = (Place(group=FINANCE, count=number), Place(group=SECURITY))
    before = each(*places, ladder=ladder) if split else alone(quorum=number, ladder=ladder)
    found = admit_those_here(before, people, NOW)
    here = tuple(one for one in people if one.away is None)
    groups = [some for size in range(1, len(people) + 1) for some in combinations(people, size)]
    if any(_approved_by(before.request, some) for some in groups):
        assert any(_approved_by(found.request, some) for some in groups)
    assert (found.request.state is State.REJECTED) <= (not any(_approved_by(before.request, some) for some in groups))
    stood = with_deputies(before, people, NOW).request
    if stood.stand_ins and _approved_by(stood, here):
        assert not _approved_by(before.request, here), "deputies are asked only where they are needed"
    names = {one.group.name for one in found.request.stand_ins if not one.by_ladder}
    assert names <= {"chiefs", "board"}


@pytest.mark.parametrize(
    ("deputies", "fault"),
    [
        ("a: {deputy: b}", "p.yml:4:15: There is no group of reviewers called 'b'"),
        ("a: {deputy: a}", "p.yml:4:15: A group can't stand in for itself"),
        ("a: {deputy: b}\n  b: {deputy: c}\n  c: {deputy: a}", "p.yml:4:15: The deputies go round in a circle here"),
    ],
)
def test_deputies_that_cannot_be_meant_are_faults_at_their_place(deputies: str, fault: str) -> None:
    with pytest.raises(Faulty) as caught:
        load(f"\nversion: 1\nreviewers:\n  {deputies}\n", source="p.yml")
    assert str(caught.value.faults[0]).startswith(fault)


def test_a_policy_names_deputies_of_deputies_and_counts_them() -> None:
    text = """
version: 1
reviewers:
  finance: {users: [U0FAY], deputy: chiefs}
  chiefs: {users: [U0CHI], deputy: board}
  board: {usergroups: [S0BOARD]}
rules:
  - {name: two, match: pay, checkpoint: hard, reviewers: finance, quorum: 2}
"""
    finance = load(text, source="p.yml").group("finance")
    assert finance.deputy is not None
    assert (finance.deputy.name, finance.deputy.deputy and finance.deputy.deputy.name) == ("chiefs", "board")
