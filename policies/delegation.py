"""Somebody who may decide a request asks somebody else to decide it, or hands their own say over: the value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from policies.people import Person, Reviewers


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """``by`` (a user id, called ``by_name``) asked ``to`` to decide, at ``at`` (UTC), with a ``note``.

    ``hands_over``: and approves no more. ``named_by`` is the group of the policy that names ``to`` for this request.
    ``speaks_for`` names the groups for which ``to`` decides since they were asked, those of ``by``; none where they
    could decide anyway.
    """

    by: str
    by_name: str
    to: str
    to_name: str
    at: datetime
    named_by: Reviewers
    speaks_for: tuple[str, ...] = ()
    hands_over: bool = False
    note: str | None = None

    def admits(self, person: Person) -> bool:
        """Is this whom it asked, and does the group still name them?"""
        return person.id == self.to and self.named_by.include(person)

    def stands(self, named: Collection[Reviewers], deciding: Collection[str]) -> bool:
        """Does it still count where the policy names people by the groups ``named``, and those ``deciding`` decide?"""
        return self.named_by in named and (not self.speaks_for or not set(self.speaks_for).isdisjoint(deciding))


def last_of(delegations: tuple[Delegation, ...], who: str) -> Delegation | None:
    """The last of them that ``who`` gave or was given."""
    return next((one for one in reversed(delegations) if who in (one.by, one.to)), None)
