"""The parts of what the API shows of a request: its gate, what people said and asked, how it ended and ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from policies.changes import ABSENT, Change
from policies.checkpoint import Kind
from policies.group import Group
from policies.inquiry import Inquiry
from policies.preview import Preview
from policies.question import Answer, Choice, Question
from policies.request import Execution, ExecutionState, State
from policies.review import Decision, Review, Verdict


class Out(BaseModel):
    """Base of what goes out. ``exclude_unset`` drops only what was left out on purpose (see ``ChangeOut``)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def body(self) -> bytes:
        """The JSON of this value."""
        return self.model_dump_json(exclude_unset=True).encode()


class CheckpointOut(Out):
    """What stands between the call and its running, and why."""

    kind: Kind | Literal["clarify"] = Field(description="From `allow` to `deny`; `clarify` for a question alone.")
    rule: str = Field(description="The policy's rule that decided, or `default`, `catalogue`.")
    reason: str = Field(description="Why, in a sentence.")
    required_by: str | None = Field(description="What demands it, such as `SOX 404`.")


class ChangeOut(Out):
    """One change of the proposed arguments: at ``path`` (a JSON pointer) from ``before`` to ``after``.

    What was added has no ``before``, what was removed no ``after``.
    """

    path: str = Field(description="Where, as a JSON pointer.")
    before: Any = Field(default=None, description="What the agent proposed; absent where it was added.")
    after: Any = Field(default=None, description="What stands now; absent where it was removed.")

    @classmethod
    def of(cls, change: Change) -> ChangeOut:
        """The change with only those sides that exist."""
        sides = {"before": change.before, "after": change.after}
        return cls(path=change.path, **{side: value for side, value in sides.items() if value is not ABSENT})


class ReviewOut(Out):
    """One person's verdict on one revision. ``by`` is the Slack user id."""

    by: str = Field(description="Slack user id.")
    name: str
    verdict: Verdict
    revision: int = Field(description="What it is about; an edit voids what was said of the revision before.")
    at: datetime
    note: str | None = Field(description="Their words.")

    @classmethod
    def of(cls, review: Review) -> ReviewOut:
        """``review`` as the agent may read it."""
        return cls(
            by=review.by,
            name=review.name,
            verdict=review.verdict,
            revision=review.revision,
            at=review.at,
            note=review.note,
        )


class ChoiceOut(Out):
    """One answer to choose from; ``arguments`` only where it changes the call."""

    id: str
    label: str
    arguments: dict[str, Any] | None = None

    @classmethod
    def of(cls, choice: Choice) -> ChoiceOut:
        """``choice`` as it was asked."""
        changed = {} if choice.arguments is None else {"arguments": dict(choice.arguments)}
        return cls(id=choice.id, label=choice.label, **changed)


class QuestionOut(Out):
    """The question that is put before anybody decides. ``asked_by`` is ``agent``, or the name of the policy's rule."""

    text: str
    choices: list[ChoiceOut]
    free_text: bool = Field(description="May people answer in words of their own?")
    best_guess: str | None = Field(description="What stands where nobody answers.")
    asked_by: str = Field(description="`agent`, or the name of the policy's rule.")

    @classmethod
    def of(cls, question: Question) -> QuestionOut:
        """``question`` as it was asked."""
        return cls(
            text=question.text,
            choices=[ChoiceOut.of(choice) for choice in question.choices],
            free_text=question.free_text,
            best_guess=question.best_guess,
            asked_by=question.rule or "agent",
        )


class AnswerOut(Out):
    """What was answered: the id of a ``choice``, or a ``text``. ``guessed``: nobody answered, so the best guess stands.

    ``by`` is a Slack user id, or ``silence``.
    """

    by: str = Field(description="Slack user id, or `silence`.")
    name: str | None
    choice: str | None = Field(description="The id of the choice.")
    text: str | None = Field(description="The answer in words.")
    guessed: bool = Field(description="Nobody answered, so the best guess stands.")
    at: datetime

    @classmethod
    def of(cls, answer: Answer) -> AnswerOut:
        """``answer`` as the agent may read it."""
        return cls(
            by=answer.by,
            name=answer.name,
            choice=answer.choice,
            text=answer.text,
            guessed=answer.guessed,
            at=answer.at,
        )


class DecisionOut(Out):
    """The settled result. ``by`` holds Slack user ids, or ``policy``, ``silence``, ``requester``, ``grant:ID``.

    ``answer`` only where a question without a call was answered.
    """

    verdict: State = Field(description="How it ended; never `pending`.")
    by: tuple[str, ...] = Field(description="Slack user ids, or `policy`, `silence`, `requester`, `grant:ID`.")
    at: datetime
    note: str | None = Field(description="Why, in the words of who decided.")
    answer: AnswerOut | None = Field(default=None, description="Only where a question without a call was answered.")

    @classmethod
    def of(cls, decision: Decision, answer: Answer | None) -> DecisionOut:
        """``decision`` as the agent may read it; ``answer`` is that of a bare question."""
        answered = {} if answer is None else {"answer": AnswerOut.of(answer)}
        return cls(verdict=State(decision.verdict), by=decision.by, at=decision.at, note=decision.note, **answered)


class ExecutionOut(Out):
    """Where the approved call stands, since when."""

    state: ExecutionState
    at: datetime = Field(description="Since when.")
    note: str | None

    @classmethod
    def of(cls, execution: Execution) -> ExecutionOut:
        """``execution`` as the agent may read it."""
        return cls(state=execution.state, at=execution.at, note=execution.note)


class PreviewOut(Out):
    """A draft as it stands, edited or not."""

    title: str
    media_type: str
    text: str

    @classmethod
    def of(cls, preview: Preview) -> PreviewOut:
        """``preview`` as its agent may read it."""
        return cls(title=preview.title, media_type=preview.media_type, text=preview.text)


class InquiryOut(Out):
    """What a person asked the agent, and the agent's answer, if there is one. ``by`` is the Slack user id."""

    id: str
    by: str = Field(description="Slack user id.")
    name: str
    at: datetime
    text: str
    answer: str | None = Field(description="The agent's answer; null while it is waited for.")
    answered_at: datetime | None

    @classmethod
    def of(cls, inquiry: Inquiry) -> InquiryOut:
        """``inquiry`` as the agent may read it."""
        return cls(
            id=inquiry.id,
            by=inquiry.by,
            name=inquiry.name,
            at=inquiry.at,
            text=inquiry.text,
            answer=inquiry.answer,
            answered_at=inquiry.answered_at,
        )


class GroupRefOut(Out):
    """The group that a request was asked in."""

    id: str
    size: int

    @classmethod
    def of(cls, group: Group) -> GroupRefOut:
        """``group`` as it was sent."""
        return cls(id=group.id, size=group.size)
