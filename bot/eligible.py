"""Asks Slack, when a request is opened, whether there is anybody who can approve it.

Only as many people are looked up as it takes to know that there are enough. Where Slack can't be asked, or would have
to be asked for too long, the request is opened as usual: that approves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Protocol

from bot.logs import get_logger
from policies.errors import NotAllowed, Unavailable
from policies.events import Outcome
from policies.people import Person, Reviewers
from policies.request import Request
from policies.satisfiable import can_fill, lets_go, may_be_answered, nobody_to_answer, refuse
from policies.standing_in import admit_those_here, asked_in_turn, with_deputies

log = get_logger("signoff.gateway")

SECONDS = 2.5
"""How long opening a request may wait for Slack's answers."""
MOST_ASKED = 60
"""How many people are looked up for one request; among more, nobody is missed for good."""


class People(Protocol):
    """Who knows people: Slack's directory. Both raise ``Unavailable``; ``person`` raises ``NotAllowed`` for unknown."""

    async def person(self, user_id: str) -> Person:
        """The person behind an id."""

    async def ids_of(self, group: Reviewers) -> tuple[str, ...]:
        """The user ids of a group's people."""


async def with_people(opened: Outcome, people: People, now: datetime) -> Outcome:
    """``opened`` once it is known whether anybody can approve it: as it is, with seniors called, or refused.

    Where silence proceeds nobody has to approve, and whom the call serves can stop it: that is left as it is, but
    deputies are asked to look where the policy names some and nobody else is here. A question needs somebody who could
    answer it.
    """
    if opened.request.settled:
        return opened
    try:
        async with asyncio.timeout(SECONDS):
            opened = replace(opened, request=await _with_names(opened.request, people))
            if opened.request.asking and lets_go(opened.request):
                return await _answerable(opened, people, now)
            if opened.request.waits_for_delivery and not opened.request.asking:
                return await _with_deputies(opened, people, now)
            return await _admitted(opened, people, now)
    except (Unavailable, TimeoutError):
        log.warning("Slack can't say who may decide a request; it is opened as usual", request=opened.request.id)
        return opened


async def _with_names(request: Request, people: People) -> Request:
    """The request with the ids and addresses under which Slack knows those who are excluded from approving it.

    Each is looked up apart: what an agent says of whom it acts for must not spoil what is known of the key's owner.
    """
    found = await asyncio.gather(*(_names_of(who, people) for who in request.excluded))
    names = dict.fromkeys(name for some in found for name in some if name not in request.excluded)
    return replace(request, known_as=tuple(names))


async def _names_of(who: str, people: People) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(SECONDS / 2):
            known = await _look_up(await people.ids_of(Reviewers(name="excluded", users=(who,))), people)
    except (Unavailable, TimeoutError):
        return ()
    return tuple(name for person in known for name in (person.id, person.email) if name)


async def _with_deputies(opened: Outcome, people: People, now: datetime) -> Outcome:
    if all(group.deputy is None for group in opened.request.reviewers):
        return opened
    found = await _who_may(opened.request, people)
    return opened if found is None else with_deputies(opened, found, now)


async def _admitted(opened: Outcome, people: People, now: datetime) -> Outcome:
    found = await _who_may(opened.request, people)
    return opened if found is None else admit_those_here(opened, found, now)


async def who_may(request: Request, people: People, *, seconds: float) -> tuple[Person, ...] | None:
    """Those who may come to approve the request, as many as it takes; None where that isn't known within ``seconds``.

    None also where silence lets the call go, so that nobody has to.
    """
    if request.settled or request.waits_for_delivery:
        return None
    try:
        async with asyncio.timeout(seconds):
            return await _who_may(request, people)
    except (Unavailable, TimeoutError):
        log.warning("Slack can't say who may decide a request; it goes on as usual", request=request.id)
        return None


async def _who_may(request: Request, people: People) -> tuple[Person, ...] | None:
    """Enough people who are here to fill the quorum, or all who may come to; None where they are too many to ask."""
    found: list[Person] = []
    async for some in _candidates(request, people):
        found += some
        if can_fill(request, [person for person in found if person.away is None]):
            break
        if len(found) >= MOST_ASKED:
            return None
    return tuple(found)


async def _answerable(opened: Outcome, people: People, now: datetime) -> Outcome:
    served = Reviewers(name="served", users=opened.request.excluded)
    if may_be_answered(opened.request, await _look_up((await people.ids_of(served))[:MOST_ASKED], people)):
        return opened
    async for some in _candidates(opened.request, people):
        if may_be_answered(opened.request, some):
            return opened
    return refuse(opened, nobody_to_answer(), now)


async def _candidates(request: Request, people: People) -> AsyncIterator[tuple[Person, ...]]:
    """Those who may come to decide, a few at a time: the groups that decide now first, each group in its turn."""
    asked: set[str] = set()
    for groups in asked_in_turn(request):
        members = [await people.ids_of(group) for group in groups]
        ids = [one for one in _in_turn(members) if one not in asked]
        asked.update(ids)
        few = request.checkpoint.quorum + 1
        for start in range(0, len(ids), few):
            yield await _look_up(ids[start : start + few], people)


def _in_turn(members: Sequence[Sequence[str]]) -> list[str]:
    rounds = zip_longest(*members)
    return list(dict.fromkeys(one for some in rounds for one in some if one is not None))


async def _look_up(ids: Sequence[str], people: People) -> tuple[Person, ...]:
    found = await asyncio.gather(*(_known(user_id, people) for user_id in ids))
    return tuple(person for person in found if person is not None)


async def _known(user_id: str, people: People) -> Person | None:
    try:
        return await people.person(user_id)
    except NotAllowed:
        return None
