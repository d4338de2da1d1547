"""Asking somebody else to decide, and handing one's say over: only whom the policy names, the quorum as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import delegating, lifecycle
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Place, Step, together
from policies.delegating import LONGEST_NOTE, MOST, with_enough_left
from policies.delegation import Delegation
from policies.effects import Refresh, Summon, TellDelegation
from policies.errors import AlreadySettled, Conflict, Faulty, Invalid, NotAllowed, Refused, Unavailable
from policies.events import Delegated, Edit, Elapsed, Outcome, Reviewed, Snoozed, Stopped
from policies.inbox import Numbers, sort_out
from policies.lifecycle import apply
from policies.loader import load
from policies.people import Person, Reviewers, Standing
from policies.purging import blanked
from policies.request import Request, State
from policies.review import Verdict
from policies.standing_in import asked_in_turn
from tests.policies.test_satisfiable import NOW, gate, opened, person

SENIORS = Reviewers(name="seniors", users=("U0SAM",))
CHIEFS = Reviewers(name="chiefs", users=("U0CHI",))
FINANCE = Reviewers(
    name="finance",
    users=("U0FAY", "U0FRED"),
    deputy=CHIEFS,
    delegates=Reviewers(name="finance's delegates", users=("U0DEL",), usergroups=("S0AUDIT",)),
)
SECURITY = Reviewers(name="security", users=("U0SEC",))
LADDER = Ladder(
    name="grows",
    steps=(
        Step(after=timedelta(minutes=30), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)
EACH = (Place(group=FINANCE), Place(group=SECURITY))
GATES = {
    "one": gate(reviewers=FINANCE, ladder=LADDER),
    "two": gate(reviewers=FINANCE, ladder=LADDER, quorum=2),
    "each": gate(places=EACH, reviewers=together(EACH), quorum=2, ladder=LADDER),
}
WHO = ("U0FAY", "U0FRED", "U0SEC", "U0CHI", "U0SAM", "U0DEL", "U0OUT", "U0OWN")
NAMED = {"one": {"U0FAY", "U0FRED"}, "two": {"U0FAY", "U0FRED"}, "each": {"U0FAY", "U0FRED", "U0SEC"}}
CAN_COME = {"U0SAM", "U0CHI"}
FAY, FRED, SEC, CHI, SAM, DEL, OUT = (person(who) for who in WHO[:7])


def request_of(name: str = "one") -> Request:
    return opened(GATES[name], owner="U0OWN").request


def ask(request: Request, by: Person, to: Person, *, now: Any = NOW, **more: Any) -> Outcome:
    return apply(request, Delegated(person=by, to=to, **more), now)


def approve(request: Request, one: Person, now: Any = NOW) -> Request:
    return apply(request, Reviewed(person=one, verdict=Verdict.APPROVE, revision=request.revision), now).request


def test_a_senior_who_would_join_later_decides_as_soon_as_a_reviewer_asks_them() -> None:
    with pytest.raises(NotAllowed):
        approve(request_of(), SAM)
    found = ask(request_of(), FAY, SAM, note="  I know the payee ")
    assert found.effects == (Refresh(request_id="req_1"), TellDelegation(request_id="req_1", number=0))
    (entry,) = found.entries
    assert (entry.what, entry.actor, entry.detail) == ("delegated", "U0FAY", {"to": "U0SAM", "hands_over": False})
    (made,) = found.request.delegations
    assert (made.by_name, made.to_name, made.note, made.speaks_for) == (
        FAY.name,
        SAM.name,
        "I know the payee",
        ("finance",),
    )
    assert found.request.deadline_at == request_of().deadline_at, "asking somebody moves no end"
    approved = approve(found.request, SAM)
    assert (approved.state, approved.reviews[0].groups) == (State.APPROVED, ("finance",))
    assert approve(found.request, FAY).state is State.APPROVED, "whoever only asks may still decide"


@pytest.mark.parametrize("to", [CHI, DEL, replace(OUT, usergroups=frozenset({"S0AUDIT"}))])
def test_deputies_and_the_groups_own_delegates_can_be_asked(to: Person) -> None:
    assert approve(ask(request_of(), FAY, to).request, to).state is State.APPROVED


def test_the_delegates_of_a_group_are_asked_by_its_own_people_alone() -> None:
    with pytest.raises(
        NotAllowed, match=r"doesn't name U0DEL .*You can ask people of finance, security, seniors, chiefs\."
    ):
        ask(request_of("each"), SEC, DEL)
    asked = ask(request_of("each"), FAY, CHI).request
    with pytest.raises(NotAllowed):
        ask(asked, CHI, DEL)


def test_whoever_is_asked_fills_a_place_of_the_askers_group_and_no_other() -> None:
    asked = ask(request_of("each"), FAY, SAM).request
    assert approve(approve(asked, SAM), FRED).state is State.PENDING, "two for finance are nobody of security"
    assert approve(approve(asked, SAM), SEC).state is State.APPROVED


def test_a_colleague_who_may_decide_anyway_speaks_for_nobody_else_since_they_were_asked() -> None:
    asked = ask(request_of("each"), SEC, FAY).request
    assert asked.delegations[0].speaks_for == ()
    assert approve(approve(asked, FAY), FRED).state is State.PENDING


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (OUT, "The policy doesn't name U0OUT"),
        (FAY, "somebody else than yourself"),
        (person("U0OWN"), "on behalf of U0OWN"),
        (replace(SAM, standing=Standing.DEACTIVATED), "doesn't name"),
        (replace(SAM, standing=Standing.GUEST), "doesn't name"),
        (replace(SAM, looked_up_at=NOW - timedelta(minutes=2)), "could not confirm"),
    ],
)
def test_nobody_else_can_be_asked(to: Person, words: str) -> None:
    with pytest.raises(Refused, match=words):
        ask(request_of(), FAY, to)


@pytest.mark.parametrize("by", [OUT, SAM, person("U0OWN"), replace(FAY, standing=Standing.DEACTIVATED)])
def test_only_who_may_decide_can_ask(by: Person) -> None:
    with pytest.raises(Refused):
        ask(request_of(), by, FRED)


def test_whoever_is_named_no_more_when_they_press_decides_nothing() -> None:
    audit = replace(OUT, usergroups=frozenset({"S0AUDIT"}))
    asked = ask(request_of(), FAY, audit).request
    with pytest.raises(NotAllowed):
        approve(asked, OUT)


def test_whoever_hands_over_may_reject_and_stop_but_not_approve_edit_or_ask() -> None:
    over = ask(request_of("two"), FAY, SAM, hands_over=True).request
    edit = Edit(arguments={"a": 1}, checkpoint=GATES["two"])
    for event in (
        Reviewed(person=FAY, verdict=Verdict.APPROVE, revision=1),
        Reviewed(person=FAY, verdict=Verdict.MODIFY, revision=1, edit=edit),
        Snoozed(person=FAY, until=NOW + timedelta(minutes=5)),
        Delegated(person=FAY, to=FRED),
    ):
        with pytest.raises(NotAllowed, match="You handed this one over"):
            apply(over, event, NOW)
    assert apply(over, Stopped(person=FAY), NOW).request.state is State.REJECTED
    assert approve(approve(over, SAM), FRED).state is State.APPROVED
    assert approve(ask(over, SAM, FAY).request, FAY).approvals, "asked again, they decide again"


def test_an_approval_is_neither_handed_over_nor_asked_for_twice() -> None:
    approved = approve(request_of("two"), FAY)
    with pytest.raises(Conflict, match="nothing to hand over"):
        ask(approved, FAY, SAM, hands_over=True)
    with pytest.raises(Conflict, match="U0FAY approved this already"):
        ask(approved, FRED, FAY)
    asked = ask(approved, FAY, SAM).request
    with pytest.raises(Conflict, match="You asked U0SAM already"):
        ask(asked, FAY, SAM)
    with pytest.raises(Invalid, match="at most 300"):
        ask(approved, FRED, SAM, note="x" * (LONGEST_NOTE + 1))
    full = replace(asked, delegations=asked.delegations * MOST)
    with pytest.raises(Conflict, match="10 times"):
        ask(full, FRED, SAM)


def test_what_is_over_is_handed_to_nobody() -> None:
    with pytest.raises(AlreadySettled):
        ask(approve(request_of(), FAY), FRED, SAM)
    with pytest.raises(AlreadySettled):
        ask(request_of(), replace(FAY, looked_up_at=NOW + timedelta(hours=3)), SAM, now=NOW + timedelta(hours=3))


def test_nobody_hands_over_what_then_too_few_could_approve() -> None:
    over = ask(request_of("two"), FAY, FRED, hands_over=True)
    with pytest.raises(NotAllowed, match="Without you too few are left"):
        with_enough_left(over, (FAY, FRED), NOW)
    with pytest.raises(Unavailable):
        with_enough_left(over, None, NOW)
    early = with_enough_left(over, (FAY, FRED, SAM), NOW)
    assert [group.name for group in early.request.joined] == ["seniors"], "seniors join at once where it takes them"
    assert Summon(request_id="req_1", group="seniors") in early.effects
    brought = ask(request_of("two"), FAY, SAM, hands_over=True)
    assert with_enough_left(brought, (FAY, FRED, SAM), NOW) == brought
    soft = opened(
        gate(
            kind=Kind.SOFT,
            reviewers=FINANCE,
            ladder=replace(LADDER, steps=(Step(after=timedelta(1), act=Act.PROCEED),)),
        )
    )
    stopped = ask(soft.request, FAY, FRED, hands_over=True)
    assert with_enough_left(stopped, None, NOW) == stopped, "nobody has to approve what silence lets go"


def test_an_edit_before_other_people_lets_go_of_whom_the_policy_names_no_more() -> None:
    over = ask(request_of("two"), FAY, SAM, hands_over=True).request
    for group, stays in ((FINANCE, True), (SECURITY, False)):
        other = gate(reviewers=group, quorum=2, ladder=LADDER)
        edited = replace(over, checkpoint=other, revision=2)
        assert bool(edited.delegated) is stays
        assert edited.stepped_back("U0FAY") is stays
        assert bool(edited.groups_of(SAM)) is stays
    short = replace(over, checkpoint=replace(GATES["two"], ladder=replace(LADDER, steps=LADDER.steps[1:])))
    assert not short.groups_of(SAM), "another ladder's seniors decide nothing"


def test_who_was_asked_is_found_where_work_waits_and_among_those_who_may_come() -> None:
    asked = ask(request_of(), FAY, SAM).request
    inbox = sort_out(SAM, pending=[asked], unseen=(), decided=(), numbers=Numbers())
    assert (inbox.waiting, inbox.escalated) == ((asked,), ())
    assert any(
        group.users == ("U0SAM",) and group.name == "asked" for groups in asked_in_turn(asked) for group in groups
    )


def test_a_purge_blanks_the_note_and_keeps_who_asked_whom() -> None:
    asked = approve(ask(request_of(), FAY, SAM, note="about Mr. Miller").request, SAM)
    ended = apply(asked, Elapsed(), NOW + timedelta(days=2)).request
    (one,) = blanked(ended, NOW + timedelta(days=3), NOW + timedelta(days=3)).request.delegations
    assert (one.by, one.to, one.note) == ("U0FAY", "U0SAM", None)


def test_the_policy_lists_delegates_by_id_address_or_user_group() -> None:
    policy = load(
        "version: 1\nreviewers:\n  a: {users: [U0FAY], delegates: [U0DEL, S0AUDIT, x@example.com]}\n", source="p.yml"
    )
    named = policy.reviewers["a"].delegates
    assert named is not None
    assert (named.users, named.usergroups) == (("U0DEL", "x@example.com"), ("S0AUDIT",))
    assert "S0AUDIT" in policy.usergroups
    with pytest.raises(Faulty, match=r"p\.yml:3:19: .*is a handle"):
        load('version: 1\nreviewers:\n  a: {delegates: ["@sam"]}\n', source="p.yml")


# ---- the laws, for any order of asking and deciding

ACTS = st.lists(
    st.tuples(st.sampled_from(WHO), st.sampled_from([*WHO, ""]), st.booleans(), st.sampled_from([0, 0, 0, 31])),
    max_size=14,
)


def _play(name: str, acts: list[tuple[str, str, bool, int]]) -> None:
    """Let people ask and approve as ``acts`` say, and look at each step with a record of its own."""
    request, now, gave_up = request_of(name), NOW, dict[str, bool]()
    fills: dict[str, set[str]] = {"U0FAY": {"finance"}, "U0FRED": {"finance"}}
    fills |= {"U0SEC": {"security"}} if name == "each" else {}
    for who, to, over, minutes in acts:
        now += timedelta(minutes=minutes)
        if now >= NOW + timedelta(minutes=30):
            fills["U0SAM"] = {"finance", "security"}  # joined by the ladder
        try:
            if to:
                changed = ask(
                    request, person(who, looked_up_at=now), person(to, looked_up_at=now), hands_over=over, now=now
                )
                request = changed.request
                assert who in fills, "somebody asked who has no say"
                allowed = NAMED[name] | CAN_COME | ({"U0DEL"} if "finance" in fills[who] else set())
                assert to in allowed, "somebody was asked whom the policy doesn't name"
                gave_up |= {to: False, who: over}
                fills[to] = fills.get(to, set()) | (set() if to in NAMED[name] else fills[who])
            else:
                request = approve(request, person(who, looked_up_at=now), now)
                assert who in fills, "somebody decided who has no say"
                assert not gave_up.get(who), "somebody approved what they had handed over"
        except Refused:
            continue
    assert request.checkpoint == GATES[name], "asking somebody changed what it takes"
    if request.state is State.APPROVED:
        _check_seats(name, request, fills)


def _check_seats(name: str, request: Request, fills: dict[str, set[str]]) -> None:
    """Can the approvers sit on the quorum's places, each on one?"""
    by = {review.by for review in request.approvals}
    may_fill = [fills[who] for who in by]
    places = ["finance", "security"] if name == "each" else ["finance"] * request.checkpoint.quorum
    seated = any(
        all(place in may for place, may in zip(places, order, strict=True))
        for order in permutations(may_fill, len(places))
    )
    assert seated, "the quorum was reached without everybody it takes"


