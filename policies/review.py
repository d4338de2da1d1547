"""What people said, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.people import Standing


class Verdict(StrEnum):
    """One person's word on a request."""

    APPROVE = "approve"
    MODIFY = "modify"
    REJECT = "reject"
    ANSWER = "answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """One person's verdict on one revision. ``by`` is the user id, ``name`` what the card calls the person.

    ``groups`` names those of the request's groups to which the person belonged at that moment, ``standing`` is what
    kind of account it was then. ``shown_at`` is since when they could see what they decided on, ``opened_at`` when they
    first opened the whole of it (None: never), ``asked_at`` when they were asked back since they approved too fast.
    """

    by: str
    name: str
    verdict: Verdict
    at: datetime
    revision: int
    note: str | None = None
    groups: tuple[str, ...] = ()
    standing: Standing = Standing.MEMBER
    shown_at: datetime | None = None
    opened_at: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The settled result. ``by`` holds user ids, or ``policy``, ``silence``, ``requester``, ``grant:ID``."""

    verdict: str
    by: tuple[str, ...]
    at: datetime
    note: str | None = None


def approvers(reviews: tuple[Review, ...], revision: int) -> tuple[Review, ...]:
    """The reviews that count towards the quorum of ``revision``: the latest of each person, approving that revision."""
    latest = {review.by: review for review in reviews}
    return tuple(
        review
        for review in latest.values()
        if review.revision == revision and review.verdict in (Verdict.APPROVE, Verdict.MODIFY)
    )
