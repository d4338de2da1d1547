"""What to say to the gateway and when to say it again, without any input or output.

Each flow is a generator: it yields what to do (``Send``, ``Pause``), is sent the ``Reply``, and returns its result. The
two clients drive the same flows, one with threads, one with asyncio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from signoff.errors import Refused, StillPending, Unreachable, not_approved, not_claimable
from signoff.models import Inquiry, Page, Request, Value

POLL = 25
"""Seconds of one long poll, as the gateway's contract suggests: proxies give up after a minute."""
PAGE = 200
"""Requests of one page, the most that the gateway gives."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds between two tries; doubled from the first on, unless the gateway says when to come again."""
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say nothing about the call itself."""
STRANGE = "What came back from the gateway is about another call, so it counts for nothing; look what lies between."


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """One HTTP request; ``hold`` is how many seconds the gateway may take its time on purpose."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None
    hold: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Consult:
    """Ask the agent what a person wants to know about its call; the reply's body is its answer, empty for none."""

    request: Request
    inquiry: Inquiry


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back: a status (0 where nothing did), ``failure`` in words then, the body, and ``Retry-After``."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    failure: str = ""


T = TypeVar("T")
V = TypeVar("V", bound=Value)
Step = Send | Pause | Consult
Flow = Generator[Step, Reply, T]


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """How to talk: ``patience`` is for how many seconds without an answer it tries again, ``clock`` gives seconds."""

    patience: float
    clock: Callable[[], float]

    def exchange(self, send: Send) -> Flow[Reply]:
        """Send until there is an answer about the call itself. Raises ``Unreachable`` when the patience is over.

        ``Refused`` where the gateway will not have it before then: the agent's budget is used up.
        """
        since, pause = self.clock(), FIRST_PAUSE
        while True:
            reply = yield send
            if reply.status and reply.status not in AGAIN:
                return reply
            left = since + self.patience - self.clock()
            if left <= 0:
                raise Unreachable(_unreachable(reply, self.patience))
            told = reply.retry_after if reply.retry_after is not None else pause
            if reply.status == 429 and told > left:  # over budget for longer than this waits: its agent hears it now
                raise refusal(reply)
            yield Pause(seconds=min(max(told, FIRST_PAUSE), left))
            pause = min(pause * 2, LONGEST_PAUSE)

    def request(self, send: Send, request_id: str | None = None) -> Flow[Request]:
        """Send, and read the request that comes back. Raises ``Refused`` with the gateway's words.

        ``Unreachable`` where it is another one than ``request_id``: what lies between may mix answers up.
        """
        reply = yield from self.exchange(send)
        if reply.status >= 400:
            raise refusal(reply)
        found = read(reply)
        if request_id not in (None, found.id):
            raise Unreachable(STRANGE)
        return found

    def submit(self, body: Mapping[str, Any], key: str) -> Flow[Request]:
        """Ask: once, however often it has to be sent. What comes back is about this very call, or ``Unreachable``."""
        found = yield from self.request(Send(method="POST", path="/v1/requests", body=body, key=key))
        asked = json.loads(json.dumps(body.get("arguments") or {}))
        if (found.tool, found.proposed_arguments) != (body.get("tool"), asked):
            raise Unreachable(STRANGE)
        return found

    def look(self, request_id: str) -> Flow[Request]:
        """How a request stands."""
        return (yield from self.request(Send(method="GET", path=_path(request_id)), request_id))

    def requests(self, state: Sequence[str], execution: Sequence[str], since: datetime | None) -> Flow[list[Request]]:
        """The agent's own requests, newest first, page by page; none made before ``since``."""
        asked = {"state": ",".join(state), "execution": ",".join(execution), "limit": str(PAGE)}
        told = {name: value for name, value in asked.items() if value}
        found: list[Request] = []
        while True:
            reply = yield from self.exchange(Send(method="GET", path=f"/v1/requests?{urlencode(told)}"))
            if reply.status >= 400:
                raise refusal(reply)
            page = read_as(Page, reply)
            recent = [one for one in page.requests if since is None or one.created_at >= since]
            found += recent
            if page.cursor is None or len(recent) < len(page.requests):
                return found
            told["cursor"] = page.cursor

    def news(self, request: Request, seconds: float) -> Flow[Request]:
        """How it stands after at most ``seconds``, sooner if it settles, is edited, or people ask about it."""
        wait = max(1, min(POLL, int(seconds)))
        query = urlencode({"wait": wait, "revision": request.revision, "inquiry": len(request.inquiries)})
        return (yield from self.request(Send(method="GET", path=f"{_path(request.id)}?{query}", hold=wait), request.id))

    def reply(self, request: Request, inquiry_id: str, text: str) -> Flow[Request]:
        """Answer what a person asked; where somebody else has, that stands."""
        body = {"inquiry": inquiry_id, "text": text}
        reply = yield from self.exchange(Send(method="POST", path=f"{_path(request.id)}/answers", body=body))
        if reply.status in (200, 409):
            return (yield from self.look(request.id))
        raise refusal(reply)

    def settle(self, request: Request, seconds: float | None) -> Flow[Request]:
        """Wait until it is settled, answering what people ask. Raises ``StillPending`` after ``seconds``."""
        until = None if seconds is None else self.clock() + seconds
        unanswered: set[str] = set()
        while request.pending:
            asked = next((one for one in request.inquiries if one.answer is None and one.id not in unanswered), None)
            if asked is None:
                request = yield from self._later(request, until)
                continue
            unanswered.add(asked.id)
            text = (yield Consult(request=request, inquiry=asked)).body.decode()
            request = (yield from self.reply(request, asked.id, text)) if text else request
        return request

    def _later(self, request: Request, until: float | None) -> Flow[Request]:
        """News of it; when the time is over a last look. Raises ``StillPending`` where it waits even then."""
        left = float(POLL) if until is None else until - self.clock()
        if left > 0:
            return (yield from self.news(request, left))
        found = yield from self.look(request.id)
        if found.pending:
            raise StillPending(f"{found.tool or 'The question'} waits for people still ({found.id}).", found)
        return found

    def permit(self, request: Request, key: str, *, repeatable: bool = False) -> Flow[Request]:
        """Take the permit of a settled request. Raises ``NotApproved`` where it may not run now.

        Where an earlier life of the agent took it, only what is ``repeatable`` runs again.
        """
        if not request.approved:
            raise not_approved(request)
        state = request.execution.state if request.execution is not None else "gone"
        if state != "unclaimed" and not (state == "claimed" and repeatable):
            raise not_claimable(request)
        return request if state == "claimed" else (yield from self.claim(request, key))

    def claim(self, request: Request, key: str) -> Flow[Request]:
        """Take the permit of an approved request. Raises ``NotApproved`` where there is none to take."""
        send = Send(method="POST", path=f"{_path(request.id)}/claim", body={"digest": request.digest}, key=key)
        reply = yield from self.exchange(send)
        if reply.status == 409:
            found = yield from self.look(request.id)
            raise not_claimable(found) if found.approved else not_approved(found)
        if reply.status >= 400:
            raise refusal(reply)
        claimed = read(reply)
        same = (claimed.id, claimed.tool, claimed.digest) == (request.id, request.tool, request.digest)
        if not (same and claimed.approved and claimed.execution and claimed.execution.state == "claimed"):
            raise not_approved(claimed)
        return claimed

    def report(self, request: Request, *, succeeded: bool, note: str | None, result: Any) -> Flow[Request]:
        """Tell how the claimed call went."""
        body = {"status": "succeeded" if succeeded else "failed", "note": note, "result": result}
        send = Send(method="POST", path=f"{_path(request.id)}/report", body=body)
        return (yield from self.request(send, request.id))

    def withdraw(self, request_id: str) -> Flow[Request]:
        """Take the request back, or the permit that nobody has taken."""
        return (yield from self.request(Send(method="DELETE", path=_path(request_id)), request_id))


