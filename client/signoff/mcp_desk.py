"""How an MCP server waits for people: a bounded while, with signs of life, and nothing left behind when it is over.

Requests that were told to be pending stand here, so that the same call of the same client goes on waiting for the same
request. What a client gives up is taken back, unless a run may take it up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
from mcp.shared.exceptions import MCPError

from signoff.async_client import AsyncSignoff
from signoff.connection import FAREWELL
from signoff.errors import SignoffError, StillPending, Unreachable, not_approved
from signoff.mcp_rounds import Called, Context, form_of, text_of
from signoff.models import Inquiry, Request
from signoff.permit import AsyncPermit

ALIVE = 5.0
"""Seconds between two signs of life during a wait, for clients that give up on silent servers."""
PATIENCE = 12.0
"""Seconds that one call goes on trying while the gateway gives no answer: with a hold of 45 it ends within a minute."""
MOST_STANDING = 1_000
"""Pending calls that are remembered; the oldest are forgotten, and then can be asked about by their ids alone."""
T = TypeVar("T")


class Asked(Exception):
    """Somebody asks about the call before deciding, and the caller is to answer: by a ``form``, or its model."""

    def __init__(self, request: Request, inquiry: Inquiry, *, form: bool) -> None:
        super().__init__(inquiry.text)
        self.request = request
        self.inquiry = inquiry
        self.form = form


@dataclass(kw_only=True)
class Desk:
    """The requests of one MCP server. ``keeps``: a run may take them up again, so none is taken back."""

    client: AsyncSignoff
    keeps: bool = False
    _open: dict[str, Request] = field(default_factory=dict)
    _standing: dict[str, str] = field(default_factory=dict)
    _shown: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)

    async def ask(self, called: Called, submit: Callable[[], Awaitable[Request]]) -> Request:
        """The request that an earlier try of this call left standing, or a fresh one."""
        name = called.name
        found = self._standing.pop(name, None) if name is not None else None
        if found is not None:
            return await self.client.read(found)
        request = await self._submitted(submit)
        _keep(self._open, request.id, request)
        return request

    async def settled(
        self, called: Called, request: Request, *, seconds: float, asks_back: bool = False, looks: bool = False
    ) -> Request:
        """The request when it is settled. Raises ``StillPending`` after ``seconds``; then it stands for its call.

        What people ask about it is put to whoever sits at the client, where the client can; where no answer comes of
        that, ``asks_back`` raises ``Asked`` for the model. A call that is cancelled takes its request back, unless it
        only ``looks``.
        """
        try:
            async with _alive(called.ctx, request):
                settled = await self._waited(called, request, time.monotonic() + seconds, asks_back=asks_back)
        except asyncio.CancelledError:
            await self.take_back([] if looks else [request])
            raise
        except (SignoffError, Asked):
            self._stand(None if looks else called.name, request)
            raise
        self.done(settled)
        return settled

    async def permit(self, request: Request) -> AsyncPermit:
        """The permit of a settled request, under a key of this one call: a second call gets no second permit."""
        if not request.approved:
            raise not_approved(request)
        return await self.client.claim(request, key=secrets.token_urlsafe(24))

    async def again(self, called: Called, tool: str | None, arguments: Mapping[str, Any]) -> Request | None:
        """The request of an earlier round of this call; what the client echoes counts only where it is about it."""
        if called.request_id is None:
            return None
        request = await self.client.read(called.request_id)
        if (request.tool, request.proposed_arguments) != (tool, arguments):
            return None
        return await self.heard(called, request)

    async def heard(self, called: Called, request: Request) -> Request:
        """Pass on what was filled in at the client since the last round."""
        for inquiry in unanswered(request):
            if inquiry.id in called.responses:
                text = text_of(called.responses[inquiry.id])
                request = await self.client.reply(request, inquiry, text) if text else request
        return request

    async def take_back(self, requests: Sequence[Request]) -> None:
        """Withdraw what nobody waits for any more, also from within a cancelled call; what a run may take up stays."""
        if self.keeps or not requests:
            return
        with anyio.move_on_after(FAREWELL, shield=True):
            await asyncio.gather(*(self._withdrawn(request) for request in requests))

    async def close(self) -> None:
        """The agent is gone: leave nothing behind that waits for people."""
        await self.take_back(tuple(self._open.values()))

    def done(self, request: Request) -> None:
        """It is settled, and somebody was told."""
        self._open.pop(request.id, None)
        for call in [call for call, standing in self._standing.items() if standing == request.id]:
            del self._standing[call]

    async def _submitted(self, submit: Callable[[], Awaitable[Request]]) -> Request:
        """Cancelled while the answer is on its way, it waits a moment for it, to take the request back."""
        asking = asyncio.ensure_future(submit())
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            with anyio.move_on_after(FAREWELL, shield=True):
                await asyncio.wait({asking})
            if asking.done() and not asking.cancelled() and asking.exception() is None:
                await self.take_back([asking.result()])
            asking.cancel()
            raise

    async def _waited(self, called: Called, request: Request, until: float, *, asks_back: bool) -> Request:
        while request.pending:
            asked = unanswered(request)
            fresh = next((one for one in asked if called.elicits and one.id not in self._shown), None)
            if fresh is not None:
                self._shown.add(fresh.id)
                if called.modern:
                    raise Asked(request, fresh, form=True)
                request = await self._elicited(called.ctx, request, fresh, until)
                continue
            left = next((one for one in asked if asks_back and one.id not in self._told), None)
            if left is not None:
                self._told.add(left.id)
                raise Asked(request, left, form=False)
            request = await self._later(request, until)
        return request

    async def _later(self, request: Request, until: float) -> Request:
        """News of it. A gateway that is away is waited for like people are: the request may stand behind it."""
        left = until - time.monotonic()
        try:
            found = await (self.client.news(request, left) if left > 0 else self.client.read(request.id))
        except Unreachable:
            if time.monotonic() >= until:
                raise
            return request
        if left <= 0 and found.pending:
            raise StillPending(f"{found.tool or 'The question'} waits for people still ({found.id}).", found)
        return found

    async def _elicited(self, ctx: Context, request: Request, inquiry: Inquiry, until: float) -> Request:
        """Put the inquiry to whoever sits at the client, for as long as the request waits."""
        asking = asyncio.ensure_future(_form(ctx, request, inquiry))
        try:
            while not asking.done() and request.pending:
                news = asyncio.ensure_future(self._later(request, until))
                try:
                    await asyncio.wait({asking, news}, return_when=asyncio.FIRST_COMPLETED)
                    request = news.result() if news.done() else request
                finally:
                    news.cancel()
            text = asking.result() if asking.done() else ""
        finally:
            asking.cancel()
        return await self.client.reply(request, inquiry, text) if text and request.pending else request

    async def _withdrawn(self, request: Request) -> None:
        self.done(request)
        with contextlib.suppress(SignoffError):
            await self.client.withdraw(request)

    def _stand(self, call: str | None, request: Request) -> None:
        if call is not None:
            _keep(self._standing, call, request.id)


def _keep(kept: dict[str, T], name: str, value: T) -> None:
    """Keep ``value``, and of all no more than ``MOST_STANDING``."""
    kept[name] = value
    while len(kept) > MOST_STANDING:
        del kept[next(iter(kept))]


def unanswered(request: Request) -> tuple[Inquiry, ...]:
    """What people asked about it, and nobody has answered."""
    return tuple(inquiry for inquiry in request.inquiries if inquiry.answer is None)


async def _form(ctx: Context, request: Request, inquiry: Inquiry) -> str:
    params = form_of(request, inquiry)
    try:
        return text_of(await ctx.session.elicit_form(params.message, params.requested_schema, ctx.request_id))
    except (MCPError, ValueError):
        return ""  # a client that offers forms and then has none: the inquiry stays unanswered, the call waits on


@asynccontextmanager
async def _alive(ctx: Context, request: Request) -> AsyncIterator[None]:
    """Signs of life meanwhile, where the client asked for them; that one can't be sent ends no wait."""

    async def tell() -> None:
        spent = 0.0
        with contextlib.suppress(Exception):
            while True:
                await asyncio.sleep(ALIVE)
                spent += ALIVE
                await ctx.session.report_progress(spent, None, f"Waiting for a person ({request.id})")

    telling = asyncio.ensure_future(tell())
    try:
        yield
    finally:
        telling.cancel()
