"""Drains the outbox: each effect goes, in its lane's order, to the verb of the carrier that carries it out.

A lane is a destination (a channel, a request's copies, a run), so that a slow one holds up nobody else. An effect is
marked as begun before an uncertain post, so that a courier that comes after a crash looks before it posts again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.carrier import Carrier, CarryError, Paced, Posted, Rejected, Uncertain
from bot.pacing import Pace
from bot.waiting import Waiting, changed_within
from policies.checkpoint import Kind
from policies.effects import Announce, Effect, Post, PostCard, Refresh, Remind, Summon, TellServed
from policies.errors import SignoffError
from policies.events import Delivered, Outcome
from policies.lifecycle import apply
from policies.people import Reviewers
from policies.request import Request
from storage.store import Copy, Owed, Store

log = structlog.get_logger("signoff.courier")

IDLE = 30.0
"""Seconds after which the outbox is looked at even though nobody rang."""

PATIENCE = 1440
"""Attempts after which an effect is given up: with a minute between them, about a day of Slack's absence."""

LONGEST_PAUSE = timedelta(seconds=60)


def lane_of(effect: Effect) -> str:
    """The lane in which an effect waits its turn."""
    if isinstance(effect, PostCard):
        return effect.to
    if isinstance(effect, Post):
        return effect.run_id
    return f"{type(effect).__name__}:{effect.request_id}"