QUICK = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@given(name=st.sampled_from(sorted(GATES)), acts=ACTS)
@QUICK
def test_whoever_asks_makes_nobody_decide_whom_the_policy_does_not_name_and_lowers_no_quorum(
    name: str, acts: list[tuple[str, str, bool, int]]
) -> None:
    _play(name, acts)


def _anybody_is_named(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        delegating, "_source", lambda request, by, to: (Reviewers(name="any", users=(to.id,)), request.groups_of(by))
    )
    patch.setattr(Delegation, "stands", lambda one, named, deciding: True)


def _speaks_for_all(patch: pytest.MonkeyPatch) -> None:
    source = delegating._source

    def widened(request: Request, by: Person, to: Person) -> tuple[Reviewers, tuple[str, ...]]:
        return source(request, by, to)[0], tuple(group.name for group in request.reviewers)

    patch.setattr(delegating, "_source", widened)


def _never_steps_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Request, "stepped_back", lambda request, who: False)


def _counts_as_approval(patch: pytest.MonkeyPatch) -> None:
    delegate = delegating.delegate

    def lowered(request: Request, event: Delegated, now: Any) -> Outcome:
        found = delegate(request, event, now)
        fewer: Checkpoint = replace(request.checkpoint, quorum=max(1, request.checkpoint.quorum - 1))
        return replace(found, request=replace(found.request, checkpoint=fewer))

    patch.setitem(lifecycle.REVIEW, (State.PENDING, Delegated), lowered)


@pytest.mark.parametrize(
    ("plant", "name", "acts"),
    [
        (_anybody_is_named, "one", [("U0FAY", "U0OUT", False, 0)]),
        (_speaks_for_all, "each", [("U0FAY", "U0SAM", False, 0), ("U0SAM", "", False, 0), ("U0FRED", "", False, 0)]),
        (_never_steps_back, "one", [("U0FAY", "U0SAM", True, 0), ("U0FAY", "", False, 0)]),
        (_counts_as_approval, "two", [("U0FAY", "U0SAM", False, 0)]),
    ],
)
def test_each_law_of_asking_goes_red_with_its_bug_planted(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, acts: list[tuple[str, str, bool, int]]
) -> None:
    _play(name, acts)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError):
            _play(name, acts)
