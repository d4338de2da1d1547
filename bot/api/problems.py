"""What went wrong, as RFC 9457 problem documents: one table from the error's class to the HTTP status.

Every answer of 400 and above is ``application/problem+json`` with ``type``, ``title``, ``status``, ``detail``, ``code``
and ``errors`` (a list of ``{"where", "words"}``, ``where`` being a JSON pointer into the body or ``?name`` of a query).
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, Field

from bot.logs import get_logger
from policies.errors import (
    Conflict,
    Fault,
    Faulty,
    Invalid,
    NotAllowed,
    NotFound,
    OverBudget,
    Refused,
    SignoffError,
    Unavailable,
)

ANSWER_HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Answers hold what agents want to do: nothing between here and the agent may keep them."""
NO_SUCH_REQUEST = "There is no such request or group, or this key may not see it. Check the id and the key."
"""The one answer for unknown and foreign ids, so that nobody can tell them apart."""


class Malformed(Invalid):
    """The body isn't JSON that can be read in one way only."""

    code = "malformed"


class TooLarge(Invalid):
    """The body is larger than the API takes."""

    code = "body_too_large"


class Unauthenticated(SignoffError):
    """No key, or one that isn't valid (any more)."""

    code = "no_key"


class FaultOut(BaseModel):
    """One thing that is wrong with what was sent."""

    where: str = Field(description="A JSON pointer into the body, `?name` of the query, or empty for the whole.")
    words: str = Field(description="What is wrong, or what to send instead.")


class Problem(BaseModel):
    """The body of every answer that isn't a success (RFC 9457)."""

    type: str = Field(description="`urn:signoff:problem:` and the code.")
    title: str = Field(description="The code in words.")
    status: int
    detail: str = Field(description="What is wrong and what to do, in a sentence for a person.")
    code: str = Field(description="What is wrong, for programs; see the table of codes.")
    errors: list[FaultOut] = Field(description="Each thing that is wrong with body or query, with its place.")


log = get_logger("signoff.api")

STATUS: Mapping[type[SignoffError], int] = {
    Malformed: 400,
    TooLarge: 413,
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Refused: 409,
    Invalid: 422,
    OverBudget: 429,
    Unavailable: 503,
    SignoffError: 500,
}
"""The nearest class in an error's line of descent gives the status."""


def status_of(error: SignoffError) -> int:
    """The HTTP status of ``error``."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def faults_of(error: SignoffError) -> tuple[Fault, ...]:
    """Every single thing that ``error`` finds wrong, with its place; empty where it isn't about the body."""
    if isinstance(error, Faulty):
        return error.faults
    return (Fault(where=error.where, words=error.words),) if isinstance(error, Invalid) else ()


def moved(error: Invalid, prefix: str) -> Invalid:
    """The same error with its places counted from the whole body instead of the part at ``prefix``."""
    if isinstance(error, Faulty):
        faults = tuple(Fault(where=prefix + fault.where, words=fault.words) for fault in error.faults)
        return Faulty(faults, code=error.code)
    return Invalid(error.words, where=prefix + error.where, code=error.code)


def problem_of(status: int, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> Problem:
    """A problem document."""
    return Problem(
        type=f"urn:signoff:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        errors=[FaultOut(where=fault.where, words=fault.words) for fault in faults],
    )


def answer(status: int, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> web.Response:
    """A problem document as a response."""
    body = problem_of(status, code, detail, faults).model_dump_json().encode()
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=ANSWER_HEADERS)


def refusal(error: SignoffError) -> web.Response:
    """``error`` as a response, with the headers that its status asks for."""
    status = status_of(error)
    if status == HTTPStatus.NOT_FOUND:
        return answer(status, NotFound.code, NO_SUCH_REQUEST)
    response = answer(status, error.code, sentence(error.words), faults_of(error))
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        told = "" if error.code == Unauthenticated.code else ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="signoff"{told}'
    return response


def sentence(words: str) -> str:
    """``words`` with a capital and a full stop; faults in the policies' words are fragments that follow a place."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


HTTP_WORDS: Mapping[int, tuple[str, str]] = {
    404: ("no_such_address", "There is no such address here; requests are at /v1/requests."),
    405: ("method_not_allowed", "This address doesn't take that method; the Allow header names those it takes."),
    408: ("body_too_slow", "The body didn't arrive in time; send it again in one piece."),
    413: (TooLarge.code, "The body is too large; send at most 256 KiB of JSON."),
}


def _of_http(error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses, in the same shape; keeps its ``Allow`` header."""
    code, words = HTTP_WORDS.get(error.status, ("http_error", f"{error.reason}; nothing was changed."))
    response = answer(error.status, code, words)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def log_bug(error: Exception, request: web.Request, reference: str) -> None:
    """A defect of ours. The log gets where it happened, never the message: that could quote the agent's arguments."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("request failed", reference=reference, error=type(error).__name__, method=request.method, places=places)


def _of_bug(error: Exception, request: web.Request) -> web.Response:
    reference = secrets.token_hex(4)
    log_bug(error, request, reference)
    words = f"Something is wrong inside Signoff; nothing was approved by this. Its log tells more under {reference}."
    return answer(500, "internal", words)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every error into a problem document."""
    try:
        return await handler(request)
    except SignoffError as error:
        return refusal(error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _of_http(error)
    except ConnectionError:
        raise  # the client went away in the middle of its body: there is nobody left to answer
    except Exception as error:
        return _of_bug(error, request)
