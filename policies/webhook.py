"""Webhooks: which news of a request a receiver is told, in which words, and when it is tried again.

A body holds ids and nothing of the call: whoever gets it reads the request with its key. Its form is the endpoint's
``dialect``; another kind of body joins by one more line in ``BODIES``, and what makes it is told everything in
``Message``. It may return None where its dialect has no word for the news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.dialect import AAP, uuid_of
from policies.effects import Entry
from policies.request import Request

NEWS = {
    "revised": "request.revised",
    "settled": "request.settled",
    "lapsed": "request.lapsed",
    "revoked": "request.revoked",
    "inquired": "request.inquiry",
}
"""What receivers are told of, by the journal's word for it."""

MEANINGS = {
    "request.revised": "Somebody changed the call, or an answer did: a new revision stands.",
    "request.settled": "It is approved, rejected, answered, expired or withdrawn: read which.",
    "request.lapsed": "It was approved, and nobody claimed it in time.",
    "request.revoked": "It was approved, and stopped or given back before it was claimed.",
    "request.inquiry": "Somebody asks the agent about it and waits for its answer.",
}
"""What each says."""

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""After the first, the second … failed attempt; after one more it is given up: three days and a few hours in all."""
LONG = timedelta(hours=1)
"""How long a receiver may fail before people are told."""
TOO_LONG = timedelta(days=5)
"""How long a receiver may fail before nothing is sent to it any more: what it is owed would pile up without an end."""
JITTER = 0.2
"""By how much of itself a pause may be longer, so that what failed together doesn't come back together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """Where the news of an agent's requests go: the endpoint of one key, which has one at most.

    ``secret`` (whsec_…) signs, and until ``former_until`` the one before it as well. ``disabled`` says why nothing is
    sent any more; ``failing_since`` is the first of the failures since the last success.
    """

    id: str
    key_id: str
    url: str
    secret: str = field(repr=False)
    created_at: datetime
    dialect: str = "signoff"
    former_secret: str | None = field(default=None, repr=False)
    former_until: datetime | None = None
    disabled: str | None = None
    failing_since: datetime | None = None
    error: str | None = None

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """All that sign at ``now``, the newest first."""
        if self.former_secret is None or self.former_until is None or self.former_until <= now:
            return (self.secret,)
        return (self.secret, self.former_secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Something that happened to a request: ``type`` is one of ``NEWS``, ``at`` is UTC."""

    type: str
    request: Request
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One piece of news on its way to one endpoint; ``id`` is the ``webhook-id``, the same at each attempt."""

    id: str
    webhook: Webhook
    news: News


def news_in(request: Request, entries: Iterable[Entry]) -> tuple[News, ...]:
    """What a committed change of ``request`` (as it stands after it) is told of it, by its lines in the journal."""
    return tuple(
        News(type=NEWS[entry.what], request=request, at=entry.at)
        for entry in entries
        if entry.what in NEWS and entry.subject == request.id
    )


def _own(message: Message) -> Mapping[str, Any]:
    news = message.news
    return {
        "type": news.type,
        "timestamp": _stamp(news.at),
        "data": {"request_id": news.request.id, "revision": news.request.revision},
    }


def _stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _aap(message: Message) -> Mapping[str, Any] | None:
    """The Agent Approval Protocol tells once of each request that was asked for in it: that it is decided."""
    news, decision = message.news, message.news.request.decision
    if news.type != NEWS["settled"] or news.request.dialect is None or decision is None:
        return None
    return {
        "id": message.id,
        "type": "request.resolved",
        "instance_id": uuid_of(message.webhook.key_id),
        "request_id": uuid_of(news.request.id),
        "created_at": _stamp(decision.at),
    }


BODIES: dict[str, Callable[[Message], Mapping[str, Any] | None]] = {"signoff": _own, AAP: _aap}
"""How each dialect says it."""


def body_of(message: Message) -> Mapping[str, Any] | None:
    """The body to be sent, None where the endpoint's dialect doesn't tell this."""
    return BODIES[message.webhook.dialect](message)


def fails_long(webhook: Webhook, now: datetime) -> bool:
    """Must somebody look after its receiver: disabled, or failing for an hour?"""
    since = webhook.failing_since
    return webhook.disabled is not None or (since is not None and now - since >= LONG)


def fails_too_long(webhook: Webhook, now: datetime) -> bool:
    """Is its receiver to be left alone until somebody has looked after it?"""
    return webhook.failing_since is not None and now - webhook.failing_since >= TOO_LONG


def next_attempt(attempts: int, now: datetime, chance: float, asked: timedelta = timedelta()) -> datetime | None:
    """When to try again after so many failed ``attempts``; None: never. ``chance`` is from 0 to 1.

    ``asked`` is how long the receiver wants to be left alone (``Retry-After``): at most as long as the longest pause.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * (1 + JITTER * chance)
    return now + max(pause, min(asked, PAUSES[-1]))
