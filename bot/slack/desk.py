"""What every listener works with, and what they all do: open a form, answer in private, show the Home."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.carrier import Paced, Uncertain
from bot.gateway import Gateway
from bot.slack import answers
from bot.slack.afterwards import Afterwards
from bot.slack.delivery import SlackCarrier, carried, named
from bot.slack.directory import Directory
from bot.slack.homes import Homes
from bot.slack.looks import Looks
from bot.slack.memo import Memo
from bot.slack.open_forms import OpenForm, OpenForms
from bot.slack.payloads import Click
from bot.slack.peeks import Peeks
from bot.slack.response_urls import ResponseUrls
from bot.slack.views.blocks import Block
from bot.slack.views.grants import grants_list
from bot.slack.views.inbox import home
from bot.slack.views.look import Message
from bot.slack.views.modals import notice, view_form
from policies.effects import Refresh
from policies.errors import Refused, SignoffError, Unavailable
from policies.events import Outcome
from policies.people import Person
from policies.request import Request
from storage.store import Copy

SECONDS = 2.5
"""How long opening a form may take: its trigger lives for three seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """The listeners' tools. ``afterwards`` runs what comes after the acknowledgement."""

    gateway: Gateway
    directory: Directory
    looks: Looks
    carrier: SlackCarrier
    client: AsyncWebClient
    response_urls: ResponseUrls
    afterwards: Afterwards
    homes: Homes
    forms: OpenForms
    peeks: Peeks = field(default_factory=Peeks)

    async def show(self, click: Click, view: Block) -> None:
        """Open ``view`` for the person who clicked: over the form in which the button stood, or anew.

        Slack stacks three forms: from an inbox over a call over its fields the fourth takes the third's place.
        """
        if not click.in_modal:
            await self.open(click.trigger_id, view, click.user_id)
            return
        try:
            answer = await _within(self.client.views_push(trigger_id=click.trigger_id, view=view))
            self.forms.shown(click.user_id, view, answer)
        except _Stacked:
            await self.redraw(click, view)

    async def open(self, trigger_id: str, view: Block, user_id: str) -> None:
        """Open ``view`` for a person while their trigger lives."""
        self.forms.shown(user_id, view, await _within(self.client.views_open(trigger_id=trigger_id, view=view)))

    async def redraw(self, click: Click, view: Block) -> None:
        """Put ``view`` in the place of the form in which the button stood."""
        call = self.client.views_update(view_id=click.view_id, hash=click.view_hash, view=view)
        self.forms.shown(click.user_id, view, await _within(call))

    async def show_settled(self, form: OpenForm) -> None:
        """Say in a form that is open before somebody what became of its request, if they may still see it.

        Slack's hash keeps it from what the person has before them by now instead.
        """
        person = await self.directory.person(form.user_id)
        request = await self.gateway.visible(form.memo.request_id, person)
        look = self.looks.at_once((request,))
        view = await asyncio.to_thread(view_form, request, look, form.memo)
        call = self.client.views_update(view_id=form.view_id, hash=form.view_hash, view=view)
        self.forms.shown(form.user_id, view, await _within(call))

    async def answer(self, click: Click, error: Exception) -> None:
        """Tell the person who clicked, and nobody else, what went wrong; bring a card that misled them up to date."""
        request = await self._request_of(click)
        look = self.looks.at_once((request,) if request else ())
        await self._say(click, answers.sentence(error, look, request))
        if request is not None and isinstance(error, Refused):
            await self._refresh(click, request)

    async def _say(self, click: Click, words: str) -> None:
        if click.response_url and await self.response_urls.whisper(click.response_url, words):
            return
        if click.channel and not click.in_modal:
            await carried(self.client.chat_postEphemeral(channel=click.channel, user=click.user_id, text=words))
            return
        await self.show(click, notice("Nothing was changed", words))

    async def _request_of(self, click: Click) -> Request | None:
        try:
            return await self.gateway.request(click.value.split(":")[0])
        except SignoffError:
            return None

    async def adopt(self, click: Click) -> None:
        """Keep a card that nobody knew of (Slack posted it and said that it had not): the click shows that it is there.

        From then on it is brought up to date like the others.
        """
        request, copy = await self._request_of(click), _clicked(click)
        if request is None or copy is None or click.in_batch:
            return  # of a batch the click tells one request only, and the message must go on showing all
        known = {(each.channel, each.ts) for each in await self.gateway.store.copies(request.id)}
        if (copy.channel, copy.ts) not in known:
            await self.gateway.store.posted(0, copy, _shown_anew)

    async def _refresh(self, click: Click, request: Request) -> None:
        copy = _clicked(click)
        if copy is None:
            return
        shown = await self.gateway.store.shown_in(copy.channel, copy.ts)
        others = [await self.gateway.request(each.request_id) for each in shown if each.request_id != request.id]
        if others or not click.in_batch:
            await self.carrier.refresh((request, *others), copy)

    async def show_home(self, user_id: str) -> None:
        """Publish the App Home of one person, as they left it. Where Slack can't now, it is tried again later."""
        try:
            await self._publish_home(user_id)
        except (Paced, Uncertain, Unavailable):
            self.homes.fall_behind(user_id)
            raise

    async def _publish_home(self, user_id: str) -> None:
        opened = self.homes.at(user_id)
        async with opened.turn:
            person = opened.person = await self.directory.person(user_id)
            inbox = await self.gateway.inboxes.of(person)
            asked = self.gateway.asked_instead_of(person) if person.away else ()
            look = self.looks.at_once(inbox.shown)
            view = await asyncio.to_thread(home, inbox, look, opened.memo, away=person.away, asked=asked)
            await carried(self.client.views_publish(user_id=user_id, view=view))
            await self.homes.remember(user_id, self.gateway.store)

    async def grants_of(self, person: Person) -> Message:
        """The list of what was approved in advance, as one person sees it."""
        grants = await self.gateway.grants.shown_to(person)
        look = await self.looks.of_people(who for grant in grants for who in (grant.by, grant.revoked_by))
        return Message(text="Approved in advance", blocks=tuple(grants_list(grants, look)), metadata={})

    async def show_grants_again(self, click: Click, person: Person) -> None:
        """Bring the list in which somebody pressed Revoke up to date, where Slack still takes an answer to it."""
        if click.response_url and click.ephemeral:
            await self.response_urls.answer(click.response_url, await self.grants_of(person))

    def settled_somewhere(self, user_id: str, channel: str | None) -> None:
        """After a decision that was taken outside a channel the person's Home is shown anew."""
        if channel is None:
            self.afterwards.start(self.show_home(user_id))


