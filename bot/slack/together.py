"""Approving several calls of one rule in one go, from a message that shows them: the form, and what sending it does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.slack import answers, ids
from bot.slack.attention import Attention
from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.payloads import Click, Submitted
from bot.slack.views.batch import row_is_cut
from bot.slack.views.headline import headline
from bot.slack.views.modals import notice
from bot.slack.views.text import inert
from bot.slack.views.together import together_form
from policies.errors import Refused, SignoffError
from policies.gathering import Plan, identical, plan
from policies.people import Person
from policies.request import Request
from policies.review import Verdict

NOTHING = "Nothing here can be approved together by you just now."
UNREAD = "Nobody reads that fast: look once more, then approve it"


class Together:
    """Answers the buttons for several calls at once, and the form that they open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)

    async def open(self, click: Click) -> None:
        """Show what would be approved, and what stays and why; nothing is decided yet."""
        chosen = await self._desk.gateway.request(ids.target(click.value).request_id)
        copies = await self._desk.gateway.store.shown_in(click.channel or "", click.ts or "")
        shown = [await self._desk.gateway.request(copy.request_id) for copy in copies]
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

    async def submit(self, sent: Submitted) -> dict[str, Any]:
        """Decide each of what the form listed, as it stands by now; say which couldn't be, and why."""
        listed = sent.memo.together
        chosen = await self._desk.gateway.request(sent.memo.request_id)
        asked = [await self._desk.gateway.request(request_id) for request_id in listed]
        person = await self._desk.directory.person(sent.user_id)
        found = await self._plan(asked, chosen, person)
        refused = {request.id: why for request, why in found.stays}
        for request in found.approves:
            refused |= await self._unread(request, listed[request.id], person)
        told = await asyncio.gather(*(self._decide(each, listed[each.id], person, refused) for each in asked))
        failed = [words for words in told if words]
        if not failed:
            return {"response_action": "clear"}
        number = f"{len(told) - len(failed)} of {len(told)} were approved"
        said = "\n".join([f"{number}. These were not:", *(f"• {words}" for words in failed)])
        return {"response_action": "update", "view": notice("Not all were approved", said)}

    async def _unread(self, request: Request, revision: int, person: Person) -> dict[str, str]:
        """Why it stays, where nobody could have read it in the time this person had; said once, as for one call."""
        asking = await self._attention.haste(request, person, Memo(r=request.id, v=revision))
        return {} if asking is None else {request.id: f"{self._attention.told(request, asking)} {UNREAD}"}

    async def _decide(self, request: Request, revision: int, person: Person, refused: dict[str, str]) -> str:
        """Approve one; empty, or in mrkdwn why not."""
        look = self._desk.looks.at_once((request,))
        name = inert(headline(request, look))
        if request.id in refused and request.revision == revision:
            return f"*{name}*: {inert(refused[request.id])}"
        try:
            await self._desk.gateway.review(request.id, person, Verdict.APPROVE, revision)
        except SignoffError as error:
            return f"*{name}*: {answers.sentence(error, look, await self._desk.gateway.request(request.id))}"
        return ""

    async def _plan(self, shown: Sequence[Request], chosen: Request, person: Person) -> Plan:
        """Sort out which of them this person may approve beside ``chosen``; their rows are drawn off the loop."""
        look = self._desk.looks.at_once()
        cut = await asyncio.to_thread(lambda: {request.id for request in shown if row_is_cut(request, look)})

        def saw(request: Request) -> bool:
            return request.id not in cut or self._desk.peeks.seen(person.id, request)

        return plan(shown, chosen, person, saw)
