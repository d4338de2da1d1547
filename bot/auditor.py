"""Looks for what should have happened and didn't, repairs it where that is safe, and says so.

Nothing here should ever be found: each change commits with what it owes, and the ticker finds every deadline. It is for
the day when a database was restored, edited by hand or written by an older program, or when this program has a fault.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bot.beat import Beat
from bot.gateway import Gateway
from bot.logs import get_logger
from bot.metrics import Metrics
from policies.errors import SignoffError
from policies.upkeep import Repair, Trouble
from policies.webhook import fails_long
from storage.store import Lack, Place, Standing, Window

log = get_logger("signoff.auditor")

EACH = 30.0
"""Seconds between two looks."""

OVERDUE = timedelta(seconds=5)
"""How late something may happen before the ticker counts as having missed it."""

STUCK = timedelta(minutes=10)
"""How long an effect may wait before somebody is told."""

LOOKS_KEPT = 2880
"""Marks of the outbox that are remembered: those of a day."""

WORDS = {
    Trouble.UNREADABLE: "stored requests can't be read; restore the database from a backup",
    Trouble.UNTOLD: "requests wait that nobody could be told of; check their channel and reviewers",
}

REMEMBERED = 10_000
"""Repairs that are remembered, so that what doesn't help is done once and not each half minute."""


class Auditor:
    """One look over the database each half minute. ``clock`` gives UTC time.

    ``runs_driven`` False where no agent runner serves, so that active runs wait for nobody.
    """

    def __init__(
        self,
        gateway: Gateway,
        clock: Callable[[], datetime],
        metrics: Metrics,
        *,
        each: float = EACH,
        runs_driven: bool = True,
    ) -> None:
        self._gateway = gateway
        self._store = gateway.store
        self._clock = clock
        self._metrics = metrics
        self._runs_driven = runs_driven
        self._beat = Beat(self.tick, each, at_once=False)
        self._places = {True: Place(), False: Place()}
        self._done: set[Lack] = set()
        self._troubled: dict[Trouble, set[str]] = {kind: set() for kind in WORDS}
        self._told: dict[Trouble, int] = dict.fromkeys(Trouble, 0)
        self._marks: deque[tuple[datetime, int]] = deque(maxlen=LOOKS_KEPT)

    def start(self) -> None:
        """Look each half minute on the running event loop; the first look comes after the first half minute."""
        self._beat.start()

    def stop(self) -> None:
        """Stop looking; a look under way may be cut short."""
        self._beat.stop()

    async def tick(self) -> None:
        """One look and its repairs. A store that can't answer now is looked at again next time."""
        now = self._clock()
        try:
            await self.look(now)
        except SignoffError as error:
            log.warning("the auditor can't look", why=error.words)
        except Exception:
            log.exception("the auditor fell over")

    async def look(self, now: datetime) -> None:
        """Find and repair everything as of ``now``."""
        standing = await self._store.standing(now - OVERDUE)
        self._say_of_the_outbox(standing, now)
        await self._say_of_runs()
        await self._say_of_webhooks(now)
        for pending in (True, False):
            await self._look_on(pending, now)
        if standing.overdue:
            await self._catch_up(now)

    async def figures(self) -> bytes:
        """All metrics as Prometheus reads them, with what stands this moment."""
        now = self._clock()
        standing = await self._store.standing(now - OVERDUE)
        self._metrics.stands(standing, self._waited(standing, now).total_seconds())
        await self._say_of_webhooks(now)
        self._metrics.holds(self._gateway.waiting.agents, len(asyncio.all_tasks()))
        return self._metrics.text()

    # ---- requests

    async def _look_on(self, pending: bool, now: datetime) -> None:
        """The newest window each time, and one more where the look before ended; from the end it begins anew."""
        place = self._places[pending]
        goes_on = await self._look_at(Place(), pending, now)
        if place != Place():
            goes_on = await self._look_at(place, pending, now)
        self._places[pending] = goes_on or Place()

    async def _look_at(self, place: Place, pending: bool, now: datetime) -> Place | None:
        window = await self._store.look(place, pending=pending)
        in_vain = [lack.request_id for lack in window.lacking if lack in self._done]
        for lack in window.lacking:
            if lack not in self._done:
                await self._repair(lack, now)
        self._keep(Trouble.UNREADABLE, window, window.unreadable)
        self._keep(Trouble.UNTOLD, window, (*window.untold, *in_vain))
        return window.goes_on

    async def _repair(self, lack: Lack, now: datetime) -> None:
        if not await self._store.repair(lack, now):
            return
        if len(self._done) >= REMEMBERED:
            self._done.clear()
        self._done.add(lack)
        self._metrics.repaired(lack.repair)
        log.error("repaired what should not have been missing", kind=lack.repair.value, request=lack.request_id)

    async def _catch_up(self, now: datetime) -> None:
        """What the ticker missed. Looked at again after the columns were put right."""
        overdue = (await self._store.standing(now - OVERDUE)).overdue
        if not overdue:
            return
        await self._gateway.advance(now)
        left = (await self._store.standing(now - OVERDUE)).overdue
        if overdue > left:
            self._metrics.repaired(Repair.OVERDUE, overdue - left)
            log.error("deadlines were missed by the ticker and happened now", requests=overdue - left)
        if left:
            log.error("requests are overdue and can't be advanced; see the log above", requests=left)

    # ---- what only a person can put right

    def _say_of_the_outbox(self, standing: Standing, now: datetime) -> None:
        if standing.newest_owed is not None and (not self._marks or self._marks[-1][1] < standing.newest_owed):
            self._marks.append((now, standing.newest_owed))
        waited = self._waited(standing, now)
        self._metrics.stands(standing, waited.total_seconds())
        self._say(Trouble.STUCK, int(waited >= STUCK), "an effect waits for Slack for minutes; see above why")
        self._say(Trouble.GIVEN_UP, standing.given_up, "effects were given up and are not repeated: Slack refused them")

    def _waited(self, standing: Standing, now: datetime) -> timedelta:
        """For how long the oldest effect has waited at least: it stood in the outbox when its id was first passed."""
        if standing.oldest_owed is None:
            return timedelta()
        since = next((at for at, newest in self._marks if newest >= standing.oldest_owed), now)
        return now - since

    async def _say_of_runs(self) -> None:
        idle = 0 if self._runs_driven else len(await self._store.runs())
        words = "runs of the agent wait for a runner; set SIGNOFF_TOOLS or SIGNOFF_MCP, or stop them"
        self._say(Trouble.IDLE_RUN, idle, words)

    async def _say_of_webhooks(self, now: datetime) -> None:
        endpoints = await self._store.endpoints()
        self._metrics.webhooks_stand(sum(each.waiting for each in endpoints), sum(each.failed for each in endpoints))
        failing = sum(fails_long(each.webhook, now) for each in endpoints)
        self._say(Trouble.WEBHOOK, failing, "receivers of webhooks fail or are gone; see `signoff webhooks list`")

    def _keep(self, kind: Trouble, window: Window, ids: Iterable[str]) -> None:
        """Those of the window that are troubled now, and of the others those that were when they were looked at."""
        self._troubled[kind] = (self._troubled[kind] - window.seen) | set(ids)
        self._say(kind, len(self._troubled[kind]), WORDS[kind])

    def _say(self, kind: Trouble, count: int, words: str) -> None:
        """Say it when there is more of it than was told; keep the figure."""
        if count > self._told[kind]:
            log.error(words, count=count, kind=kind.value)
        self._told[kind] = count
        self._metrics.troubled(kind, count)
