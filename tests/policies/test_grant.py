"""What a grant lets through: never anything that differs in a ticked place, is larger, of another type, or has more."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.arguments import canonical
from policies.checkpoint import Checkpoint, GrantBound, Kind, Place
from policies.errors import Conflict, Invalid, NotAllowed, Stale
from policies.events import Granted, Outcome
from policies.grant import Grant, Sort, Standing, Terms, counts, fits, leaves, sort_of, spans
from policies.granting import covers, go_ahead, may_see, revoke, why_never
from policies.lifecycle import apply, open_request
from policies.people import Person, Reviewers
from policies.people import Standing as Account
from policies.preview import Preview
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.settling import settle

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEAM = Reviewers(name="team", users=("U1", "U2"))
SENIORS = Reviewers(name="seniors", users=("U9",))
GATE = Checkpoint(kind=Kind.HARD, rule="refunds", reason="refunds: all", reviewers=TEAM, matched=("refunds",))
AGENT = Requester(id="key:bot", name="bot", owner="UOWNER")
REFUND = {"order_id": "HG-1", "amount": 140, "reason": "Broken", "to": {"iban": "DE1", "tags": ["a"]}}

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def ask(arguments: dict[str, Any] = REFUND, gate: Checkpoint = GATE, **more: Any) -> Outcome:
    """A request that was just opened."""
    return open_request(
        Submission(call=ToolCall(tool=more.pop("tool", "issue_refund"), arguments=arguments), **more),
        gate,
        request_id="req_1",
        workspace_id="T1",
        requester=AGENT,
        policy_digest="p1",
        now=NOW,
    )


def person(user_id: str = "U1", at: datetime = NOW, standing: Account = Account.MEMBER) -> Person:
    return Person(id=user_id, name=f"Person {user_id}", standing=standing, looked_up_at=at)


def made(request: Request, *loose: str, by: str = "U1", **terms: Any) -> Outcome:
    """What comes of approving ``request`` and calls like it."""
    asked = Terms(**{"loose": loose, "lasts": HOUR, "most": 10} | terms)
    return apply(request, Granted(person=person(by), revision=1, terms=asked, grant_id="grant_1"), NOW)


def grant_of(arguments: dict[str, Any], *loose: str) -> Grant:
    found = made(ask(arguments).request, *loose).grant
    assert found is not None
    return found


def the_grant() -> Grant:
    return grant_of(REFUND, "/order_id", "/amount")


@st.composite
def patterns(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arguments, and some of the places in them that may differ."""
    arguments = draw(ARGUMENTS)
    free = [leaf.pointer for leaf in leaves(arguments) if leaf.may_differ]
    return arguments, tuple(draw(st.lists(st.sampled_from(free), unique=True))) if free else ()


