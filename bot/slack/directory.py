"""Who people are, looked up from Slack when it matters and never remembered for longer than a minute.

Whatever can't be looked up is ``Unavailable``: then nobody is taken for a reviewer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import aiohttp
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import get_logger
from bot.slack.accounts import Glance, User, standing
from bot.slack.membership import Membership, ask_membership
from policies.errors import NotAllowed, Unavailable
from policies.people import Person, Reviewers

log = get_logger("signoff.slack")

FRESH = timedelta(seconds=45)
"""How long a look-up serves. Shorter than the 60 s that a decision admits, so that it is still fresh at the commit."""
LOOSE = timedelta(minutes=10)
"""How long a glance at a person serves on cards, and an address's id for mentions; decisions rest on neither."""
SECONDS = 2.0
"""How long a look-up may take: a click must be answered within 3 s."""
MOST_REMEMBERED = 5_000

_ID = re.compile(r"[UW][A-Z0-9]{1,20}", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
"""Whom an agent acts for is its own word: what is no address isn't sent to Slack as one, it may hold anything."""
Clock = Callable[[], datetime]
Value = TypeVar("Value")
Members = tuple[datetime, frozenset[str]]


@dataclass(slots=True)
class _Shelf(Generic[Value]):
    """Answers by key, each with the time of its look-up; whoever asks during a look-up waits for that same one."""

    fresh: timedelta
    clock: Clock
    found: dict[str, tuple[datetime, Value]] = field(default_factory=dict)
    asking: dict[str, asyncio.Task[tuple[datetime, Value]]] = field(default_factory=dict)

    async def get(self, key: str, ask: Callable[[], Awaitable[Value]]) -> tuple[datetime, Value]:
        """The answer for ``key`` and when it was asked for: a fresh one, or what ``ask`` gives now."""
        known = self.found.get(key)
        if known is not None and timedelta(0) <= self.clock() - known[0] <= self.fresh:
            return known
        if key not in self.asking:
            self.asking[key] = asyncio.create_task(self._ask(key, ask))
        return await asyncio.shield(self.asking[key])

    async def _ask(self, key: str, ask: Callable[[], Awaitable[Value]]) -> tuple[datetime, Value]:
        asked_at = self.clock()
        try:
            found = (asked_at, await ask())
            if len(self.found) >= MOST_REMEMBERED:
                self.found.clear()
            self.found[key] = found
            return found
        finally:
            del self.asking[key]


class Directory:
    """The people of one workspace.

    ``usergroups`` and ``channels`` name the user groups and private channels whose members the policy speaks of,
    ``bot`` is the app's own user id, which is in every channel that the app can see.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        clock: Clock,
        *,
        team_id: str,
        usergroups: Callable[[], frozenset[str]],
        channels: Callable[[], frozenset[str]] = frozenset,
        bot: str = "",
    ) -> None:
        self._client = client
        self._team_id = team_id
        self._clock = clock
        self._usergroups = usergroups
        self._channels = channels
        self._bot = bot
        self._told: dict[str, str] = {}
        self._users: _Shelf[User] = _Shelf(fresh=FRESH, clock=clock)
        self._groups: _Shelf[frozenset[str]] = _Shelf(fresh=FRESH, clock=clock)
        self._emails: _Shelf[str | None] = _Shelf(fresh=LOOSE, clock=clock)
        self._memberships: _Shelf[Membership] = _Shelf(fresh=FRESH, clock=clock)
        self._seen: _Shelf[User] = _Shelf(fresh=LOOSE, clock=clock)

    async def person(self, user_id: str) -> Person:
        """The person behind ``user_id`` as Slack describes them now.

        Raises ``Unavailable``, and ``NotAllowed`` where Slack knows no such person.
        """
        (seen_at, user), groups, channels = await asyncio.gather(
            self._users.get(user_id, lambda: self._ask_user(user_id)),
            self._among(sorted(self._usergroups()), self._members),
            self._among(sorted(self._channels()), self._in_channel),
        )
        return Person(
            id=user.id,
            name=user.called,
            standing=standing(user, self._team_id),
            looked_up_at=min([seen_at, *(at for at, _ in (*groups.values(), *channels.values()))]),
            email=user.profile.email,
            usergroups=frozenset(group for group, (_, members) in groups.items() if user_id in members),
            channels=frozenset(channel for channel, (_, members) in channels.items() if user_id in members),
            away=user.away(self._clock()),
            zone=user.tz,
        )

    async def other(self, user_id: str) -> Person:
        """As ``person``, for somebody whom another one names. Raises the same, in words for that other one."""
        try:
            return await self.person(user_id)
        except NotAllowed:
            raise NotAllowed("Slack knows nobody by that in this workspace; choose somebody else.") from None

    async def id_of(self, email: str) -> str | None:
        """The user id behind an e-mail address; None where it is nobody's. Raises ``Unavailable``."""
        return await self._id_of(email)

    async def why_not(self, channel: str) -> str:
        """Why the members of a channel can't be reviewers, in words; empty where they can. Raises ``Unavailable``."""
        return (await self._membership(channel))[1].why_not

    async def ids_of(self, group: Reviewers) -> tuple[str, ...]:
        """The user ids of a group's people, each once; what is neither an id nor somebody's address is left out.

        Whom an agent acts for is its own word: a channel's name there must not become a place to post to.
        """
        named = [await self._id_of(user) if _ADDRESS.fullmatch(user) else user for user in group.users]
        members = [sorted((await self._members(usergroup))[1]) for usergroup in group.usergroups]
        inside = [sorted((await self._in_channel(channel))[1] - {self._bot}) for channel in group.members]
        everybody = [*named, *group.outsiders, *(member for some in (*members, *inside) for member in some)]
        return tuple(dict.fromkeys(user for user in everybody if user and _ID.fullmatch(user)))

    async def glances(self, ids: Iterable[str]) -> Mapping[str, Glance]:
        """How people are shown; whoever can't be looked up is left out, since nothing is decided by it."""
        asked = dict.fromkeys(user_id for user_id in ids if _ID.fullmatch(user_id))
        found = await asyncio.gather(*(self._glance(user_id) for user_id in asked))
        return {user_id: self._shown(user) for user_id, user in zip(asked, found, strict=True) if user}

    def known(self, ids: Iterable[str]) -> Mapping[str, Glance]:
        """Those of them who are known without asking Slack."""
        return {user_id: self._shown(self._seen.found[user_id][1]) for user_id in ids if user_id in self._seen.found}

    def _shown(self, user: User) -> Glance:
        return Glance(name=user.called, standing=standing(user, self._team_id), away=user.away(self._clock()))

    async def _glance(self, user_id: str) -> User | None:
        try:
            # Asked apart: who decides is looked up at the click, never taken from what drawing a card learnt.
            return (await self._seen.get(user_id, lambda: self._ask_user(user_id)))[1]
        except (Unavailable, NotAllowed):
            return None

    async def _id_of(self, email: str) -> str | None:
        _, user_id = await self._emails.get(email, lambda: self._ask_email(email))
        return user_id

    async def _members(self, usergroup: str) -> tuple[datetime, frozenset[str]]:
        return await self._groups.get(usergroup, lambda: self._ask_group(usergroup))

    async def _in_channel(self, channel: str) -> tuple[datetime, frozenset[str]]:
        asked_at, membership = await self._membership(channel)
        return asked_at, membership.ids

    async def _membership(self, channel: str) -> tuple[datetime, Membership]:
        return await self._memberships.get(channel, lambda: self._ask_channel(channel))

    @staticmethod
    async def _among(ids: Iterable[str], look: Callable[[str], Awaitable[Members]]) -> Mapping[str, Members]:
        """The members of each of several groups or channels, with the time of the look."""
        asked = tuple(ids)
        return dict(zip(asked, await asyncio.gather(*map(look, asked)), strict=True))

    async def _ask_channel(self, channel: str) -> Membership:
        try:
            membership = await _in_time(ask_membership(self._client, channel))
        except SlackApiError:
            raise _unavailable() from None
        if membership.why_not != self._told.get(channel, ""):
            self._told[channel] = membership.why_not
            if membership.why_not:
                log.warning("the members of a channel can't decide", channel=channel, why=membership.why_not)
            else:
                log.info("the members of a channel may decide again", channel=channel)
        return membership

    async def _ask_user(self, user_id: str) -> User:
        try:
            response = await _in_time(self._client.users_info(user=user_id))
            return User.model_validate(response.get("user"))
        except SlackApiError as error:
            if error.response.get("error") in ("user_not_found", "user_not_visible"):
                raise NotAllowed("Slack doesn't know you in this workspace, so you can't decide here.") from None
            raise _unavailable() from None
        except ValidationError:
            raise _unavailable() from None

    async def _ask_group(self, usergroup: str) -> frozenset[str]:
        try:
            response = await _in_time(self._client.usergroups_users_list(usergroup=usergroup))
        except SlackApiError:
            raise _unavailable() from None
        users = response.get("users")
        if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
            raise _unavailable()
        return frozenset(users)

    async def _ask_email(self, email: str) -> str | None:
        try:
            response = await _in_time(self._client.users_lookupByEmail(email=email))
            return User.model_validate(response.get("user")).id
        except SlackApiError as error:
            if error.response.get("error") == "users_not_found":
                return None
            raise _unavailable() from None
        except ValidationError:
            raise _unavailable() from None


async def _in_time(call: Awaitable[Value]) -> Value:
    try:
        async with asyncio.timeout(SECONDS):
            return await call
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise _unavailable() from None


def _unavailable() -> Unavailable:
    return Unavailable("Slack could not be asked who you are just now; nothing was changed. Please press again.")
