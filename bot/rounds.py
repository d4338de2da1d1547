"""How each kind of effect is carried out. Whoever calls decides what becomes of one that fails.

An effect is marked as begun before an uncertain post, so that after a crash somebody looks before it is posted again.
What is shown is read when it is shown, after its turn has come: never an older state than the newest stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from bot.attaching import Attaching, needs_no_card
from bot.batches import LEAST, Batches
from bot.carrier import CLOCKS_DIFFER, Carrier, CarryError, GrantNews, Paced, Posted, Rejected, raise_if_curable
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.agent_run import AgentRun
from policies.budget import account_of
from policies.checkpoint import Kind
from policies.effects import (
    Announce,
    Attach,
    AttachAgain,
    Effect,
    Post,
    PostCard,
    PostDigest,
    Refresh,
    Remind,
    Summon,
    TellAbsence,
    TellDelegation,
    TellInquiry,
    TellOfCoolOff,
    TellOfGrant,
    TellServed,
)
from policies.events import Delivered, Outcome
from policies.lifecycle import apply
from policies.people import Reviewers
from policies.request import Request
from storage.store import Copy, Owed, Shown, Store, Unreadable

T = TypeVar("T")
DigestRound = Callable[[Owed, PostDigest], Awaitable[None]]

log = get_logger("signoff.courier")

UNSEEN = -1
"""The version that a card found after an interruption counts as showing: nobody knows which it was."""

UNREACHABLE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "thread_not_found",
    }
)
"""Refusals that are about the place: a run whose thread is lost goes on as direct messages to its starter."""


class Rounds:
    """One method for each effect. ``clock`` gives UTC time; from ``least`` cards on they share a message.

    ``post_digest`` carries out what sends digests.
    """

    def __init__(
        self,
        store: Store,
        carrier: Carrier,
        clock: Callable[[], datetime],
        pace: Pace,
        least: int = LEAST,
        post_digest: DigestRound | None = None,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._pace = pace
        self._batches = Batches(store, pace, least)
        self._attaching = Attaching(store, carrier, clock, pace)
        self._post_digest = post_digest
        self._noted: dict[int, set[str]] = {}
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

    async def carry(self, owed: Owed, together: tuple[Owed, ...] = ()) -> None:
        """Carry out one effect, with its companions, and strike it off. For a card, ``companions`` comes first.

        Raises ``CarryError`` or ``SignoffError``: then it is still owed.
        """
        match owed.effect:
            case Announce() as effect:
                await self._announce(owed, effect)
            case PostCard() as effect:
                await self._post_cards(effect.to, (owed, *together))
            case Refresh() as effect:
                await self._refresh(owed, effect)
            case AttachAgain() as effect:
                await self._attaching.again(owed, effect)
            case Attach() as effect:
                await self._attaching.attach(owed, effect)
            case Remind() as effect:
                await self._remind(owed, effect)
            case Summon() as effect:
                await self._summon(owed, effect)
            case TellAbsence() as effect:
                await self._tell_absence(owed, effect)
            case TellInquiry() as effect:
                await self._tell_inquiry(owed, effect)
            case TellDelegation() as effect:
                await self._tell_delegation(owed, effect)
            case TellServed() as effect:
                await self._tell_served(owed, effect)
            case TellOfGrant() as effect:
                await self._tell_of_grant(owed, effect)
            case TellOfCoolOff() as effect:
                await self._tell_of_cool_off(owed, effect)
            case PostDigest() as effect if self._post_digest is not None:
                await self._post_digest(owed, effect)
            case PostDigest():
                raise Rejected("nobody here sends digests")
            case Post() as effect:
                await self._post_run(owed, effect)
            case Unreadable(kind=kind):
                raise Rejected(f"what stands in the outbox can't be read ({kind})")

    async def went_another_way(self, owed: Owed) -> bool:
        """Where a card's channel can't be reached, the people themselves are told; False where nobody can be."""
        effect = owed.effect
        if not isinstance(effect, PostCard) or _is_person(effect.to):
            return False
        request = await self._store.request(effect.request_id)
        groups = [group for group in request.reviewers if group.channel == effect.to] if request else []
        ids = [user for group in groups for user in await self._carrier.ids_of(group)]
        if request is None or not ids:
            return False
        await self._store.done((owed.id,), then=await self._cards(request, ids))
        return True

    # ---- cards

    async def _announce(self, owed: Owed, effect: Announce) -> None:
        request = await self._store.request(effect.request_id)
        if request is None or request.settled or (request.checkpoint.kind is Kind.INBOX and not request.asking):
            await self._store.done((owed.id,))
            return
        groups = request.checkpoint.groups
        places = [to for group in groups for to in await self._places(group)]
        owner = request.requester.owner
        if request.asking and owner is not None and _is_person(owner):
            places.append(owner)  # whom the agent works for knows best what was meant
        if not places:
            log.error(
                "nobody can be told of a request", request=request.id, reviewers=request.checkpoint.reviewers.name
            )
        await self._store.done((owed.id,), then=await self._cards(request, places))

    async def _places(self, group: Reviewers) -> tuple[str, ...]:
        """Where a group looks: its channel, or its people's direct messages."""
        return (group.channel,) if group.channel else await self._carrier.ids_of(group)

    async def _cards(self, request: Request, places: tuple[str, ...] | list[str]) -> tuple[Effect, ...]:
        """A card for each place that has none yet."""
        known = {copy.to for copy in await self._store.copies(request.id)}
        account = account_of(request.requester)
        new = (to for to in dict.fromkeys(places) if to not in known)
        return tuple(PostCard(request_id=request.id, to=to, account=account) for to in new)

    async def _post_cards(self, to: str, several: tuple[Owed, ...]) -> None:
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
        posted = await self._post(to, shown)
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

    async def _post(self, to: str, shown: Mapping[int, Request]) -> Posted:
        await self._store.begin(shown, self._clock())
        ((owed_id, request), *others) = shown.items()
        if others:
            return await self._paced(to, self._carrier.post_batch(shown, to))
        return await self._paced(to, self._carrier.post_card(request, to, owed_id))

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
            private=_is_person(to),
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

    async def _refresh(self, owed: Owed, effect: Refresh) -> None:
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
            await self._paced(None, self._carrier.refresh(requests, copy))
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

    # ---- notes in the cards' threads

    async def _remind(self, owed: Owed, effect: Remind) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None and not request.settled:
            await self._note(owed, request, lambda copy: self._carrier.remind(request, copy))
        await self._done(owed)

    async def _summon(self, owed: Owed, effect: Summon) -> None:
        request = await self._store.request(effect.request_id)
        group = next((each for each in request.reviewers if each.name == effect.group), None) if request else None
        if request is None or request.settled or group is None:
            await self._done(owed)
            return
        if request.delivered_at is not None or not request.stand_ins:  # else each new card's thread is told anyway
            await self._note(owed, request, lambda copy: self._carrier.summon(request, copy, group), where=_in_public)
        told = replace(group, members=()) if group.channel in group.members else group
        places = (*await self._carrier.ids_of(told), *filter(None, (group.channel,)))
        await self._done(owed, then=await self._cards(request, places))

    async def _tell_of_grant(self, owed: Owed, effect: TellOfGrant) -> None:
        origin = await self._store.request(effect.request_id)
        grant = await self._store.grant(effect.grant_id)
        used_by = await self._store.request(effect.used_by) if effect.used_by else None
        if origin is not None and grant is not None:
            told = GrantNews(effect=effect, grant=grant, used_by=used_by)
            await self._note(owed, origin, lambda copy: self._carrier.tell_of_grant(told, copy))
        await self._done(owed)

    async def _tell_of_cool_off(self, owed: Owed, effect: TellOfCoolOff) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None:
            tell = partial(self._carrier.tell_of_cool_off, request, effect)
            await self._note(owed, request, lambda copy: tell(copy.channel, copy.ts))
            if not await self._store.copies(request.id):  # no card: whoever did it is told directly
                await self._pace.turn(effect.by, Urgency.NEW)
                await self._paced(effect.by, tell(effect.by, None))
        await self._done(owed)

    async def _tell_inquiry(self, owed: Owed, effect: TellInquiry) -> None:
        request = await self._store.request(effect.request_id)
        known = {inquiry.id: inquiry for inquiry in request.inquiries} if request is not None else {}
        inquiry = known.get(effect.inquiry_id)
        if request is not None and inquiry is not None:
            said = inquiry if effect.answered else replace(inquiry, answer=None)
            tell = partial(self._carrier.tell_inquiry, request, said)
            await self._note(owed, request, lambda copy: tell(copy.channel, copy.ts))
            if effect.answered and not await self._store.copies(request.id):  # no card: whoever asked is told directly
                await self._pace.turn(inquiry.by, Urgency.NEW)
                await self._paced(inquiry.by, tell(inquiry.by, None))
        await self._done(owed)

    async def _tell_delegation(self, owed: Owed, effect: TellDelegation) -> None:
        request = await self._store.request(effect.request_id)
        if request is None or request.settled or effect.number >= len(request.delegations):
            await self._done(owed)
            return
        one = request.delegations[effect.number]
        tell = partial(self._carrier.tell_delegation, request, one)
        await self._note(owed, request, tell, where=lambda copy: _in_public(copy) or copy.to == one.to)
        await self._done(owed, then=await self._cards(request, [one.to]))

    async def _note(
        self,
        owed: Owed,
        request: Request,
        note: Callable[[Copy], Awaitable[None]],
        *,
        where: Callable[[Copy], bool] = lambda copy: True,
    ) -> None:
        """Say something in each copy's thread. A thread that is gone holds up neither the others nor what follows."""
        noted = self._noted.setdefault(owed.id, set())
        for copy in await self._store.copies(request.id):
            if copy.ts in noted or not where(copy):
                continue
            await self._pace.turn(copy.to, Urgency.FIRST)
            try:
                await self._paced(copy.to, note(copy))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning("a thread can't be written to", request=request.id, channel=copy.channel, why=str(rejected))
            noted.add(copy.ts)

    async def _tell_absence(self, owed: Owed, effect: TellAbsence) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None and not request.settled and request.stand_ins:
            await self._pace.turn(effect.channel, Urgency.NEW)
            try:
                await self._paced(effect.channel, self._carrier.tell_absence(request, effect.channel, effect.ts))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning(
                    "a thread can't be written to", request=request.id, channel=effect.channel, why=str(rejected)
                )
        await self._done(owed)

    async def _tell_served(self, owed: Owed, effect: TellServed) -> None:
        request = await self._store.request(effect.request_id)
        if request is not None and request.excluded:
            await self._pace.turn(request.excluded[0], Urgency.NEW)
            await self._paced(request.excluded[0], self._carrier.tell_served(request))
        await self._done(owed)

    async def _done(self, owed: Owed, then: tuple[Effect, ...] = ()) -> None:
        await self._store.done((owed.id,), then=then)
        self._noted.pop(owed.id, None)

    # ---- the agent's messages

    async def _post_run(self, owed: Owed, effect: Post) -> None:
        run = await self._store.run(effect.run_id)
        if run is None:
            await self._store.done((owed.id,))
            return
        known = await self._store.run_message(run.id, effect.key)
        posted = await self._found_of_run(owed, run) if known is None else None
        if posted is None:
            await self._pace.turn(None if known else run.channel, Urgency.NEW)
            posted = await self._update_or_post(owed, effect, run, known)
        if posted is None:
            await self._store.change_run(run.id, lambda lost: (replace(lost, channel=lost.owner, thread_ts=None), ()))
            await self._post_run(owed, effect)
            return
        opens = run.thread_ts is None and known is None
        if opens and posted.channel != run.channel:
            await self._store.change_run(run.id, lambda opened: (replace(opened, channel=posted.channel), ()))
        await self._store.run_posted(owed.id, run.id, effect.key, posted.channel, posted.ts, opens_thread=opens)

    async def _found_of_run(self, owed: Owed, run: AgentRun) -> Posted | None:
        """The message that an uncertain attempt posted, where the channel's history may be read."""
        if owed.started_at is None:
            return None
        since = owed.started_at - CLOCKS_DIFFER
        found = await self._carrier.find_posted((owed.id,), run.channel, since, thread_ts=run.thread_ts)
        return found.get(owed.id)

    async def _update_or_post(
        self, owed: Owed, effect: Post, run: AgentRun, known: tuple[str, str] | None
    ) -> Posted | None:
        """Where the message stands now; None where its place is lost and its starter can still be told directly."""
        if known is not None:
            try:
                there = replace(run, channel=known[0])
                return await self._paced(None, self._carrier.post_run(effect, there, known[1], owed.id))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning("a run's message can't be updated", run=run.id, error=rejected.error)
        here = replace(effect, channel=run.channel, thread_ts=run.thread_ts)
        await self._store.begin((owed.id,), self._clock())
        try:
            return await self._paced(run.channel, self._carrier.post_run(here, run, None, owed.id))
        except Rejected as rejected:
            if rejected.error not in UNREACHABLE or _is_person(run.channel):
                raise
            log.warning("a run goes on in direct messages", run=run.id, error=rejected.error)
            return None

    # ---- Slack's pace

    async def _paced(self, to: str | None, call: Awaitable[T]) -> T:
        try:
            return await call
        except Paced as paced:
            self._pace.hold(to, paced.retry_after)
            raise


def _request_id(owed: Owed) -> str:
    return owed.effect.request_id if isinstance(owed.effect, PostCard) else ""


def _in_public(copy: Copy) -> bool:
    return not copy.private


def _is_person(to: str) -> bool:
    return to.startswith(("U", "W"))


def _looks(request: Request) -> Request:
    """All of a request that a card shows."""
    return replace(request, version=0, visible_version=0, delivered_at=None)


def _urgency(request: Request) -> Urgency:
    """Cards that answer somebody's click go first."""
    ends = [each.at for each in (request.decision, request.execution) if each is not None]
    clicked = bool(request.reviews) and all(request.reviews[-1].at >= at for at in ends)
    return Urgency.FIRST if clicked else Urgency.LATER
