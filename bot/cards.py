"""The cards: where they go, one or several in a message, what a message shows, and bringing it up to date.

What is shown is read when it is shown, after its turn has come: never an older state than the newest stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from weakref import WeakValueDictionary

from bot.attaching import needs_no_card
from bot.batches import LEAST, Batches
from bot.carrier import CLOCKS_DIFFER, Carrier, CarryError, Posted, Rejected, is_person, raise_if_curable
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.budget import account_of
from policies.checkpoint import Kind
from policies.effects import Announce, Attach, Effect, PostCard, Refresh, TellAbsence
from policies.events import Delivered, Outcome
from policies.lifecycle import apply
from policies.people import Reviewers
from policies.request import Request
from storage.store import Copy, Owed, Shown, Store

log = get_logger("signoff.courier")

UNSEEN = -1
"""The version that a card found after an interruption counts as showing: nobody knows which it was."""


class Cards:
    """Posts and refreshes cards. ``clock`` gives UTC time; from ``least`` cards on they share a message."""

    def __init__(
        self, store: Store, carrier: Carrier, clock: Callable[[], datetime], pace: Pace, least: int = LEAST
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._pace = pace
        self._batches = Batches(store, pace, least)
        self._updating: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def companions(self, owed: Owed, waiting: Iterable[Owed]) -> tuple[Owed, ...]:
        """Wait for the turn of a new card; which of those ``waiting`` for the same place go out with it."""
        effect = owed.effect
        if not isinstance(effect, PostCard):
            return ()
        if owed.started_at is None:
            request = await self._store.request(effect.request_id)
            if request is None or needs_no_card(request):
                return ()
            await self._pace.turn(effect.to, Urgency.NEW)
        return await self._batches.companions(owed, waiting)

    def part(self, owed: Iterable[Owed]) -> None:
        """Slack refused these in one message: each goes alone."""
        self._batches.part(owed)

    async def went_another_way(self, owed: Owed) -> bool:
        """Where a card's channel can't be reached, the people themselves are told; False where nobody can be."""
        effect = owed.effect
        if not isinstance(effect, PostCard) or is_person(effect.to):
            return False
        request = await self._store.request(effect.request_id)
        groups = [group for group in request.reviewers if group.channel == effect.to] if request else []
        ids = [user for group in groups for user in await self._carrier.ids_of(group)]
        if request is None or not ids:
            return False
        await self._store.done((owed.id,), then=await self.missing(request, ids))
        return True

    async def announce(self, owed: Owed, effect: Announce) -> None:
        """Owe a card to each place where somebody looks who may decide; of a question to whom it serves too."""
        request = await self._store.request(effect.request_id)
        if request is None or request.settled or (request.checkpoint.kind is Kind.INBOX and not request.asking):
            await self._store.done((owed.id,))
            return
        groups = request.checkpoint.groups
        places = [to for group in groups for to in await self._places(group)]
        owner = request.requester.owner
        if request.asking and owner is not None and is_person(owner):
            places.append(owner)  # whom the agent works for knows best what was meant
        if not places:
            log.error(
                "nobody can be told of a request", request=request.id, reviewers=request.checkpoint.reviewers.name
            )
        await self._store.done((owed.id,), then=await self.missing(request, places))

    async def _places(self, group: Reviewers) -> tuple[str, ...]:
        """Where a group looks: its channel, or its people's direct messages."""
        return (group.channel,) if group.channel else await self._carrier.ids_of(group)

    async def missing(self, request: Request, places: tuple[str, ...] | list[str]) -> tuple[Effect, ...]:
        """A card for each place that has none yet."""
        known = {copy.to for copy in await self._store.copies(request.id)}
        account = account_of(request.requester)
        new = (to for to in dict.fromkeys(places) if to not in known)
        return tuple(PostCard(request_id=request.id, to=to, account=account) for to in new)

    async def post(self, to: str, several: tuple[Owed, ...]) -> None:
        """Post a card, or a batch of several, but for those that an earlier attempt has posted."""
        turned = several[0].started_at is None
        several = await self._not_posted(to, several)
        shown = {each.id: request for each in several if (request := await self._to_be_shown(each)) is not None}
        if shown and not turned:
            await self._pace.turn(to, Urgency.NEW)
            shown = {each.id: request for each in several if (request := await self._to_be_shown(each)) is not None}
        over = tuple(each.id for each in several if each.id not in shown)
        if over:
            await self._store.done(over)
        if not shown:
            return
        posted = await self._send(to, shown)
        self._pace.same(to, posted.channel)
        await self._keep(to, posted, shown)

    async def _to_be_shown(self, owed: Owed) -> Request | None:
        """The request of a card that is to be posted; None where nobody needs to see it any more."""
        request = await self._store.request(_request_id(owed))
        return None if request is None or needs_no_card(request) else request

    async def _not_posted(self, to: str, several: tuple[Owed, ...]) -> tuple[Owed, ...]:
        """Those of which no earlier attempt got through; the others are kept as what they turned out to be."""
        kept = {each.id for each in several if each.started_at is not None and await self._stands(to, each)}
        if kept:
            await self._store.done(tuple(kept))
        several = tuple(each for each in several if each.id not in kept)
        begun = {each.id: each.started_at for each in several if each.started_at is not None}
        if not begun:
            return several
        found = await self._carrier.find_posted(begun.keys(), to, min(begun.values()) - CLOCKS_DIFFER)
        asked = {each.id: _request_id(each) for each in several}
        for owed_id, posted in found.items():
            shows = posted.shows or {owed_id: asked[owed_id]}
            self._pace.same(to, posted.channel)
            requests = {each: await self._store.request(request_id) for each, request_id in shows.items()}
            await self._keep(to, posted, {each: one for each, one in requests.items() if one is not None}, found=True)
        return tuple(each for each in several if each.id not in found)

    async def _stands(self, to: str, owed: Owed) -> bool:
        """Was the card found already, with another one of its batch?"""
        return any(copy.to == to for copy in await self._store.copies(_request_id(owed)))

    async def _send(self, to: str, shown: Mapping[int, Request]) -> Posted:
        await self._store.begin(shown, self._clock())
        ((owed_id, request), *others) = shown.items()
        if others:
            return await self._pace.keep(to, self._carrier.post_batch(shown, to))
        return await self._pace.keep(to, self._carrier.post_card(request, to, owed_id))

    async def _keep(self, to: str, posted: Posted, shown: Mapping[int, Request], *, found: bool = False) -> None:
        """A message shows these requests, by the ids of what owed that; of one ``found`` nobody knows how they look."""
        await self._store.posted_together(
            [await self._shown(owed_id, request, to, posted, found) for owed_id, request in shown.items()]
        )

    async def _shown(self, owed_id: int, request: Request, to: str, posted: Posted, found: bool) -> Shown:
        copy = Copy(
            request_id=request.id,
            channel=posted.channel,
            ts=posted.ts,
            to=to,
            shown_version=UNSEEN if found else request.version,
            private=is_person(to),
        )
        seen = None if found else request
        decides = await self._decides_by(to, request)
        delivered = partial(self._delivered, shown=seen, copy=copy, decides=decides, cut=posted.cut)
        return Shown(owed_id=owed_id, copy=copy, fn=delivered)

    def _delivered(self, standing: Request, *, shown: Request | None, copy: Copy, decides: bool, cut: bool) -> Outcome:
        """The card is there; where it shows anything but what stands by now, it is to be brought up to date.

        A card that showed the question doesn't show the gate that came after it, and one of the person served alone
        (``decides`` False) isn't how those who decide see it.
        """
        outcome = Outcome(request=standing)
        if standing.answer is None or (decides and shown is not None and not shown.asking):
            outcome = apply(standing, Delivered(), self._clock())
        if shown is None or cut or shown.revision != standing.revision:
            file = Attach(request_id=standing.id, channel=copy.channel, ts=copy.ts, revision=standing.revision)
            outcome = outcome.then(Outcome(request=outcome.request, effects=(file,)))
        if standing.stand_ins and not standing.settled and not copy.private:
            told = TellAbsence(request_id=standing.id, channel=copy.channel, ts=copy.ts)
            outcome = outcome.then(Outcome(request=outcome.request, effects=(told,)))
        if shown is not None and _looks(standing) == _looks(shown):
            return outcome
        return outcome.then(Outcome(request=outcome.request, effects=(Refresh(request_id=standing.id),)))

    async def refresh(self, owed: Owed, effect: Refresh) -> None:
        """Every copy. One that fails holds up no other, but two in a row are Slack's outage."""
        failed: CarryError | None = None
        before_failed = False
        for copy in await self._store.copies(effect.request_id):
            request = await self._store.request(effect.request_id)
            if request is None or copy.shown_version >= request.version:
                continue
            try:
                await self._refresh_copy(copy, _urgency(request))
                before_failed = False
            except CarryError as error:
                failed = failed or error
                if before_failed:
                    break
                before_failed = True
        if failed is not None:
            raise failed
        await self._store.done((owed.id,))

    async def _refresh_copy(self, copy: Copy, urgency: Urgency) -> None:
        """Bring a message up to date, with all that it shows; not where somebody else's turn has done so meanwhile.

        Of those that owe it for one message, one takes a turn: else ten rows that expire cost ten of Slack's updates.
        """
        requests = await self._outdated(copy)
        if requests and await self._carrier.answered(requests, copy):  # costs no update, so waits no turn
            await self._brought_up_to_date(copy, requests)
            return
        async with self._updating.setdefault((copy.channel, copy.ts), asyncio.Lock()):
            if await self._outdated(copy):
                await self._pace.turn(None, urgency)
                await self._update(copy)

    async def _update(self, copy: Copy) -> None:
        requests = await self._outdated(copy)
        if not requests:
            return
        try:
            await self._pace.keep(None, self._carrier.refresh(requests, copy))
        except Rejected as rejected:
            raise_if_curable(rejected)
            log.warning("a copy can't be refreshed", request=copy.request_id, channel=copy.channel, why=rejected.error)
            await self._note_shown(copy, requests)
            return
        await self._brought_up_to_date(copy, requests)

    async def _outdated(self, copy: Copy) -> tuple[Request, ...]:
        """All requests that the message shows, in its order; none where it shows each as it stands."""
        copies = await self._store.shown_in(copy.channel, copy.ts)
        found = [await self._store.request(each.request_id) for each in copies]
        requests = tuple(request for request in found if request is not None)
        versions = {request.id: request.version for request in requests}
        return requests if any(each.shown_version < versions.get(each.request_id, 0) for each in copies) else ()

    async def _brought_up_to_date(self, copy: Copy, requests: tuple[Request, ...]) -> None:
        """A message shows ``requests`` now. After an answer that is how a gate's card is first seen."""
        await self._note_shown(copy, requests)
        for request in requests:
            if request.delivered_at is not None or request.answer is None or request.settled:
                continue
            if await self._decides_by(copy.to, request):
                await self._store.change(request.id, lambda standing: apply(standing, Delivered(), self._clock()))

    async def _note_shown(self, copy: Copy, requests: tuple[Request, ...]) -> None:
        await self._store.shown(copy.channel, copy.ts, {request.id: request.version for request in requests})

    async def _decides_by(self, to: str, request: Request) -> bool:
        """Is this a card of those who decide, not the one of the person served, who was only asked the question?"""
        copies = await self._store.copies(request.id)
        return to != request.requester.owner or all(copy.to == to for copy in copies)


def _request_id(owed: Owed) -> str:
    return owed.effect.request_id if isinstance(owed.effect, PostCard) else ""


def _looks(request: Request) -> Request:
    """All of a request that a card shows."""
    return replace(request, version=0, visible_version=0, delivered_at=None)


def _urgency(request: Request) -> Urgency:
    """Cards that answer somebody's click go first."""
    ends = [each.at for each in (request.decision, request.execution) if each is not None]
    clicked = bool(request.reviews) and all(request.reviews[-1].at >= at for at in ends)
    return Urgency.FIRST if clicked else Urgency.LATER
