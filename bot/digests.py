"""Sends each reviewer one digest in the morning, and keeps it true for the rest of that day.

When the next one is due is a column, worked out once from the reader's time zone: nobody is looked at before. What a
digest lists is stored with the versions it shows, so that after an outage or a kill one question finds those that are
behind. Slack is asked about people a few at a time: five hundred reviewers are no hurry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol, TypeVar

from bot.carrier import CLOCKS_DIFFER, CarryError, Posted, Rejected, raise_if_curable
from bot.eligible import People
from bot.gateway import Gateway
from bot.inboxes import Everything
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.digest import DAY, Page, Part, Rhythm, midnight_after, page, zone_of
from policies.effects import PostDigest
from policies.errors import NotAllowed, SignoffError, Unavailable
from policies.inbox import NUMBERS_REACH, numbers_of
from policies.people import Person, Reviewers
from storage.store import DigestCopy, Line, Owed, Reader

log = get_logger("signoff.digests")

FIRST = 20.0
"""Seconds after the start before readers are looked at: a start has more urgent things to do."""
ROLL = timedelta(hours=1)
"""How often it is looked who the reviewers are."""
EACH = 30.0
"""Seconds between two looks at what is due, and between two updates of one digest."""
AT_ONCE, PAUSE = 20, 20.0
"""So many people are looked up at once, then as many seconds nobody: Slack's tier 4 leaves room for clicks."""
MOST_READERS = 1_000
"""Readers whose digests are due that one look takes in."""
SEEN_FOR = timedelta(seconds=5)
"""For how long one look at everything serves several readers."""
FAILURES = 3
"""Readers in a row for whom Slack doesn't answer; then the others wait for the next look."""

Sleep = Callable[[float], Awaitable[None]]
T = TypeVar("T")


class Postman(Protocol):
    """What digests ask of whoever speaks to Slack. Each verb raises a ``CarryError`` where it fails."""

    async def post_digest(self, shown: Page, to: str, owed_id: int) -> Posted:
        """Post a digest as a direct message."""

    async def refresh_digest(self, shown: Page, copy: DigestCopy) -> None:
        """Bring a digest up to date."""

    async def find_posted(self, owed_ids: Collection[int], to: str, since: datetime) -> Mapping[int, Posted]:
        """What uncertain earlier attempts posted, where the history can be read."""


