"""Drains the outbox: each effect goes, in its lane's order, to the round that carries it out.

A lane is a destination (a channel, a request's copies, a run), so that a slow one holds up nobody else. An effect stays
in the outbox until it is done: a courier that comes after a crash begins where this one was.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.batches import LEAST
from bot.carrier import CURABLE, Carrier, CarryError, Paced, Rejected
from bot.lanes import in_turn
from bot.logs import get_logger
from bot.metrics import Metrics
from bot.pacing import Pace
from bot.rounds import DigestRound, Rounds
from bot.waiting import Waiting, changed_within
from policies.effects import Effect, Post, PostCard, PostDigest
from policies.errors import SignoffError
from storage.store import Owed, Store, Unreadable

log = get_logger("signoff.courier")

IDLE = 30.0
"""Seconds after which the outbox is looked at even though nobody rang."""

PAGE = 500
"""Effects that are read at once."""

ALL_AGAIN = timedelta(seconds=1)
"""How long a look at what was added is enough."""
EARLIEST = datetime.min.replace(tzinfo=UTC)

PATIENCE = 1440
"""Attempts after which an effect is given up: with a minute between them, about a day of Slack's absence."""

LONGEST_PAUSE = timedelta(seconds=60)

STUTTER = timedelta(seconds=8)
"""The longest that the other cards of a channel wait after one of which nobody knows how it ended."""


def lane_of(effect: Effect | Unreadable) -> str:
    """The lane in which an effect waits its turn."""
    if isinstance(effect, Unreadable):
        return "unreadable"
    if isinstance(effect, PostCard):
        return effect.to
    if isinstance(effect, Post):
        return effect.run_id
    if isinstance(effect, PostDigest):
        return f"digest:{effect.reader}"
    return f"{type(effect).__name__}:{effect.request_id}"


