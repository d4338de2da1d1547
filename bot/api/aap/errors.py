"""What goes wrong, in AAP's shape: ``{"error": {"type", "code", "message", "param"?, "request_id"}}``.

Every answer carries ``X-Request-ID``; an error's ``request_id`` is the same.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from bot.api.problems import ANSWER_HEADERS, HTTP_WORDS, faults_of, log_bug, sentence, status_of
from policies.errors import SignoffError, Unavailable

BASE = "/aap"
"""Where the protocol's addresses begin: the clients' base URL is the gateway's with this behind it."""
TYPES: Mapping[int, str] = {
    401: "authentication",
    403: "authorization",
    404: "not_found",
    409: "conflict",
    429: "rate_limit",
    500: "internal",
    503: "dependency",
}
"""The error's type by its status; whatever else the client did wrong is an ``invalid_request``."""
UNVERIFIED = "webhook_verification_failed"
"""The one code with 422: whatever else Signoff's own API answers with that status reads 400 here."""
NOT_HERE = "There is nothing of this id, or this credential may not see it."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer of AAP's addresses with its id, and what went wrong in the protocol's words."""
    if not request.path.startswith(f"{BASE}/"):
        return await handler(request)
    exchange = str(uuid.uuid4())
    try:
        response = await handler(request)
    except SignoffError as error:
        response = _refused(error, exchange)
    except web.HTTPException as error:
        response = _of_http(error, exchange)
    except ConnectionError:
        raise  # the client went away in the middle of its body: there is nobody left to answer
    except Exception as error:
        log_bug(error, request, exchange)
        response = _error(500, "internal", "Something is wrong inside the provider; nothing was approved.", exchange)
    response.headers["X-Request-ID"] = exchange
    return response


def _refused(error: SignoffError, exchange: str) -> web.Response:
    status = status_of(error)
    if status == HTTPStatus.NOT_FOUND:
        return _error(status, "not_found", NOT_HERE, exchange)
    places = [fault.where for fault in faults_of(error) if fault.where]
    unread = status == HTTPStatus.UNPROCESSABLE_ENTITY and error.code != UNVERIFIED
    shown = HTTPStatus.BAD_REQUEST if unread else status
    response = _error(shown, error.code, sentence(error.words), exchange, param=places[0] if places else "")
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="signoff"'
    return response


def _of_http(error: web.HTTPException, exchange: str) -> web.Response:
    """What aiohttp itself refuses; keeps its ``Allow`` header."""
    code, words = HTTP_WORDS.get(error.status, ("http_error", f"{error.reason}; nothing was changed."))
    response = _error(error.status, code, words, exchange)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _error(status: int, code: str, message: str, exchange: str, *, param: str = "") -> web.Response:
    told = {"type": TYPES.get(status, "invalid_request"), "code": code, "message": message}
    told |= {"param": param.strip("/?")} if param.strip("/?") else {}
    body = json.dumps({"error": {**told, "request_id": exchange}}, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=ANSWER_HEADERS)