class Digests:
    """``clock`` gives UTC, ``people`` is the directory, ``pace`` the courier's own: both speak to one Slack."""

    def __init__(
        self,
        gateway: Gateway,
        people: People,
        postman: Postman,
        clock: Callable[[], datetime],
        pace: Pace,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._gateway = gateway
        self._store = gateway.store
        self._people = people
        self._postman = postman
        self._clock = clock
        self._pace = pace
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._called: tuple[datetime, str] | None = None
        self._seen: tuple[datetime, Everything] | None = None

    async def run(self) -> None:
        """Send and keep true for as long as the gateway runs."""
        async with asyncio.TaskGroup() as hands:
            hands.create_task(self._again(self.send, FIRST))
            hands.create_task(self._again(self.refresh, 0.0))

    async def _again(self, act: Callable[[], Awaitable[None]], first: float) -> None:
        await self._sleep(first)
        while True:
            try:
                await act()
            except (SignoffError, CarryError) as error:
                log.warning("digests wait", why=str(error)[:200])
            except Exception:
                log.exception("a look at the digests fell over")
            await self._sleep(await self._until_next() if act == self.send else EACH)

    async def _until_next(self) -> float:
        """Seconds until something is due, ``EACH`` at most: the clock may be set meanwhile."""
        try:
            due = await self._store.next_digest()
        except SignoffError:
            return EACH
        seconds = (due - self._clock()).total_seconds() if due and self._gateway.shelf.current.mornings else EACH
        return min(max(seconds, 1.0), EACH)

    # ---- who reads, and when

    async def send(self) -> None:
        """Look at everybody whose digest is due, and send it where there is something to say."""
        rhythm = self._gateway.shelf.current.mornings
        if rhythm is None:
            return
        async with self._turn:
            await self._call_the_roll(rhythm)
            due = await self._store.digests_due(self._clock(), limit=MOST_READERS)
            await self._each(due, lambda reader: self._look_at(reader, rhythm))

    async def _call_the_roll(self, rhythm: Rhythm) -> None:
        """Who the policy's reviewers are now: newcomers are looked at, those who left are not any more."""
        now, policy = self._clock(), self._gateway.shelf.current
        if self._called is not None and self._called[1] == policy.digest and now < self._called[0] + ROLL:
            return
        asked = [await self._ids_of(group) for group in policy.reviewers.values()]
        ids = {user_id for some in asked for user_id in some or ()}
        known = {reader.id: reader for reader in await self._store.readers()}
        planned = [_planned(known.get(user_id, Reader(id=user_id)), rhythm, now) for user_id in sorted(ids)]
        if None not in asked:
            planned += [replace(reader, next_at=None) for reader in known.values() if reader.id not in ids]
        await self._store.plan_digests([reader for reader in planned if reader != known.get(reader.id)])
        self._called = (now, policy.digest)

    async def _ids_of(self, group: Reviewers) -> tuple[str, ...] | None:
        """The user ids of a group; None where Slack can't say, so that nobody is struck off."""
        try:
            return await self._people.ids_of(group)
        except Unavailable:
            return None

    async def _look_at(self, reader: Reader, rhythm: Rhythm) -> None:
        """Owe this reader's digest if it is due where they are now, and note when the next one is.

        Raises ``Unavailable`` where Slack can't say where they are: then it stays due.
        """
        person = await self._person(reader.id)
        now, name = self._clock(), (person.zone if person else None) or reader.zone or "UTC"
        zone = zone_of(name)
        day, due = rhythm.next(zone, reader.day if reader.zone else None, now)
        if due > now:
            before = reader.day if reader.zone else day - DAY
            await self._store.plan_digest(replace(reader, zone=name, day=before, next_at=due))
            return
        owed = PostDigest(
            reader=reader.id,
            day=day,
            since=rhythm.before(day, zone),
            until=rhythm.over(day, zone),
            midnight=midnight_after(day, zone),
        )
        told = person is not None and await self._page(person, owed.since) is not None
        after = replace(reader, zone=name, day=day, next_at=rhythm.next(zone, day, now)[1])
        await self._store.plan_digest(after, *((owed,) if told else ()))

    async def _person(self, user_id: str) -> Person | None:
        """The person; None where Slack knows nobody of that id. Raises ``Unavailable``."""
        try:
            return await self._people.person(user_id)
        except NotAllowed:
            return None

    async def _page(self, person: Person, since: datetime) -> Page | None:
        """What there is to say to a person whom the policy names and who isn't away."""
        named = any(group.include(person) for group in self._gateway.shelf.current.reviewers.values())
        if person.away is not None or not named:
            return None
        inbox = await self._gateway.inboxes.of(person, await self._look_around())
        return page(person, inbox, await self._store.expired(since))

    async def _look_around(self) -> Everything:
        now = self._clock()
        if self._seen is None or not timedelta(0) <= now - self._seen[0] < SEEN_FOR:
            self._seen = (now, await self._gateway.inboxes.look())
        return self._seen[1]

    # ---- the message

    async def post(self, owed: Owed, effect: PostDigest) -> None:
        """Carry out the effect: post what there is to say by now, or nothing where there is nothing, or it is too late.

        Raises ``CarryError`` or ``SignoffError``: then it is still owed.
        """
        posted = None
        if owed.started_at is not None:
            since = owed.started_at - CLOCKS_DIFFER
            posted = (await self._postman.find_posted((owed.id,), effect.reader, since)).get(owed.id)
        posted = posted or await self._posted(owed, effect)
        if posted is None:
            await self._store.done((owed.id,))
            return
        copy = DigestCopy(reader=effect.reader, channel=posted.channel, ts=posted.ts)
        await self._store.digest_posted(owed.id, copy, effect.midnight)

    async def _posted(self, owed: Owed, effect: PostDigest) -> Posted | None:
        await self._pace.turn(effect.reader, Urgency.LATER)
        person = await self._person(effect.reader)
        told = await self._page(person, effect.since) if person else None
        if told is None or self._clock() >= effect.until:
            return None
        await self._store.begin_digest(owed.id, effect.reader, told, self._clock())
        try:
            return await self._pace.keep(effect.reader, self._postman.post_digest(told, effect.reader, owed.id))
        except Rejected as rejected:
            raise_if_curable(rejected)
            log.warning("a digest can't be sent", reader=effect.reader, error=rejected.error)
            return None  # nobody's decision hangs on it, and tomorrow there is another

    async def refresh(self) -> None:
        """Bring every digest of today up to date in which something changed."""
        await self._each(await self._store.stale_digests(self._clock()), self._refresh)

    async def _refresh(self, copy: DigestCopy) -> None:
        lines = await self._store.digest_lines(copy.reader)
        if any(line.request.visible_version > line.shown_version for line in lines):
            await self._pace.turn(None, Urgency.LATER)
            lines = await self._store.digest_lines(copy.reader)
            try:
                await self._pace.keep(None, self._postman.refresh_digest(await self._drawn(copy.reader, lines), copy))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning("a digest can't be brought up to date", reader=copy.reader, error=rejected.error)
                await self._store.forget_digest(copy.reader)
                return
        await self._store.digest_shown(copy.reader, {line.request.id: line.request.version for line in lines})

    async def _drawn(self, reader: str, lines: Sequence[Line]) -> Page:
        """The digest as it stands by now: the lines of the morning, each with what became of it."""
        parts = []
        for (name, more), some in groupby(lines, key=lambda line: (line.part, line.more)):
            parts.append(Part(name=name, requests=tuple(line.request for line in some), more=more))
        numbers = numbers_of(await self._store.tallies(reader, self._clock() - NUMBERS_REACH))
        return Page(parts=tuple(parts), numbers=numbers)

    # ---- small steps

    async def _each(self, several: Iterable[T], act: Callable[[T], Awaitable[None]]) -> None:
        """``act`` on each, a few at a time. One that fails holds up no other, but several in a row are an outage."""
        failures = 0
        for number, one in enumerate(several, start=1):
            try:
                await act(one)
                failures = 0
            except (SignoffError, CarryError) as error:
                failures += 1
                if failures == FAILURES:
                    raise
                log.warning("a digest waits", why=str(error)[:200])
            if number % AT_ONCE == 0:
                await self._sleep(PAUSE)


def _planned(reader: Reader, rhythm: Rhythm, now: datetime) -> Reader:
    """When a reader is to be looked at next: at once where nobody knows yet where they live."""
    if reader.muted:
        return replace(reader, next_at=None)
    if reader.zone is None:
        return replace(reader, next_at=reader.next_at or now)
    return replace(reader, next_at=rhythm.next(zone_of(reader.zone), reader.day, now)[1])
