"""Where the gateway is, with which key, and how answers come back: what both clients share."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2

from signoff.errors import not_approved
from signoff.flows import Reply, Send
from signoff.models import Answer, Choice, Request

PATIENCE = 300.0
"""Seconds that a client goes on trying while the gateway gives no answer."""
FAREWELL = 3.0
"""Seconds that an interrupted client spends on taking its request back."""
SLACK = 10.0
"""Seconds that the way to the gateway and back may take, beside what it holds a request on purpose."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Connection:
    """The gateway's address and this agent's key, from the arguments or ``SIGNOFF_URL`` and ``SIGNOFF_KEY``.

    ``run`` names a piece of work that survives a crash: the same calls of the same run find their requests again.
    Raises ``ValueError`` for an address without HTTPS that isn't this machine's, unless ``allow_http`` says so, and for
    a key that can be none.
    """

    def __init__(self, url: str | None, key: str | None, run: str | None, *, allow_http: bool) -> None:
        self.url = checked(_set(url, "SIGNOFF_URL", "the gateway's address").rstrip("/"), allow_http=allow_http)
        self._key = _plain(_set(key, "SIGNOFF_KEY", "this agent's key (signoff keys create NAME)").strip())
        self.run = run
        self._seen: Counter[str] = Counter()
        self._counting = threading.Lock()

    def options(self) -> dict[str, Any]:
        """What the HTTP client is made with. It follows no redirect: that would carry the key elsewhere."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        return {"base_url": self.url, "headers": headers, "follow_redirects": False}

    def asking(self, key: str | None = None, **fields: Any) -> tuple[dict[str, Any], str]:
        """What is asked as the API takes it, and its idempotency key, which is ``key`` where one is given."""
        body = {"run": self.run, **fields}
        return body, key or self._key_of(body)

    def _key_of(self, body: Mapping[str, Any]) -> str:
        """A key of its own for each call; in a run the n-th call like this has the same key in every life."""
        if self.run is None:
            return secrets.token_urlsafe(24)
        said = {name: body.get(name) for name in ("tool", "arguments", "question")}
        call = json.dumps([self.run, said], sort_keys=True, separators=(",", ":"))
        with self._counting:  # two threads with the same call must not both be its n-th
            self._seen[call] += 1
            number = self._seen[call]
        return hashlib.sha256(f"{number} {call}".encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<the Signoff gateway at {self.url}>"


def request_of(send: Send) -> dict[str, Any]:
    """``send`` as the arguments of an HTTP client's ``request``."""
    made: dict[str, Any] = {"method": send.method, "url": send.path, "timeout": SLACK + send.hold}
    if send.body is not None:
        made["json"] = {name: value for name, value in send.body.items() if value is not None}
    if send.key is not None:
        made["headers"] = {"Idempotency-Key": send.key}
    return made


def reply_of(response: httpx2.Response) -> Reply:
    """An answer as the flows read it."""
    return Reply(status=response.status_code, body=response.content, retry_after=_seconds(response))


def failed(error: httpx2.HTTPError) -> Reply:
    """No answer at all."""
    return Reply(status=0, failure=str(error) or type(error).__name__)


def question_body(text: str, choices: Sequence[Choice], best_guess: str | None, *, free_text: bool) -> dict[str, Any]:
    """A question as the API takes it."""
    offered = [choice.model_dump(exclude_none=True) for choice in choices]
    asked: dict[str, Any] = {"text": text, "free_text": free_text}
    return {**asked, **({"choices": offered} if offered else {}), **({"best_guess": best_guess} if best_guess else {})}


def _seconds(response: httpx2.Response) -> float | None:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else None


def _set(given: str | None, variable: str, meaning: str) -> str:
    found = given or os.environ.get(variable, "")
    if not found:
        raise ValueError(f"Set {variable} to {meaning}, or pass it.")
    return found


def _plain(key: str) -> str:
    """The key, if HTTP can carry it: what the HTTP client says of one that it can't would quote it."""
    if not (key.isascii() and key.isprintable()):
        raise ValueError("SIGNOFF_KEY holds characters that no key has: set it to what signoff keys create printed.")
    return key


def checked(url: str, *, allow_http: bool) -> str:
    """The gateway's address, if a key may be sent there. Raises ``ValueError``."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"The gateway's address must be like https://signoff.example.com, not {url[:80]!r}.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not allow_http:
        raise ValueError(
            "Over http anybody on the way can read the key and say yes in the gateway's name; use https, "
            "or pass allow_http=True (to the programs SIGNOFF_ALLOW_HTTP=1) where the network is your own."
        )
    return url


def answer_of(request: Request) -> Answer:
    """The answer to a bare question. Raises ``NotApproved`` where nobody gave one."""
    if request.answer is None or request.state != "answered":
        raise not_approved(request)
    return request.answer
