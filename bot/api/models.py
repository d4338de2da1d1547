"""What the API shows: a request as the agent that asked may read it, its own arguments unredacted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from policies.changes import ABSENT, Change, changes
from policies.group import Group
from policies.inquiry import Inquiry
from policies.preview import Preview, preview_changes
from policies.question import Answer, Choice, Question
from policies.request import Execution, Request
from policies.review import Decision, Review
from storage.store import GroupStanding, JournalRow


class Out(BaseModel):
    """Base of what goes out. ``exclude_unset`` drops only what was left out on purpose (see ``ChangeOut``)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def body(self) -> bytes:
        """The JSON of this value."""
        return self.model_dump_json(exclude_unset=True).encode()


class CheckpointOut(Out):
    """What stands between the call and its running, and why."""

    kind: str
    rule: str
    reason: str
    required_by: str | None


class ChangeOut(Out):
    """One change of the proposed arguments: at ``path`` (a JSON pointer) from ``before`` to ``after``.

    What was added has no ``before``, what was removed no ``after``.
    """

    path: str
    before: Any = None
    after: Any = None

    @classmethod
    def of(cls, change: Change) -> ChangeOut:
        """The change with only those sides that exist."""
        sides = {"before": change.before, "after": change.after}
        return cls(path=change.path, **{side: value for side, value in sides.items() if value is not ABSENT})


