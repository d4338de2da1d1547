"""Which calls share a message, which are identical, and which one person may approve in one go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.authority import check_may_approve
from policies.checkpoint import Checkpoint, Kind
from policies.gathering import alike, identical, may_be_approved_in_one_go, plan
from policies.people import Person, Standing
from policies.request import Request, Requester
from policies.review import Verdict
from tests.policies.test_judgement import call, gate
from tests.slack.samples import DAYS, NOW, after, ask, checkpoint, verdict

BATCH = checkpoint(batch=True)
ANA = Person(id="U0ANA", name="Ana Reyes", standing=Standing.MEMBER, looked_up_at=NOW)


def numbered(requests: list[Request]) -> list[Request]:
    return [replace(one, id=f"req_{n}", created_at=NOW + timedelta(seconds=n)) for n, one in enumerate(requests)]


# ---- what the policy says


def test_a_rule_lets_calls_be_approved_in_one_go_only_where_every_rule_that_holds_them_does() -> None:
    own = "{name: own, match: pay, checkpoint: hard, batch: true}"
    assert gate(call(), own).batch
    assert not gate(call(), own, "{name: other, match: pay, checkpoint: hard}").batch
    assert not gate(call(), own, "{name: other, match: pay, checkpoint: inbox}").batch
    assert not gate(call(), own, "{name: strict, match: pay, checkpoint: manual}").batch
    assert not gate(call(), own, "{name: two, match: pay, checkpoint: hard, quorum: 2, batch: false}").batch
    assert gate(call(), own, "{name: open, match: pay, checkpoint: allow}").batch
    assert not gate(call("unheard of")).batch


def test_what_cannot_be_undone_or_whose_condition_failed_is_decided_alone() -> None:
    wide = "{name: wide, match: '*', checkpoint: hard, batch: true}"
    assert gate(call("post"), wide).batch
    assert not gate(call("wipe"), wide).batch
    failing = "{name: failing, match: pay, when: args.absent > 1, checkpoint: hard, batch: true}"
    assert not gate(call(), failing).batch
    law = "{name: law, match: pay, checkpoint: hard, required_by: SOX}"
    assert not gate(call(), wide, law).batch


# ---- identical calls


@pytest.mark.parametrize(
    "other",
    [
        ask({"a": 1, "b": 3}, BATCH),
        ask({"a": 1, "b": 2}, BATCH, tool="other"),
        ask({"a": 1, "b": 2}, BATCH, reason="Because"),
        ask({"a": 1, "b": 2}, BATCH, confidence=0.5),
        ask({"a": 1, "b": 2}, BATCH, on_behalf_of="U0SAM"),
        ask({"a": 1, "b": 2}, replace(BATCH, rule="another")),
        replace(ask({"a": 1, "b": 2}, BATCH), requester=Requester(id="key:shop", name="Shop agent", owner="U0BEN")),
        replace(ask({"a": 1, "b": 2}, BATCH), revision=2),
    ],
)
def test_calls_that_differ_in_anything_that_people_are_shown_are_not_identical(other: Request) -> None:
    one = ask({"a": 1, "b": 2}, BATCH)
    assert identical(one, replace(one, id="req_2", created_at=NOW + DAYS))
    assert not identical(one, other)
    assert alike(numbered([one, other, one])) == [
        tuple(numbered([one, other, one])[::2]),
        tuple(numbered([one, other, one])[1:2]),
    ]


# ---- what one person may approve in one go

GATES: tuple[Checkpoint, ...] = (
    BATCH,
    replace(BATCH, rule="another"),
    checkpoint(),
    replace(BATCH, quorum=2),
    replace(BATCH, reversible=False),
    replace(BATCH, impact="high"),
    replace(BATCH, required_by="SOX"),
    replace(checkpoint(Kind.MANUAL), batch=True),
    replace(checkpoint(Kind.SOFT), batch=True),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(GATES), st.integers(0, 2), st.booleans(), st.booleans(), st.sampled_from(["U0NEWT", "U0ANA"])
    ),
    min_size=1,
    max_size=10,
)
PEOPLE = st.sampled_from(
    [ANA, replace(ANA, id="U0FRED"), replace(ANA, standing=Standing.DEACTIVATED), replace(ANA, id="U0NEWT")]
)


def made(gate: Checkpoint, number: int, settled: bool, owner: str) -> Request:
    request = ask({"ticket": number}, gate)
    request = replace(request, requester=replace(request.requester, owner=owner))
    return after(request, verdict("U0BEN", Verdict.REJECT)) if settled else request


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, person=PEOPLE)
def test_nothing_is_approved_in_one_go_that_the_person_has_not_seen_or_may_not_decide_or_another_rule_held(
    rows: list[tuple[Checkpoint, int, bool, bool, str]], person: Person
) -> None:
    requests = numbered([made(gate, number, settled, owner) for gate, number, settled, _, owner in rows])
    seen = {one.id for one, row in zip(requests, rows, strict=True) if row[3]}
    chosen = requests[0]
    found = plan(requests[::-1], chosen, person, lambda one: one.id in seen)
    for one in found.approves:
        assert not one.settled
        assert one.checkpoint.rule == chosen.checkpoint.rule
        assert may_be_approved_in_one_go(one)
        gate = one.checkpoint
        assert (gate.batch, gate.kind, gate.quorum, gate.required_by) == (True, Kind.HARD, 1, None)
        assert gate.reversible is not False
        assert gate.impact != "high"
        assert any(other.id in seen and identical(one, other) for other in requests)
        check_may_approve(one, person)
    waiting = [one for one in requests if not one.settled]
    ours = [one for one in waiting if one.checkpoint.rule == chosen.checkpoint.rule]
    assert sorted([*found.approves, *(one for one, _ in found.stays)], key=lambda one: one.created_at) == ours
    assert all(why for _, why in found.stays)
    assert found.others == len(waiting) - len(ours)


def test_each_call_that_stays_says_why() -> None:
    requests = numbered([ask({"n": 1}, BATCH), ask({"n": 2}, BATCH), ask({"n": 3}, checkpoint()), ask({"n": 3}, BATCH)])
    requests[3] = replace(requests[3], requester=replace(requests[3].requester, owner="U0ANA"))
    found = plan(requests, requests[0], ANA, lambda one: one is not requests[1])
    assert [one.id for one in found.approves] == ["req_0"]
    assert [why for _, why in found.stays] == [
        "you haven't seen all of it: its row leaves something out, so open it first",
        "its rule wants it decided alone",
        "You can't approve this one: it was asked on your behalf. You may reject it",
    ]
