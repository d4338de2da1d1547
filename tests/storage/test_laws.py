"""The laws of the lifecycle, as invariants of a state machine on the real SQLite store.

The machine keeps a record of its own: who was let through, when, on which revision. It never asks the code under test
what is right. ``test_each_law_goes_red_with_its_bug_planted`` shows that every law can fail.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from policies import authority, escalation, lifecycle, reviewing
from policies.arguments import digest
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Place, Step, together
from policies.errors import Refused
from policies.events import (
    Attested,
    Claimed,
    Delivered,
    Edit,
    Elapsed,
    Event,
    Lost,
    Outcome,
    Reported,
    Reviewed,
    Snoozed,
    Stopped,
    Withdrawn,
)
from policies.lifecycle import apply, open_request
from policies.people import Person, Reviewers, Standing
from policies.request import ExecutionState, Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from policies.satisfiable import admit
from storage.store import Store
from tests.storage.planted import goes_red, opened

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEAM = Reviewers(name="team", users=("U1", "U2", "UOWNER"))
SENIORS = Reviewers(name="seniors", users=("USENIOR",))
FINANCE = Reviewers(name="finance", users=("U1", "U3"))
SECURITY = Reviewers(name="security", users=("U2", "UGUEST"))
OWNER = Requester(id="key:bot", name="bot", owner="UOWNER")
PEOPLE = ("U1", "U2", "U3", "UOWNER", "USENIOR", "UOUT", "UGUEST")
ENDS = Ladder(
    name="ends",
    steps=(
        Step(after=timedelta(minutes=10), act=Act.REMIND),
        Step(after=timedelta(minutes=30), act=Act.ADD, add=SENIORS),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)
PROCEEDS = Ladder(name="proceeds", steps=(Step(after=timedelta(minutes=20), act=Act.PROCEED),))


def _checkpoint(kind: Kind, *, quorum: int = 1, self_approval: bool = False) -> Checkpoint:
    return Checkpoint(
        kind=kind,
        rule=kind.value,
        reason="because",
        reviewers=TEAM,
        quorum=quorum,
        ladder=PROCEEDS if kind is Kind.SOFT else ENDS,
        phrase="PAY" if kind is Kind.MANUAL else None,
        self_approval=self_approval,
    )


CHECKPOINTS = {
    "soft": _checkpoint(Kind.SOFT),
    "hard": _checkpoint(Kind.HARD),
    "two": _checkpoint(Kind.HARD, quorum=2),
    "self": _checkpoint(Kind.HARD, self_approval=True),
    "manual": _checkpoint(Kind.MANUAL, self_approval=True),
    "each": replace(
        _checkpoint(Kind.HARD, quorum=2),
        places=(Place(group=FINANCE), Place(group=SECURITY)),
        reviewers=together((Place(group=FINANCE), Place(group=SECURITY))),
    ),
}

FORWARD = {
    ExecutionState.UNCLAIMED: {ExecutionState.CLAIMED, ExecutionState.LAPSED, ExecutionState.REVOKED},
    ExecutionState.CLAIMED: {ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.UNKNOWN},
    ExecutionState.UNKNOWN: {ExecutionState.SUCCEEDED, ExecutionState.FAILED},
}


class Witness:
    """What the test itself knows of one request, written down from what was let through."""

    def __init__(self, request: Request, name: str, early: int | None = 0) -> None:
        self.name = name
        self.opened = request
        self.early = early
        self.votes: list[tuple[str, Verdict, int]] = []
        self.decision: Any = None
        self.execution: ExecutionState | None = None
        self.claims: set[str] = set()
        self.delivered: datetime | None = None

    @property
    def begins(self) -> datetime:
        return self.opened.created_at

    @property
    def deadline(self) -> datetime:
        ladder = self.opened.checkpoint.ladder
        proceeds = ladder.steps[-1].act is Act.PROCEED
        start = self.delivered if proceeds and self.delivered else self.opened.created_at
        return start + ladder.length


@functools.cache
def _empty_database() -> bytes:
    """A database with the schema and nothing in it: each example starts from a copy."""

    async def make(path: Path) -> None:
        await (await Store.open(f"sqlite:///{path}", workspace_id="T1")).close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        asyncio.run(make(path))
        return path.read_bytes()


class Lifecycle(RuleBasedStateMachine):
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.now = START
        self.witnesses: dict[str, Witness] = {}

    @initialize()
    def open_store(self) -> None:
        path = Path(self.folder.name) / "laws.db"
        path.write_bytes(_empty_database())
        self.store = self.loop.run(Store.open(f"sqlite:///{path}", workspace_id="T1"))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            report = self.loop.run(self.store.verify_journal())
            assert report.ok, report.words
            self.loop.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    # ---- what can happen

    @rule(
        target=requests,
        name=st.sampled_from(sorted(CHECKPOINTS)),
        own_limit=st.sampled_from([None, 5, 60]),
        early=st.sampled_from([0, 0, 0, 0, 2, None]),
    )
    def submit(self, name: str, own_limit: int | None, early: int | None) -> str:
        """``early`` is how many steps are taken at once since nobody else could approve; None: nobody ever can."""
        limit = timedelta(minutes=own_limit) if own_limit else None
        submission = Submission(call=ToolCall(tool="pay", arguments={"n": len(self.witnesses)}), expires_in=limit)
        outcome = open_request(
            submission,
            CHECKPOINTS[name],
            request_id=f"req_{len(self.witnesses)}",
            workspace_id="T1",
            requester=OWNER,
            policy_digest="p",
            now=self.now,
        )
        early = 0 if name == "soft" else early
        added = self.loop.run(self.store.add(admit(outcome, early, self.now)))
        self.witnesses[added.request.id] = Witness(added.request, name, early)
        return added.request.id

    @rule(minutes=st.sampled_from([1, 9, 12, 16, 31, 61, 121]), tick=st.booleans())
    def time_passes(self, minutes: int, tick: bool) -> None:
        self.now += timedelta(minutes=minutes)
        if tick:
            now = self.now
            self.loop.run(self.store.change_due(now, lambda request: apply(request, Elapsed(), now)))

    @rule(
        request=requests,
        who=st.sampled_from(PEOPLE),
        verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT, Verdict.MODIFY]),
        stale=st.sampled_from([0, 0, 0, -1]),
        typed=st.sampled_from(["PAY", "PAY", "pay", None]),
        old=st.sampled_from([0, 0, 0, 120]),
    )
    def review(self, request: str, who: str, verdict: Verdict, stale: int, typed: str | None, old: int) -> None:
        before = self.stored(request)
        revision = before.revision + stale
        edit = None
        if verdict is Verdict.MODIFY:
            edit = Edit(arguments={"n": -before.revision}, checkpoint=before.checkpoint)
        event = Reviewed(person=self.person(who, old), verdict=verdict, revision=revision, phrase=typed, edit=edit)
        after = self.change(request, event)
        if after is None:
            return
        witness = self.witnesses[request]
        assert not old, "a look-up older than a minute was taken for a person's identity"
        assert not stale, "a button of an earlier revision counted"
        assert witness.decision is None, "a settled request took another review"
        assert self.now < witness.deadline, "a review was taken after the deadline"
        if verdict is not Verdict.REJECT:
            self.check_may_approve(witness, before, who, typed)
        else:
            self.check_may_stop(before, who)
        witness.votes.append((who, verdict, after.revision))

    @rule(request=requests, people=st.sampled_from([("U1", "U2"), ("U1", "U3")]))
    def approve_as_a_team(self, request: str, people: tuple[str, ...] = ("U1", "U2")) -> None:
        """The plain good way, so that the machine often gets as far as an execution; and two of one group."""
        for who in people:
            if self.witnesses[request].decision is None:
                self.review(request, who, Verdict.APPROVE, 0, "PAY", 0)
                self.laws_hold()

    @rule(request=requests, who=st.sampled_from(PEOPLE))
    def stop(self, request: str, who: str) -> None:
        before = self.stored(request)
        if self.change(request, Stopped(person=self.person(who))) is not None:
            self.check_may_stop(before, who)
            running = before.execution is not None and before.execution.state is not ExecutionState.UNCLAIMED
            assert not running, "a call was stopped after it had been claimed"

    @rule(request=requests, who=st.sampled_from(PEOPLE), minutes=st.sampled_from([0, 15, 45, 90, 600]))
    def snooze(self, request: str, who: str, minutes: int) -> None:
        before = self.stored(request)
        after = self.change(request, Snoozed(person=self.person(who), until=self.now + timedelta(minutes=minutes)))
        if after is not None:
            self.check_may_approve(self.witnesses[request], before, who, "PAY")
            assert after.deadline_at == before.deadline_at, "a snooze moved the end"
            assert before.checkpoint.kind is not Kind.SOFT, "what goes ahead on silence was snoozed"
            assert minutes < 120, "a snooze reaches past the end"

    @rule(
        request=requests,
        digest_of=st.sampled_from(["now", "now", "now", "proposed", "other"]),
        key=st.sampled_from(["a", "b"]),
    )
    def claim(self, request: str, digest_of: str, key: str) -> None:
        before = self.stored(request)
        digests = {"now": before.digest, "proposed": self.witnesses[request].opened.digest, "other": "sha256:0"}
        if self.change(request, Claimed(digest=digests[digest_of], key=key)) is None:
            return
        assert before.state is State.APPROVED, "a call was claimed that nobody approved"
        assert digests[digest_of] == before.digest, "another digest than the approved one was claimed"
        self.witnesses[request].claims.add(key)
        assert len(self.witnesses[request].claims) == 1, "a permit was claimed twice"

    @rule(request=requests, ok=st.booleans())
    def report(self, request: str, ok: bool) -> None:
        state = ExecutionState.SUCCEEDED if ok else ExecutionState.FAILED
        self.change(request, Reported(state=state))

    @rule(request=requests)
    def withdraw(self, request: str) -> None:
        self.change(request, Withdrawn())

    @rule(request=requests)
    def deliver(self, request: str) -> None:
        witness = self.witnesses[request]
        own_limit = witness.opened.expires_at or witness.deadline
        in_time = witness.decision is None and self.now < min(witness.deadline, own_limit)
        if self.change(request, Delivered()) is not None and in_time and witness.delivered is None:
            witness.delivered = self.now

    @rule(request=requests)
    def lose(self, request: str) -> None:
        self.change(request, Lost())

    @rule(request=requests, who=st.sampled_from(PEOPLE), ran=st.booleans())
    def attest(self, request: str, who: str, ran: bool) -> None:
        before = self.stored(request)
        if self.change(request, Attested(person=self.person(who), ran=ran)) is not None:
            self.check_may_stop(before, who)

    # ---- the laws

    @invariant()
    def laws_hold(self) -> None:
        for request_id, witness in self.witnesses.items():
            self.check(self.stored(request_id), witness)

    def check(self, request: Request, witness: Witness) -> None:
        if witness.decision is not None:
            assert request.decision == witness.decision, "a decision was written twice"
        assert request.digest == digest(
            tool=request.call.tool, arguments=request.call.arguments, revision=request.revision, requester="key:bot"
        ), "the digest isn't that of the arguments that stand"
        assert (request.state is State.PENDING) == (request.decision is None)
        if request.decision is not None and witness.decision is None:
            self.check_decision(request, witness)
        witness.decision = request.decision
        self.check_execution(request, witness)

    def check_decision(self, request: Request, witness: Witness) -> None:
        assert request.decision is not None
        if request.state is State.APPROVED and request.decision.by == ("silence",):
            assert witness.name == "soft", "silence approved what it may not"
            assert witness.delivered is not None, "silence approved what nobody could see"
            assert request.audit == "open", "what went ahead on silence left no audit item"
            assert self.now >= witness.deadline, "silence approved before its time"
        elif request.state is State.APPROVED:
            latest = {who: (verdict, revision) for who, verdict, revision in witness.votes}
            counted = {who for who, (_, revision) in latest.items() if revision == request.revision}
            assert witness.early is not None, "what nobody can approve was approved"
            assert len(counted) >= request.checkpoint.quorum, "fewer people approved than the quorum asks for"
            seated = (counted & {"U1", "U3"} and counted & {"U2"}) or "USENIOR" in counted
            assert witness.name != "each" or seated, "one group filled another group's place"
            assert set(request.decision.by) <= counted, "the decision names people who didn't approve this revision"
        elif request.state is State.EXPIRED:
            own = witness.opened.expires_at
            assert self.now >= min(witness.deadline, own or witness.deadline), "a request expired before its time"
        elif request.state is State.REJECTED:
            assert len(request.decision.by) == 1
            assert (request.decision.by == ("policy",)) == (witness.early is None), "opening refused the wrong ones"

    def check_execution(self, request: Request, witness: Witness) -> None:
        state = request.execution.state if request.execution else None
        assert (state is not None) == (request.state is State.APPROVED)
        if witness.execution is not None and state is not witness.execution:
            path = _reachable(witness.execution)
            assert state in path, f"execution went from {witness.execution} to {state}"
        witness.execution = state

    def check_may_approve(self, witness: Witness, before: Request, who: str, typed: str | None) -> None:
        allowed = {"U1", "U2", "U3"} if witness.name == "each" else {"U1", "U2"}
        joined = witness.early == 2 or self.now >= witness.begins + timedelta(minutes=30)
        if joined and witness.name != "soft":
            allowed.add("USENIOR")
        if witness.name == "self":
            allowed.add("UOWNER")
        assert who in allowed, f"{who} decided, whom the policy doesn't name for this"
        if witness.name == "manual":
            assert typed == "PAY", "a manual checkpoint passed without its phrase"

    def check_may_stop(self, before: Request, who: str) -> None:
        others = {"U3"} if self.witnesses[before.id].name == "each" else set()
        assert who in {"U1", "U2", "UOWNER", "USENIOR"} | others, f"{who} stopped what is none of theirs"

    # ---- small steps

    def person(self, who: str, seconds_old: int = 0) -> Person:
        standing = Standing.GUEST if who == "UGUEST" else Standing.MEMBER
        return Person(id=who, name=who, standing=standing, looked_up_at=self.now - timedelta(seconds=seconds_old))

    def stored(self, request_id: str) -> Request:
        request = self.loop.run(self.store.request(request_id))
        assert request is not None
        return request

    def change(self, request_id: str, event: Event) -> Request | None:
        """The changed request, or None where it was refused."""
        now = self.now

        def step(request: Request) -> Outcome:
            return apply(request, event, now)

        try:
            return self.loop.run(self.store.change(request_id, step))
        except Refused:
            return None


def _reachable(state: ExecutionState) -> set[ExecutionState]:
    found: set[ExecutionState] = set()
    new = set(FORWARD.get(state, set()))
    while new:
        found |= new
        new = {after for each in new for after in FORWARD.get(each, set())} - found
    return found


QUICK = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_on_the_real_store() -> None:
    run_state_machine_as_test(Lifecycle, settings=QUICK)


# ---- each law, seen to fail -----------------------------------------------------------------------------------------


def _passes(*_: Any, **__: Any) -> None:
    return None


def _second_decision(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(
        lifecycle.EXECUTION,
        (ExecutionState.UNCLAIMED, Reviewed),
        lambda request, event, now: Outcome(request=replace(request, reviews=())),
    )


def _claim_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(
        lifecycle.EXECUTION, (ExecutionState.CLAIMED, Claimed), lifecycle.EXECUTION[ExecutionState.UNCLAIMED, Claimed]
    )


def _any_digest(patch: pytest.MonkeyPatch) -> None:
    claim = lifecycle.EXECUTION[ExecutionState.UNCLAIMED, Claimed]
    patch.setitem(
        lifecycle.EXECUTION,
        (ExecutionState.UNCLAIMED, Claimed),
        lambda request, event, now: claim(request, replace(event, digest=request.digest), now),
    )


def _time_not_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "elapse", lambda request, now: Outcome(request=request))


def _unseen_proceeds(patch: pytest.MonkeyPatch) -> None:
    def proceed(request: Request, step: Step, now: datetime) -> Outcome:
        return escalation._end_by_proceeding(replace(request, delivered_at=request.created_at), step, now)

    patch.setitem(escalation.STEPS, Act.PROCEED, proceed)


def _edit_keeps_votes(patch: pytest.MonkeyPatch) -> None:
    def counts(request: Request) -> Any:
        return tuple({r.by: r for r in request.reviews if r.verdict is not Verdict.REJECT}.values())

    patch.setattr(Request, "approvals", property(counts))


def _anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(authority, "_check_named", _passes)


def _own_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Request, "serves", lambda request, person: False)


def _no_phrase(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reviewing, "check_phrase", _passes)


def _any_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reviewing, "is_met", lambda request: len(request.approvals) >= request.checkpoint.quorum)


def _pending_anyway(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(globals(), "admit", lambda outcome, steps, now: outcome)


def _old_look_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reviewing, "check_fresh", _passes)


def _two_votes_a_person(patch: pytest.MonkeyPatch) -> None:
    def counts(request: Request) -> Any:
        return tuple(r for r in request.reviews if r.revision == request.revision and r.verdict is not Verdict.REJECT)

    patch.setattr(Request, "approvals", property(counts))


def _stale_button(patch: pytest.MonkeyPatch) -> None:
    review = reviewing.review
    patch.setitem(
        lifecycle.REVIEW,
        (State.PENDING, Reviewed),
        lambda request, event, now: review(request, replace(event, revision=request.revision), now),
    )


Play = Callable[[Lifecycle], None]


def _open(machine: Lifecycle, name: str) -> str:
    return machine.submit(name, None, 0)


def _review(machine: Lifecycle, request: str, who: str, **other: Any) -> None:
    given = {"verdict": Verdict.APPROVE, "stale": 0, "typed": "PAY", "old": 0, **other}
    machine.review(request, who, given["verdict"], given["stale"], given["typed"], given["old"])


def _approve_twice(machine: Lifecycle) -> None:
    request = _open(machine, "hard")
    _review(machine, request, "U1")
    machine.laws_hold()
    _review(machine, request, "U2")


def _claim_with_two_keys(machine: Lifecycle) -> None:
    request = _open(machine, "hard")
    machine.approve_as_a_team(request)
    machine.claim(request, "now", "a")
    machine.claim(request, "now", "b")


def _claim_another(machine: Lifecycle) -> None:
    request = _open(machine, "hard")
    machine.approve_as_a_team(request)
    machine.claim(request, "other", "a")


def _approve_late(machine: Lifecycle) -> None:
    request = _open(machine, "hard")
    machine.time_passes(121, tick=False)
    _review(machine, request, "U1")


def _stay_silent_unseen(machine: Lifecycle) -> None:
    _open(machine, "soft")
    machine.time_passes(31, tick=True)


def _edit_after_a_vote(machine: Lifecycle) -> None:
    request = _open(machine, "two")
    _review(machine, request, "U1")
    _review(machine, request, "U2", verdict=Verdict.MODIFY)


def _vote_twice(machine: Lifecycle) -> None:
    request = _open(machine, "two")
    _review(machine, request, "U1")
    _review(machine, request, "U1")


def _by(who: str, **other: Any) -> Play:
    def play(machine: Lifecycle) -> None:
        name = "manual" if "typed" in other else "hard"
        _review(machine, _open(machine, name), who, **other)

    return play


def _approve_by_one_group(machine: Lifecycle) -> None:
    request = _open(machine, "each")
    _review(machine, request, "U1")
    _review(machine, request, "U3")


def _approve_what_nobody_can(machine: Lifecycle) -> None:
    machine.approve_as_a_team(machine.submit("hard", None, None))


def _attest_twice(machine: Lifecycle) -> None:
    request = _open(machine, "hard")
    machine.approve_as_a_team(request)
    machine.claim(request, "now", "a")
    machine.report(request, ok=True)
    machine.laws_hold()
    machine.lose(request)


def _backwards(patch: pytest.MonkeyPatch) -> None:
    lose = lifecycle.EXECUTION[ExecutionState.CLAIMED, Lost]
    patch.setitem(lifecycle.EXECUTION, (ExecutionState.SUCCEEDED, Lost), lose)


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Play]] = {
    "a settled request took another review": (_second_decision, _approve_twice),
    "claimed twice": (_claim_twice, _claim_with_two_keys),
    "another digest": (_any_digest, _claim_another),
    "after the deadline": (_time_not_first, _approve_late),
    "nobody could see": (_unseen_proceeds, _stay_silent_unseen),
    "one group filled another group's place": (_any_place, _approve_by_one_group),
    "what nobody can approve was approved": (_pending_anyway, _approve_what_nobody_can),
    "fewer people approved": (_edit_keeps_votes, _edit_after_a_vote),
    "fewer people": (_two_votes_a_person, _vote_twice),
    "UOUT decided, whom the policy doesn't name": (_anybody, _by("UOUT")),
    "USENIOR decided, whom the policy doesn't name": (_anybody, _by("USENIOR")),
    "UOWNER decided": (_own_request, _by("UOWNER")),
    "without its phrase": (_no_phrase, _by("U1", typed="pay")),
    "older than a minute": (_old_look_up, _by("U1", old=120)),
    "earlier revision": (_stale_button, _by("U1", stale=-1)),
    "execution went from": (_backwards, _attest_twice),
}


@pytest.fixture
def machine() -> Iterator[Lifecycle]:
    with opened(Lifecycle) as machine:
        yield machine


@pytest.mark.parametrize("words", BUGS)
def test_each_law_goes_red_with_its_bug_planted(
    words: str, machine: Lifecycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_red(machine, *BUGS[words], words, monkeypatch)
