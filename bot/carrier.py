"""What the courier asks of whoever speaks to Slack, and how such a carrier fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from policies.agent_run import AgentRun
from policies.delegation import Delegation
from policies.effects import Post, TellOfCoolOff, TellOfGrant
from policies.grant import Grant
from policies.inquiry import Inquiry
from policies.people import Reviewers
from policies.request import Request
from storage.store import Copy

CLOCKS_DIFFER = timedelta(seconds=5)
"""How far back from an attempt's beginning its message is looked for."""

CURABLE = frozenset(
    {
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Refusals that are about the app's token or scopes: once somebody has put them right, what is owed still goes out."""


class CarryError(Exception):
    """An effect could not be carried out."""


class Uncertain(CarryError):
    """It may have happened or not: a time-out, a reset, a server error. Look before you repeat it."""


class Paced(CarryError):
    """Slack asks to wait ``retry_after`` seconds; nothing happened."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Slack asks to wait {retry_after:g} s")
        self.retry_after = retry_after


class Rejected(CarryError):
    """Slack refuses this for good; ``error`` is Slack's name for it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def raise_if_curable(rejected: Rejected) -> None:
    """Raise what somebody can put right, so that it is tried again."""
    if rejected.error in CURABLE:
        raise rejected


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """Where a message stands. ``shows`` are the requests of one that shows several, by the ids of what owed them.

    ``cut``: it is a card that doesn't show everything.
    """

    channel: str
    ts: str
    shows: Mapping[int, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeFile:
    """A text file with all of a request, by its ``name``, and the ``comment`` (mrkdwn) that it is posted with."""

    name: str
    text: str
    comment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantNews:
    """What became of a grant: the effect that says it, the grant, and the request that went ahead under it, if any."""

    effect: TellOfGrant
    grant: Grant
    used_by: Request | None


class Carrier(Protocol):
    """The verbs towards Slack. Each raises a ``CarryError`` where it fails."""

    async def post_card(self, request: Request, to: str, owed_id: int) -> Posted:
        """Post the card to a channel (id or name) or, by user id, as a direct message."""

    async def post_batch(self, requests: Mapping[int, Request], to: str) -> Posted:
        """Post one message for several requests, by the ids of what owes them."""

    async def find_posted(
        self, owed_ids: Collection[int], to: str, since: datetime, *, thread_ts: str | None = None
    ) -> Mapping[int, Posted]:
        """What uncertain earlier attempts posted, if the channel's (or thread's) history can be read and has it."""

    async def answered(self, requests: Sequence[Request], copy: Copy) -> bool:
        """Bring one message up to date as the answer to a click on it, outside Slack's pace; False where none is open.

        ``requests`` are all that it shows.
        """

    async def refresh(self, requests: Sequence[Request], copy: Copy) -> None:
        """Bring one message up to date; ``requests`` are all that it shows."""

    async def whole(self, request: Request, channel: str) -> WholeFile | None:
        """What the card in ``channel`` can't show whole, as a file; None where it shows all, or none belongs there."""

    async def find_file(self, name: str, channel: str, ts: str, since: datetime) -> bool:
        """Did an uncertain earlier attempt put the file there, as far as the thread can be read?"""

    async def attach(self, file: WholeFile, channel: str, ts: str) -> None:
        """Put the file into the thread."""

    async def remind(self, request: Request, copy: Copy, waiting: int) -> None:
        """Say in the copy's thread that the request still waits, or so many of those that share its message."""

    async def summon(self, request: Request, group: Reviewers, copy: Copy, waiting: int) -> None:
        """Say in the copy's thread who joined, for the request or so many of those that share its message."""

    async def tell_absence(self, request: Request, channel: str, ts: str) -> None:
        """Say in a card's thread who was asked in the place of whom."""

    async def tell_inquiry(self, request: Request, inquiry: Inquiry, channel: str, ts: str | None) -> None:
        """Say in a thread (or, without ``ts``, directly) what somebody asked the agent, or what it answered."""

    async def tell_delegation(self, request: Request, delegation: Delegation, copy: Copy) -> None:
        """Say in the copy's thread who asked whom to decide."""

    async def tell_of_grant(self, news: GrantNews, copy: Copy) -> None:
        """Say in the copy's thread what became of the grant that came from it."""

    async def tell_of_cool_off(self, request: Request, effect: TellOfCoolOff, channel: str, ts: str | None) -> None:
        """Say in a card's thread (or, without ``ts``, directly) that the agent of ``request`` cools off, or goes on."""

    async def tell_served(self, requests: Sequence[Request]) -> None:
        """Tell the person served how these requests of theirs ended: nobody decided in time."""

    async def post_run(self, post: Post, run: AgentRun, known_ts: str | None, owed_id: int) -> Posted:
        """Post a message of a run, or update the one at ``known_ts``."""

    async def ids_of(self, group: Reviewers) -> tuple[str, ...]:
        """The user ids of a group's people."""


def is_person(to: str) -> bool:
    """Is this place a person's id, so that a message there is a direct one?"""
    return to.startswith(("U", "W"))
