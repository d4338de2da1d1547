"""An edit meets the policy anew: it can lead a call behind a stricter gate, never past the people of any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.checkpoint import Act, Checkpoint
from policies.effects import Refresh, TellServed
from policies.errors import Conflict, Invalid, NotAllowed, PhraseWrong
from policies.events import AuditMarked, Delivered, Edit, Elapsed, Reviewed
from policies.judgement import RECENT, Facts, judge
from policies.lifecycle import apply, open_request
from policies.loader import load
from policies.people import Person, Standing
from policies.request import Request, Requester, State, Submission, ToolCall
from policies.review import Verdict

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=11)
POLICY = load(
    """
version: 1
reviewers:
  support: {users: [U0ANA, U0OWNER]}
  senior: {users: [U0SAM]}
  finance: {users: [U0FAY, U0FRED, U0SAM]}
ladders:
  standard: [{after: 10m, add: senior}, {after: 2h, then: expire}]
  short: [{after: 1h, then: expire}]
  pause: [{after: 5m, then: proceed}]
rules:
  - {name: posts, match: buy, when: args.n < 0, checkpoint: soft, reviewers: support, ladder: pause}
  - {name: few, match: buy, when: args.n == 0, checkpoint: allow}
  - {name: some, match: buy, when: args.n > 0 && args.n <= 9, checkpoint: hard, reviewers: support, ladder: standard,
     self_approval: true}
  - {name: many, match: buy, when: args.n > 9 && args.n <= 99, checkpoint: hard, reviewers: finance, ladder: short}
  - {name: odd, match: buy, when: args.n == 77, checkpoint: hard, quorum: 3, reviewers: finance, ladder: short}
  - {name: most, match: buy, when: args.n > 99, checkpoint: manual, reviewers: finance, ladder: short,
     confirm: args.shop}
default: {checkpoint: hard, reviewers: support, ladder: standard}
""",
    source="p.yml",
)


def gate(n: int, shop: str) -> Checkpoint:
    call = Submission(call=ToolCall(tool="buy", arguments={"n": n, "shop": shop}))
    return judge(POLICY, call, Facts(agent="a", now=NOW, recent=dict.fromkeys(RECENT, 0)))


def asked(n: int, owner: str | None = None) -> Request:
    return open_request(
        Submission(call=ToolCall(tool="buy", arguments={"n": n, "shop": "Nord"})),
        gate(n, "Nord"),
        request_id="req_1",
        workspace_id="T0",
        requester=Requester(id="key:a", name="a", owner=owner),
        policy_digest=POLICY.digest,
        now=NOW,
    ).request


def named(who: str, at: datetime) -> Person:
    return Person(id=who, name=who, standing=Standing.MEMBER, looked_up_at=at)


def edited(request: Request, by: str, n: int, *, shop: str = "Nord", at: datetime = NOW, **words: Any) -> Request:
    edit = Edit(arguments={"n": n, "shop": shop}, checkpoint=gate(n, shop))
    event = Reviewed(person=named(by, at), verdict=Verdict.MODIFY, revision=request.revision, edit=edit, **words)
    return apply(request, event, at).request


def test_an_edit_into_another_rules_range_takes_that_rules_people() -> None:
    with pytest.raises(NotAllowed):
        edited(asked(5), "U0ANA", 50)
    moved = edited(asked(5), "U0SAM", 50, at=LATER)
    assert (moved.checkpoint.rule, moved.checkpoint.reviewers.name, moved.state) == ("many", "finance", State.APPROVED)


def test_an_edit_out_of_the_range_of_consent_ends_the_consent_to_self_approval() -> None:
    assert edited(asked(5, "U0OWNER"), "U0OWNER", 6).state is State.APPROVED
    assert edited(asked(5, "U0OWNER"), "U0OWNER", 0).state is State.APPROVED
    with pytest.raises(NotAllowed):
        edited(asked(50, "U0FAY"), "U0FAY", 51)
    with pytest.raises(NotAllowed):
        edited(asked(5, "U0OWNER"), "U0OWNER", 50)


def test_who_joined_by_one_rules_ladder_does_not_decide_under_another() -> None:
    moved = edited(asked(5), "U0SAM", 100, at=LATER, phrase="Nord")
    assert (moved.state, moved.checkpoint.quorum, moved.joined) == (State.PENDING, 2, ())
    assert Act.ADD not in [step.act for step in moved.checkpoint.ladder.steps]
    assert moved.deadline_at == asked(5).deadline_at


def test_who_joined_still_decides_where_the_edit_changes_no_ladder() -> None:
    assert edited(asked(5), "U0SAM", 6, at=LATER).state is State.APPROVED


def test_the_higher_quorum_of_either_gate_stays() -> None:
    moved = edited(asked(200), "U0FAY", 77, phrase="Nord")
    assert (moved.checkpoint.rule, moved.checkpoint.quorum, moved.state) == ("most", 3, State.PENDING)


def test_what_is_typed_belongs_to_the_edited_call() -> None:
    with pytest.raises(PhraseWrong):
        edited(asked(200), "U0FAY", 201, shop="Evil", phrase="Nord")
    with pytest.raises(PhraseWrong):
        edited(asked(200), "U0FAY", 50, shop="Evil", phrase="Nord")
    assert edited(asked(200), "U0FAY", 50, shop="Evil", phrase="CONFIRM").checkpoint.phrase == "CONFIRM"
    assert edited(asked(200), "U0FAY", 201, shop="Evil", phrase="Evil").checkpoint.phrase == "Evil"


def test_the_person_served_objects_to_what_went_ahead_but_never_ticks_it_off() -> None:
    shown = apply(asked(-1, "U0OWNER"), Delivered(), NOW).request
    gone = apply(shown, Elapsed(), LATER).request
    assert (gone.state, gone.audit) == (State.APPROVED, "open")
    with pytest.raises(NotAllowed):
        apply(gone, AuditMarked(person=named("U0OWNER", LATER), mark="seen"), LATER)
    own = apply(gone, AuditMarked(person=named("U0OWNER", LATER), mark="objected"), LATER)
    assert (own.request.audit, own.effects) == ("objected", (Refresh(request_id=gone.id),)), "nobody tells themselves"
    objected = apply(gone, AuditMarked(person=named("U0ANA", LATER), mark="objected", note="Why?"), LATER)
    assert (objected.request.audit_by, objected.request.audit_note) == (named("U0ANA", LATER).name, "Why?")
    assert objected.effects[1:] == (TellServed(request_id=gone.id),)
    with pytest.raises(Conflict, match="already marked"):
        apply(objected.request, AuditMarked(person=named("U0ANA", LATER), mark="seen"), LATER)
    with pytest.raises(Invalid, match="seen or objected"):
        apply(gone, AuditMarked(person=named("U0ANA", LATER), mark="fine"), LATER)
    assert apply(gone, AuditMarked(person=named("U0ANA", LATER), mark="seen"), LATER).request.audit == "seen"
