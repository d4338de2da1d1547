"""A run's transcript as the Messages API wants it, and what its last message asks for. Pure functions over messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.redaction import shortened

REASON = "signoff_reason"
CONFIDENCE = "signoff_confidence"

Message = Mapping[str, Any]

_ASKED: Mapping[str, Mapping[str, Any]] = {
    REASON: {
        "type": "string",
        "maxLength": 1000,
        "description": "Why this call is right, in one or two sentences for the person who may have to approve it.",
    },
    CONFIDENCE: {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "How sure you are that this is what was asked for, 0 to 1, honestly: low means somebody looks.",
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolUse:
    """One call that the model wants, with what it says about it already taken off the arguments."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    reason: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the model is told about one of its tool uses."""

    text: str
    failed: bool = False


def asking_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's schema with the two fields that the model fills in for reviewers."""
    return {**schema, "properties": {**schema.get("properties", {}), **_ASKED}}


def tool_uses(message: Message) -> tuple[ToolUse, ...]:
    """The tool uses in an assistant's message."""
    return tuple(_tool_use(block) for block in blocks_of(message) if block.get("type") == "tool_use")


def _tool_use(block: Mapping[str, Any]) -> ToolUse:
    given = block["input"]
    raw = dict(given) if isinstance(given, Mapping) else {"input": given}  # no object: the tool's check refuses it
    reason, confidence = raw.pop(REASON, None), raw.pop(CONFIDENCE, None)
    sure = isinstance(confidence, (int, float)) and not isinstance(confidence, bool) and 0 <= confidence <= 1
    return ToolUse(
        id=block["id"],
        name=block["name"],
        arguments=raw,
        reason=shortened(reason, 1000) if isinstance(reason, str) and reason.strip() else None,
        confidence=float(confidence) if sure and confidence is not None else None,
    )


def words_of(message: Message) -> str:
    """The text of a message, without its tool uses."""
    return "\n".join(block["text"] for block in blocks_of(message) if block.get("type") == "text").strip()


def blocks_of(message: Message) -> Sequence[Mapping[str, Any]]:
    """The content blocks of a message; plain text is one block."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def opening(errand: str) -> Message:
    """The first message: what the person asked for."""
    return {"role": "user", "content": [{"type": "text", "text": errand}]}


def aside(transcript: Sequence[Message], use_id: str, words: str) -> list[Message]:
    """``transcript`` with ``words`` put to the model while the call of ``use_id`` waits; stored nowhere.

    Tool uses that have no result yet get one, since the API takes no transcript without.
    """
    open_uses = tool_uses(transcript[-1]) if transcript and transcript[-1]["role"] == "assistant" else ()
    waiting = {use.id: Answer(text=words if use.id == use_id else "This still waits.") for use in open_uses}
    return [*transcript, answers(waiting, () if use_id in waiting else (words,))]


def answers(given: Mapping[str, Answer], later: Sequence[str] = ()) -> Message:
    """One message that answers all tool uses of the one before, and brings what came in ``later`` from the inbox."""
    results = [
        {
            "type": "tool_result",
            "tool_use_id": use,
            "content": [{"type": "text", "text": answer.text}],
            "is_error": answer.failed,
        }
        for use, answer in given.items()
    ]
    return {"role": "user", "content": [*results, *({"type": "text", "text": text} for text in later)]}
