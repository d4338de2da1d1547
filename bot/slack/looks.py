"""Gathers what a view needs to know about people before a request is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.slack.accounts import Glance
from bot.slack.directory import Directory
from bot.slack.views.look import Look
from policies.errors import Refused, Unavailable
from policies.people import Reviewers
from policies.request import Request

GLANCES = 8
"""How many people of a group are looked at for a card: it mentions fewer, but not those who are away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """Makes looks; ``key`` is the installation's key for the hashes of redacted secrets, ``clock`` gives UTC."""

    directory: Directory
    key: bytes
    clock: Callable[[], datetime]

    async def whole(self, *requests: Request) -> Look:
        """With names and mentions, asking Slack where needed; without them where Slack can't be asked."""
        groups = {group.name: group for request in requests if not request.settled for group in request.reviewers}
        members = {name: await self._members(group) for name, group in groups.items()}
        first = [who for found in members.values() for who in found[:GLANCES]]
        named = [who for request in requests for who in _people(request)]
        return self._look(await self.directory.glances((*named, *first)), members)

    async def of_people(self, people: Iterable[str | None]) -> Look:
        """With the names of ``people``, asking Slack where needed."""
        return self._look(await self.directory.glances(who for who in people if who is not None), {})

    async def of_requests(self, requests: Iterable[Request]) -> Look:
        """With the names of everybody whom a list of ``requests`` names, asking Slack where needed."""
        return await self.of_people(who for request in requests for who in _people(request))

    def at_once(self, requests: Iterable[Request] = ()) -> Look:
        """With what is known already: a form must open before its trigger expires."""
        return self._look(self.directory.known([who for request in requests for who in _people(request)]), {})

    def _look(self, seen: Mapping[str, Glance], members: Mapping[str, tuple[str, ...]]) -> Look:
        return Look(
            key=self.key,
            now=self.clock(),
            names={who: glance.name for who, glance in seen.items()},
            members=members,
            outsiders={who: glance.standing.label for who, glance in seen.items() if glance.standing.label},
            away=frozenset(who for who, glance in seen.items() if glance.away),
        )

    async def _members(self, group: Reviewers) -> tuple[str, ...]:
        try:
            return await self.directory.ids_of(group)
        except (Unavailable, Refused):
            return ()


def _people(request: Request) -> tuple[str, ...]:
    """Everybody whose name a view of ``request`` shows; whoever reviewed is named in the review."""
    named = {review.by for review in request.reviews}
    by = (*(request.decision.by if request.decision else ()), *((request.execution.by,) if request.execution else ()))
    asked = [one.to for one in request.delegated] if not request.settled else []
    return tuple(dict.fromkeys(who for who in (*request.excluded, *by, *asked) if who and who not in named))
