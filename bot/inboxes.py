"""Where work waits: one person's inbox, what became of it, and one request by the beginning of its id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.authority import check_may_stop
from policies.errors import Invalid, NotFound
from policies.inbox import NUMBERS_REACH, RECENT, Inbox, Numbers, admits, concerns, numbers_of, sort_out
from policies.people import Person
from policies.request import Request, State
from storage.store import Store

PENDING = 200
"""How many pending requests one inbox looks at."""
LOOKED_AT = 100
"""How many decided requests are looked at for those that concern one person."""
REACH = timedelta(days=30)
"""How far back an inbox looks for what was decided, or went ahead unseen."""
SHORTEST = 8
"""Characters of an id after ``req_`` that are enough where only one request begins so."""
CANDIDATES = 200
"""Requests with one beginning that are looked at; more of an id than that is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Everything:
    """What all inboxes are made of; ``more`` says that not everything that waits was looked at."""

    pending: tuple[Request, ...]
    unseen: tuple[Request, ...]
    decided: tuple[Request, ...]
    more: bool


class Inboxes:
    """Reads what a person may see. ``clock`` gives UTC."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def look(self) -> Everything:
        """What there is now: three bounded reads, however much there is."""
        since = self._clock() - REACH
        page = await self._store.requests(states=(State.PENDING,), limit=PENDING)
        return Everything(
            pending=page.requests,
            unseen=await self._store.unseen(since, limit=LOOKED_AT),
            decided=await self._store.decided_lately(since, limit=LOOKED_AT),
            more=page.cursor is not None,
        )

    async def pending(self, person: Person) -> Inbox:
        """What isn't decided yet, alone."""
        page = await self._store.requests(states=(State.PENDING,), limit=PENDING)
        return sort_out(
            person, pending=page.requests, unseen=(), decided=(), numbers=Numbers(), more=page.cursor is not None
        )

    async def of(self, person: Person, everything: Everything | None = None) -> Inbox:
        """Everything for one person, of what was ``look``-ed at or stands now."""
        seen = everything or await self.look()
        return sort_out(
            person,
            pending=seen.pending,
            unseen=seen.unseen,
            decided=seen.decided,
            numbers=await self.numbers(person),
            more=seen.more,
        )

    async def numbers(self, person: Person) -> Numbers:
        """What this person decided lately."""
        return numbers_of(await self._store.tallies(person.id, self._clock() - NUMBERS_REACH), person.zone)

    async def mute(self, person: Person, muted: bool) -> None:
        """This person wants no digest in the morning any more, or wants it again."""
        await self._store.mute_digest(person.id, muted, self._clock())

    async def decided(self, person: Person) -> tuple[Request, ...]:
        """What was decided lately and concerns this person, the newest decision first."""
        found = await self._store.decided_lately(self._clock() - REACH, limit=LOOKED_AT)
        return tuple(request for request in found if concerns(request, person))[:RECENT]

    async def find(self, beginning: str, person: Person) -> Request:
        """The one request that this person may see and whose id begins so; ``req_`` may be left out.

        Raises ``NotFound`` where there is none, ``Invalid`` where the beginning is too short or there are several.
        """
        wanted = beginning if beginning.startswith("req_") else f"req_{beginning}"
        if len(wanted) < len("req_") + SHORTEST:  # a slip of the finger must not find another request
            raise Invalid(f"Give at least {SHORTEST} characters of the id after req_, such as req_1c9f03ab.")
        found = await self._store.beginning_with(wanted, limit=CANDIDATES)
        seen = [request for request in found if admits(check_may_stop, request, person)]
        if len(seen) > 1 or len(found) == CANDIDATES:
            raise Invalid("Several requests begin like that; give more of the id.")
        if not seen:
            raise NotFound("There is no request with this id that you may see.")
        return seen[0]
