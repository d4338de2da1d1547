"""The notes in the cards' threads: reminders, calls for help, questions to the agent, what became of grants."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from bot.cards import Cards
from bot.carrier import Carrier, GrantNews, Rejected, raise_if_curable
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.effects import (
    Effect,
    Remind,
    Summon,
    TellAbsence,
    TellDelegation,
    TellInquiry,
    TellOfCoolOff,
    TellOfGrant,
    TellServed,
)
from policies.request import Request
from storage.store import Copy, Owed, Store

log = get_logger("signoff.courier")

REMEMBERED = 2_000
"""Notes for whole messages that are remembered; beyond them one may be said twice."""


class Notes:
    """Says things beside the cards. ``cards`` knows who has none yet."""

    def __init__(self, store: Store, carrier: Carrier, pace: Pace, cards: Cards) -> None:
        self._store = store
        self._carrier = carrier
        self._pace = pace
        self._cards = cards
        self._noted: dict[int, set[str]] = {}
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._ended: dict[tuple[str, str | None], dict[int, Request]] = {}
        self._saying: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def remind(self, owed: Owed, effect: Remind) -> None:
        """Say in the threads that the request still waits."""
        request = await self._store.request(effect.request_id)
        if request is not None and not request.settled:
            told = partial(self._for_all, partial(self._carrier.remind, request))
            await self._note(owed, request, told, once=_step("remind", request))
        await self._done(owed)

    async def summon(self, owed: Owed, effect: Summon) -> None:
        """Say in the threads who joined, and owe a card to each of them."""
        request = await self._store.request(effect.request_id)
        group = next((each for each in request.reviewers if each.name == effect.group), None) if request else None
        if request is None or request.settled or group is None:
            await self._done(owed)
            return
        if request.delivered_at is not None or not request.stand_ins:  # else each new card's thread is told anyway
            told_all = partial(self._for_all, partial(self._carrier.summon, request, group))
            await self._note(owed, request, told_all, where=_in_public, once=_step(group.name, request))
        told = replace(group, members=()) if group.channel in group.members else group
        places = (*await self._carrier.ids_of(told), *filter(None, (group.channel,)))
        await self._done(owed, then=await self._cards.missing(request, places))

    async def tell_of_grant(self, owed: Owed, effect: TellOfGrant) -> None:
        """Say in the threads of the card that a grant came from what became of it."""
        origin = await self._store.request(effect.request_id)
        grant = await self._store.grant(effect.grant_id)
        used_by = await self._store.request(effect.used_by) if effect.used_by else None
        if origin is not None and grant is not None:
            told = GrantNews(effect=effect, grant=grant, used_by=used_by)
            await self._note(owed, origin, lambda copy: self._carrier.tell_of_grant(told, copy))
        await self._done(owed)

    async def tell_of_cool_off(self, owed: Owed, effect: TellOfCoolOff) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None:
            tell = partial(self._carrier.tell_of_cool_off, request, effect)
            await self._note(owed, request, lambda copy: tell(copy.channel, copy.ts))
            if not await self._store.copies(request.id):  # no card: whoever did it is told directly
                await self._pace.turn(effect.by, Urgency.NEW)
                await self._pace.keep(effect.by, tell(effect.by, None))
        await self._done(owed)

    async def tell_inquiry(self, owed: Owed, effect: TellInquiry) -> None:
        """Say in the threads what somebody asked the agent, or what it answered."""
        request = await self._store.request(effect.request_id)
        known = {inquiry.id: inquiry for inquiry in request.inquiries} if request is not None else {}
        inquiry = known.get(effect.inquiry_id)
        if request is not None and inquiry is not None:
            said = inquiry if effect.answered else replace(inquiry, answer=None)
            tell = partial(self._carrier.tell_inquiry, request, said)
            await self._note(owed, request, lambda copy: tell(copy.channel, copy.ts))
            if effect.answered and not await self._store.copies(request.id):  # no card: whoever asked is told directly
                await self._pace.turn(inquiry.by, Urgency.NEW)
                await self._pace.keep(inquiry.by, tell(inquiry.by, None))
        await self._done(owed)

    async def tell_delegation(self, owed: Owed, effect: TellDelegation) -> None:
        """Say in the threads who asked whom to decide, and owe a card to them."""
        request = await self._store.request(effect.request_id)
        if request is None or request.settled or effect.number >= len(request.delegations):
            await self._done(owed)
            return
        one = request.delegations[effect.number]
        tell = partial(self._carrier.tell_delegation, request, one)
        await self._note(owed, request, tell, where=lambda copy: _in_public(copy) or copy.to == one.to)
        await self._done(owed, then=await self._cards.missing(request, [one.to]))

    async def _note(
        self,
        owed: Owed,
        request: Request,
        note: Callable[[Copy], Awaitable[None]],
        *,
        where: Callable[[Copy], bool] = lambda copy: True,
        once: str = "",
    ) -> None:
        """Say something in each copy's thread. A thread that is gone holds up neither the others nor what follows.

        ``once`` names what one request of a message says for all of it: else a flood's reminders, one for each call,
        would keep the channel busy for as long as the flood did.
        """
        noted = self._noted.setdefault(owed.id, set())
        for copy in await self._store.copies(request.id):
            if copy.ts in noted or not where(copy):
                continue
            said = (f"{copy.channel} {copy.ts}", once or str(owed.id))
            async with self._saying.setdefault(said, asyncio.Lock()):
                if said not in self._said:
                    await self._say(copy, note)
                    self._remember(said)
            noted.add(copy.ts)

    async def _say(self, copy: Copy, note: Callable[[Copy], Awaitable[None]]) -> None:
        await self._pace.turn(copy.to, Urgency.FIRST)
        try:
            await self._pace.keep(copy.to, note(copy))
        except Rejected as rejected:
            raise_if_curable(rejected)
            why = str(rejected)
            log.warning("a thread can't be written to", request=copy.request_id, channel=copy.channel, why=why)

    def _remember(self, said: tuple[str, str]) -> None:
        self._said[said] = None
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    async def _for_all(self, tell: Callable[[Copy, int], Awaitable[None]], copy: Copy) -> None:
        """Say it with how many calls of the message wait."""
        copies = await self._store.shown_in(copy.channel, copy.ts)
        shown = [await self._store.request(each.request_id) for each in copies]
        await tell(copy, sum(request is not None and not request.settled for request in shown))

    async def tell_absence(self, owed: Owed, effect: TellAbsence) -> None:
        """Say in one card's thread who was asked in the place of whom."""
        request = await self._store.request(effect.request_id)
        if request is not None and not request.settled and request.stand_ins:
            await self._pace.turn(effect.channel, Urgency.NEW)
            try:
                await self._pace.keep(effect.channel, self._carrier.tell_absence(request, effect.channel, effect.ts))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning(
                    "a thread can't be written to", request=request.id, channel=effect.channel, why=str(rejected)
                )
        await self._done(owed)

    async def tell_served(self, owed: Owed, effect: TellServed) -> None:
        """Tell the person served that nobody decided in time: of all that ended while the message waited, in one."""
        request = await self._store.request(effect.request_id)
        if request is None or not request.excluded:
            await self._done(owed)
            return
        who = request.excluded[0]
        ended = self._ended.setdefault((who, request.audit), {})
        ended[owed.id] = request
        try:
            async with self._saying.setdefault((who, "ended"), asyncio.Lock()):
                if owed.id in ended:  # else it was told, and struck off, with another one
                    await self._tell_served(who, ended)
        finally:
            ended.pop(owed.id, None)

    async def _tell_served(self, who: str, ended: dict[int, Request]) -> None:
        await self._pace.turn(who, Urgency.NEW)
        told = dict(ended)
        await self._pace.keep(who, self._carrier.tell_served(tuple(told.values())))
        await self._store.done(tuple(told))
        for owed_id in told:
            ended.pop(owed_id, None)

    async def _done(self, owed: Owed, then: tuple[Effect, ...] = ()) -> None:
        await self._store.done((owed.id,), then=then)
        self._noted.pop(owed.id, None)


def _step(what: str, request: Request) -> str:
    """Names a step of the ladder: the same for all calls that came together."""
    return f"{what} {request.ladder.name} {request.steps_done} {request.revision}"


def _in_public(copy: Copy) -> bool:
    return not copy.private
