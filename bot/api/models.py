"""What the API shows: a request as the agent that asked may read it, its own arguments unredacted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.api.parts import (
    AnswerOut,
    ChangeOut,
    CheckpointOut,
    DecisionOut,
    ExecutionOut,
    GroupRefOut,
    InquiryOut,
    Out,
    PreviewOut,
    QuestionOut,
    ReviewOut,
)
from policies.changes import changes
from policies.preview import preview_changes
from policies.request import Request, State
from storage.store import GroupStanding, JournalRow


class RequestOut(Out):
    """A request. ``arguments`` are those that stand now, ``proposed_arguments`` those that the agent sent.

    ``tool`` is null where only a question was asked; then the checkpoint's kind reads ``clarify``.
    """

    id: str
    state: State = Field(description="All but `pending` is settled, and settled is final.")
    checkpoint: CheckpointOut
    tool: str | None = Field(description="Null where only a question was asked.")
    arguments: dict[str, Any] = Field(description="As they stand now: what may run once it is approved.")
    proposed_arguments: dict[str, Any] = Field(description="As the agent sent them.")
    modified: bool = Field(description="Do the two differ?")
    changes: list[ChangeOut] = Field(description="What people changed of arguments and drafts.")
    preview: list[PreviewOut] = Field(description="The drafts as they stand.")
    revision: int = Field(description="1 at first; each edit, and the answer to a question, makes a new one.")
    digest: str = Field(description="What an approval names and a claim must send: of tool, arguments and revision.")
    requester: str = Field(description="The name of the key that asked.")
    on_behalf_of: str | None
    run: str | None
    group: GroupRefOut | None
    created_at: datetime
    deadline_at: datetime | None = Field(description="When silence ends it; null once it is settled.")
    snoozed_until: datetime | None = Field(description="Until when reminders wait.")
    snoozed_by: str | None
    permit_expires_at: datetime | None = Field(description="Until when an approved call can be claimed.")
    reviews: list[ReviewOut]
    decision: DecisionOut | None = Field(description="Null while it is pending.")
    execution: ExecutionOut | None = Field(description="Null unless it was approved.")
    audit: str | None = Field(description="Of what went ahead on silence: `open`, `seen` or `objected`.")
    question: QuestionOut | None
    answer: AnswerOut | None
    inquiries: list[InquiryOut] = Field(description="What people asked the agent.")
    paused_until: datetime | None = Field(description="The clock stands still for the agent's answer, until then.")
    audit_by: str | None
    audit_note: str | None
    purged_at: datetime | None = Field(description="Since when its contents are blanked: then no arguments are left.")

    @classmethod
    def of(cls, request: Request) -> RequestOut:
        """``request`` as its requester may read it."""
        checkpoint, snoozed = request.checkpoint, None if request.settled else request.snoozed
        arguments, proposed = dict(request.call.arguments), dict(request.proposed)
        found = (*changes(proposed, arguments), *preview_changes(request.preview)) if request.modified else ()
        return cls(
            id=request.id,
            state=request.state,
            checkpoint=CheckpointOut(
                kind="clarify" if request.bare else checkpoint.kind,
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
            purged_at=request.purged_at,
        )


def _decision(request: Request) -> DecisionOut | None:
    if request.decision is None:
        return None
    return DecisionOut.of(request.decision, request.answer if request.bare else None)


class StatusOut(Out):
    """That the gateway is there."""

    status: Literal["ok", "ready"]


class RequestsOut(Out):
    """One page of requests, newest first; ``cursor`` asks for the next one, null at the end."""

    requests: list[RequestOut]
    cursor: str | None = Field(description="Asks for the next page; null at the end.")

    @classmethod
    def of(cls, requests: Sequence[Request], cursor: str | None) -> RequestsOut:
        """A page of ``requests``."""
        return cls(requests=[RequestOut.of(request) for request in requests], cursor=cursor)


class GroupOut(Out):
    """A group: ``asked`` of its ``size`` calls are known, ``settled`` of them are. ``requests`` in the order asked."""

    id: str
    size: int = Field(description="How many calls the agent said they are.")
    asked: int = Field(description="How many were asked so far.")
    settled: int = Field(description="How many are settled; all of them once it is `size`.")
    requests: list[RequestOut] = Field(description="In the order asked.")

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
