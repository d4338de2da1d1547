"""What the API takes: the bodies and queries of its calls. A name that isn't here is refused, never ignored."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from bot.api.questions import Body, Name, QuestionBody, Whole, Words, at_place, whole
from policies.arguments import JsonValue, canonical, intake
from policies.duration import LONGEST, PATTERN, parse_duration
from policies.errors import Invalid
from policies.group import GROUP_ID, MOST_CALLS, Group
from policies.preview import Preview
from policies.request import NO_CALL, ExecutionState, State, Submission, ToolCall
from policies.tool_schema import check_schema

MAX_WAIT = 55
"""Seconds of one long poll: below the minute after which proxies give up."""
MAX_RESULT_BYTES = 64 * 1024
MAX_DRAFT_BYTES = 30 * 1024
ToolName = Annotated[
    str,
    Field(max_length=200, pattern=r"^[^\s\p{C}\p{Default_Ignorable_Code_Point}\x{2800}]+$"),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^\S+$"}),
]
"""No spaces and no invisible characters: two names that look alike must not be two tools.

The schema says of the latter nothing, since few languages' regular expressions know their classes.
"""

REASON = "Why, in the agent's own words: it stands on the card and decides nothing."
CONFIDENCE = "How sure the agent is. A low one can only make the gate stricter."
BEHALF = "Whom the agent acts for: a Slack user id or an e-mail address. They can't approve it, but may stop it."
CONTEXT = "More for people to know, also from the agent."
RUN = "Your name for the run of the agent that this belongs to."
GROUP = "The calls that the agent waits for together; each is decided alone."
GROUP_NAME = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": f"^{GROUP_ID.pattern}$"}
EXPIRES_IN = "An earlier end: whole seconds, or a duration such as `10m`. It never makes a request wait longer."


def _span(sent: Any) -> timedelta | None:
    """Whole seconds, or a duration as in a policy (``10m``). Raises ``ValueError`` with the words for the agent."""
    try:
        if isinstance(sent, str):
            return parse_duration(sent)
    except Invalid as error:
        raise ValueError(error.words) from error
    if sent is None:
        return None
    sent = whole(sent)
    if type(sent) is not int or not 1 <= sent <= LONGEST.total_seconds():
        raise ValueError("must be whole seconds from 1 up to 366 days, or a duration such as 10m")
    return timedelta(seconds=sent)


Span = Annotated[
    timedelta | None,
    PlainValidator(_span),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": int(LONGEST.total_seconds())},
                {"type": "string", "pattern": f"^(?=.*[1-9]){PATTERN[1:]}", "maxLength": 32},
                {"type": "null"},
            ]
        }
    ),
]


class Query(BaseModel):
    """A query string: text becomes numbers and lists (``a,b`` or the name repeated)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _bounded(text: str) -> str:
    if len(text.encode()) > MAX_DRAFT_BYTES:
        raise ValueError("larger than 30 kB; show a part of it, and send a link to the whole")
    return text


class PreviewBody(Body):
    """One draft as the thing looked at and edited; every media type is shown as inert text."""

    title: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="What it is called on the card.", examples=["The post"]
    )
    media_type: Literal["text/plain", "text/markdown", "text/html", "text/x-diff", "text/csv", "application/json"] = (
        Field(description="What it is written in.")
    )
    text: Annotated[str, Field(min_length=1), AfterValidator(_bounded)] = Field(
        description="The draft, of at most 30 kB. One that is an argument's value is that argument."
    )


def _group_id(text: str) -> str:
    if not GROUP_ID.fullmatch(text):
        raise ValueError("must be letters, digits and . _ : ~ - only, with a letter or digit first")
    return text


class GroupBody(Body):
    """The calls that the agent waits for together: its own name for them, and how many they are."""

    id: Annotated[Name, AfterValidator(_group_id), WithJsonSchema(GROUP_NAME)] = Field(
        description="Your name for the group: the same for all of its calls."
    )
    size: Whole = Field(ge=1, le=MOST_CALLS, description="How many calls they are.")

    def group(self) -> Group:
        """The group."""
        return Group(id=self.id, size=self.size)


