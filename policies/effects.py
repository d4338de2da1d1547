"""What the shell owes the world after a change, and what the journal keeps of it. Frozen values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Announce:
    """Post the first cards of a request where its reviewers look."""

    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostCard:
    """Post one copy of the card to ``to``: a channel's id or name, or a user id (a direct message).

    ``account`` is the agent's who asks (see ``policies.budget``): each agent's cards have their turn.
    """

    request_id: str
    to: str
    account: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refresh:
    """Bring every copy of the request's card up to what stands now."""

    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachAgain:
    """A new ``revision`` stands: what the cards can't show of it is put into the threads of all of them."""

    request_id: str
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Attach:
    """Put ``revision`` as a text file into the thread of one copy (``channel``, ``ts``) where the card cuts it."""

    request_id: str
    channel: str
    ts: str
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Remind:
    """Say in the card's thread that the request still waits, and for whom."""

    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Summon:
    """Tell the people of a group that joined (``group`` names it): by direct message and in the card's thread."""

    request_id: str
    group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TellAbsence:
    """Say in the thread of one copy of the card (``channel``, ``ts``) who was asked in the place of whom."""

    request_id: str
    channel: str
    ts: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TellInquiry:
    """Say in the threads of the card what somebody asked the agent, or what the agent answered (``answered``)."""

    request_id: str
    inquiry_id: str
    answered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TellDelegation:
    """Bring the card to whom somebody asked to decide, and say so in its threads.

    ``number`` is the delegation's place among the request's, from 0.
    """

    request_id: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TellServed:
    """Tell the person served, by direct message, that the request expired, or who objects after it went ahead."""

    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A message of the agent runner. ``key`` names it within the run: a later one with the same key updates it."""

    run_id: str
    key: str
    channel: str
    thread_ts: str | None
    text: str
    kind: str = "progress"


@dataclass(frozen=True, kw_only=True, slots=True)
class TellOfGrant:
    """Say in the thread of the card from which a grant came what became of it.

    ``request_id`` is the request of that card. ``what`` is made, used or ended; with ``used`` the ``number`` of the use
    and the request that went ahead (``used_by``).
    """

    request_id: str
    grant_id: str
    what: Literal["made", "used", "ended"]
    number: int = 0
    used_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TellOfCoolOff:
    """Say in the thread of the card that was rejected last (``request_id``) that its agent cools off, or may go on.

    ``by`` is who rejected it, or who lets it go on; ``until`` when it may ask again. With ``begun`` the ``rejections``
    within so many ``seconds``.
    """

    request_id: str
    what: Literal["begun", "ended"]
    by: str
    until: datetime
    rejections: int = 0
    seconds: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PostDigest:
    """Send a reader (a user id) the digest of ``day``, until ``until`` at the latest. All times are UTC.

    ``since`` is when the digest before was due, ``midnight`` when the day ends there and this one rests.
    """

    reader: str
    day: date
    since: datetime
    until: datetime
    midnight: datetime


Effect = (
    Announce
    | PostCard
    | Refresh
    | AttachAgain
    | Attach
    | Remind
    | Summon
    | TellAbsence
    | TellInquiry
    | TellDelegation
    | TellServed
    | TellOfGrant
    | TellOfCoolOff
    | Post
    | PostDigest
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the journal: what happened, by whom, when. Never arguments, only digests.

    ``what`` is one of: opened, delivered, step, answered, reviewed, revised, snoozed, delegated, inquired, replied,
    settled, audited, repaired, or a state of the execution; with the id of a grant as ``subject``, granted or revoked;
    with an agent's account, cooling_off, resumed or held_back; with the id of a key, provisioned,
    rotated or retired, webhook_set, webhook_rotated or webhook_removed.
    """

    what: str
    actor: str
    at: datetime
    subject: str
    detail: Mapping[str, Any] = field(default_factory=dict)
