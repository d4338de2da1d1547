"""A request to the Messages API, checked as strictly as the real one checks it.

The faults' words follow the real API's, since people search for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

Role = Literal["user", "assistant"]
Wire = TypeVar("Wire", bound="TokenRequest")
_FOREIGN: Mapping[Role, tuple[str, ...]] = {
    "assistant": ("tool_result", "image", "document"),
    "user": ("tool_use", "thinking", "redacted_thinking"),
}


class InvalidRequest(Exception):
    """The request is refused with 400 `invalid_request_error`; `str(error)` says where and why."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Block(_Wire):
    """One content block; which fields belong to which `type` is checked by `_check_block`."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Literal["text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document"]
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, JsonValue] = {}
    tool_use_id: str = ""
    content: str | list[dict[str, JsonValue]] = ""
    is_error: bool = False

    @property
    def words(self) -> str:
        """The text of a text block, or of a tool result."""
        if self.type == "text":
            return self.text
        if isinstance(self.content, str):
            return self.content
        return "\n".join(str(part.get("text", "")) for part in self.content)


class Turn(_Wire):
    """One message; plain text content becomes one text block."""

    role: Role
    content: str | list[Block]

    @property
    def blocks(self) -> list[Block]:
        """The content as blocks."""
        return [Block(type="text", text=self.content)] if isinstance(self.content, str) else self.content

    def of(self, kind: str) -> list[Block]:
        """The blocks of one type, in their order."""
        return [block for block in self.blocks if block.type == kind]

    @property
    def said(self) -> str:
        """The text blocks' text, one a line."""
        return "\n".join(block.text for block in self.of("text"))


class OfferedTool(_Wire):
    """A tool as the request offers it."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
    input_schema: dict[str, JsonValue]

    @property
    def properties(self) -> Mapping[str, object]:
        """The names (and schemas) of the arguments."""
        found = self.input_schema.get("properties")
        return found if isinstance(found, dict) else {}


class TokenRequest(_Wire):
    """What is counted: the body of `POST /v1/messages/count_tokens`."""

    model: str = Field(min_length=1)
    messages: list[Turn]
    system: str | list[dict[str, JsonValue]] = ""
    tools: list[OfferedTool] = []
    cache_control: JsonValue = None
    mcp_servers: JsonValue = None
    output_config: JsonValue = None
    speed: JsonValue = None
    thinking: JsonValue = None
    tool_choice: JsonValue = None
    user_profile_id: JsonValue = None
    workspace_id: JsonValue = None


class MessageRequest(TokenRequest):
    """The body of `POST /v1/messages`."""

    max_tokens: int = Field(ge=1)
    stream: bool = False
    metadata: dict[str, JsonValue] = {}
    container: JsonValue = None
    diagnostics: JsonValue = None
    inference_geo: JsonValue = None
    service_tier: JsonValue = None
    stop_sequences: JsonValue = None
    temperature: JsonValue = None
    top_k: JsonValue = None
    top_p: JsonValue = None


def read_message_request(body: bytes) -> MessageRequest:
    """Check a message request and its transcript. Raises InvalidRequest."""
    request = _read(MessageRequest, body)
    turns = merged(request.messages)
    if turns[-1].role == "assistant":
        raise InvalidRequest(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    return request


def read_token_request(body: bytes) -> TokenRequest:
    """Check a token count request and its transcript. Raises InvalidRequest."""
    return _read(TokenRequest, body)


def merged(turns: list[Turn]) -> list[Turn]:
    """The conversation with neighbours of the same role taken together, as the API does."""
    together: list[Turn] = []
    for turn in turns:
        if together and together[-1].role == turn.role:
            turn = Turn(role=turn.role, content=[*together.pop().blocks, *turn.blocks])
        together.append(turn)
    return together


def _read(shape: type[Wire], body: bytes) -> Wire:
    try:
        request = shape.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise InvalidRequest(f"{place}: {fault['msg']}" if place else "The request body is not valid JSON.") from error
    _check_names(request.tools)
    _check_turns(request.messages)
    return request


def _check_names(tools: list[OfferedTool]) -> None:
    if len({tool.name for tool in tools}) != len(tools):
        raise InvalidRequest("tools: Tool names must be unique.")
    for number, tool in enumerate(tools):
        if tool.input_schema.get("type") != "object":
            raise InvalidRequest(f"tools.{number}.custom.input_schema.type: Input should be 'object'")


def _check_turns(turns: list[Turn]) -> None:
    if not turns:
        raise InvalidRequest("messages: at least one message is required")
    if turns[0].role != "user":
        raise InvalidRequest('messages: first message must use the "user" role')
    for number, turn in enumerate(turns):
        if not turn.content:
            raise InvalidRequest(f"messages.{number}: {turn.role} messages must have non-empty content")
        for place, block in enumerate(turn.blocks):
            _check_block(f"messages.{number}.content.{place}", turn.role, block)
    _check_pairs(merged(turns))


def _check_block(place: str, role: Role, block: Block) -> None:
    needs = {"tool_use": ("id", "name", "input"), "tool_result": ("tool_use_id",)}.get(block.type, ())
    for name in needs:
        if name not in block.model_fields_set:
            raise InvalidRequest(f"{place}.{block.type}.{name}: Field required")
    if block.type == "text" and not block.text.strip():
        raise InvalidRequest("messages: text content blocks must be non-empty")
    if block.type in _FOREIGN[role]:
        raise InvalidRequest(f"{place}: `{block.type}` blocks are not allowed in {role} messages")


def _check_pairs(turns: list[Turn]) -> None:
    """Every tool use is answered at the start of the next turn, once; nothing else is answered."""
    for number, turn in enumerate(turns):
        before = turns[number - 1] if number else None
        asked = [block.id for block in before.of("tool_use")] if before else []
        for place, block in enumerate(turn.blocks):
            if block.type == "tool_result" and block.tool_use_id not in asked:
                raise InvalidRequest(
                    f"messages.{number}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block.tool_use_id}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message."
                )
        answered = list(_leading_results(turn))
        if missing := [each for each in asked if each not in answered]:
            raise InvalidRequest(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        if len(set(answered)) != len(answered):
            raise InvalidRequest(f"messages.{number}: each tool_use must have a single result")
    if turns[-1].of("tool_use"):
        raise InvalidRequest("messages: the last `tool_use` blocks have no `tool_result` blocks after them")


def _leading_results(turn: Turn) -> Iterator[str]:
    for block in turn.blocks:
        if block.type != "tool_result":
            return
        yield block.tool_use_id
