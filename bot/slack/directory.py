"""Who people are, looked up from Slack when it matters and never remembered for longer than a minute.

Whatever can't be looked up is ``Unavailable``: then nobody is taken for a reviewer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Generic, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from policies.errors import NotAllowed, Unavailable
from policies.people import Person, Reviewers, Standing

FRESH = timedelta(seconds=45)
"""How long a look-up serves. Shorter than the 60 s that a decision admits, so that it is still fresh at the commit."""
LOOSE = timedelta(minutes=10)
"""How long a name serves on cards, and an address's id for mentions; decisions rest on neither."""
SECONDS = 2.0
"""How long a look-up may take: a click must be answered within 3 s."""
MOST_REMEMBERED = 5_000

_ID = re.compile(r"[UW][A-Z0-9]{1,20}", re.ASCII)
Clock = Callable[[], datetime]
Value = TypeVar("Value")


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Profile(_Wire):
    real_name: str = ""
    display_name: str = ""
    email: str | None = None


class _User(_Wire):
    id: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,20}$")]
    team_id: str | None = None
    name: str = ""
    real_name: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    is_workflow_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool | None = None
    profile: _Profile = _Profile()


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
    """The people of one workspace. ``usergroups`` names the user groups that the policy speaks of."""

    def __init__(
        self, client: AsyncWebClient, clock: Clock, *, team_id: str, usergroups: Callable[[], frozenset[str]]
    ) -> None:
        self._client = client
        self._team_id = team_id
        self._usergroups = usergroups
        self._users: _Shelf[_User] = _Shelf(fresh=FRESH, clock=clock)
        self._groups: _Shelf[frozenset[str]] = _Shelf(fresh=FRESH, clock=clock)
        self._emails: _Shelf[str | None] = _Shelf(fresh=LOOSE, clock=clock)
        self._names: _Shelf[str] = _Shelf(fresh=LOOSE, clock=clock)

    async def person(self, user_id: str) -> Person:
        """The person behind ``user_id`` as Slack describes them now.

        Raises ``Unavailable``, and ``NotAllowed`` where Slack knows no such person.
        """
        asked = sorted(self._usergroups())
        (seen_at, user), groups = await asyncio.gather(
            self._users.get(user_id, lambda: self._ask_user(user_id)),
            asyncio.gather(*(self._members(group) for group in asked)),
        )
        inside = {group for group, (_, members) in zip(asked, groups, strict=True) if user_id in members}
        return Person(
            id=user.id,
            name=_name(user),
            standing=standing(user, self._team_id),
            looked_up_at=min([seen_at, *(at for at, _ in groups)]),
            email=user.profile.email,
            usergroups=frozenset(inside),
        )

    async def ids_of(self, group: Reviewers) -> tuple[str, ...]:
        """The user ids of a group's people, each once; what is neither an id nor somebody's address is left out.

        Whom an agent acts for is its own word: a channel's name there must not become a place to post to.
        """
        named = [await self._id_of(user) if "@" in user else user for user in group.users]
        members = [sorted((await self._members(usergroup))[1]) for usergroup in group.usergroups]
        everybody = [*named, *(member for some in members for member in some)]
        return tuple(dict.fromkeys(user for user in everybody if user and _ID.fullmatch(user)))

    async def names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """What people are called; whoever can't be looked up is left out, since a name decides nothing."""
        asked = dict.fromkeys(user_id for user_id in ids if user_id.startswith(("U", "W")))
        found = await asyncio.gather(*(self._name_of(user_id) for user_id in asked))
        return {user_id: name for user_id, name in zip(asked, found, strict=True) if name}

    def known_names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Those names that are known without asking Slack."""
        return {user_id: self._names.found[user_id][1] for user_id in ids if user_id in self._names.found}

    async def _name_of(self, user_id: str) -> str | None:
        try:
            return (await self._names.get(user_id, lambda: self._ask_name(user_id)))[1]
        except (Unavailable, NotAllowed):
            return None

    async def _ask_name(self, user_id: str) -> str:
        return _name((await self._users.get(user_id, lambda: self._ask_user(user_id)))[1])

    async def _id_of(self, email: str) -> str | None:
        _, user_id = await self._emails.get(email, lambda: self._ask_email(email))
        return user_id

    async def _members(self, usergroup: str) -> tuple[datetime, frozenset[str]]:
        return await self._groups.get(usergroup, lambda: self._ask_group(usergroup))

    async def _ask_user(self, user_id: str) -> _User:
        try:
            response = await _in_time(self._client.users_info(user=user_id))
            return _User.model_validate(response.get("user"))
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
            return _User.model_validate(response.get("user")).id
        except SlackApiError as error:
            if error.response.get("error") == "users_not_found":
                return None
            raise _unavailable() from None
        except ValidationError:
            raise _unavailable() from None


async def _in_time(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    try:
        async with asyncio.timeout(SECONDS):
            return await call
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise _unavailable() from None


def _unavailable() -> Unavailable:
    return Unavailable("Slack could not be asked who you are just now; nothing was changed. Please press again.")


def _name(user: _User) -> str:
    return user.profile.real_name or user.real_name or user.profile.display_name or user.name or user.id


def standing(user: _User, team_id: str) -> Standing:
    """What kind of account this is. Not configurable: only a confirmed, active member of the workspace is a member."""
    if user.deleted:
        return Standing.DEACTIVATED
    if user.is_bot or user.is_app_user or user.is_workflow_bot or user.id == "USLACKBOT":
        return Standing.BOT
    if user.is_stranger or user.team_id != team_id:
        return Standing.STRANGER
    if user.is_restricted or user.is_ultra_restricted or user.is_email_confirmed is False:
        return Standing.GUEST
    return Standing.MEMBER
