"""The shortcut in a message's menu: on a card, or on a note in a card's thread, it opens the whole call."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, payloads
from bot.slack.attention import Attention
from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.payloads import Shortcut
from bot.slack.views.blocks import Block
from bot.slack.views.modals import notice, view_form
from policies.errors import NotAllowed, NotFound, Refused, SignoffError
from policies.request import Request

log = get_logger("signoff.slack")

NO_CARD = (
    "This message is no card of Signoff's, so there is no call to open. Choose *Open in Signoff* on a card, "
    "or type */approvals* to see what waits for you."
)
SEVERAL = "This message shows several calls. Press Open in the row of the one that you want to see."


class Pointing:
    """Answers the shortcut; Bolt calls ``open``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)

    async def open(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Open the whole call for whom it concerns, before the trigger expires; everybody else is told why not."""
        await ack()
        shortcut: Shortcut | None = None
        try:
            shortcut = payloads.shortcut(body)
            form, request = await self._form(shortcut)
            await self._desk.open(shortcut.trigger_id, form, shortcut.user_id)
            if request is not None:
                self._attention.opened(request, shortcut.user_id)
        except SignoffError as error:
            log.warning("a shortcut could not be answered", why=error.words)
        except Exception:
            log.exception("a shortcut failed")

    async def _form(self, shortcut: Shortcut) -> tuple[Block, Request | None]:
        """What is opened, and the request that it shows the whole of, if any."""
        try:
            request = await self._request(shortcut)
        except SignoffError as error:
            return notice("Nothing was opened", answers.sentence(error, self._desk.looks.at_once())), None
        if request is None:
            return notice("Nothing to open", NO_CARD), None
        memo = Memo(r=request.id, v=request.revision, c=shortcut.channel, t=shortcut.thread_ts or shortcut.ts)
        return await asyncio.to_thread(view_form, request, self._desk.looks.at_once((request,)), memo), request

    async def _request(self, shortcut: Shortcut) -> Request | None:
        store = self._desk.gateway.store
        found = await store.shown_in(shortcut.channel, shortcut.ts)
        if not found and shortcut.thread_ts is not None:
            found = await store.shown_in(shortcut.channel, shortcut.thread_ts)
        if not found:
            return None
        if len(found) > 1:
            raise Refused(SEVERAL)
        person = await self._desk.directory.person(shortcut.user_id)
        try:
            return await self._desk.gateway.visible(found[0].request_id, person)
        except NotFound:
            raise NotAllowed(answers.NOT_YOURS) from None
