"""Approving several calls of one rule in one go, from a message that shows them: the form, and what sending it does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from bot.slack import answers, ids
from bot.slack.attention import MILLISECOND, READ_FIRST, Attention
from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.payloads import Click, Submitted
from bot.slack.views.batch import row_is_cut
from bot.slack.views.blocks import Block
from bot.slack.views.haste import too_fast
from bot.slack.views.headline import headline
from bot.slack.views.modals import notice, reject_form
from bot.slack.views.text import inert
from bot.slack.views.together import together_form
from policies.errors import Refused, SignoffError
from policies.gathering import Plan, identical, plan
from policies.people import Person
from policies.request import Request
from policies.review import Verdict

NOTHING = "Nothing here can be approved together by you just now."


class Together:
    """Answers the buttons for several calls at once, and the form that they open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)

    async def open(self, click: Click) -> None:
        """Show what would be approved, and what stays and why; nothing is decided yet."""
        chosen, shown = await self._shown(click)
        if click.action_id == ids.IDENTICAL:
            shown = [request for request in shown if identical(request, chosen)]
        person = await self._desk.directory.person(click.user_id)
        found = await self._plan(shown, chosen, person)
        if not found.approves:
            why = dict.fromkeys(why for _, why in found.stays)
            raise Refused(" ".join([NOTHING, *(f"{words[:1].upper()}{words[1:]}." for words in why)]))
        marks = {request.id: request.revision for request in found.approves}
        memo = Memo(r=chosen.id, v=chosen.revision, c=click.channel, t=click.ts, b=marks)
        await self._desk.show(click, together_form(found, chosen, self._desk.looks.at_once(shown), memo))

    async def open_refusal(self, click: Click) -> None:
        """Ask why the identical calls of a row are all rejected."""
        chosen, shown = await self._shown(click)
        marks = {each.id: each.revision for each in shown if identical(each, chosen) and not each.settled}
        if not marks:
            raise Refused("These calls are decided by now; nothing was changed.")
        memo = Memo(r=chosen.id, v=chosen.revision, c=click.channel, t=click.ts, b=marks)
        await self._desk.show(click, reject_form(chosen, self._desk.looks.at_once(shown), memo))

    async def refuse(self, sent: Submitted) -> dict[str, Any]:
        """Reject each of the calls that the form was about; say which couldn't be, and why."""
        person = await self._desk.directory.person(sent.user_id)
        review = partial(self._review, person=person, verdict=Verdict.REJECT, note=sent.text(ids.REASON))
        told = [await review(*each) for each in sent.memo.together.items()]
        return _told("rejected", told)

    async def _shown(self, click: Click) -> tuple[Request, list[Request]]:
        """The request that the button names, and all that its message shows."""
        chosen = await self._desk.gateway.request(ids.target(click.value).request_id)
        copies = await self._desk.gateway.store.shown_in(click.channel or "", click.ts or "")
        return chosen, [await self._desk.gateway.request(copy.request_id) for copy in copies]

    async def submit(self, sent: Submitted) -> dict[str, Any]:
        """Decide each of what the form listed, as it stands by now; say which couldn't be, and why."""
        listed = sent.memo.together
        chosen = await self._desk.gateway.request(sent.memo.request_id)
        asked = [await self._desk.gateway.request(request_id) for request_id in listed]
        person = await self._desk.directory.person(sent.user_id)
        found = await self._plan(asked, chosen, person)
        if sent.memo.had is None and (again := await self._asked_back(found, chosen, person, sent.memo)):
            return {"response_action": "update", "view": again}
        refused = {request.id: why for request, why in found.stays}
        told = await asyncio.gather(*(self._decide(each, listed[each.id], person, refused) for each in asked))
        return _told("approved", told)

    async def _asked_back(self, found: Plan, chosen: Request, person: Person, memo: Memo) -> Block | None:
        """The form once more for whoever sent it faster than one can read what it approves."""
        haste = await self._attention.haste_of(found.approves, person)
        if haste is None:
            return None
        remark = f"{too_fast(haste.characters, haste.had)} {READ_FIRST}"
        kept = memo.model_copy(update={"had": haste.had // MILLISECOND})
        return together_form(found, chosen, self._desk.looks.at_once(found.approves), kept, remark)

    async def _decide(self, request: Request, revision: int, person: Person, refused: dict[str, str]) -> str:
        """Approve one; empty, or in mrkdwn why not."""
        if request.id in refused and request.revision == revision:
            return f"*{inert(headline(request, self._desk.looks.at_once()))}*: {inert(refused[request.id])}"
        return await self._review(request.id, revision, person=person, verdict=Verdict.APPROVE)

    async def _review(
        self, request_id: str, revision: int, *, person: Person, verdict: Verdict, note: str | None = None
    ) -> str:
        """One verdict of this person; empty, or in mrkdwn why it doesn't count."""
        try:
            await self._desk.gateway.review(request_id, person, verdict, revision, note=note)
        except SignoffError as error:
            request = await self._desk.gateway.request(request_id)
            look = self._desk.looks.at_once((request,))
            return f"*{inert(headline(request, look))}*: {answers.sentence(error, look, request)}"
        return ""

    async def _plan(self, shown: Sequence[Request], chosen: Request, person: Person) -> Plan:
        """Sort out which of them this person may approve beside ``chosen``; their rows are drawn off the loop."""
        look = self._desk.looks.at_once()
        cut = await asyncio.to_thread(lambda: {request.id for request in shown if row_is_cut(request, look)})

        def saw(request: Request) -> bool:
            return request.id not in cut or self._desk.peeks.seen(person.id, request)

        return plan(shown, chosen, person, saw)


def _told(became: str, told: Sequence[str]) -> dict[str, Any]:
    """The answer to a form for several calls: closed, or what doesn't count and why."""
    failed = [words for words in told if words]
    if not failed:
        return {"response_action": "clear"}
    number = f"{len(told) - len(failed)} of {len(told)} were {became}"
    said = "\n".join([f"{number}. These were not:", *(f"• {words}" for words in failed)])
    return {"response_action": "update", "view": notice(f"Not all were {became}", said)}