def read(reply: Reply) -> Request:
    """The request in an answer. Raises ``Unreachable``."""
    return read_as(Request, reply)


def read_as(kind: type[V], reply: Reply) -> V:
    """A value in an answer. What can't be read says nothing, and so not yes: raises ``Unreachable``."""
    try:
        return kind.model_validate_json(reply.body)
    except ValidationError as error:
        raise Unreachable("What answered at the gateway's address is no Signoff gateway; check the URL.") from error


def refusal(reply: Reply) -> Refused:
    """The gateway's problem document as an error."""
    try:
        problem = json.loads(reply.body)
        errors = [(str(one["where"]), str(one["words"])) for one in problem.get("errors", ())]
        return Refused(reply.status, str(problem["code"]), str(problem["detail"]), errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refused(reply.status, "not_signoff", f"The gateway's address answered {reply.status}; check the URL.")


def _unreachable(reply: Reply, patience: float) -> str:
    said = f"it answered {reply.status}" if reply.status else reply.failure
    if reply.status == 429 or reply.status == 503:
        said = f"it says: {refusal(reply).detail}"
    return f"The Signoff gateway gave no answer for {patience:g} seconds ({said}); nothing ran."


def _path(request_id: str) -> str:
    return f"/v1/requests/{quote(request_id, safe='')}"