class Courier:
    """Carries effects until it is cancelled. ``clock`` gives UTC time for the outbox's due dates.

    From ``least`` waiting cards on those for one place share a message; 0 for never.
    """

    def __init__(
        self,
        store: Store,
        carrier: Carrier,
        waiting: Waiting,
        clock: Callable[[], datetime],
        *,
        pace: Pace | None = None,
        metrics: Metrics | None = None,
        least: int = LEAST,
        post_digest: DigestRound | None = None,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._rounds = Rounds(store, carrier, clock, pace or Pace(), least, post_digest)
        self._known = 0
        self._all_at = EARLIEST
        self._lanes: dict[str, deque[Owed]] = {}
        self._held: dict[str, datetime] = {}
        self._under_way: set[int] = set()
        self._let_go: set[int] = set()
        self._failures: Counter[int] = Counter()
        self._faltered: Counter[str] = Counter()

    async def run(self) -> None:
        """Carry whatever is owed, woken by the outbox's signal."""
        async with asyncio.TaskGroup() as lanes:
            with self._waiting.watch("outbox") as rung:
                while True:
                    await changed_within(rung, await self._look(lanes))

    async def _look(self, lanes: asyncio.TaskGroup) -> float:
        """Take up what is due; how many seconds to wait for more unless somebody rings."""
        try:
            await self._take_up(lanes)
            due = await self._store.next_owed()
        except SignoffError as error:
            log.warning("the outbox can't be read", why=error.words)
            return 1.0
        now = self._clock()
        if due is not None and due > now:
            self._all_at = min(self._all_at, due)
        seconds = IDLE if due is None else (due - now).total_seconds()
        return min(IDLE, seconds if seconds > 0 else 1.0)

    async def _take_up(self, lanes: asyncio.TaskGroup) -> None:
        """What was added since the last look; now and then all that is due, since some of it may have been put back.

        While hundreds wait for a channel's turns, each new effect would else have all of them read again.
        """
        now = self._clock()
        if now >= self._all_at:
            self._known, self._all_at = 0, now + ALL_AGAIN
        self._let_go.clear()
        self._held = {lane: until for lane, until in self._held.items() if until > now}
        while page := await self._store.owed(now, limit=PAGE, after=self._known):
            self._known = page[-1].id
            for owed in page:
                self._enqueue(owed, lanes)
            if len(page) < PAGE:
                break

    def _enqueue(self, owed: Owed, lanes: asyncio.TaskGroup) -> None:
        lane = lane_of(owed.effect)
        if owed.id in self._under_way or owed.id in self._let_go or lane in self._held:
            return  # what was let go while the outbox was read may be done: the next look tells
        self._under_way.add(owed.id)
        if lane in self._lanes:
            self._lanes[lane].append(owed)
        else:
            self._lanes[lane] = deque([owed])
            lanes.create_task(self._drain(lane))

    async def _drain(self, lane: str) -> None:
        """Carry what waits in a lane. Where one that fails holds up the others, the lane is drained again later."""
        waiting = self._lanes[lane]
        goes_on, owed = True, None
        try:
            while waiting and goes_on:
                owed = in_turn(waiting, after=owed)[0]
                waiting.remove(owed)
                overtaken = _overtaken(owed, waiting)
                try:
                    carried = await self._attempt(owed, overtaken, waiting)
                    goes_on = carried or not (isinstance(owed.effect, Post) or lane in self._held)
                finally:
                    self._release(owed, *overtaken)
        finally:
            del self._lanes[lane]
            self._release(*waiting)
            if waiting:
                self._all_at = EARLIEST
                self._waiting.wake(("outbox",))

    def _release(self, *several: Owed) -> None:
        ids = {owed.id for owed in several}
        self._under_way -= ids
        self._let_go |= ids

    async def _attempt(self, owed: Owed, overtaken: list[Owed], waiting: deque[Owed]) -> bool:
        """Carry ``owed``, with the newest words where later ones overtook them. What fails (False) stays owed."""
        newest = replace(owed, effect=overtaken[-1].effect) if overtaken else owed
        try:
            return await self._carried(newest, overtaken, waiting)
        except SignoffError as error:
            log.warning("the outbox can't be written", owed=owed.id, why=error.words)
            await asyncio.sleep(1.0)
            return False

    async def _carried(self, owed: Owed, overtaken: list[Owed], waiting: deque[Owed]) -> bool:
        """Carry ``owed`` and whatever of those ``waiting`` goes out in one message with it."""
        together: tuple[Owed, ...] = ()
        try:
            together = await self._rounds.companions(owed, waiting)
            for each in together:
                waiting.remove(each)
            await self._rounds.carry(owed, together)
            if overtaken:
                await self._store.done(tuple(each.id for each in overtaken))
            self._gone_out(owed, together, 1 + len(overtaken) + len(together))
            return True
        except CarryError as error:
            await self._not_carried((owed, *together), error)
        except SignoffError as error:
            await self._later((owed, *together), error.words)
        except Exception:
            log.exception("effect failed", effect=type(owed.effect).__name__, owed=owed.id)
            await self._later((owed, *together), "unexpected error")
        finally:
            self._release(*together)
        return False

    def _gone_out(self, owed: Owed, together: tuple[Owed, ...], number: int) -> None:
        for each in (owed, *together):
            self._failures.pop(each.id, None)
        self._faltered.pop(lane_of(owed.effect), None)
        self._count(owed, "carried", number)

    async def _not_carried(self, several: tuple[Owed, ...], error: CarryError) -> None:
        if isinstance(error, Paced):
            await self._untouched(several, timedelta(seconds=error.retry_after), error)
        elif isinstance(error, Rejected) and error.error not in CURABLE:
            await self._refused(several, error)
        else:
            self._hold_cards(several[0])
            await self._later(several, str(error), keeps_order=True)

    async def _refused(self, several: tuple[Owed, ...], error: Rejected) -> None:
        """Slack refuses a message: each of several tries its luck alone, one alone goes another way or is given up."""
        if len(several) > 1:
            log.error("slack refuses a batch of cards", error=error.error, number=len(several))
            self._rounds.part(several)
            await self._untouched(several, timedelta(0), error)
            return
        (owed,) = several
        log.error("slack refuses an effect", effect=type(owed.effect).__name__, owed=owed.id, error=error.error)
        if not await self._rounds.went_another_way(owed):
            await self._give_up(owed, error.error)

    async def _untouched(self, several: tuple[Owed, ...], pause: timedelta, error: CarryError) -> None:
        """Try again: this attempt left nothing behind. Of an earlier one that is still unknown: perhaps it was the look
        for it that Slack refused.
        """
        new = tuple(owed for owed in several if owed.started_at is None)
        due = self._clock() + pause
        await self._again(new, due, str(error), certain=True)
        await self._again(tuple(owed for owed in several if owed.started_at is not None), due, str(error))

    def _hold_cards(self, owed: Owed) -> None:
        """Nobody knows how a post of a card ended: the channel's others wait a little too, rather than share its fate.

        Each of them would have to be looked for before it is posted again.
        """
        if isinstance(owed.effect, PostCard):
            lane = lane_of(owed.effect)
            self._faltered[lane] += 1
            self._held[lane] = self._clock() + min(timedelta(seconds=2 ** min(self._faltered[lane] - 1, 6)), STUTTER)

    async def _later(self, several: tuple[Owed, ...], why: str, *, keeps_order: bool = False) -> None:
        """Try again: those that share a message at the same moment, or each would come to wake the next one's turn."""
        failures = {owed.id: self._failed(owed) for owed in several}
        hopeless = tuple(owed for owed in several if failures[owed.id] >= PATIENCE)
        for owed in hopeless:
            log.error("effect given up", effect=type(owed.effect).__name__, owed=owed.id, why=why)
            await self._give_up(owed, why)
        left = tuple(owed for owed in several if owed not in hopeless)
        for owed in left:
            log.warning("effect is tried again", effect=type(owed.effect).__name__, owed=owed.id, why=why)
        pause = timedelta(seconds=2 ** min(max(failures.values()) - 1, 6))
        await self._again(left, self._clock() + min(pause, LONGEST_PAUSE), why, keeps_order=keeps_order)

    def _failed(self, owed: Owed) -> int:
        """Count one failure more; how many there are by now."""
        self._failures[owed.id] += 1
        return max(self._failures[owed.id], owed.attempts)

    async def _again(
        self, several: tuple[Owed, ...], due: datetime, why: str, *, certain: bool = False, keeps_order: bool = True
    ) -> None:
        """Try again when it is ``due``. A run's messages stay in their order: what follows one waits with it."""
        if not several:
            return
        if keeps_order and isinstance(several[0].effect, Post):
            self._held[lane_of(several[0].effect)] = due
        await self._store.retry(tuple(owed.id for owed in several), due, why, certain=certain)
        for owed in several:
            self._count(owed, "retried")

    async def _give_up(self, owed: Owed, why: str) -> None:
        await self._store.give_up(owed.id, why)
        self._count(owed, "given_up")

    def _count(self, owed: Owed, outcome: str, times: int = 1) -> None:
        self._metrics.effect(type(owed.effect).__name__, outcome, times)


def _overtaken(owed: Owed, waiting: deque[Owed]) -> list[Owed]:
    """Take out of ``waiting`` the later words for the very message that ``owed`` is about; only the last matter."""
    if not isinstance(owed.effect, Post):
        return []
    key = owed.effect.key
    later = [each for each in waiting if isinstance(each.effect, Post) and each.effect.key == key]
    for each in later:
        waiting.remove(each)
    return later
