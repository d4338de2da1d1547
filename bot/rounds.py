"""How each kind of effect is carried out. Whoever calls decides what becomes of one that fails.

An effect is marked as begun before an uncertain post, so that after a crash somebody looks before it is posted again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.attaching import Attaching
from bot.batches import LEAST
from bot.cards import Cards
from bot.carrier import Carrier, Rejected
from bot.notes import Notes
from bot.pacing import Pace
from bot.run_messages import RunMessages
from policies.effects import (
    Announce,
    Attach,
    AttachAgain,
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
from storage.store import Owed, Store, Unreadable

DigestRound = Callable[[Owed, PostDigest], Awaitable[None]]


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
        self._cards = Cards(store, carrier, clock, pace, least)
        self._notes = Notes(store, carrier, pace, self._cards)
        self._runs = RunMessages(store, carrier, clock, pace)
        self._attaching = Attaching(store, carrier, clock, pace)
        self._post_digest = post_digest

    async def companions(self, owed: Owed, waiting: Iterable[Owed]) -> tuple[Owed, ...]:
        """Wait for the turn of a new card; which of those ``waiting`` for the same place go out with it."""
        return await self._cards.companions(owed, waiting)

    def part(self, owed: Iterable[Owed]) -> None:
        """Slack refused these in one message: each goes alone."""
        self._cards.part(owed)

    async def went_another_way(self, owed: Owed) -> bool:
        """Where a card's channel can't be reached, the people themselves are told; False where nobody can be."""
        return await self._cards.went_another_way(owed)

    async def carry(self, owed: Owed, together: tuple[Owed, ...] = ()) -> None:
        """Carry out one effect, with its companions, and strike it off. For a card, ``companions`` comes first.

        Raises ``CarryError`` or ``SignoffError``: then it is still owed.
        """
        match owed.effect:
            case Announce() as effect:
                await self._cards.announce(owed, effect)
            case PostCard() as effect:
                await self._cards.post(effect.to, (owed, *together))
            case Refresh() as effect:
                await self._cards.refresh(owed, effect)
            case AttachAgain() as effect:
                await self._attaching.again(owed, effect)
            case Attach() as effect:
                await self._attaching.attach(owed, effect)
            case Remind() as effect:
                await self._notes.remind(owed, effect)
            case Summon() as effect:
                await self._notes.summon(owed, effect)
            case TellAbsence() as effect:
                await self._notes.tell_absence(owed, effect)
            case TellInquiry() as effect:
                await self._notes.tell_inquiry(owed, effect)
            case TellDelegation() as effect:
                await self._notes.tell_delegation(owed, effect)
            case TellServed() as effect:
                await self._notes.tell_served(owed, effect)
            case TellOfGrant() as effect:
                await self._notes.tell_of_grant(owed, effect)
            case TellOfCoolOff() as effect:
                await self._notes.tell_of_cool_off(owed, effect)
            case PostDigest() as effect if self._post_digest is not None:
                await self._post_digest(owed, effect)
            case PostDigest():
                raise Rejected("nobody here sends digests")
            case Post() as effect:
                await self._runs.post(owed, effect)
            case Unreadable(kind=kind):
                raise Rejected(f"what stands in the outbox can't be read ({kind})")
