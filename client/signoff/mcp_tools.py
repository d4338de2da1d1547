"""The tools of Signoff's MCP server: what each takes, and in which words it answers a model."""

from __future__ import annotations

import json
from typing import Annotated, Any

import mcp_types as types
from pydantic import BaseModel, ConfigDict, Field

from signoff.errors import NotApproved
from signoff.models import Answer, Inquiry, Request

Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=8_000)]


class Taken(BaseModel):
    """Base of what a tool takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def sent(self, *leave: str) -> dict[str, Any]:
        """As the client's words, without what was left out."""
        return self.model_dump(exclude_none=True, exclude=set(leave))


class Approval(Taken):
    """Ask people to approve one tool call, before you run it. You get back whether you may run it, and with which
    arguments: run it once, with exactly those, then call report_outcome. Where it says pending, don't run it: call
    get_approval_status later, or this again with the same arguments.
    """

    tool: Annotated[str, Field(description="Name of the tool or action that you are going to run", max_length=200)]
    arguments: Annotated[dict[str, Any], Field(description="Its arguments, complete: what is approved is what may run")]
    reason: Annotated[Words | None, Field(description="Why, for the people who decide")] = None
    confidence: Annotated[float | None, Field(ge=0, le=1, description="How sure you are that it is right")] = None
    context: Annotated[Words | None, Field(description="What people need to know to decide")] = None
    on_behalf_of: Annotated[Name | None, Field(description="The person you do it for")] = None
    description: Annotated[Words | None, Field(description="What the tool does")] = None
    json_schema: Annotated[
        dict[str, Any] | None,
        Field(alias="schema", description="JSON Schema of the arguments; people get a form to edit them from it"),
    ] = None
    expires_in: Annotated[int | str | None, Field(description="Seconds, or like 10m: give up earlier")] = None


class Choosing(Taken):
    """One answer to choose from."""

    id: Name
    label: Annotated[str, Field(min_length=1, max_length=300)]


class Question(Taken):
    """Put a question to people and wait for the answer. An answer approves nothing: for a tool call use
    request_approval. Where it says pending, call get_approval_status later, or this again with the same words.
    """

    text: Annotated[str, Field(min_length=1, max_length=3_000, description="The question")]
    choices: Annotated[list[Choosing] | None, Field(description="Answers to choose from")] = None
    free_text: Annotated[bool, Field(description="May they answer in their own words?")] = True
    best_guess: Annotated[
        str | None,
        Field(max_length=2_000, description="What you would take (a choice's id, or words) if nobody answers"),
    ] = None
    reason: Annotated[Words | None, Field(description="Why you ask")] = None
    context: Annotated[Words | None, Field(description="What people need to know to answer")] = None
    on_behalf_of: Annotated[Name | None, Field(description="The person you ask for")] = None
    expires_in: Annotated[int | str | None, Field(description="Seconds, or like 10m: give up earlier")] = None


class Status(Taken):
    """How a pending request stands; waits a while for news. Once it is approved you get the arguments to run, this one
    time.
    """

    id: Annotated[Name, Field(description="The id that request_approval or ask_human gave")]


class Outcome(Taken):
    """Say how an approved call went, after you ran it."""

    id: Annotated[Name, Field(description="The request's id")]
    succeeded: Annotated[bool, Field(description="Did it run through?")]
    note: Annotated[
        str | None, Field(max_length=3_000, description="In a sentence, for the people who approved it")
    ] = None
    result: Annotated[Any, Field(description="What came back, any JSON up to 64 kB; shown to those people")] = None


class TakenBack(Taken):
    """Take a request back that you don't need any more, or an approval that you don't use."""

    id: Annotated[Name, Field(description="The request's id")]


class Reply(Taken):
    """Answer what a person asked about your pending request. Then go on waiting by get_approval_status."""

    id: Annotated[Name, Field(description="The request's id")]
    inquiry: Annotated[Name, Field(description="The inquiry's id")]
    text: Annotated[str, Field(min_length=1, max_length=8_000, description="Your answer")]