def _clicked(click: Click) -> Copy | None:
    """The message that was clicked as a copy of its request's card; None for forms and what only one person sees."""
    if click.channel is None or click.ts is None or click.ephemeral or click.in_modal:
        return None
    return Copy(
        request_id=click.value.split(":")[0],
        channel=click.channel,
        ts=click.ts,
        to=click.channel,
        shown_version=0,
        private=click.channel.startswith("D"),
    )


def _shown_anew(request: Request) -> Outcome:
    return Outcome(request=request, effects=(Refresh(request_id=request.id),))


def memo_of(click: Click, request: Request) -> Memo:
    """What a form that this click opens must remember; a form over a form inherits where the first came from."""
    if click.memo is not None:
        had = click.memo.had if click.memo.revision == request.revision else None
        about = {"request_id": request.id, "revision": request.revision, "page": 0, "had": had}
        return click.memo.model_copy(update=about)
    place = (None, None) if click.ephemeral else (click.channel, click.ts)
    return Memo(r=request.id, v=request.revision, c=place[0], t=place[1])


class _Stacked(Unavailable):
    """Slack opens no further form over those that are open."""


async def _within(call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """What Slack answers; nothing where the person had turned to something else meanwhile."""
    try:
        async with asyncio.timeout(SECONDS):
            answer = await call
            return answer.data if isinstance(answer.data, dict) else {}
    except SlackApiError as error:
        name = named(error)
        if name == "hash_conflict":
            return {}
        if name == "push_limit_reached":
            raise _Stacked("Three forms are open over each other; close one and press again.") from None
        raise Unavailable(f"Slack did not open the form ({name}); please press again.") from None
    except (TimeoutError, aiohttp.ClientError, OSError, AttributeError):  # the last: an answer that is no JSON object
        raise Unavailable("Slack did not open the form in time; please press again.") from None
