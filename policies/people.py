"""People as Slack knows them, groups of reviewers as the policy names them, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESHNESS = timedelta(seconds=60)
"""How old a look-up of a person may be when a decision is committed."""


class Standing(StrEnum):
    """What kind of account a person has. Only members of the workspace count as reviewers."""

    MEMBER = "member"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    STRANGER = "stranger"
    BOT = "bot"

    @property
    def words(self) -> str:
        """How the sentence "this account is …" goes on."""
        return {
            Standing.MEMBER: "a member's",
            Standing.GUEST: "a guest's",
            Standing.DEACTIVATED: "deactivated",
            Standing.STRANGER: "another organisation's",
            Standing.BOT: "a bot's",
        }[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One account, as Slack described it at ``looked_up_at`` (UTC).

    ``usergroups`` are the ids of those groups, among the ones that the policy names, to which the person belongs.
    """

    id: str
    name: str
    standing: Standing
    looked_up_at: datetime
    email: str | None = None
    usergroups: frozenset[str] = frozenset()

    def is_called(self, who: str) -> bool:
        """Is ``who`` (a user id or an e-mail address) this person?"""
        return who == self.id or (self.email is not None and who.casefold() == self.email.casefold())


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewers:
    """A named group of the policy. ``channel`` says where cards go, never who may decide.

    ``users`` holds user ids and e-mail addresses, ``usergroups`` ids of Slack user groups.
    """

    name: str
    channel: str | None = None
    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()

    def include(self, person: Person) -> bool:
        """Does the group name this person, by id, e-mail address or user group?"""
        return any(person.is_called(user) for user in self.users) or not person.usergroups.isdisjoint(self.usergroups)

    @property
    def empty(self) -> bool:
        """True where nobody is named, so that nobody may decide."""
        return not self.users and not self.usergroups