class Prompt(BaseModel):
    """For Claude Code's --permission-prompt-tool alone. Calling it yourself runs nothing and permits nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tool_name: str
    input: dict[str, Any]
    tool_use_id: str = ""


TOOLS: dict[str, type[BaseModel]] = {
    "request_approval": Approval,
    "ask_human": Question,
    "get_approval_status": Status,
    "answer_inquiry": Reply,
    "report_outcome": Outcome,
    "withdraw": TakenBack,
    "approve": Prompt,
}


def listed() -> list[types.Tool]:
    """The tools as clients are told of them."""
    return [
        types.Tool(
            name=name,
            description=" ".join((taken.__doc__ or "").split()),
            input_schema=taken.model_json_schema(),
            annotations=types.ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True),
        )
        for name, taken in TOOLS.items()
    ]


def approved(request: Request) -> types.CallToolResult:
    """The permit was taken: what to run."""
    arguments = json.dumps(request.arguments, ensure_ascii=False)
    changed = ", with changes" if request.modified else ""
    note = request.decision.note if request.decision is not None else None
    said = f" They said: “{note}”" if note else ""
    words = (
        f"{request.deciders} approved {request.tool}{changed}.{said} Run it now, once, with exactly these arguments: "
        f"{arguments}\nThen call report_outcome with id {request.id}."
    )
    changes = [change.model_dump(mode="json", exclude_unset=True) for change in request.changes]
    return _told(words, request, approved=True, arguments=request.arguments, changes=changes)


def answered(request: Request, answer: Answer) -> types.CallToolResult:
    """What people answered to a question."""
    said = answer.text if answer.text is not None else answer.choice
    by = "Nobody answered; your best guess stands" if answer.guessed else f"{answer.name or answer.by} answered"
    told = answer.model_dump(mode="json", include={"by", "name", "choice", "text", "guessed"})
    return _told(f"{by}: {said}", request, answer=told)


def pending(request: Request, inquiry: Inquiry | None = None) -> types.CallToolResult:
    """It waits still; what somebody wants to know about it first."""
    words = (
        f"{request.tool or 'The question'} waits for people still: it is not approved, don't run it. "
        f"Call get_approval_status with id {request.id} to go on waiting."
    )
    if inquiry is None:
        return _told(words, request)
    asked = f"{inquiry.name} asks before deciding: {inquiry.text}"
    answer = f"Answer with answer_inquiry, id {request.id}, inquiry {inquiry.id}."
    told = inquiry.model_dump(mode="json", include={"id", "by", "name", "text"})
    return _told(f"{asked}\n{answer} {words}", request, inquiry=told)


def refused(error: NotApproved) -> types.CallToolResult:
    """It came to something else than a yes: an answer in words, and no failure of this tool."""
    return _told(str(error), error.request)


def reported(request: Request) -> types.CallToolResult:
    """The outcome stands on the record."""
    return _told(f"Noted on {request.id}.", request, approved=None)


def withdrawn(request: Request) -> types.CallToolResult:
    """It is off the table."""
    return _told(f"{request.tool or 'The question'} was taken back; don't run it.", request)


def failed(words: str) -> types.CallToolResult:
    """Nothing was decided, in words for the model."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)], is_error=True)


def permitted(arguments: dict[str, Any]) -> types.CallToolResult:
    """Claude Code's word for yes: run it with these."""
    return _prompted({"behavior": "allow", "updatedInput": arguments})


def denied(words: str) -> types.CallToolResult:
    """Claude Code's word for no, with the words for the model."""
    return _prompted({"behavior": "deny", "message": words})


def _prompted(answer: dict[str, Any]) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))])


def _told(words: str, request: Request, *, approved: bool | None = False, **more: Any) -> types.CallToolResult:
    execution = request.execution.state if request.execution is not None else None
    note = request.decision.note if request.decision is not None else None
    told = {
        "message": words,  # some clients, Claude Code among them, show their model these fields instead of the text
        "approved": approved,
        "id": request.id,
        "state": request.state,
        "execution": execution,
        "tool": request.tool,
        "decided_by": request.deciders if request.decision is not None else None,
        "note": note,
    }
    structured = {name: value for name, value in {**told, **more}.items() if value is not None}
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)], structured_content=structured)
