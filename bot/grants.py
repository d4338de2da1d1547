"""The use cases of grants: whether one covers a new call, making one with an approval, showing and revoking them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.eligible import SECONDS, People
from bot.logs import get_logger
from bot.naming import new_id
from policies.errors import Conflict, NotAllowed, NotFound, Unavailable
from policies.events import Granted, Outcome
from policies.grant import Grant, Terms
from policies.granting import Ending, check_may_revoke, covers, go_ahead, may_see, revoke, why_never
from policies.lifecycle import apply
from policies.people import Person
from policies.request import Request
from storage.store import Chance, Store

log = get_logger("signoff.gateway")

SHOWN_FOR = timedelta(days=1)
"""How long after it was made a grant stands in lists."""


class Grants:
    """What can be done with grants. Without ``people`` nobody can be looked up, and no grant lets anything through.

    ``in_force`` gives the digest of the policy that judges new calls.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], people: People | None, in_force: Callable[[], str]
    ) -> None:
        self._in_force = in_force
        self._store = store
        self._clock = clock
        self._people = people

    async def chances(self, opened: Outcome) -> tuple[Chance, ...]:
        """The grants under which a new request may go ahead, their granters looked up from Slack just now."""
        if self._people is None:
            return ()
        covering = await self.covering(opened.request)
        found = [await self._chance(opened, grant, self._people) for grant in covering]
        return tuple(chance for chance in found if chance is not None)

    async def covering(self, request: Request) -> tuple[Grant, ...]:
        """The grants that cover a new request, whether or not their granters may still let it through."""
        if self._people is None or request.settled or why_never(request) is not None:
            return ()
        standing = await self._store.standing_grants(
            request.requester.id, request.call.tool, request.policy_digest, self._clock()
        )
        return tuple(grant for grant in standing if covers(grant, request))

    async def _chance(self, opened: Outcome, grant: Grant, people: People) -> Chance | None:
        try:
            async with asyncio.timeout(SECONDS):
                granter = await people.person(grant.by)
        except (Unavailable, NotAllowed, TimeoutError):
            log.warning("Slack can't say who granted it, so a call is asked about", grant=grant.id)
            return None
        return Chance(grant_id=grant.id, go_ahead=lambda standing: go_ahead(opened, standing, granter, self._clock()))

    async def make(self, request_id: str, person: Person, revision: int, terms: Terms) -> Request:
        """Approve a request, and calls like it in advance, in one transaction."""
        sight = await self._store.sight(request_id, revision, person.id)
        event = Granted(person=person, revision=revision, terms=terms, grant_id=new_id("grant"), sight=sight)

        def step(request: Request) -> Outcome:
            outcome = apply(request, event, self._clock())
            if request.policy_digest != self._in_force():  # its grant would sleep until that policy comes back
                raise Conflict("The policy has changed since this was asked, so approve this call alone.")
            return outcome

        return await self._store.change(request_id, step)

    async def shown_to(self, person: Person) -> tuple[Grant, ...]:
        """The grants of the last day that concern this person, the newest first, ended ones too."""
        recent = await self._store.grants(since=self._clock() - SHOWN_FOR)
        return tuple(grant for grant in recent if may_see(grant, person))

    async def revoke(self, grant_id: str, person: Person) -> Grant:
        """End a grant, at once and for good; to whom it doesn't concern it reads like an unknown one."""
        grant = await self._store.grant(grant_id)
        if grant is None or not may_see(grant, person):
            raise NotFound("There is no grant with this id that you may end.")

        def end(standing: Grant) -> Ending:
            now = self._clock()
            check_may_revoke(standing, person, now)
            return revoke(standing, person.id, now)

        return await self._store.revoke_grant(grant_id, end)
