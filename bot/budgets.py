"""The use cases of budgets: whether people may be asked once more, who cools off, and letting an agent go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.crowding import Crowding
from bot.shelf import PolicyShelf
from policies.budget import LATER, Budget, Over, Spent, Wanted, account_of, agent_of, cooling, holding, over, wanted
from policies.cooling import Follows, begins, check_may_resume, resumes
from policies.effects import Entry
from policies.errors import NotFound, OverBudget, Refused
from policies.people import Person
from policies.request import Request
from storage.store import Guard, Store, Watch

CODES = {"cool_off": "cooling_off", "same_again": "rejected_before"}
"""What the agent reads as ``code``; a budget that isn't here says ``rate_limited``."""

ONCE = timedelta(hours=1)
"""How often at most the journal says that a budget of an agent is used up: a flood must not fill it."""


class Budgets:
    """What agents may still ask, by the policy in force. ``counted`` is told the name of each budget that refused."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        shelf: PolicyShelf,
        counted: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._shelf = shelf
        self._counted = counted
        self._written: dict[tuple[str, str], datetime] = {}
        self.crowding = Crowding()
        self.watch = Watch(wanted=self._wanted, follows=self._begins)

    async def over(self, request: Request) -> Over | None:
        """The budget in which a new request that waits for people has no room, looked at before anything is stored."""
        spent = await self._store.spent(request, self._wanted(request), request.created_at)
        return over(self._holding(request), spent, request.created_at)

    def guard(self, request: Request) -> Guard:
        """The same look, to be taken by the very transaction that stores the request."""
        budgets = self._holding(request)

        def admit(spent: Spent) -> None:
            found = over(budgets, spent, request.created_at)
            if found is not None:
                raise _refusal(found, request.created_at)

        return Guard(wanted=wanted(budgets), admit=admit)

    async def refuse(self, request: Request, found: Over) -> OverBudget:
        """The error for the agent; counted, and written into the journal once in a while."""
        error = _refusal(found, request.created_at)
        await self.note(request, error)
        return error

    async def note(self, request: Request, error: OverBudget) -> None:
        """Count what was refused, and write it into the journal unless that says so already."""
        self.crowding.refused(request.requester.id)
        if self._counted is not None:
            self._counted(error.budget)
        place, now = (account_of(request.requester), error.budget), self._clock()
        if error.budget == "cool_off" or now - self._written.get(place, now - ONCE) < ONCE:
            return  # that it cools off stands in the journal since it began
        self._written[place] = now
        detail = {"budget": error.budget}
        await self._store.note(Entry(what="held_back", actor="policy", at=now, subject=place[0], detail=detail))

    # ---- people's side

    async def cooling(self, person: Person) -> tuple[tuple[Request, datetime], ...]:
        """The agents that cool off and that this person may let go on: the request rejected last, and until when."""
        now = self._clock()
        since = wanted(self._shelf.current.budgets).rejected
        found = await self._store.last_rejected(now - since) if since is not None else ()
        standing = [(request, await self._until(request, now)) for request in found if _may(request, person, now)]
        return tuple((request, until) for request, until in standing if until is not None)

    async def resume(self, agent: str, person: Person) -> tuple[Request, ...]:
        """Let an agent ask again before its time; the requests whose rejection came last.

        An agent that doesn't cool off reads like one that this person may not let go on.
        """
        found = [request for request, _ in await self.cooling(person) if agent in _names(request)]
        if not found:
            raise NotFound(f"No agent called {agent[:60]} cools off that you may let go on; see */approvals agents*.")
        now = self._clock()
        follows = Watch(wanted=self._wanted, follows=lambda request, spent: self._resumes(request, spent, person, now))
        for request in found:
            await self._store.resume(request, person.id, now, follows)
        return tuple(found)

    # ---- small steps

    def _holding(self, request: Request) -> tuple[Budget, ...]:
        return holding(self._shelf.current.budgets, agent_of(account_of(request.requester)))

    def _wanted(self, request: Request) -> Wanted:
        return wanted(self._holding(request))

    def _begins(self, rejected: Request, spent: Spent) -> Follows:
        return begins(self._holding(rejected), spent, rejected)

    def _resumes(self, rejected: Request, spent: Spent, person: Person, now: datetime) -> Follows:
        if cooling(self._holding(rejected), spent, now) is None:
            raise NotFound("This agent asks again already; nothing was changed.")
        return resumes(rejected, person, now)

    async def _until(self, request: Request, now: datetime) -> datetime | None:
        spent = await self._store.spent(request, self._wanted(request), now)
        standing = cooling(self._holding(request), spent, now)
        return standing.until if standing else None


def _may(request: Request, person: Person, now: datetime) -> bool:
    try:
        check_may_resume(request, person, now)
    except Refused:
        return False
    return True


def _names(request: Request) -> tuple[str, str]:
    """What people may call the agent of a request."""
    return agent_of(account_of(request.requester)), request.requester.name


def _refusal(found: Over, now: datetime) -> OverBudget:
    seconds = ((found.until - now) if found.until else LATER).total_seconds()
    code = CODES.get(found.budget, OverBudget.code)
    return OverBudget(found.words, budget=found.budget, code=code, retry_after=max(1, math.ceil(seconds)))
