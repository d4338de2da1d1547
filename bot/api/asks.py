"""What the API takes: the bodies and queries of its calls. A name that isn't here is refused, never ignored."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from bot.api.questions import Body, Name, QuestionBody, Words, at_place
from policies.arguments import JsonValue, canonical, intake
from policies.duration import LONGEST, parse_duration
from policies.errors import Invalid
from policies.group import GROUP_ID, MOST_CALLS, Group
from policies.preview import Preview
from policies.request import NO_CALL, ExecutionState, State, Submission, ToolCall
from policies.tool_schema import check_schema

MAX_WAIT = 55
"""Seconds of one long poll: below the minute after which proxies give up."""
MAX_RESULT_BYTES = 64 * 1024
MAX_DRAFT_BYTES = 30 * 1024
ToolName = Annotated[str, Field(max_length=200, pattern=r"^[^\s\p{C}\p{Default_Ignorable_Code_Point}\x{2800}]+$")]
"""No spaces and no invisible characters: two names that look alike must not be two tools."""


def _span(sent: Any) -> timedelta | None:
    """Whole seconds, or a duration as in a policy (``10m``). Raises ``ValueError`` with the words for the agent."""
    try:
        if isinstance(sent, str):
            return parse_duration(sent)
    except Invalid as error:
        raise ValueError(error.words) from error
    if sent is None:
        return None
    if type(sent) is not int or not 1 <= sent <= LONGEST.total_seconds():
        raise ValueError("must be whole seconds from 1 up to 366 days, or a duration such as 10m")
    return timedelta(seconds=sent)


Span = Annotated[timedelta | None, PlainValidator(_span)]


class Query(BaseModel):
    """A query string: text becomes numbers and lists (``a,b`` or the name repeated)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _bounded(text: str) -> str:
    if len(text.encode()) > MAX_DRAFT_BYTES:
        raise ValueError("larger than 30 kB; show a part of it, and send a link to the whole")
    return text


class PreviewBody(Body):
    """One draft as the thing looked at and edited; every media type is shown as inert text."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    media_type: Literal["text/plain", "text/markdown", "text/html", "text/x-diff", "text/csv", "application/json"]
    text: Annotated[str, Field(min_length=1), AfterValidator(_bounded)]


def _group_id(text: str) -> str:
    if not GROUP_ID.fullmatch(text):
        raise ValueError("must be letters, digits and . _ : ~ - only, with a letter or digit first")
    return text


class GroupBody(Body):
    """The calls that the agent waits for together: its own name for them, and how many they are."""

    id: Annotated[Name, AfterValidator(_group_id)]
    size: int = Field(ge=1, le=MOST_CALLS)

    def group(self) -> Group:
        """The group."""
        return Group(id=self.id, size=self.size)


class BareBody(Body):
    """``POST /v1/requests`` with a question alone: its answer is all that is wanted."""

    question: QuestionBody
    reason: Words | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    on_behalf_of: Name | None = None
    context: Words | None = None
    run: Name | None = None
    group: GroupBody | None = None
    expires_in: Span = None

    def submission(self) -> Submission:
        """The submission after intake. Raises ``Faulty`` with the places in the body."""
        return Submission(
            call=NO_CALL,
            reason=self.reason,
            confidence=self.confidence,
            on_behalf_of=self.on_behalf_of,
            context=self.context,
            run=self.run,
            group=self.group.group() if self.group is not None else None,
            expires_in=self.expires_in,
            question=self.question.question(bare=True),
        )


def is_bare(sent: JsonValue) -> bool:
    """Is this a question without a call?"""
    return isinstance(sent, dict) and "question" in sent and "tool" not in sent


class SubmitBody(Body):
    """``POST /v1/requests``. ``confidence`` (0 to 1) and ``expires_in`` (whole seconds, or ``10m``) only tighten.

    A ``question`` is put before the call's gate.
    """

    tool: ToolName
    arguments: dict[str, Any]
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    description: Words | None = None
    reason: Words | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    on_behalf_of: Name | None = None
    context: Words | None = None
    run: Name | None = None
    group: GroupBody | None = None
    expires_in: Span = None
    preview: Annotated[list[PreviewBody], Field(min_length=1, max_length=5)] | None = None
    question: QuestionBody | None = None

    def submission(self) -> Submission:
        """The submission after intake. Raises ``Invalid`` with the place in the body."""
        return Submission(
            call=ToolCall(
                tool=self.tool,
                arguments=at_place("/arguments", intake, self.arguments),
                schema=at_place("/schema", check_schema, self.json_schema) if self.json_schema is not None else None,
                description=self.description,
            ),
            reason=self.reason,
            confidence=self.confidence,
            on_behalf_of=self.on_behalf_of,
            context=self.context,
            run=self.run,
            group=self.group.group() if self.group is not None else None,
            expires_in=self.expires_in,
            preview=tuple(Preview(**draft.model_dump()) for draft in self.preview or ()),
            question=self.question.question(bare=False) if self.question is not None else None,
        )


class ClaimBody(Body):
    """``POST /v1/requests/{id}/claim``: the digest that was approved."""

    digest: Name


class ReportBody(Body):
    """``POST /v1/requests/{id}/report``: how the claimed call went. ``result`` is any JSON up to 64 kB."""

    status: Literal["succeeded", "failed"]
    note: Annotated[str, Field(max_length=3_000)] | None = None
    result: Any = None

    def checked_result(self) -> Any:
        """``result`` if it is small enough. Raises ``Invalid``."""
        if len(canonical(self.result)) > MAX_RESULT_BYTES:
            words = "larger than 64 kB; send a summary and a link, or leave it out"
            raise Invalid(words, where="/result", code="too_large")
        return self.result


class AnswersBody(Body):
    """``POST /v1/requests/{id}/answers``: the agent's answer to what somebody asked, by the inquiry's id."""

    inquiry: Name
    text: Words


class ReadQuery(Query):
    """``GET /v1/requests/{id}``: ``wait`` up to 55 seconds, until it settles or is newer than ``revision``.

    With ``inquiry``, also until people have asked more than so many things about it.
    """

    wait: int = Field(default=0, ge=0, le=MAX_WAIT)
    revision: int | None = Field(default=None, ge=1)
    inquiry: int | None = Field(default=None, ge=0)


class GroupQuery(Query):
    """``GET /v1/groups/{id}``: ``wait`` up to 55 seconds, until all of the group are settled.

    With ``settled`` until more than so many are, with ``inquiry`` also until people have asked more than so many
    things about its calls.
    """

    wait: int = Field(default=0, ge=0, le=MAX_WAIT)
    settled: int | None = Field(default=None, ge=0)
    inquiry: int | None = Field(default=None, ge=0)


def _listed(sent: Any) -> Any:
    return sent.split(",") if isinstance(sent, str) else sent


class ListQuery(Query):
    """``GET /v1/requests``: which of the agent's own requests, ``limit`` at most 200 a page."""

    state: Annotated[tuple[State, ...], BeforeValidator(_listed)] = ()
    execution: Annotated[tuple[ExecutionState, ...], BeforeValidator(_listed)] = ()
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Name | None = None
