"""The Homes that people have before them: where each stands, and which are to be shown anew after a change.

A commit only notes what changed; who is concerned is looked at afterwards, and each Home is published at most once in
``PAUSE`` seconds however much changes. Who hasn't opened Home lately sees the truth when they open it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.carrier import CarryError
from bot.logs import get_logger
from bot.slack.home_memo import HomeMemo
from policies.errors import SignoffError
from policies.inbox import concerns
from policies.people import Person
from policies.redaction import shortened
from policies.request import Request
from storage.store import Changed, KeptHome, Store

log = get_logger("signoff.slack")

LATELY = timedelta(minutes=30)
"""For how long after it was last used a Home is kept up to date."""
MOST_PEOPLE = 100
MOST_CHANGES = 500
"""Changed requests that are remembered; after more, every Home is shown anew."""
PAUSE = 2.0
"""Seconds between two looks at what changed."""
LONGEST_PAUSE = 60.0
"""Seconds between two looks while Slack is gone."""


@dataclass(slots=True)
class Opened:
    """One person's Home; ``kept`` says that the store knows of its last use.

    ``turn`` lets one publish at a time through, so that none shows an older state than before.
    """

    memo: HomeMemo
    used_at: datetime
    kept: bool = False
    person: Person | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Homes:
    """Remembers who has Home open. ``clock`` gives UTC. Only for one event loop."""

    def __init__(self, clock: Callable[[], datetime], *, pause: float = PAUSE) -> None:
        self._clock = clock
        self._pause = pause
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._changed: OrderedDict[str, Request] = OrderedDict()
        self._behind: set[str] = set()
        self._news = asyncio.Event()

    def use(self, user_id: str, memo: HomeMemo | None = None) -> Opened:
        """Note that somebody uses their Home, with ``memo`` where they chose what it shows."""
        opened = self._opened.setdefault(user_id, Opened(memo=HomeMemo(), used_at=self._clock()))
        self._opened.move_to_end(user_id)
        opened.used_at, opened.kept = self._clock(), False
        opened.memo = memo or opened.memo
        while len(self._opened) > MOST_PEOPLE:
            self._opened.popitem(last=False)
        return opened

    def open(self, user_id: str) -> None:
        """Note that somebody opens their Home: it shows everything, and what its fields held before is forgotten."""
        self.use(user_id, HomeMemo(n=int(self._clock().timestamp()) % 10**6))

    async def restore(self, store: Store) -> None:
        """Take up those that were before people when the gateway stopped: they may show what stood then."""
        for home in await store.homes(self._clock() - LATELY):
            self._opened[home.user_id] = Opened(memo=HomeMemo.read(home.memo), used_at=home.used_at, kept=True)
            self.fall_behind(home.user_id)

    async def remember(self, user_id: str, store: Store) -> None:
        """Keep durably that somebody uses their Home, where that isn't known yet."""
        opened = self._opened.get(user_id)
        if opened is not None and not opened.kept:
            opened.kept = True
            home = KeptHome(user_id=user_id, used_at=opened.used_at, memo=opened.memo.text())
            await store.keep_home(home, forget_before=self._clock() - LATELY)

    def fall_behind(self, user_id: str) -> None:
        """This Home doesn't show what stands: it is to be shown anew, whoever it was that changed something."""
        self._behind.add(user_id)
        self._news.set()

    def at(self, user_id: str) -> Opened:
        """Where this person's Home stands; one that nobody keeps where it isn't known."""
        return self._opened.get(user_id) or Opened(memo=HomeMemo(), used_at=self._clock())

    def changed(self, changes: Sequence[Changed]) -> None:
        """Note what was committed: cheap, since it is on every change's way."""
        if not self._opened:
            return
        for change in changes:
            if len(self._changed) < MOST_CHANGES:
                self._changed[change.after.id] = change.after
        self._news.set()

    async def keep(self, show: Callable[[str], Awaitable[None]]) -> None:
        """Show Homes anew by ``show`` for as long as the gateway runs; those that fell behind too, ever more seldom."""
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            concerned, self._behind = dict.fromkeys((*self._behind, *self._concerned())), set()
            for user_id in concerned:
                await _quietly(show, user_id)
            failures = failures + 1 if self._behind else 0
            await asyncio.sleep(min(self._pause * 2 ** min(failures, 6), LONGEST_PAUSE))

    def _concerned(self) -> list[str]:
        changes, self._changed = tuple(self._changed.values()), OrderedDict()
        oldest = self._clock() - LATELY
        for user_id in [who for who, opened in self._opened.items() if opened.used_at < oldest]:
            del self._opened[user_id]
        full = len(changes) >= MOST_CHANGES
        return [who for who, opened in self._opened.items() if full or _touches(changes, opened.person)]


def _touches(changes: Sequence[Request], person: Person | None) -> bool:
    return person is not None and any(concerns(request, person) for request in changes)


async def _quietly(show: Callable[[str], Awaitable[None]], user_id: str) -> None:
    """One that can't be shown holds up no other."""
    try:
        await show(user_id)
    except (CarryError, SignoffError) as error:
        log.warning("a Home could not be shown anew", user=user_id, why=shortened(str(error), 200))
    except Exception:  # the gateway ends where this ends, and no Home is worth that
        log.exception("showing a Home fell over", user=user_id)
