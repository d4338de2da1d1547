"""Which new cards go out in one message: those that a channel doesn't take one by one.

Slack takes about one message a second a channel. Cards that could go out at once go alone; where several would have to
wait, they share one message, in the order in which they came, each agent's in its turn.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.lanes import in_turn
from bot.pacing import Pace
from policies.effects import PostCard
from policies.gathering import may_share
from storage.store import Owed, Store

LEAST = 4
"""Cards for which a message together is worth its brevity."""

MOST = 10
"""Requests in one message: four blocks each, of the fifty that Slack takes."""

LOOKED_AT = 40
"""Waiting effects among which companions are looked for."""


class Batches:
    """Gathers what waits for the same place: from ``least`` cards on, 0 for never."""

    def __init__(self, store: Store, pace: Pace, least: int = LEAST) -> None:
        self._store = store
        self._pace = pace
        self._least = max(2, least) if least else MOST + 1
        self._alone: set[int] = set()

    def part(self, owed: Iterable[Owed]) -> None:
        """Slack refused these in one message: from now on each goes alone."""
        self._alone |= {each.id for each in owed}

    async def companions(self, owed: Owed, waiting: Iterable[Owed]) -> tuple[Owed, ...]:
        """Those of ``waiting`` that share a message with the card ``owed``, whose turn has come; none if it goes alone.

        What the channel takes at once goes alone. How many that are says Slack's pace, and not how fast it answers:
        where each post takes long, a place is always free and the others wait all the same.
        """
        if not isinstance(owed.effect, PostCard) or not await self._may_share(owed):
            return ()
        room = self._pace.room(owed.effect.to) if owed.started_at is None else 0
        found: dict[str, Owed] = {owed.effect.request_id: owed}
        for each in in_turn(waiting, after=owed)[:LOOKED_AT]:
            if isinstance(each.effect, PostCard) and len(found) < MOST and await self._may_share(each):
                found.setdefault(each.effect.request_id, each)
        return tuple(found.values())[1:] if len(found) - room >= self._least else ()

    async def _may_share(self, owed: Owed) -> bool:
        if owed.id in self._alone or not isinstance(owed.effect, PostCard):
            return False
        request = await self._store.request(owed.effect.request_id)
        return request is not None and may_share(request)
