"""Carries cards and messages to Slack. With ``directory`` the only place that calls the Web API on its own account.

No call is repeated here: Slack has no idempotency key, so a repetition is the courier's decision, after it has looked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.carrier import CarryError, GrantNews, Paced, Posted, Rejected, Uncertain, WholeFile
from bot.slack import ids
from bot.slack.directory import Directory
from bot.slack.looks import Looks
from bot.slack.membership import keeps_to_itself
from bot.slack.response_urls import ResponseUrls
from bot.slack.views.batch import batch
from bot.slack.views.card import card, is_cut
from bot.slack.views.digest import digest
from bot.slack.views.grants import grant_news
from bot.slack.views.look import Message
from bot.slack.views.thread import absences, called_in, cooled_off, inquired, reminder, run_message, served, summons
from bot.slack.views.whole import whole_file
from policies.agent_run import AgentRun
from policies.delegation import Delegation
from policies.digest import Page
from policies.effects import Post, TellOfCoolOff
from policies.inquiry import Inquiry
from policies.people import Reviewers
from policies.request import Request
from storage.store import Copy, DigestCopy

Files = Literal["private", "all", "off"]
"""Where what a card can't show is put into its thread: direct messages and private channels, everywhere, nowhere."""
SECONDS = 10.0
"""How long one call may take before nobody knows how it went."""
PAGES = 5
"""Pages of a channel's history that are searched for an uncertain post."""
PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
BLIND = frozenset(
    {"missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type", "method_not_supported"}
)

MARKED = (ids.EVENT_TYPE, ids.RUN_TYPE, ids.DIGEST_TYPE)
"""The kinds of messages that say which effect posted them."""


async def carried(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """The answer to one call. Raises ``Paced``, ``Rejected`` or ``Uncertain``."""
    try:
        async with asyncio.timeout(SECONDS):
            return await call
    except SlackApiError as error:
        raise _sorted(error) from error
    except (TimeoutError, aiohttp.ClientError, OSError, AttributeError) as error:
        # AttributeError: the library stumbles over an answer that is no JSON object, as proxies give.
        raise Uncertain(f"Slack could not be reached ({type(error).__name__})") from error


def _sorted(error: SlackApiError) -> CarryError:
    status = int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))
    name = named(error)
    if status == 429 or name in ("ratelimited", "rate_limited"):
        return Paced(_seconds(error.response.headers.get("Retry-After", "")))
    if status >= 500 or name is None or name in PASSING:
        return Uncertain(f"Slack answered {status} {name or ''}".strip())
    return Rejected(str(name))


def named(error: SlackApiError) -> str | None:
    """What Slack calls the error; None where its answer is no JSON object, as from a proxy that is in trouble."""
    data = getattr(error.response, "data", None)
    return data.get("error") if isinstance(data, dict) else None


def _seconds(text: str) -> float:
    return min(float(text), 3_600.0) if text.isascii() and text.isdigit() and len(text) < 6 else 30.0


