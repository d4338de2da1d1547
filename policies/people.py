"""People as Slack knows them, groups of reviewers as the policy names them, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESHNESS = timedelta(seconds=60)
"""How old a look-up of a person may be when a decision is committed."""


class Standing(StrEnum):
    """What kind of account a person has. Only members of the workspace count as reviewers, and those guests and people
    of another organisation whom a group admits by name."""

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

    @property
    def label(self) -> str:
        """What stands after the name of somebody from outside, where people see it; empty for members."""
        return {Standing.GUEST: "a guest", Standing.STRANGER: "from another organisation"}.get(self, "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """Somebody is out of office, as their status says: ``until`` then (UTC), or nobody knows how long."""

    until: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Is the person still away?"""
        return self.until is None or now < self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One account, as Slack described it at ``looked_up_at`` (UTC).

    ``usergroups`` are the ids of those groups, among the ones that the policy names, to which the person belongs;
    ``channels`` those of the channels, private at that moment, that the policy names and the person is in.
    ``away`` says that the person is out of office; who decides all the same counts.
    ``zone`` is the IANA name of the time zone that the person lives by, where Slack tells one.
    """

    id: str
    name: str
    standing: Standing
    looked_up_at: datetime
    email: str | None = None
    usergroups: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    away: Absence | None = None
    zone: str | None = None

    def is_called(self, who: str) -> bool:
        """Is ``who`` (a user id or an e-mail address) this person?"""
        return who == self.id or (self.email is not None and who.casefold() == self.email.casefold())


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewers:
    """A named group of the policy. ``channel`` says where cards go, never who may decide.

    ``users`` holds user ids and e-mail addresses, ``usergroups`` ids of Slack user groups, ``members`` ids of private
    channels whose members belong to the group, ``outsiders`` ids of guests and people of another organisation.
    ``deputy`` stands in where too few of the group are here; its people may also ask the ``delegates`` to decide.
    """

    name: str
    channel: str | None = None
    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    outsiders: tuple[str, ...] = ()
    deputy: Reviewers | None = None
    delegates: Reviewers | None = None

    def include(self, person: Person) -> bool:
        """Does the group name this person? Members of the workspace in any way; people from outside only by id."""
        if person.standing is not Standing.MEMBER:
            return self.admits(person)
        return (
            any(person.is_called(user) for user in self.named)
            or not person.usergroups.isdisjoint(self.usergroups)
            or not person.channels.isdisjoint(self.members)
        )

    def admits(self, person: Person) -> bool:
        """Is this a guest or somebody of another organisation whom the group names? Never a bot, nobody deactivated."""
        return person.standing in (Standing.GUEST, Standing.STRANGER) and person.id in self.outsiders

    @property
    def named(self) -> tuple[str, ...]:
        """Whom the policy names one by one."""
        return (*self.users, *self.outsiders)

    @property
    def countless(self) -> bool:
        """Does it hold people of whom only Slack knows how many they are?"""
        return bool(self.usergroups or self.members)

    @property
    def empty(self) -> bool:
        """True where nobody is named, so that nobody may decide."""
        return not self.named and not self.countless


@dataclass(frozen=True, kw_only=True, slots=True)
class StandIn:
    """``group`` was asked in the place of the group called ``of``, too few of whom are here.

    ``away`` where that is because people are out of office, ``until`` then (UTC, None where nobody knows).
    ``by_ladder``: no deputy, but a group of the ladder that joined early, and decides as those do.
    """

    of: str
    group: Reviewers
    until: datetime | None = None
    away: bool = True
    by_ladder: bool = False


def deputies(group: Reviewers) -> Iterator[Reviewers]:
    """The group's deputy, the deputy's deputy, and so on. The loader lets no circle through."""
    deputy = group.deputy
    while deputy is not None:
        yield deputy
        deputy = deputy.deputy
