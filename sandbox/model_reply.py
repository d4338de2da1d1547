"""A move of the model as the Messages API sends it: one message, or the server-sent events of a stream."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.playing import Move
from sandbox.transcript import TokenRequest

Event = Mapping[str, Any]

_CHUNK = 12  # characters a delta: small enough that a reader meets many


def token_count(request: TokenRequest) -> int:
    """A believable number of input tokens: a token for four characters."""
    return len(request.model_dump_json(exclude_unset=True)) // 4 + 1


def message(move: Move, request: TokenRequest) -> dict[str, Any]:
    """The message that answers the request; ids are new each time, as the real API's are."""
    content: list[dict[str, Any]] = [{"type": "text", "text": move.say}] if move.say else []
    content += [
        {"type": "tool_use", "id": f"toolu_{secrets.token_hex(12)}", "name": call.tool, "input": dict(call.input)}
        for call in move.calls
    ]
    return _message(request, content, "tool_use" if move.calls else "end_turn")


def refused(request: TokenRequest) -> dict[str, Any]:
    """The message of a model that declines to go on."""
    details = {"type": "refusal", "category": None, "explanation": "The scripted model declines, as its story says."}
    return {**_message(request, [], "refusal"), "stop_details": details}


def cut_short(move: Move, request: TokenRequest) -> dict[str, Any]:
    """The message that ran out of tokens in the middle of its words, before any tool call."""
    words = (move.say or "I was about to")[: max(8, len(move.say) // 2)]
    return _message(request, [{"type": "text", "text": words}], "max_tokens")


def _message(request: TokenRequest, content: list[dict[str, Any]], stop_reason: str) -> dict[str, Any]:
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": token_count(request),
            "output_tokens": len(json.dumps(content)) // 4 + 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def events(whole: Mapping[str, Any]) -> Iterator[Event]:
    """The stream of a message: start, ping, each block with its deltas, the stop reason with the usage, stop."""
    usage = whole["usage"]
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    begun.pop("stop_details", None)
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        yield from _block_events(index, block)
    ended = {key: whole[key] for key in ("stop_reason", "stop_sequence", "stop_details") if key in whole}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[Event]:
    begun: dict[str, Any]
    if block["type"] == "text":
        begun, kind, part, text = {"type": "text", "text": ""}, "text_delta", "text", block["text"]
    else:
        begun = {**block, "input": {}}
        kind, part, text = "input_json_delta", "partial_json", json.dumps(block["input"], ensure_ascii=False)
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for start in range(0, len(text), _CHUNK):
        delta = {"type": kind, part: text[start : start + _CHUNK]}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def api_error(kind: str, words: str) -> dict[str, Any]:
    """The API's error shape."""
    return {"type": "error", "error": {"type": kind, "message": words}, "request_id": f"req_{secrets.token_hex(12)}"}
