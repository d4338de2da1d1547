"""The laws of questions on the real store: an answer is given once, by those who may, and authorises nothing.

The machine is that of ``test_laws`` with a question before every call, so that all laws of the lifecycle hold as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from policies import answering, reviewing
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.events import Answered
from policies.lifecycle import open_request
from policies.question import Choice, Question
from policies.request import Request, State, Submission, ToolCall
from policies.review import Verdict
from policies.satisfiable import admit
from tests.storage.planted import goes_red, opened
from tests.storage.test_laws import CHECKPOINTS, OWNER, Lifecycle, Witness

GUESSES = Ladder(
    name="guesses",
    steps=(Step(after=timedelta(minutes=5), act=Act.REMIND), Step(after=timedelta(minutes=10), act=Act.PROCEED)),
)
EXPIRES = Ladder(name="expires", steps=(Step(after=timedelta(minutes=15), act=Act.EXPIRE),))
FREE = replace(CHECKPOINTS["hard"], kind=Kind.ALLOW, rule="free")
NEVER = replace(CHECKPOINTS["hard"], kind=Kind.DENY, rule="never")
GATES = {"same": None, "dearer": CHECKPOINTS["two"], "free": FREE, "never": NEVER}
NAMES = ("hard", "two", "manual", "each", "free")


class Asked(Witness):
    """What the test knows of a request with a question before it."""

    def __init__(self, request: Request, name: str, ladder: Ladder, early: int | None) -> None:
        super().__init__(request, name, early)
        self.ladder = ladder
        self.answered_at: datetime | None = None
        self.answer: Any = None
        self.gate: Checkpoint | None = None

    @property
    def begins(self) -> datetime:
        """When the gate's clock began."""
        return self.answered_at or self.opened.created_at

    @property
    def deadline(self) -> datetime:
        """When silence ends what is open now: the question, or the gate."""
        if self.gate is not None:
            return self.begins + self.gate.ladder.length
        seen = self.delivered if self.ladder is GUESSES and self.delivered else None
        return (seen or self.opened.created_at) + self.ladder.length


class Questions(Lifecycle):
    """Every call comes with a question."""

    @rule(
        target=Lifecycle.requests,
        name=st.sampled_from(NAMES),
        own_limit=st.sampled_from([None, None, 5, 60]),
        early=st.sampled_from([0, 0, 0, 2]),
        guess=st.sampled_from([None, "same", "dearer", "free", "never"]),
        ladder=st.sampled_from([GUESSES, GUESSES, EXPIRES]),
    )
    def submit(
        self,
        name: str,
        own_limit: int | None,
        early: int | None,
        guess: str | None = None,
        ladder: Ladder = GUESSES,
    ) -> str:
        gate = FREE if name == "free" else CHECKPOINTS[name]
        number = len(self.witnesses)
        choices = tuple(
            Choice(id=each, label=each, arguments={"n": each} if then else None, gate=then)
            for each, then in GATES.items()
        )
        question = Question(
            text="Which?",
            choices=choices,
            best_guess=guess,
            ladder=ladder,
            on_silence=(GATES[guess] if guess else None) or gate,
        )
        outcome = open_request(
            Submission(
                call=ToolCall(tool="pay", arguments={"n": number}),
                expires_in=timedelta(minutes=own_limit) if own_limit else None,
            ),
            gate,
            request_id=f"req_{number}",
            workspace_id="T1",
            requester=OWNER,
            policy_digest="p",
            now=self.now,
            question=question,
        )
        early = 0 if name == "free" else early
        added = self.loop.run(self.store.add(admit(outcome, early, self.now)))
        self.witnesses[added.request.id] = Asked(added.request, name, ladder, early)
        return added.request.id

    @rule(
        request=Lifecycle.requests,
        who=st.sampled_from(["U1", "U2", "UOWNER", "UOUT", "UGUEST", "USENIOR"]),
        choice=st.sampled_from([*GATES, None, "unknown"]),
        stale=st.sampled_from([0, 0, 0, -1]),
        old=st.sampled_from([0, 0, 0, 120]),
    )
    def answer(self, request: str, who: str, choice: str | None, stale: int, old: int) -> None:
        before, witness = self.stored(request), self.asked(request)
        text = None if choice else "In my words"
        person = self.person(who, old)
        after = self.change(
            request, Answered(person=person, revision=before.revision + stale, choice=choice, text=text)
        )
        if after is None:
            return
        assert not old, "a look-up older than a minute was taken for a person's identity"
        assert not stale, "a button of an earlier revision counted"
        assert witness.answered_at is None, "a question was answered twice"
        assert self.now < witness.deadline, "a question was answered after its time"
        assert who in {"U1", "U2", "UOWNER"}, f"{who} answered what is none of theirs"
        assert choice != "unknown", "an answer was taken that nobody could choose"
        self.note_answer(after, witness, GATES.get(choice or "") or before.checkpoint)

    @invariant()
    def a_question_authorises_nothing(self) -> None:
        for request_id in self.witnesses:
            request, witness = self.stored(request_id), self.asked(request_id)
            if request.answer is not None and witness.answered_at is None:
                self.check_guess(request, witness)
            elif request.answer is None:
                approving = [review for review in request.reviews if review.verdict is not Verdict.REJECT]
                assert not approving, "somebody decided on a call before its question was answered"
                assert request.state is not State.APPROVED, "a call went ahead before its question was answered"
            else:
                assert request.answer == witness.answer, "an answer was changed"

    def check_guess(self, request: Request, witness: Asked) -> None:
        assert request.answer is not None
        assert request.answer.by == "silence", "an answer came from nowhere"
        assert witness.delivered is not None, "silence answered what nobody could see"
        assert witness.ladder is GUESSES, "silence answered where it must expire"
        assert request.answer.at >= witness.deadline, "silence answered before its time"
        assert request.question is not None
        self.note_answer(request, witness, request.question.on_silence or request.checkpoint)

    def note_answer(self, after: Request, witness: Asked, gate: Checkpoint) -> None:
        assert after.answer is not None
        witness.answered_at, witness.answer, witness.gate = after.answer.at, after.answer, gate
        witness.name = gate.rule if gate is not CHECKPOINTS["two"] else "two"
        assert after.revision == 2, "the answered call kept its revision"
        assert after.digest != witness.opened.digest, "the digest from before the answer can still be claimed"
        if gate.kind is Kind.ALLOW:
            assert (after.state, after.decision and after.decision.by) == (State.APPROVED, ("policy",))
        elif gate.kind is Kind.DENY:
            assert (after.state, after.decision and after.decision.by) == (State.REJECTED, ("policy",))
        elif after.decision is not None:
            assert after.state is not State.APPROVED, "an answer approved a call"

    def check_decision(self, request: Request, witness: Witness) -> None:
        """What the answer's gate let go or refused was the policy's word; all else is as without a question."""
        if request.decision is not None and request.decision.by == ("policy",):
            self.a_question_authorises_nothing()
            assert request.answer is not None, "the policy decided before the answer"
            return
        super().check_decision(request, witness)

    def asked(self, request_id: str) -> Asked:
        witness = self.witnesses[request_id]
        assert isinstance(witness, Asked)
        return witness