class SlackCarrier:
    """The courier's verbs towards one Slack workspace. ``client`` must not retry by itself."""

    def __init__(
        self,
        client: AsyncWebClient,
        directory: Directory,
        looks: Looks,
        response_urls: ResponseUrls,
        *,
        files: Files = "private",
    ) -> None:
        self._client = client
        self._directory = directory
        self._looks = looks
        self._response_urls = response_urls
        self._files = files
        self._channel_ids: dict[str, str] = {}

    async def post_card(self, request: Request, to: str, owed_id: int) -> Posted:
        """Post the card to a channel (id or name) or, by user id, as a direct message."""
        message = await self._card(request, owed_id)
        posted = await self._post(to, message)
        self._channel_ids[to] = posted.channel
        return replace(posted, cut=message.cut)

    async def post_batch(self, requests: Mapping[int, Request], to: str) -> Posted:
        """Post one message for several requests, by the ids of what owes them."""
        posted = await self._post(to, await self._drawn(tuple(requests.values()), tuple(requests)))
        self._channel_ids[to] = posted.channel
        return posted

    async def find_posted(
        self, owed_ids: Collection[int], to: str, since: datetime, *, thread_ts: str | None = None
    ) -> Mapping[int, Posted]:
        """What uncertain attempts posted after ``since``; nothing where there is nothing or nobody may look."""
        try:
            channel = await self._channel_id(to)
            return await self._search(channel, frozenset(owed_ids), since, thread_ts) if channel else {}
        except Rejected as rejected:
            if rejected.error in BLIND:
                return {}
            raise

    async def answered(self, requests: Sequence[Request], copy: Copy) -> bool:
        """Bring one message up to date by the response URL of a click on it; False where there is no fresh one."""
        return await self._response_urls.replace(copy.channel, copy.ts, await self._drawn(requests))

    async def refresh(self, requests: Sequence[Request], copy: Copy) -> None:
        """Bring one message up to date: by a fresh response URL where there is one, since updates are few."""
        message = await self._drawn(requests)
        if not await self._response_urls.replace(copy.channel, copy.ts, message):
            await carried(self._client.chat_update(channel=copy.channel, ts=copy.ts, **_content(message)))

    async def _drawn(self, requests: Sequence[Request], owed_ids: Sequence[int] = ()) -> Message:
        """The message that shows ``requests``: a card, or a batch of several."""
        if len(requests) == 1:
            return await self._card(requests[0], *owed_ids)
        return await asyncio.to_thread(batch, requests, await self._looks.whole(*requests), owed_ids)

    async def _card(self, request: Request, owed_id: int | None = None) -> Message:
        """The card, made beside the event loop: one of 64 kB of arguments takes a quarter of a second."""
        return await asyncio.to_thread(card, request, await self._looks.whole(request), owed_id)

    async def whole(self, request: Request, channel: str) -> WholeFile | None:
        """What the card in ``channel`` can't show whole, as a file; None where it shows all, or none belongs there."""
        look = self._looks.at_once((request,))
        if self._files == "off" or not await asyncio.to_thread(is_cut, request, look):
            return None
        if self._files == "private" and not channel.startswith("D") and not await self._is_private(channel):
            return None
        return await asyncio.to_thread(whole_file, request, look)

    async def _is_private(self, channel: str) -> bool:
        try:
            return keeps_to_itself(await carried(self._client.conversations_info(channel=channel)))
        except Rejected:
            return False  # without channels:read Slack says nothing of public ones

    async def find_file(self, name: str, channel: str, ts: str, since: datetime) -> bool:
        """Did an uncertain earlier attempt put the file there, as far as the thread can be read?"""
        try:
            async with aclosing(self._messages(channel, since, ts)) as messages:
                return any([_holds(message, name) async for message in messages])
        except Rejected as rejected:
            if rejected.error in BLIND:
                return False
            raise

    async def attach(self, file: WholeFile, channel: str, ts: str) -> None:
        """Put the file into the thread, in Slack's three steps; before the last one nobody sees anything of it."""
        content = file.text.encode("utf-8", "backslashreplace")
        place = await carried(self._client.files_getUploadURLExternal(filename=file.name, length=len(content)))
        await _sent(str(place.get("upload_url")), content)
        await carried(
            self._client.files_completeUploadExternal(
                files=[{"id": str(place.get("file_id")), "title": file.name}],
                channel_id=channel,
                thread_ts=ts,
                initial_comment=file.comment,
            )
        )

    async def remind(self, request: Request, copy: Copy, waiting: int = 1) -> None:
        """Say in the copy's thread that the request, or so many in its message, still wait, and for whom."""
        await self._post(copy.channel, reminder(request, await self._looks.whole(request), waiting), thread_ts=copy.ts)

    async def summon(self, request: Request, group: Reviewers, copy: Copy, waiting: int = 1) -> None:
        """Say in the copy's thread who may decide from now on: the request, or so many in its message."""
        said = summons(request, group.name, await self._looks.whole(request), waiting)
        await self._post(copy.channel, said, thread_ts=copy.ts)

    async def tell_absence(self, request: Request, channel: str, ts: str) -> None:
        """Say in a card's thread who was asked in the place of whom."""
        await self._post(channel, absences(request, await self._looks.whole(request)), thread_ts=ts)

    async def tell_inquiry(self, request: Request, inquiry: Inquiry, channel: str, ts: str | None) -> None:
        """Say in a thread (or, without ``ts``, directly) what somebody asked the agent, or what it answered."""
        await self._post(channel, inquired(request, inquiry, self._looks.at_once((request,))), thread_ts=ts)

    async def tell_delegation(self, request: Request, delegation: Delegation, copy: Copy) -> None:
        """Say in the copy's thread who asked whom to decide."""
        await self._post(copy.channel, called_in(request, delegation, self._looks.at_once()), thread_ts=copy.ts)

    async def tell_of_grant(self, news: GrantNews, copy: Copy) -> None:
        """Say in the copy's thread what became of the grant that came from it."""
        look = await self._looks.of_people((news.grant.by, news.grant.revoked_by))
        await self._post(copy.channel, grant_news(news.effect, news.grant, news.used_by, look), thread_ts=copy.ts)

    async def tell_of_cool_off(self, request: Request, effect: TellOfCoolOff, channel: str, ts: str | None) -> None:
        """Say in a card's thread (or, without ``ts``, directly) that the agent of ``request`` cools off, or goes on."""
        look = await self._looks.of_people((effect.by, request.requester.owner))
        await self._post(channel, cooled_off(request, effect, look), thread_ts=ts)

    async def tell_served(self, requests: Sequence[Request]) -> None:
        """Tell the person served, by direct message, that nobody decided in time. Nobody served: nobody is told."""
        told = await self._directory.ids_of(Reviewers(name="served", users=requests[0].excluded[:1]))
        for user_id in told:
            await self._post(user_id, served(requests, self._looks.at_once(requests)))

    async def post_run(self, post: Post, run: AgentRun, known_ts: str | None, owed_id: int) -> Posted:
        """Post a message of a run into its thread, or update the one at ``known_ts``."""
        message = run_message(post, self._looks.at_once(), owed_id)
        if known_ts is None:
            return await self._post(post.channel, message, thread_ts=post.thread_ts or run.thread_ts)
        response = await carried(self._client.chat_update(channel=run.channel, ts=known_ts, **_content(message)))
        return _posted(response)

    async def post_digest(self, shown: Page, to: str, owed_id: int) -> Posted:
        """Post a digest as a direct message to the user id ``to``."""
        return await self._post(to, await self._digest(shown, owed_id))

    async def refresh_digest(self, shown: Page, copy: DigestCopy) -> None:
        """Bring a digest up to date."""
        message = await self._digest(shown)
        await carried(self._client.chat_update(channel=copy.channel, ts=copy.ts, **_content(message)))

    async def _digest(self, shown: Page, owed_id: int | None = None) -> Message:
        return await asyncio.to_thread(digest, shown, await self._looks.of_requests(shown.requests), owed_id)

    async def ids_of(self, group: Reviewers) -> tuple[str, ...]:
        """The user ids of a group's people. Raises ``Unavailable``."""
        return await self._directory.ids_of(group)

    async def _post(self, to: str, message: Message, thread_ts: str | None = None) -> Posted:
        response = await carried(
            self._client.chat_postMessage(
                channel=to, thread_ts=thread_ts, unfurl_links=False, unfurl_media=False, **_content(message)
            )
        )
        return _posted(response)

    async def _search(
        self, channel: str, owed_ids: frozenset[int], since: datetime, thread_ts: str | None
    ) -> Mapping[int, Posted]:
        found = dict[int, Posted]()
        async with aclosing(self._messages(channel, since, thread_ts)) as messages:
            async for message in messages:
                shows = _marks(message)
                posted = Posted(channel=channel, ts=str(message["ts"]), shows=shows if len(shows) > 1 else {})
                found |= dict.fromkeys(owed_ids & shows.keys(), posted)
                if found.keys() == owed_ids:
                    break
        return found

    async def _messages(
        self, channel: str, since: datetime, thread_ts: str | None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """What was posted in a channel, or a thread of it, since then: so many pages of it at most."""
        cursor = ""
        for _ in range(PAGES):
            wanted: dict[str, Any] = {"oldest": f"{since.timestamp():.6f}", "include_all_metadata": True, "limit": 200}
            wanted |= {"cursor": cursor} if cursor else {}
            page = await carried(
                self._client.conversations_history(channel=channel, **wanted)
                if thread_ts is None
                else self._client.conversations_replies(channel=channel, ts=thread_ts, **wanted)
            )
            for message in page.get("messages") or ():
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _channel_id(self, to: str) -> str | None:
        if to.startswith(("U", "W")):
            opened = await carried(self._client.conversations_open(users=to))
            return str((opened.get("channel") or {}).get("id") or "") or None
        if not to.startswith("#"):
            return to
        return self._channel_ids.get(to) or await self._channel_called(to.removeprefix("#"))

    async def _channel_called(self, name: str) -> str | None:
        """The id of the channel of that name, among the private ones too where the scopes let us look there."""
        try:
            return await self._listed(name, "public_channel,private_channel")
        except Rejected as rejected:
            if rejected.error != "missing_scope":
                raise
        return await self._listed(name, "public_channel")

    async def _listed(self, name: str, types: str) -> str | None:
        cursor = ""
        for _ in range(PAGES):
            page = await carried(
                self._client.conversations_list(types=types, exclude_archived=True, limit=1000, cursor=cursor or None)
            )
            for channel in page.get("channels") or ():
                if channel.get("name") == name:
                    return str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None
        return None


def _marks(message: dict[str, Any]) -> dict[int, str]:
    """What a message of ours says that it was posted for: the ids of what owed it, each with its request's."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") not in MARKED:
        return {}
    owed_ids, request_ids = payload.get("owed_ids"), payload.get("request_ids")
    if isinstance(owed_ids, list) and isinstance(request_ids, list):
        pairs = zip(owed_ids, request_ids, strict=False)
        return {owed: request for owed, request in pairs if isinstance(owed, int) and isinstance(request, str)}
    owed_id = payload.get("owed_id")
    return {owed_id: str(payload.get("request_id", ""))} if isinstance(owed_id, int) else {}


def _holds(message: dict[str, Any], name: str) -> bool:
    return any(file.get("name") == name for file in message.get("files") or () if isinstance(file, dict))


async def _sent(url: str, content: bytes) -> None:
    """The second step of an upload: the bytes, to the address that Slack gave. Raises ``Uncertain``."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            aiohttp.ClientSession() as session,
            session.post(url, data=content) as answer,
        ):
            if answer.status != 200:
                raise Uncertain(f"Slack answered {answer.status} to an upload")
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise Uncertain(f"Slack did not take an upload ({type(error).__name__})") from error


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks), "metadata": dict(message.metadata)}


def _posted(response: AsyncSlackResponse) -> Posted:
    channel, ts = response.get("channel"), response.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str):
        raise Uncertain("Slack's answer names no message")
    return Posted(channel=channel, ts=ts)