class BareBody(Body):
    """``POST /v1/requests`` with a question alone: its answer is all that is wanted."""

    question: QuestionBody = Field(description="What people are asked.")
    reason: Words | None = Field(default=None, description=REASON)
    confidence: float | None = Field(default=None, ge=0, le=1, description=CONFIDENCE)
    on_behalf_of: Name | None = Field(default=None, description=BEHALF)
    context: Words | None = Field(default=None, description=CONTEXT)
    run: Name | None = Field(default=None, description=RUN)
    group: GroupBody | None = Field(default=None, description=GROUP)
    expires_in: Span = Field(default=None, description=EXPIRES_IN)

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

    tool: ToolName = Field(
        description="The name of the tool, as the policy's rules know it: no spaces, nothing invisible."
    )
    arguments: dict[str, Any] = Field(description="What the tool is to be called with, of at most 64 kB.")
    json_schema: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="The JSON Schema of the arguments: `arguments` must fit it, and so must what people make of them.",
    )
    description: Words | None = Field(default=None, description="What the tool does.")
    reason: Words | None = Field(default=None, description=REASON)
    confidence: float | None = Field(default=None, ge=0, le=1, description=CONFIDENCE)
    on_behalf_of: Name | None = Field(default=None, description=BEHALF)
    context: Words | None = Field(default=None, description=CONTEXT)
    run: Name | None = Field(default=None, description=RUN)
    group: GroupBody | None = Field(default=None, description=GROUP)
    expires_in: Span = Field(default=None, description=EXPIRES_IN)
    preview: Annotated[list[PreviewBody], Field(min_length=1, max_length=5)] | None = Field(
        default=None, description="Drafts as the things that are looked at and edited; all are shown as inert text."
    )
    question: QuestionBody | None = Field(
        default=None, description="What people are asked first. The answer approves nothing: the gate follows."
    )

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

    digest: Name = Field(description="The `digest` of the request as it was approved.")


class ReportBody(Body):
    """``POST /v1/requests/{id}/report``: how the claimed call went. ``result`` is any JSON up to 64 kB."""

    status: Literal["succeeded", "failed"] = Field(description="How the call went.")
    note: Annotated[str, Field(max_length=3_000)] | None = Field(default=None, description="A word for people.")
    result: Any = Field(default=None, description="What came of it: any JSON of at most 64 kB, shown in the thread.")

    def checked_result(self) -> Any:
        """``result`` if it is small enough. Raises ``Invalid``."""
        if len(canonical(self.result)) > MAX_RESULT_BYTES:
            words = "larger than 64 kB; send a summary and a link, or leave it out"
            raise Invalid(words, where="/result", code="too_large")
        return self.result


class AnswersBody(Body):
    """``POST /v1/requests/{id}/answers``: the agent's answer to what somebody asked, by the inquiry's id."""

    inquiry: Name = Field(description="The id of what somebody asked, from the request's `inquiries`.")
    text: Words = Field(description="The answer, shown as the agent's own words. It decides nothing.")


class ReadQuery(Query):
    """``GET /v1/requests/{id}``: ``wait`` up to 55 seconds, until it settles or is newer than ``revision``.

    With ``inquiry``, also until people have asked more than so many things about it.
    """

    wait: int = Field(default=0, ge=0, le=MAX_WAIT, description="How many seconds to wait for a change.")
    revision: int | None = Field(default=None, ge=1, description="Also come back with a revision newer than this.")
    inquiry: int | None = Field(default=None, ge=0, description="Also come back with more inquiries than so many.")


class GroupQuery(Query):
    """``GET /v1/groups/{id}``: ``wait`` up to 55 seconds, until all of the group are settled.

    With ``settled`` until more than so many are, with ``inquiry`` also until people have asked more than so many
    things about its calls.
    """

    wait: int = Field(default=0, ge=0, le=MAX_WAIT, description="How many seconds to wait for all to be settled.")
    settled: int | None = Field(default=None, ge=0, description="Come back as soon as more than so many are settled.")
    inquiry: int | None = Field(default=None, ge=0, description="Also come back with more inquiries than so many.")


def _cursor(sent: str) -> str:
    if not _CURSOR.fullmatch(sent):
        raise ValueError("isn't a cursor that a page gave; leave it out to start anew")
    return sent


_CURSOR = re.compile(r"[0-9]{1,17}\.req_[0-9a-f]{32}")
Cursor = Annotated[str, AfterValidator(_cursor), WithJsonSchema({"type": "string", "pattern": f"^{_CURSOR.pattern}$"})]
"""Where a page ended."""


def _listed(sent: Any) -> Any:
    return sent.split(",") if isinstance(sent, str) else sent


class ListQuery(Query):
    """``GET /v1/requests``: which of the agent's own requests, ``limit`` at most 200 a page."""

    state: Annotated[tuple[State, ...], Field(min_length=1), BeforeValidator(_listed)] | None = Field(
        default=None, description="Only requests in one of these states, as `a,b` or the name repeated."
    )
    execution: Annotated[tuple[ExecutionState, ...], Field(min_length=1), BeforeValidator(_listed)] | None = Field(
        default=None, description="Only those whose approved call stands so: `unclaimed` is what may run now."
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")
    cursor: Cursor | None = Field(default=None, description="The `cursor` of the page before; leave it out to start.")