QUICK = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_on_the_real_store_with_a_question_before_every_call() -> None:
    run_state_machine_as_test(Questions, settings=QUICK)


# ---- each law, seen to fail -----------------------------------------------------------------------------------------


def _passes(*_: Any, **__: Any) -> None:
    return None


def _approve_unasked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reviewing, "refuse_while_open", _passes)


def _answer_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answering, "refuse_second", _passes)


def _anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answering, "check_may_answer", _passes)


def _old_look_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answering, "check_fresh", _passes)


def _same_revision(patch: pytest.MonkeyPatch) -> None:
    revised = answering._revised

    def kept(request: Request, *rest: Any) -> Request:
        return replace(revised(request, *rest), revision=1, digest=request.digest)

    patch.setattr(answering, "_revised", kept)


def _answer_counts(patch: pytest.MonkeyPatch) -> None:
    def counts(request: Request) -> Any:
        return tuple(review for review in request.reviews if review.verdict is not Verdict.REJECT)

    patch.setattr(Request, "approvals", property(counts))


def _unseen_guess(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(
        answering_steps(),
        Act.PROCEED,
        lambda request, step, now: answering.guess(request, now),
    )


def answering_steps() -> Any:
    """The table of what silence does."""
    from policies import escalation

    return escalation.STEPS


Play = Callable[[Questions], None]


def _open(machine: Questions, **more: Any) -> str:
    request = machine.submit("two", None, 0, **more)
    machine.deliver(request)
    return request


def _approve_at_once(machine: Questions) -> None:
    machine.review(_open(machine), "U1", Verdict.APPROVE, 0, None, 0)
    machine.a_question_authorises_nothing()


def _answer_twice(machine: Questions) -> None:
    request = _open(machine)
    machine.answer(request, "U1", "same", 0, 0)
    machine.laws_hold()
    machine.answer(request, "U2", "free", 0, 0)


def _by(who: str, old: int = 0) -> Play:
    return lambda machine: machine.answer(_open(machine), who, "same", 0, old)


def _answer_and_approve(machine: Questions) -> None:
    request = _open(machine)
    machine.answer(request, "U1", "same", 0, 0)
    machine.review(request, "U2", Verdict.APPROVE, 0, None, 0)


def _stay_silent_unseen(machine: Questions) -> None:
    machine.submit("hard", None, 0)
    machine.time_passes(12, tick=True)
    machine.a_question_authorises_nothing()


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Play]] = {
    "before its question was answered": (_approve_unasked, _approve_at_once),
    "answered twice": (_answer_again, _answer_twice),
    "UOUT answered": (_anybody, _by("UOUT")),
    "older than a minute": (_old_look_up, _by("U1", old=120)),
    "kept its revision": (_same_revision, _by("U1")),
    "fewer people approved": (_answer_counts, _answer_and_approve),
    "nobody could see": (_unseen_guess, _stay_silent_unseen),
}


@pytest.fixture
def machine() -> Iterator[Questions]:
    with opened(Questions) as machine:
        yield machine


@pytest.mark.parametrize("words", BUGS)
def test_each_law_goes_red_with_its_bug_planted(
    words: str, machine: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_red(machine, *BUGS[words], words, monkeypatch)