class Courier:
    """Carries effects until it is cancelled. ``clock`` gives UTC time for the outbox's due dates."""

    def __init__(self, store: Store, carrier: Carrier, waiting: Waiting, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._carrier = carrier
        self._waiting = waiting
        self._clock = clock
        self._pace = Pace()
        self._lanes: dict[str, deque[Owed]] = {}
        self._under_way: set[int] = set()

    async def run(self) -> None:
        """Carry whatever is owed, woken by the outbox's signal."""
        async with asyncio.TaskGroup() as lanes:
            with self._waiting.watch("outbox") as rung:
                while True:
                    await self._take_up(lanes)
                    await changed_within(rung, await self._pause())

    async def _take_up(self, lanes: asyncio.TaskGroup) -> None:
        for owed in await self._store.owed(self._clock(), limit=1000):
            if owed.id in self._under_way:
                continue
            self._under_way.add(owed.id)
            lane = lane_of(owed.effect)
            if lane in self._lanes:
                self._lanes[lane].append(owed)
            else:
                self._lanes[lane] = deque([owed])
                lanes.create_task(self._drain(lane))

    async def _pause(self) -> float:
        due = await self._store.next_owed()
        if due is None:
            return IDLE
        seconds = (due - self._clock()).total_seconds()
        return min(IDLE, seconds if seconds > 0 else 1.0)

    async def _drain(self, lane: str) -> None:
        waiting = self._lanes[lane]
        try:
            while waiting:
                owed = waiting.popleft()
                try:
                    await self._attempt(owed)
                finally:
                    self._under_way.discard(owed.id)
        finally:
            del self._lanes[lane]

    async def _attempt(self, owed: Owed) -> None:
        try:
            await self._carry(owed)
        except Paced as paced:
            await self._store.retry(
                owed.id, self._clock() + timedelta(seconds=paced.retry_after), str(paced), certain=True
            )
        except Rejected as rejected:
            await self._refused(owed, rejected)
        except (CarryError, SignoffError) as error:
            await self._later(owed, str(error))
        except Exception:
            log.exception("effect failed", effect=type(owed.effect).__name__, owed=owed.id)
            await self._later(owed, "unexpected error")

    async def _later(self, owed: Owed, why: str) -> None:
        if owed.attempts + 1 >= PATIENCE:
            log.error("effect given up", effect=type(owed.effect).__name__, owed=owed.id, why=why)
            await self._store.give_up(owed.id, why)
            return
        pause = min(timedelta(seconds=2 ** min(owed.attempts, 6)), LONGEST_PAUSE)
        await self._store.retry(owed.id, self._clock() + pause, why)

    async def _refused(self, owed: Owed, rejected: Rejected) -> None:
        effect = owed.effect
        log.error("slack refuses an effect", effect=type(effect).__name__, owed=owed.id, error=rejected.error)
        await self._store.give_up(owed.id, rejected.error)
        if isinstance(effect, PostCard) and not effect.to.startswith(("U", "W")):
            await self._store.done((), then=await self._direct_messages(effect))

    async def _direct_messages(self, effect: PostCard) -> tuple[Effect, ...]:
        """Where the channel can't be reached, the people themselves are told."""
        request = await self._store.request(effect.request_id)
        groups = [group for group in request.reviewers if group.channel == effect.to] if request else []
        ids = [user for group in groups for user in await self._carrier.ids_of(group)]
        return tuple(PostCard(request_id=effect.request_id, to=user) for user in dict.fromkeys(ids))

    async def _carry(self, owed: Owed) -> None:
        match owed.effect:
            case Announce() as effect:
                await self._announce(owed, effect)
            case PostCard() as effect:
                await self._post_card(owed, effect)
            case Refresh() as effect:
                await self._refresh(owed, effect)
            case Remind() as effect:
                await self._remind(owed, effect)
            case Summon() as effect:
                await self._summon(owed, effect)
            case TellServed() as effect:
                await self._tell_served(owed, effect)
            case Post() as effect:
                await self._post_run(owed, effect)

    # ---- one method for each effect

    async def _announce(self, owed: Owed, effect: Announce) -> None:
        request = await self._store.request(effect.request_id)
        if request is None or request.settled or request.checkpoint.kind is Kind.INBOX:
            await self._store.done((owed.id,))
            return
        await self._store.done((owed.id,), then=await self._cards_for(request, request.checkpoint.reviewers))

    async def _cards_for(self, request: Request, group: Reviewers) -> tuple[Effect, ...]:
        known = {copy.to for copy in await self._store.copies(request.id)}
        places = (group.channel,) if group.channel else await self._carrier.ids_of(group)
        return tuple(PostCard(request_id=request.id, to=place) for place in places if place not in known)

    async def _post_card(self, owed: Owed, effect: PostCard) -> None:
        request = await self._store.request(effect.request_id)
        if request is None:
            await self._store.done((owed.id,))
            return
        posted = await self._found(owed, effect) or await self._post(owed, effect, request)
        private = effect.to.startswith(("U", "W"))
        copy = Copy(
            request_id=request.id,
            channel=posted.channel,
            ts=posted.ts,
            to=effect.to,
            shown_version=request.version,
            private=private,
        )
        stored = await self._store.posted(owed.id, copy, self._delivered)
        if _looks(stored) != _looks(request):
            await self._store.done((), then=(Refresh(request_id=request.id),))

    def _delivered(self, request: Request) -> Outcome:
        return apply(request, Delivered(), self._clock())

    async def _found(self, owed: Owed, effect: PostCard) -> Posted | None:
        if owed.started_at is None:
            return None
        return await self._carrier.find_posted(owed.id, effect.to, owed.started_at - timedelta(seconds=5))

    async def _post(self, owed: Owed, effect: PostCard, request: Request) -> Posted:
        await self._pace.turn(effect.to)
        await self._store.begin(owed.id, self._clock())
        try:
            return await self._carrier.post_card(request, effect.to, owed.id)
        except Paced as paced:
            self._pace.hold(effect.to, paced.retry_after)
            raise

    async def _refresh(self, owed: Owed, effect: Refresh) -> None:
        request = await self._store.request(effect.request_id)
        for copy in await self._store.copies(effect.request_id) if request else ():
            if request is not None and copy.shown_version < request.version:
                await self._refresh_copy(request, copy)
        await self._store.done((owed.id,))

    async def _refresh_copy(self, request: Request, copy: Copy) -> None:
        await self._pace.turn(None)
        try:
            await self._carrier.refresh(request, copy)
        except Rejected as rejected:
            log.warning("a copy can't be refreshed", request=request.id, channel=copy.channel, error=rejected.error)
        except Paced as paced:
            self._pace.hold(None, paced.retry_after)
            raise
        await self._store.shown(copy.channel, copy.ts, request.version)

    async def _remind(self, owed: Owed, effect: Remind) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None and not request.settled:
            for copy in await self._store.copies(request.id):
                await self._pace.turn(copy.to)
                await self._carrier.remind(request, copy)
        await self._store.done((owed.id,))

    async def _summon(self, owed: Owed, effect: Summon) -> None:
        request = await self._store.request(effect.request_id)
        if request is None or request.settled:
            await self._store.done((owed.id,))
            return
        group = next(group for group in request.joined if group.name == effect.group)
        for copy in await self._store.copies(request.id):
            if not copy.private:
                await self._pace.turn(copy.to)
                await self._carrier.summon(request, copy, group)
        people = await self._carrier.ids_of(group)
        cards = [PostCard(request_id=request.id, to=place) for place in (*people, *filter(None, (group.channel,)))]
        await self._store.done((owed.id,), then=tuple(cards))

    async def _tell_served(self, owed: Owed, effect: TellServed) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None and request.excluded:
            await self._carrier.tell_served(request)
        await self._store.done((owed.id,))

    async def _post_run(self, owed: Owed, effect: Post) -> None:
        run = await self._store.run(effect.run_id)
        if run is None:
            await self._store.done((owed.id,))
            return
        if run.thread_ts is None and effect.kind != "opening":
            raise Uncertain("the run's thread is not open yet")
        known = await self._store.run_message(effect.run_id, effect.key)
        await self._pace.turn(None if known else effect.channel)
        posted = await self._carrier.post_run(effect, run, known[1] if known else None)
        opens = effect.kind == "opening" and run.thread_ts is None
        await self._store.run_posted(owed.id, effect.run_id, effect.key, posted.channel, posted.ts, opens_thread=opens)


def _looks(request: Request) -> Request:
    """All of a request that a card shows."""
    return replace(request, version=0, delivered_at=None)