def put(arguments: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """``arguments`` with another value at ``path``."""
    changed: Any = copy.deepcopy(arguments)
    here = changed
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return dict(changed)


@given(patterns())
def test_the_approved_call_itself_always_fits(pattern: tuple[dict[str, Any], tuple[str, ...]]) -> None:
    arguments, loose = pattern
    assert fits(grant_of(arguments, *loose), copy.deepcopy(arguments))


@given(patterns(), st.data())
def test_a_call_that_differs_in_one_place_fits_only_as_that_place_allows(
    pattern: tuple[dict[str, Any], tuple[str, ...]], data: st.DataObject
) -> None:
    arguments, loose = pattern
    found = leaves(arguments)
    assume(found)
    leaf, value = data.draw(st.sampled_from(found)), data.draw(VALUES)
    assume(canonical(value) != canonical(leaf.value))
    fitting = fits(grant_of(arguments, *loose), put(arguments, leaf.path, value))
    if leaf.pointer not in loose or type_name(value) != type_name(leaf.value):
        assert not fitting
    elif type_name(value) == "number":
        assert fitting == (0 <= value <= leaf.value)
    else:
        assert fitting


def type_name(value: Any) -> str:
    """The type as JSON's grammar has it, told apart by what is written."""
    first = canonical(value)[:1]
    return {b"n": "null", b"t": "flag", b"f": "flag", b'"': "text", b"[": "list", b"{": "object"}.get(first, "number")


@given(patterns(), st.text(max_size=3), VALUES)
def test_a_key_more_or_less_never_fits(pattern: tuple[dict[str, Any], tuple[str, ...]], key: str, value: Any) -> None:
    arguments, loose = pattern
    assume(key not in arguments)
    assert not fits(grant_of(arguments, *loose), {**arguments, key: value})
    for name in arguments:
        less = {each: child for each, child in arguments.items() if each != name}
        assert not fits(grant_of(arguments, *loose), less)


@given(VALUES, VALUES)
def test_types_are_those_of_json(one: Any, other: Any) -> None:
    assert (sort_of(one) is sort_of(other)) == (type_name(one) == type_name(other))


@pytest.mark.parametrize(
    ("seen", "value", "fitting"),
    [
        (1, 1.0, True),
        (1, True, False),
        (1, "1", False),
        (True, 1, False),
        (140, 140.0, True),
        (140, 0, True),
        (140, -0.01, False),
        (140, 140.01, False),
        (140, None, False),
        ("a", "", True),
        ("a", ["a"], False),
        ([1], [], True),
        ([1], {}, False),
        (True, False, True),
    ],
    ids=repr,
)
def test_where_a_value_may_differ_it_keeps_its_type_and_a_number_grows_no_larger(
    seen: Any, value: Any, fitting: bool
) -> None:
    assert fits(grant_of({"x": seen}, "/x"), {"x": value}) is fitting
    assert fits(grant_of({"x": seen}), {"x": value}) is (canonical(seen) == canonical(value))


def test_null_and_empty_objects_and_numbers_without_room_stay_as_they_are() -> None:
    found = {leaf.pointer: leaf.may_differ for leaf in leaves({"a": None, "b": {}, "c": 0, "d": -5, "e": 1, "f": []})}
    assert found == {"/a": False, "/b": False, "/c": False, "/d": False, "/e": True, "/f": True}
    assert leaves({}) == ()
    assert sort_of({}) is Sort.OBJECT


def test_making_a_grant_approves_the_request_and_the_journal_holds_no_arguments() -> None:
    outcome = made(ask().request, "/amount")
    assert outcome.request.state is State.APPROVED
    assert outcome.request.decision is not None
    assert outcome.request.decision.by == ("U1",)
    assert [entry.what for entry in outcome.entries] == ["reviewed", "settled", "granted"]
    assert outcome.entries[-1].subject == "grant_1"
    assert "HG-1" not in str(outcome.entries)
    assert outcome.grant is not None
    assert (outcome.grant.expires_at, outcome.grant.most, outcome.grant.by) == (NOW + HOUR, 10, "U1")


NEVER = {
    "manual": replace(GATE, kind=Kind.MANUAL),
    "soft": replace(GATE, kind=Kind.SOFT),
    "inbox": replace(GATE, kind=Kind.INBOX),
    "two people": replace(GATE, quorum=2),
    "places": replace(GATE, places=(Place(group=TEAM),)),
    "required": replace(GATE, required_by="SOX 404"),
    "forbidden": replace(GATE, grants=None),
}


@pytest.mark.parametrize("gate", NEVER.values(), ids=NEVER)
def test_what_must_be_looked_at_each_time_is_never_granted(gate: Checkpoint) -> None:
    request = ask(gate=gate).request
    assert why_never(request)
    with pytest.raises(NotAllowed):
        made(request)
    assert not covers(replace(the_grant(), checkpoint=gate), request)


def test_a_draft_that_is_no_argument_is_looked_at_each_time() -> None:
    of_argument, of_its_own = (
        Preview(title="Letter", media_type="text/plain", text=text, argument=argument)
        for text, argument in (("Broken", "reason"), ("Dear all", None))
    )
    assert covers(the_grant(), replace(ask().request, preview=(of_argument,)))
    shown = replace(ask().request, preview=(of_argument, of_its_own))
    assert not covers(the_grant(), shown)
    with pytest.raises(NotAllowed):
        made(shown)


def test_nobody_reads_a_pattern_of_many_values() -> None:
    assert why_never(ask({str(number): 1 for number in range(20)}).request) is None
    assert why_never(ask({str(number): 1 for number in range(21)}).request)


def test_a_grant_covers_the_same_agent_tool_policy_and_checkpoint_only() -> None:
    grant, request = the_grant(), ask().request
    assert covers(grant, request)
    others = {
        "agent": replace(request, requester=replace(AGENT, id="key:other")),
        "owner": replace(request, requester=replace(AGENT, owner="U5")),
        "tool": replace(request, call=replace(request.call, tool="send_refund")),
        "policy": replace(request, policy_digest="p2"),
        "rule": replace(request, checkpoint=replace(GATE, rule="other")),
        "a further rule": replace(request, checkpoint=replace(GATE, matched=("refunds", "unsure"))),
        "reviewers": replace(request, checkpoint=replace(GATE, reviewers=SENIORS)),
        "arguments": replace(request, call=replace(request.call, arguments={**REFUND, "amount": 141})),
        "settled": settle(request, State.WITHDRAWN, ("requester",), NOW, None).request,
    }
    assert [name for name, other in others.items() if covers(grant, other)] == []


def test_a_use_names_the_grant_and_is_numbered() -> None:
    outcome = go_ahead(ask(), replace(the_grant(), used=2), person(), NOW)
    decision = outcome.request.decision
    assert decision is not None
    assert (decision.by, decision.note) == (("grant:grant_1",), "Under Person U1's grant, 3 of 10")
    assert [type(effect).__name__ for effect in outcome.effects] == ["TellOfGrant"]


@pytest.mark.parametrize(
    "granter",
    [
        person("U3"),
        person("UOWNER"),
        person(standing=Account.GUEST),
        person(standing=Account.DEACTIVATED),
        person(standing=Account.BOT),
        person(standing=Account.STRANGER),
        person(at=NOW - timedelta(seconds=61)),
    ],
    ids=repr,
)
def test_a_granter_who_could_not_approve_the_very_request_lets_nothing_through(granter: Person) -> None:
    with pytest.raises(NotAllowed):
        go_ahead(ask(), the_grant(), granter, NOW)


def test_whom_the_new_call_serves_lets_it_through_by_no_grant_of_theirs() -> None:
    with pytest.raises(NotAllowed):
        go_ahead(ask(on_behalf_of="U1"), the_grant(), person(), NOW)


def test_who_joined_by_the_ladder_approves_one_call_and_grants_none() -> None:
    request = replace(ask().request, joined=(SENIORS,))
    with pytest.raises(NotAllowed, match="Use Approve for this one"):
        made(request, by="U9")


@pytest.mark.parametrize(
    "terms",
    [
        {"most": 11},
        {"most": 0},
        {"lasts": 2 * HOUR},
        {"lasts": timedelta()},
        {"loose": ("/nothing",)},
        {"loose": ("",)},
    ],
    ids=repr,
)
def test_terms_that_were_not_offered_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        made(ask().request, **terms)


def test_an_older_revision_grants_nothing() -> None:
    event = Granted(person=person(), revision=2, terms=Terms(loose=(), lasts=HOUR, most=5), grant_id="grant_1")
    with pytest.raises(Stale):
        apply(ask().request, event, NOW)


@given(st.timedeltas(timedelta(seconds=1), timedelta(hours=8)), st.integers(1, 50))
def test_what_the_policy_bounds_is_never_exceeded_and_there_is_always_a_choice(longest: timedelta, most: int) -> None:
    bound = GrantBound(longest=longest, most=most)
    assert all(span <= longest for span in spans(bound))
    assert all(count <= most for count in counts(bound))
    assert spans(bound)
    assert counts(bound)


def test_a_grant_is_active_until_it_is_used_up_expired_or_revoked_and_ends_once() -> None:
    grant = the_grant()
    assert grant.standing(NOW) is Standing.ACTIVE
    assert grant.standing(NOW + HOUR) is Standing.EXPIRED
    assert replace(grant, used=10).standing(NOW) is Standing.USED_UP
    ended = revoke(grant, "U2", NOW)
    assert ended.grant.standing(NOW) is Standing.REVOKED
    assert [(entry.what, entry.actor, entry.subject) for entry in ended.entries] == [("revoked", "U2", "grant_1")]
    for over in (ended.grant, replace(grant, used=10)):
        with pytest.raises(Conflict):
            revoke(over, "U1", NOW)


def test_a_grant_concerns_reviewers_its_granter_and_who_answers_for_the_agent() -> None:
    assert [who for who in ("U1", "U2", "U3", "U9", "UOWNER") if may_see(the_grant(), person(who))] == [
        "U1",
        "U2",
        "UOWNER",
    ]
