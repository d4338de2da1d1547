"""Looks whether somebody can have read what they approve, and notes what they open. It decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.views.batch import row_is_cut
from bot.slack.views.blocks import Block
from bot.slack.views.card import Measured, measured
from bot.slack.views.haste import length, too_fast
from bot.slack.views.modals import view_form
from policies.attention import AT_A_GLANCE, Haste, asks_back, asks_back_together, time_had
from policies.authority import check_may_approve
from policies.gathering import alike
from policies.inbox import admits
from policies.people import Person
from policies.request import Request

READ_FIRST = "Nobody reads that fast, so nothing is approved yet: read it, then send this again."
MILLISECOND = timedelta(milliseconds=1)


class Attention:
    """What buttons and forms do about people's attention, before a decision and beside it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def opened(self, request: Request, user_id: str) -> None:
        """Note that somebody has the whole of the standing revision before them. Nobody waits for it."""
        now = self._desk.gateway.clock()
        note = self._desk.gateway.store.note_opened(request.id, request.revision, user_id, now)
        self._desk.afterwards.start(note)

    async def haste(self, request: Request, person: Person, memo: Memo, told: Measured | None = None) -> Memo | None:
        """The memo of a form that asks back before this approval counts; None where nobody is to be asked.

        Not where the gateway would refuse the approval anyway: it says why. ``told`` is what is measured already.
        """
        stands = memo.revision == request.revision and not request.settled and not request.asking
        if memo.had is not None or not stands or not admits(check_may_approve, request, person):
            return None
        found = await asyncio.to_thread(measured, request, self._desk.looks.at_once()) if told is None else told
        if found.characters <= AT_A_GLANCE:
            return None
        store, now = self._desk.gateway.store, self._desk.gateway.clock()
        sight = await store.sight(request.id, request.revision, person.id)
        had = time_had(request, person, sight, now, cut=found.cut)
        if not asks_back(found.characters, had, sight, now):
            return None
        self._desk.afterwards.start(store.note_asked_back(request.id, request.revision, person.id, now))
        return memo.model_copy(update={"had": had // MILLISECOND, "page": 0})

    async def haste_of(self, requests: Sequence[Request], person: Person) -> Haste | None:
        """What approving all of these in one go is asked back about; identical ones are read once."""
        several = [one[0] for one in alike(requests)]
        look = self._desk.looks.at_once()
        seen = await asyncio.to_thread(lambda: [(row_is_cut(one, look), length(one, look)) for one in several])
        store, now = self._desk.gateway.store, self._desk.gateway.clock()
        parts = []
        for request, (cut, characters) in zip(several, seen, strict=True):
            sight = await store.sight(request.id, request.revision, person.id)
            had = time_had(request, person, sight, now, cut=cut)
            parts.append((Haste(characters=characters, had=had), sight))
        haste = asks_back_together(parts, now)
        for request in requests if haste is not None else ():
            self._desk.afterwards.start(store.note_asked_back(request.id, request.revision, person.id, now))
        return haste

    async def form(self, request: Request, memo: Memo) -> Block:
        """The whole call, with the question above it where ``memo`` says so."""
        return await asyncio.to_thread(view_form, request, self._desk.looks.at_once((request,)), memo)

    def told(self, request: Request, memo: Memo) -> str:
        """Why somebody is asked back, as a sentence."""
        return too_fast(length(request, self._desk.looks.at_once()), timedelta(milliseconds=memo.had or 0))
