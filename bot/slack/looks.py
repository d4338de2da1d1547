"""Gathers what a view needs to know about people before a request is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.slack.directory import Directory
from bot.slack.views.look import Look
from policies.errors import Refused, Unavailable
from policies.people import Reviewers
from policies.request import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """Makes looks; ``key`` is the installation's key for the hashes of redacted secrets, ``clock`` gives UTC."""

    directory: Directory
    key: bytes
    clock: Callable[[], datetime]

    async def whole(self, request: Request) -> Look:
        """With names and mentions, asking Slack where needed; without them where Slack can't be asked."""
        members = {group.name: await self._members(group) for group in request.reviewers if not request.settled}
        names = await self.directory.names(_people(request))
        return Look(key=self.key, now=self.clock(), names=names, members=members)

    def at_once(self, requests: Iterable[Request] = ()) -> Look:
        """With the names that are known already: a form must open before its trigger expires."""
        asked = [who for request in requests for who in _people(request)]
        return Look(key=self.key, now=self.clock(), names=self.directory.known_names(asked))

    async def _members(self, group: Reviewers) -> tuple[str, ...]:
        try:
            return await self.directory.ids_of(group)
        except (Unavailable, Refused):
            return ()


def _people(request: Request) -> tuple[str, ...]:
    """Everybody whose name a view of ``request`` shows; whoever reviewed is named in the review."""
    named = {review.by for review in request.reviews}
    by = (*(request.decision.by if request.decision else ()), *((request.execution.by,) if request.execution else ()))
    return tuple(dict.fromkeys(who for who in (*request.excluded, *by) if who and who not in named))
