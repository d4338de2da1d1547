"""What can happen to a request, and what comes of it. Frozen values, no behaviour but ``Outcome.then``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policies.attention import Sight
from policies.checkpoint import Checkpoint
from policies.effects import Effect, Entry
from policies.grant import Grant, Terms
from policies.people import Person
from policies.request import ExecutionState, Request
from policies.review import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Changed arguments and the checkpoint that the frozen policy gives them.

    ``drafts`` are the edited texts of drafts that are no arguments, by position.
    """

    arguments: Mapping[str, Any]
    checkpoint: Checkpoint
    drafts: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """A person's verdict on ``revision``. ``edit`` only with ``modify``, ``phrase`` what was typed for ``manual``.

    ``sight`` is what is known of how they came to decide.
    """

    person: Person
    verdict: Verdict
    revision: int
    note: str | None = None
    phrase: str | None = None
    edit: Edit | None = None
    sight: Sight = field(default_factory=Sight)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A person answers the question on ``revision``: a ``choice`` by its id, or a ``text``."""

    person: Person
    revision: int
    choice: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquired:
    """A reviewer or the person served asks the agent something; ``inquiry_id`` is what it goes by."""

    person: Person
    inquiry_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Replied:
    """The agent answers what somebody asked."""

    inquiry_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Elapsed:
    """Time has passed: whatever is due at ``now`` happens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A card was demonstrably posted; a proceed clock starts with the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """The requester takes it back: a pending request is withdrawn, an unclaimed permit revoked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """A reviewer or the person served stops it: pending is rejected, an unclaimed permit is revoked."""

    person: Person
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """The agent takes the permit for exactly ``digest``; the same ``key`` again gets the same answer."""

    digest: str
    key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """The agent says how the claimed call went: ``state`` is succeeded or failed."""

    state: ExecutionState
    note: str | None = None
    result: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The runner was interrupted between claim and report: nobody knows whether the call ran."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attested:
    """A person says of an unknown execution that "it ran" (succeeded) or "it didn't" (failed)."""

    person: Person
    ran: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditMarked:
    """A reviewer has looked at what went ahead on silence: ``seen`` or ``objected``, with a ``note`` why."""

    person: Person
    mark: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snoozed:
    """A reviewer puts off the steps of the ladder until ``until`` (UTC); a time that isn't ahead wakes it."""

    person: Person
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """A reviewer approves ``revision``, and in advance calls like it: within ``terms``, as the grant ``grant_id``."""

    person: Person
    revision: int
    terms: Terms
    grant_id: str
    sight: Sight = field(default_factory=Sight)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegated:
    """A reviewer asks ``to`` to decide, with a ``note``; ``hands_over``: and approves no more themselves."""

    person: Person
    to: Person
    note: str | None = None
    hands_over: bool = False


Event = (
    Reviewed
    | Granted
    | Answered
    | Inquired
    | Replied
    | Snoozed
    | Delegated
    | Elapsed
    | Delivered
    | Withdrawn
    | Stopped
    | Claimed
    | Reported
    | Lost
    | Attested
    | AuditMarked
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The new request, what the world is owed, and what the journal keeps. No effects and entries: nothing changed.

    ``grant`` is one that was made with it.
    """

    request: Request
    effects: tuple[Effect, ...] = ()
    entries: tuple[Entry, ...] = ()
    grant: Grant | None = None

    def then(self, other: Outcome) -> Outcome:
        """This outcome followed by ``other``, which was computed from this one's request."""
        return Outcome(
            request=other.request,
            effects=self.effects + other.effects,
            entries=self.entries + other.entries,
            grant=other.grant or self.grant,
        )
