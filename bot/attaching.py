"""What a card can't show, as a file in its thread. The card waits for no upload, and stands whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.carrier import CLOCKS_DIFFER, Carrier, Rejected, raise_if_curable
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.effects import Attach, AttachAgain
from policies.request import Request
from storage.store import Owed, Store

log = get_logger("signoff.courier")


class Attaching:
    """Puts the files beside the cards. ``clock`` gives UTC time."""

    def __init__(self, store: Store, carrier: Carrier, clock: Callable[[], datetime], pace: Pace) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._pace = pace

    async def again(self, owed: Owed, effect: AttachAgain) -> None:
        """One file for each copy of the card."""
        copies = await self._store.copies(effect.request_id)
        files = (
            Attach(request_id=copy.request_id, channel=copy.channel, ts=copy.ts, revision=effect.revision)
            for copy in copies
        )
        await self._store.done((owed.id,), then=tuple(files))

    async def attach(self, owed: Owed, effect: Attach) -> None:
        """Put one file into its thread; what Slack doesn't take is given up, since View all shows everything."""
        try:
            await self._attach(owed, effect)
        except Rejected as rejected:
            if rejected.error != "missing_scope":
                raise_if_curable(rejected)
            log.warning("no file beside a card", request=effect.request_id, channel=effect.channel, why=rejected.error)
        await self._store.done((owed.id,))

    async def _attach(self, owed: Owed, effect: Attach) -> None:
        request = await self._store.request(effect.request_id)
        if request is None or needs_no_card(request) or request.revision != effect.revision:
            return  # decided meanwhile, or a newer one is owed
        file = await self._carrier.whole(request, effect.channel)
        if file is None:
            return
        since = owed.started_at - CLOCKS_DIFFER if owed.started_at else None
        if since and await self._carrier.find_file(file.name, effect.channel, effect.ts, since):
            return
        await self._pace.turn(effect.channel, Urgency.NEW)
        await self._store.begin((owed.id,), self._clock())
        await self._pace.keep(effect.channel, self._carrier.attach(file, effect.channel, effect.ts))


def needs_no_card(request: Request) -> bool:
    """It was over before anybody could see it, and nothing is left for people to look at."""
    return request.settled and request.audit != "open"
