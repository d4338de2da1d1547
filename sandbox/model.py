"""A scripted Messages API over real HTTP: what the demo's agent and the tests talk to instead of a model.

Point the stock SDK at it: `AsyncAnthropic(base_url="http://127.0.0.1:4390/anthropic", api_key="sandbox")`. What the
"model" says stands in stories (see sandbox/story.py); requests are checked as strictly as the real API checks them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.model_reply import Event, api_error, cut_short, events, message, refused, token_count
from sandbox.playing import Move, next_move
from sandbox.story import Fault, Story, StoryError, load_stories
from sandbox.transcript import InvalidRequest, MessageRequest, read_message_request, read_token_request

API_KEY = "sandbox"
TOLD: web.RequestKey[Mapping[str, Any]] = web.RequestKey("told", Mapping)
"""Where a request keeps the whole message that it was answered with, also when that went out as a stream."""

_OVERLOADED = 529  # the API's own status, in no RFC
_STATUS = {
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "authentication_error", "invalid x-api-key"),
    "rate_limited": (HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_error", "This request would exceed your rate limit."),
    "server_error": (HTTPStatus.INTERNAL_SERVER_ERROR, "api_error", "Internal server error"),
    "overloaded": (_OVERLOADED, "overloaded_error", "Overloaded"),
}
_BROKEN = ("interrupted", "truncated", "dropped")  # the ways a stream ends half-way


def add_routes(app: web.Application, stories: Path) -> None:
    """Serve the Messages API under `/anthropic`, playing the stories in that folder. Raises StoryError."""
    model = ScriptedModel(load_stories(stories))
    app.router.add_post("/anthropic/v1/messages", model.answer)
    app.router.add_post("/anthropic/v1/messages/count_tokens", model.count)
    app.router.add_route("*", "/anthropic/{rest:.*}", _not_found)


def _today() -> date:
    return datetime.now(UTC).date()


class ScriptedModel:
    """Answers by stories; remembers nothing but which faults it has already played."""

    def __init__(self, stories: Sequence[Story], today: Callable[[], date] = _today) -> None:
        self._stories = stories
        self._today = today
        self._failed: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/messages`, streaming or not."""
        try:
            _check_headers(request)
            asked = read_message_request(await request.read())
            move = next_move(self._stories, asked, self._today())
        except _Refused as refusal:
            return refusal.response
        except (InvalidRequest, StoryError) as wrong:
            return _error(HTTPStatus.BAD_REQUEST, "invalid_request_error", str(wrong))
        except web.HTTPRequestEntityTooLarge:
            return _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", "Request exceeds the maximum size")
        fault = self._due_fault(asked, move)
        if fault is not None and fault.kind in _STATUS:
            return _fault_status(fault)
        kind = fault.kind if fault is not None else ""
        reply = _reply(asked, move, kind)
        request[TOLD] = reply
        return await _stream(request, reply, kind) if asked.stream else _whole(request, reply, kind)

    async def count(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/messages/count_tokens`."""
        try:
            _check_headers(request)
            asked = read_token_request(await request.read())
        except _Refused as refusal:
            return refusal.response
        except InvalidRequest as wrong:
            return _error(HTTPStatus.BAD_REQUEST, "invalid_request_error", str(wrong))
        return web.json_response({"input_tokens": token_count(asked)})

    def _due_fault(self, asked: MessageRequest, move: Move) -> Fault | None:
        """The step's fault while this very conversation has not met it often enough; then the count starts anew."""
        if move.fault is None:
            return None
        told = asked.model_dump_json(include={"messages", "metadata"})
        conversation = hashlib.sha256(told.encode()).hexdigest()
        if self._failed[conversation] >= move.fault.times:
            del self._failed[conversation]
            return None
        self._failed[conversation] += 1
        return move.fault


class _Refused(Exception):
    """The request is answered with an error before it is read."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def _check_headers(request: web.Request) -> None:
    sent = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    if sent != API_KEY:  # older clients send the key as x-api-key, the SDK since 2.x as a bearer token
        raise _Refused(_error(*_STATUS["unauthorized"]))
    if "anthropic-version" not in request.headers:
        raise _Refused(_error(HTTPStatus.BAD_REQUEST, "invalid_request_error", "anthropic-version: header is required"))


def _error(status: int, kind: str, words: str) -> web.Response:
    body = api_error(kind, words)
    return web.json_response(body, status=status, headers={"request-id": body["request_id"]})


def _fault_status(fault: Fault) -> web.Response:
    response = _error(*_STATUS[fault.kind])
    if fault.kind == "rate_limited":
        response.headers["retry-after"] = f"{fault.retry_after:g}"
    return response


def _reply(asked: MessageRequest, move: Move, fault: str) -> dict[str, Any]:
    if fault == "refusal":
        return refused(asked)
    if fault == "max_tokens":
        return cut_short(move, asked)
    return message(move, asked)


def _whole(request: web.Request, reply: Mapping[str, Any], fault: str) -> web.Response:
    """The message at once; a fault that would break a stream breaks the connection instead."""
    if fault in _BROKEN:
        _drop(request)
    return web.json_response(reply)


async def _stream(request: web.Request, reply: Mapping[str, Any], fault: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
    await response.prepare(request)
    told = list(events(reply))
    for event in told[: len(told) // 2] if fault in _BROKEN else told:
        await response.write(_sse(event))
    if fault == "interrupted":
        await response.write(_sse(api_error("overloaded_error", "Overloaded")))
    if fault == "dropped":
        _drop(request)
    else:
        await response.write_eof()
    return response


def _sse(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _not_found(request: web.Request) -> web.Response:
    return _error(HTTPStatus.NOT_FOUND, "not_found_error", f"There is no {request.method} {request.path}")