class ReviewOut(Out):
    """One person's verdict on one revision. ``by`` is the Slack user id."""

    by: str
    name: str
    verdict: str
    revision: int
    at: datetime
    note: str | None

    @classmethod
    def of(cls, review: Review) -> ReviewOut:
        """``review`` as the agent may read it."""
        return cls(
            by=review.by,
            name=review.name,
            verdict=review.verdict.value,
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
    free_text: bool
    best_guess: str | None
    asked_by: str

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

    by: str
    name: str | None
    choice: str | None
    text: str | None
    guessed: bool
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

    verdict: str
    by: tuple[str, ...]
    at: datetime
    note: str | None
    answer: AnswerOut | None = None

    @classmethod
    def of(cls, decision: Decision, answer: Answer | None) -> DecisionOut:
        """``decision`` as the agent may read it; ``answer`` is that of a bare question."""
        answered = {} if answer is None else {"answer": AnswerOut.of(answer)}
        return cls(verdict=decision.verdict, by=decision.by, at=decision.at, note=decision.note, **answered)


class ExecutionOut(Out):
    """Where the approved call stands, since when."""

    state: str
    at: datetime
    note: str | None

    @classmethod
    def of(cls, execution: Execution) -> ExecutionOut:
        """``execution`` as the agent may read it."""
        return cls(state=execution.state.value, at=execution.at, note=execution.note)


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
    by: str
    name: str
    at: datetime
    text: str
    answer: str | None
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


class RequestOut(Out):
    """A request. ``arguments`` are those that stand now, ``proposed_arguments`` those that the agent sent.

    ``tool`` is null where only a question was asked; then the checkpoint's kind reads ``clarify``.
    """

    id: str
    state: str
    checkpoint: CheckpointOut
    tool: str | None
    arguments: dict[str, Any]
    proposed_arguments: dict[str, Any]
    modified: bool
    changes: list[ChangeOut]
    preview: list[PreviewOut]
    revision: int
    digest: str
    requester: str
    on_behalf_of: str | None
    run: str | None
    group: GroupRefOut | None
    created_at: datetime
    deadline_at: datetime | None
    snoozed_until: datetime | None
    snoozed_by: str | None
    permit_expires_at: datetime | None
    reviews: list[ReviewOut]
    decision: DecisionOut | None
    execution: ExecutionOut | None
    audit: str | None
    question: QuestionOut | None
    answer: AnswerOut | None
    inquiries: list[InquiryOut]
    paused_until: datetime | None
    audit_by: str | None
    audit_note: str | None

    @classmethod
    def of(cls, request: Request) -> RequestOut:
        """``request`` as its requester may read it."""
        checkpoint, snoozed = request.checkpoint, None if request.settled else request.snoozed
        arguments, proposed = dict(request.call.arguments), dict(request.proposed)
        found = (*changes(proposed, arguments), *preview_changes(request.preview)) if request.modified else ()
        return cls(
            id=request.id,
            state=request.state.value,
            checkpoint=CheckpointOut(
                kind="clarify" if request.bare else checkpoint.kind.value,
                rule=checkpoint.rule,
                reason=checkpoint.reason,
                required_by=checkpoint.required_by,
            ),
            tool=request.call.tool or None,
            arguments=arguments,
            proposed_arguments=proposed,
            modified=request.modified,
            changes=[ChangeOut.of(change) for change in found],
            preview=[PreviewOut.of(preview) for preview in request.preview],
            revision=request.revision,
            digest=request.digest,
            requester=request.requester.name,
            on_behalf_of=request.on_behalf_of,
            run=request.run,
            group=GroupRefOut.of(request.group) if request.group else None,
            created_at=request.created_at,
            deadline_at=request.deadline_at,
            snoozed_until=snoozed.until if snoozed else None,
            snoozed_by=snoozed.by if snoozed else None,
            permit_expires_at=request.permit_expires_at,
            reviews=[ReviewOut.of(review) for review in request.reviews],
            decision=_decision(request),
            execution=ExecutionOut.of(request.execution) if request.execution else None,
            audit=request.audit,
            question=QuestionOut.of(request.question) if request.question else None,
            answer=AnswerOut.of(request.answer) if request.answer else None,
            inquiries=[InquiryOut.of(inquiry) for inquiry in request.inquiries],
            paused_until=None if request.settled else request.pause.ends_at,
            audit_by=request.audit_by,
            audit_note=request.audit_note,
        )


def _decision(request: Request) -> DecisionOut | None:
    if request.decision is None:
        return None
    return DecisionOut.of(request.decision, request.answer if request.bare else None)


class RequestsOut(Out):
    """One page of requests, newest first; ``cursor`` asks for the next one, null at the end."""

    requests: list[RequestOut]
    cursor: str | None

    @classmethod
    def of(cls, requests: Sequence[Request], cursor: str | None) -> RequestsOut:
        """A page of ``requests``."""
        return cls(requests=[RequestOut.of(request) for request in requests], cursor=cursor)


class GroupOut(Out):
    """A group: ``asked`` of its ``size`` calls are known, ``settled`` of them are. ``requests`` in the order asked."""

    id: str
    size: int
    asked: int
    settled: int
    requests: list[RequestOut]

    @classmethod
    def of(cls, group: GroupStanding) -> GroupOut:
        """``group`` as its agent may read it."""
        return cls(
            id=group.id,
            size=group.size,
            asked=len(group.requests),
            settled=sum(request.settled for request in group.requests),
            requests=[RequestOut.of(request) for request in group.requests],
        )


class EventOut(Out):
    """What happened to a request, in the journal's words: which it was is the event's name, its place the event's id.

    ``by`` as in a decision; the agent itself is ``requester``, and ``courier`` posted the card. Of the rest only what
    the event is about: the ``revision`` that came of it, the ``verdict``, the id of the ``inquiry``, the ``mark``.
    """

    request: str
    at: datetime
    by: tuple[str, ...]
    revision: int | None = None
    digest: str | None = None
    verdict: str | None = None
    inquiry: str | None = None
    mark: str | None = None

    @classmethod
    def of(cls, line: JournalRow, requester: str) -> EventOut:
        """``line`` of the journal as the agent ``requester`` (its id) may read it."""
        facts = ("revision", "digest", "verdict", "inquiry", "mark")
        said = {name: line.detail[name] for name in facts if name in line.detail}
        by = tuple("requester" if who == requester else who for who in line.actor.split(","))
        return cls(request=line.subject, at=line.at, by=by, **said)
