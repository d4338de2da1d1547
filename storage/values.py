"""The values that the store takes and gives besides the domain's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from policies.allowance import EVERYTHING, Allowance, Scope
from policies.budget import Spent, Wanted
from policies.cooling import Follows
from policies.effects import Effect, Entry
from policies.events import Outcome
from policies.grant import Grant
from policies.request import Request
from policies.webhook import Webhook


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency:
    """An ``Idempotency-Key`` of a requester (its id), and ``body``, the sha256 of the canonical body it came with."""

    requester: str
    key: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """A grant under which a new request might go ahead.

    ``go_ahead`` is asked within the transaction for what would come of it, with the grant as it stands before this use:
    an approved request. A pure function; it raises ``Refused`` where the request must be asked about after all.
    """

    grant_id: str
    go_ahead: Callable[[Grant], Outcome]


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """What a new request that waits for people must pass: ``admit`` raises where its agent's budgets have no room.

    Asked within the transaction that stores the request, with what stands on the account by then.
    """

    wanted: Wanted
    admit: Callable[[Spent], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """Who looks at rejections: ``follows`` says what they bring upon the agent, from what is ``wanted`` of its account.

    Pure functions, asked within the transaction of the rejection.
    """

    wanted: Callable[[Request], Wanted]
    follows: Callable[[Request, Spent], Follows]


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What stands after a submission; ``created`` False where the same key had made it before."""

    request: Request
    created: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """One committed change of a request: how it stood (None: it is new), how it stands, what the journal keeps."""

    before: Request | None
    after: Request
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some requests, newest first; ``cursor`` asks for the next page and is None on the last."""

    requests: tuple[Request, ...]
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupProgress:
    """How far a group is: of its ``size`` how many were asked, how many of those are settled, and what people asked."""

    size: int
    asked: int
    settled: int
    inquiries: int

    @property
    def complete(self) -> bool:
        """Is all of it settled?"""
        return self.settled == self.size


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupStanding:
    """A group with its requests so far, in the order in which they came."""

    id: str
    size: int
    requests: tuple[Request, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One posted card: the message (``channel``, ``ts``), what ``PostCard`` named (``to``), the version it shows."""

    request_id: str
    channel: str
    ts: str
    to: str
    shown_version: int
    private: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Somebody whom digests may go to. ``zone`` is an IANA name, None before anybody looked where they live.

    ``day`` is the last day whose digest was dealt with, on the reader's own calendar; ``next_at`` when the next is due
    (UTC), None where none is.
    """

    id: str
    zone: str | None = None
    day: date | None = None
    next_at: datetime | None = None
    muted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptHome:
    """Somebody's Home, when they last used it (UTC), and what it remembers."""

    user_id: str
    used_at: datetime
    memo: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestCopy:
    """Where the digest of ``reader`` stands."""

    reader: str
    channel: str
    ts: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One request of a digest as it stands now, in which part it is listed, and which version of it is shown."""

    part: str
    more: int
    shown_version: int
    request: Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """What stands in the outbox and can't be read: written by a newer program, or damaged. ``kind`` as stored."""

    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """An effect that waits in the outbox.

    ``due_at`` is when it may be carried (1970 for at once). ``attempts`` counts the begun ones. ``started_at`` is the
    first attempt of which nobody knows how it went, None where there is none: a message may stand there already.
    """

    id: int
    effect: Effect | Unreadable
    attempts: int
    due_at: datetime
    started_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An API key. ``owner`` is the user id of the person it works for; no key of any kind decides anything.

    ``agent`` is the agent whose requests it asks and reads: its own name unless it is a further key of another's.
    ``tools`` are names or patterns, none for any tool. ``secret_until`` is when the secret by which it was looked up
    ends (it was replaced at ``rotated_at``), None for the newest one; in a list, when the last replaced one ends.
    """

    id: str
    name: str
    owner: str | None
    kind: Literal["agent", "operator", "provisioner"]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    agent: str = ""
    may: tuple[Scope, ...] = EVERYTHING
    tools: tuple[str, ...] = ()
    rotated_at: datetime | None = None
    secret_until: datetime | None = None

    def __post_init__(self) -> None:
        """A key of nobody else is its own agent's."""
        object.__setattr__(self, "agent", self.agent or self.name)

    @property
    def allowance(self) -> Allowance:
        """What it may do."""
        return Allowance(agent=self.agent, may=self.may, tools=self.tools)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One message that a webhook is owed: ``body`` is the very text to send and sign, ``attempts`` the failed ones.

    ``failed``: the last attempt was made, and somebody must say that it is to be tried again.
    """

    id: int
    webhook_id: str
    message_id: str
    type: str
    request_id: str
    body: str
    created_at: datetime
    due_at: datetime
    attempts: int
    failed: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A webhook, its key's name, how many messages wait for it and how many were given up, and when the next is due."""

    webhook: Webhook
    name: str
    waiting: int
    failed: int
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """An agent's key that a provisioner made: ``provisioner`` and ``key_id`` are ids of keys, ``name`` is the agent's.

    ``idempotency`` and ``body`` (its sha256) are what it was asked for by; ``deleted_at`` is when its key ended.
    ``registration_id`` is what its receiver knew it by at first, ``url`` where its webhook goes, while it has one. From
    ``salt`` and the provisioner's secret its own is derived: neither of the two is enough.
    """

    key_id: str
    provisioner: str
    idempotency: str
    body: str
    created_at: datetime
    salt: str = field(repr=False)
    registration_id: str | None = None
    name: str = ""
    url: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalRow:
    """One line of the journal, with its place in the chain (``seq`` from 1) and its hash (64 hex digits)."""

    seq: int
    at: datetime
    what: str
    actor: str
    subject: str
    detail: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The last line of a journal: kept outside, it proves later that nothing before it was cut off or rewritten."""

    seq: int
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """Whether the journal is whole. ``first_bad`` is the ``seq`` of the first line that isn't as it was written.

    ``head`` is what stands last; hand it in as ``anchor`` another day to have everything up to it proven.
    """

    ok: bool
    rows: int
    first_bad: int | None
    words: str
    head: Head | None = None
