"""What each button does. A decision is committed before the click is acknowledged; a form is opened at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, ids, payloads
from bot.slack.at_home import AtHome
from bot.slack.attention import Attention
from bot.slack.desk import Desk, memo_of
from bot.slack.editing import Editing
from bot.slack.memo import Memo
from bot.slack.payloads import Click
from bot.slack.terms import terms_of
from bot.slack.together import Together
from bot.slack.views.batch import row_is_cut
from bot.slack.views.card import Measured, is_cut, measured
from bot.slack.views.delegate_form import delegate_form
from bot.slack.views.grant_form import grant_form, usual_terms
from bot.slack.views.inbox import inbox_form
from bot.slack.views.modals import answer_form, inquiry_form, is_last_page, object_form, reject_form, view_form
from policies.answering import refuse_while_open
from policies.authority import check_may_answer
from policies.checkpoint import Kind
from policies.errors import Invalid, NotAllowed, NotFound, Refused, SignoffError, Stale, Unavailable
from policies.granting import why_never
from policies.inquiring import check_room
from policies.request import Request
from policies.review import Verdict
from policies.reviewing import check_unseen
from policies.snoozing import next_morning

log = get_logger("signoff.slack")

_NUMBERED = re.compile(rf"^({re.escape(ids.ANSWER)}|{re.escape(ids.TOGETHER)})\.[0-9]$")


class Clicks:
    """Answers every button of Signoff's: Bolt calls ``click``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)
        editing = Editing(desk)
        self._editing = editing
        together = Together(desk)
        self._acts: Mapping[str, Callable[[Click], Awaitable[None]]] = {
            ids.APPROVE: self._approve,
            ids.MODIFY: self._modify,
            ids.REJECT: self._reject,
            ids.ANSWER: self._answer,
            ids.ANSWER_WORDS: self._answer_in_words,
            ids.STOP: self._stop,
            ids.VIEW: self._view,
            ids.ROW_APPROVE: self._approve,
            ids.ROW_STOP: self._stop,
            ids.ROW_VIEW: self._view,
            ids.IDENTICAL: together.open,
            ids.REJECT_IDENTICAL: together.open_refusal,
            ids.TOGETHER: together.open,
            ids.INBOX: self._inbox,
            ids.PREVIOUS: self._turn,
            ids.NEXT: self._turn,
            ids.RAN: self._attest,
            ids.DIDNT_RUN: self._attest,
            ids.SEEN: self._mark,
            ids.OBJECT: self._object,
            ids.STOP_RUN: self._stop_run,
            ids.SNOOZE_HOUR: self._snooze,
            ids.SNOOZE_MORNING: self._snooze,
            ids.WAKE: self._snooze,
            ids.INQUIRE: self._inquire,
            ids.DELEGATE: self._delegate,
            ids.GRANT: self._grant,
            ids.TERMS: self._terms,
            ids.REVOKE: self._revoke,
            ids.ADD: editing.add,
            ids.REMOVE: editing.remove,
            ids.CHOOSE: editing.choose,
            ids.AS_JSON: editing.as_json,
            **AtHome(desk).acts,
        }

    async def click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Do what the button says, then acknowledge; what went wrong is told to the person alone."""
        click: Click | None = None
        try:
            click = payloads.click(body)
            click = _resolved(click)
            await self._act(click)
            self._desk.afterwards.start(self._desk.adopt(click))
        except SignoffError as error:
            self._answer_later(click, error)
        except Exception as error:
            log.exception("a click failed", action=click.action_id if click else None)
            self._answer_later(click, error)
        await ack()

    def _answer_later(self, click: Click | None, error: Exception) -> None:
        if click is not None:
            self._desk.afterwards.start(self._desk.answer(click, error))

    async def _act(self, click: Click) -> None:
        act = self._acts.get(_NUMBERED.sub(r"\1", click.action_id))
        if act is None:
            raise Invalid("This button belongs to another version of Signoff. Open the request again from /approvals.")
        if click.response_url and click.channel and click.ts and not click.ephemeral:
            self._desk.response_urls.remember(click.channel, click.ts, click.response_url)
        await act(click)

    async def _standing(self, click: Click) -> Request:
        """The request that the button is about, if it still is at the revision that the button shows."""
        target = ids.target(click.value)
        request = await self._desk.gateway.request(target.request_id)
        if not request.settled and request.revision != target.revision:
            raise Stale(f"This is revision {request.revision} by now; look at it again before you decide.")
        return request

    async def _approve(self, click: Click) -> None:
        request = await self._standing(click)
        if request.checkpoint.kind is Kind.MANUAL and not request.settled:
            await self._view(click)
            return
        found = None if request.settled else await self._measured(click, request)
        person = await self._desk.directory.person(click.user_id)
        asking = await self._attention.haste(request, person, memo_of(click, request), found)
        if asking is not None:
            await self._ask_back(click, request, asking)
            return
        await self._desk.gateway.review(request.id, person, Verdict.APPROVE, ids.target(click.value).revision)
        self._desk.settled_somewhere(click.user_id, click.channel)

    async def _measured(self, click: Click, request: Request) -> Measured:
        """How long it is. Raises ``Refused`` where the button stands beside something that is cut."""
        look = self._desk.looks.at_once()
        found = await asyncio.to_thread(measured, request, look)
        if found.cut or (click.in_batch and await asyncio.to_thread(row_is_cut, request, look)):
            raise Refused(answers.ROW_CUT if click.in_batch else answers.CUT)
        return found

    async def _ask_back(self, click: Click, request: Request, memo: Memo) -> None:
        """Open the whole call before whoever approved it faster than one can read; in words where that fails."""
        try:
            await self._desk.show(click, await self._attention.form(request, memo))
        except Unavailable:
            raise Refused(f"{self._attention.told(request, memo)} {answers.READ_IT}") from None
        self._attention.opened(request, click.user_id)

    async def _answer(self, click: Click) -> None:
        target = ids.target(click.value)
        request = await self._desk.gateway.request(target.request_id)
        on_card = request.asking and not click.in_modal
        if on_card and await asyncio.to_thread(is_cut, request, self._desk.looks.at_once()):
            raise Refused(answers.QUESTION_CUT)
        choices = request.question.choices if request.question else ()
        chosen = choices[target.page].id if target.page < len(choices) else ""
        person = await self._desk.directory.person(click.user_id)
        answered = await self._desk.gateway.answer(request.id, person, target.revision, choice=chosen)
        await self._show_on(click, answered)

    async def _answer_in_words(self, click: Click) -> None:
        request = await self._desk.gateway.request(ids.target(click.value).request_id)
        person = await self._desk.directory.person(click.user_id)
        check_may_answer(request, person)
        if not request.asking:  # the gateway says who answered, or how it ended
            await self._desk.gateway.answer(request.id, person, request.revision, text="too late")
        look = self._desk.looks.at_once((request,))
        await self._desk.show(click, answer_form(request, look, memo_of(click, request)))

    async def _reject(self, click: Click) -> None:
        request = await self._pending(click)
        await self._desk.show(click, reject_form(request, self._desk.looks.at_once(), memo_of(click, request)))

    async def _modify(self, click: Click) -> None:
        request = await self._pending(click)
        refuse_while_open(request)
        await self._desk.gateway.editable(request.id, await self._desk.directory.person(click.user_id))
        await self._editing.open(click, request)
        self._attention.opened(request, click.user_id)

    async def _pending(self, click: Click) -> Request:
        """The request, for a form that only makes sense while it is pending; if it is over, the gateway says so."""
        request = await self._standing(click)
        if request.settled:
            person = await self._desk.directory.person(click.user_id)
            await self._desk.gateway.review(request.id, person, Verdict.REJECT, request.revision)
        return request

    async def _concerning(self, click: Click) -> Request:
        """The pending request, for a form that is only for whom it concerns."""
        await self._seen(click)
        return await self._pending(click)

    async def _seen(self, click: Click) -> Request:
        """The request, for somebody whom it concerns: a channel's card is before more people than may see all of it."""
        person = await self._desk.directory.person(click.user_id)
        try:
            return await self._desk.gateway.visible(ids.target(click.value).request_id, person)
        except NotFound:
            raise NotAllowed(answers.NOT_YOURS) from None

    async def _view(self, click: Click) -> None:
        request = await self._seen(click)
        look = self._desk.looks.at_once((request,))
        form = await asyncio.to_thread(view_form, request, look, memo_of(click, request))
        await self._desk.show(click, form)
        await self._looked(click, request, 0)
        self._attention.opened(request, click.user_id)

    async def _inbox(self, click: Click) -> None:
        person = await self._desk.directory.person(click.user_id)
        inbox = await self._desk.gateway.inboxes.of(person)
        look = self._desk.looks.at_once(inbox.shown)
        await self._desk.show(click, await asyncio.to_thread(inbox_form, inbox, look))

    async def _turn(self, click: Click) -> None:
        request, target = await self._seen(click), ids.target(click.value)
        # Whoever turned pages of an earlier revision has seen none of this one: its last page would approve it unread.
        page = target.page if target.revision == request.revision else 0
        memo = memo_of(click, request).model_copy(update={"page": page})
        form = await asyncio.to_thread(view_form, request, self._desk.looks.at_once((request,)), memo)
        await self._desk.redraw(click, form)
        await self._looked(click, request, memo.page)

    async def _looked(self, click: Click, request: Request, page: int) -> None:
        """Remember who has the whole call before them."""
        if await asyncio.to_thread(is_last_page, request, self._desk.looks.at_once(), page):
            self._desk.peeks.note(click.user_id, request)

    async def _stop(self, click: Click) -> None:
        request = await self._standing(click)
        person = await self._desk.directory.person(click.user_id)
        await self._show_on(click, await self._desk.gateway.stop(request.id, person))

    async def _show_on(self, click: Click, standing: Request) -> None:
        """Show how it stands now where the button was pressed in a form."""
        if click.in_modal:
            look = self._desk.looks.at_once((standing,))
            view = await asyncio.to_thread(view_form, standing, look, memo_of(click, standing))
            self._desk.afterwards.start(self._desk.redraw(click, view))
        self._desk.settled_somewhere(click.user_id, click.channel)

    async def _attest(self, click: Click) -> None:
        person = await self._desk.directory.person(click.user_id)
        await self._desk.gateway.attest(ids.target(click.value).request_id, person, click.action_id == ids.RAN)

    async def _mark(self, click: Click) -> None:
        person = await self._desk.directory.person(click.user_id)
        await self._show_on(
            click, await self._desk.gateway.mark_audit(ids.target(click.value).request_id, person, "seen")
        )

    async def _object(self, click: Click) -> None:
        request = await self._seen(click)
        check_unseen(request)
        look = self._desk.looks.at_once((request,))
        await self._desk.show(click, object_form(request, look, memo_of(click, request)))

    async def _snooze(self, click: Click) -> None:
        person, now = await self._desk.directory.person(click.user_id), self._desk.gateway.clock()
        if click.action_id == ids.SNOOZE_MORNING:
            until = next_morning(now, person)
        else:
            until = now + timedelta(hours=1) if click.action_id == ids.SNOOZE_HOUR else now
        await self._desk.gateway.snooze(ids.target(click.value).request_id, person, until)

    async def _stop_run(self, click: Click) -> None:
        person = await self._desk.directory.person(click.user_id)
        await self._desk.gateway.stop_run(click.value, person)

    async def _inquire(self, click: Click) -> None:
        request = await self._concerning(click)
        check_room(request)
        look = self._desk.looks.at_once((request,))
        await self._desk.show(click, inquiry_form(request, look, memo_of(click, request)))

    async def _delegate(self, click: Click) -> None:
        request = await self._pending(click)
        person = await self._desk.directory.person(click.user_id)
        await self._desk.gateway.editable(request.id, person)
        look = self._desk.looks.at_once((request,))
        await self._desk.show(click, delegate_form(request, person, look, memo_of(click, request)))

    async def _grant(self, click: Click) -> None:
        request = await self._pending(click)
        await self._desk.gateway.editable(request.id, await self._desk.directory.person(click.user_id))
        look = self._desk.looks.at_once((request,))
        never = why_never(request)
        if never is None and await asyncio.to_thread(is_cut, request, look):
            never = answers.CUT
        if never is not None:
            raise Refused(never)
        await self._desk.show(click, grant_form(request, usual_terms(request), look, memo_of(click, request)))

    async def _terms(self, click: Click) -> None:
        """A field of the grant's form was changed: say in words what it allows now."""
        if click.memo is None:
            raise Invalid("This field isn't one of Signoff's. Open the request again from /approvals.")
        request = await self._desk.gateway.request(click.memo.request_id)
        look = self._desk.looks.at_once((request,))
        view = grant_form(request, terms_of(request, click.values), look, click.memo)
        # Without the view's hash: of two quick changes the later must not be left unsaid.
        await self._desk.redraw(replace(click, view_hash=None), view)

    async def _revoke(self, click: Click) -> None:
        person = await self._desk.directory.person(click.user_id)
        await self._desk.gateway.grants.revoke(click.value, person)
        self._desk.afterwards.start(self._desk.show_grants_again(click, person))


def _resolved(click: Click) -> Click:
    """A choice from a card's menu as a click on the button that it stands for; one in a digest, as one on no card."""
    if click.action_id == ids.LISTED:
        return replace(click, action_id=ids.VIEW, channel=None, ts=None)
    if click.action_id != ids.MORE:
        return click
    action_id, value = ids.chosen(click.value)
    return replace(click, action_id=action_id, value=value)
