"""The client for asyncio: ``AsyncSignoff``. ``Signoff``, for threads, says the same to the gateway."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar, cast

import httpx2

from signoff.connection import FAREWELL, PATIENCE, Connection, answer_of, failed, question_body, reply_of, request_of
from signoff.errors import SignoffError, Unreachable
from signoff.flows import Consult, Flow, Pause, Reply, Step, Talk
from signoff.models import Answer, Choice, Group, Inquiry, Request
from signoff.permit import AsyncPermit
from signoff.together import asking_all, look_at, settle_all

T = TypeVar("T")


class AsyncSignoff:
    """As ``Signoff``, for asyncio: a wait costs a task, not a thread. ``on_inquiry`` is a coroutine function."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        run: str | None = None,
        patience: float = PATIENCE,
        on_inquiry: Callable[[Request, Inquiry], Awaitable[str]] | None = None,
        allow_http: bool = False,
    ) -> None:
        self._connection = Connection(url, key, run, allow_http=allow_http)
        self._http = httpx2.AsyncClient(**self._connection.options(), limits=httpx2.Limits(max_connections=None))
        self._talk = Talk(patience=patience, clock=time.monotonic)
        self._on_inquiry = on_inquiry

    async def approve_or_raise(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        timeout: float | None = None,
        repeatable: bool = False,
        **words: Any,
    ) -> AsyncPermit:
        """As ``Signoff.approve_or_raise``."""
        body, key = self._connection.asking(tool=tool, arguments=arguments, **words)
        request = await self.wait(await self._asked(body, key), timeout)
        return await self.claim(request, repeatable=repeatable)

    async def ask(
        self,
        text: str,
        choices: Sequence[Choice] = (),
        *,
        free_text: bool = True,
        best_guess: str | None = None,
        timeout: float | None = None,
        **words: Any,
    ) -> Answer:
        """As ``Signoff.ask``."""
        question = question_body(text, choices, best_guess, free_text=free_text)
        body, key = self._connection.asking(question=question, **words)
        return answer_of(await self.wait(await self._asked(body, key), timeout))

    async def submit(self, tool: str, arguments: dict[str, Any], *, key: str | None = None, **words: Any) -> Request:
        """As ``Signoff.submit``."""
        body, said = self._connection.asking(key, tool=tool, arguments=arguments, **words)
        return await self._drive(self._talk.submit(body, said))

    async def put(
        self,
        text: str,
        choices: Sequence[Choice] = (),
        *,
        free_text: bool = True,
        best_guess: str | None = None,
        **words: Any,
    ) -> Request:
        """As ``Signoff.put``."""
        question = question_body(text, choices, best_guess, free_text=free_text)
        body, key = self._connection.asking(question=question, **words)
        return await self._drive(self._talk.submit(body, key))

    async def read(self, request_id: str) -> Request:
        """How a request stands."""
        return await self._drive(self._talk.look(request_id))

    async def wait(self, request: Request, timeout: float | None = None) -> Request:
        """Wait until it is settled. A cancelled wait takes the request back, unless a run may take it up again."""
        try:
            return await self._drive(self._talk.settle(request, timeout))
        except BaseException as error:
            if not isinstance(error, Exception):
                await self._take_back(request)
            raise

    async def _asked(self, body: Mapping[str, Any], key: str) -> Request:
        """Submit. Cancelled while the answer is on its way, it waits a moment for it, to take the request back."""
        asking = asyncio.ensure_future(self._drive(self._talk.submit(body, key)))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait({asking}, timeout=FAREWELL)
            asking.cancel()
            if asking.done() and not asking.cancelled() and not asking.exception():
                await self._take_back(asking.result())
            raise

    async def submit_all(self, calls: Sequence[Mapping[str, Any]]) -> list[Request]:
        """As ``Signoff.submit_all``."""
        found: list[Request] = []
        try:
            for body, key in asking_all(self._connection, calls):
                found.append(await self._asked(body, key))
        except BaseException:
            await self._take_back(*found)
            raise
        return found

    async def wait_all(self, requests: Sequence[Request], timeout: float | None = None) -> list[Request]:
        """As ``Signoff.wait_all``; a cancelled wait takes them back as ``wait``."""
        try:
            return await self._drive(settle_all(self._talk, requests, timeout))
        except BaseException as error:
            if not isinstance(error, Exception):
                await self._take_back(*requests)
            raise

    async def group(self, group_id: str) -> Group:
        """As ``Signoff.group``."""
        return await self._drive(look_at(self._talk, group_id))

    async def _take_back(self, *requests: Request) -> None:
        for one in requests:
            if one.run is None:
                try:
                    await self._drive(replace(self._talk, patience=FAREWELL).withdraw(one.id))
                except Unreachable:
                    return
                except SignoffError:
                    continue

    async def news(self, request: Request, seconds: float) -> Request:
        """As ``Signoff.news``."""
        return await self._drive(self._talk.news(request, seconds))

    async def reply(self, request: Request, inquiry: Inquiry, text: str) -> Request:
        """As ``Signoff.reply``."""
        return await self._drive(self._talk.reply(request, inquiry.id, text))

    async def claim(self, request: Request, *, key: str | None = None, repeatable: bool = False) -> AsyncPermit:
        """Take the permit of an approved request. Of two at once one gets it, unless both say the same ``key``."""
        flow = self._talk.permit(request, key or secrets.token_urlsafe(24), repeatable=repeatable)
        return AsyncPermit(self, await self._drive(flow))

    async def report(
        self, request: Request, *, succeeded: bool, note: str | None = None, result: Any = None
    ) -> Request:
        """Tell how a claimed call went."""
        return await self._drive(self._talk.report(request, succeeded=succeeded, note=note, result=result))

    async def requests(
        self, *, state: Sequence[str] = (), execution: Sequence[str] = (), since: datetime | None = None
    ) -> list[Request]:
        """As ``Signoff.requests``."""
        return await self._drive(self._talk.requests(state, execution, since))

    async def withdraw(self, request: Request) -> Request:
        """Take a request back, or an approval that was not taken."""
        return await self._drive(self._talk.withdraw(request.id))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def run(self) -> str | None:
        """The name of the work that survives a crash."""
        return self._connection.run

    async def __aenter__(self) -> AsyncSignoff:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _drive(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                step = flow.send(await self._do(step))
        except StopIteration as end:
            return cast(T, end.value)

    async def _do(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return Reply(status=0)
        if isinstance(step, Consult):
            said = await self._on_inquiry(step.request, step.inquiry) if self._on_inquiry is not None else ""
            return Reply(status=200, body=said.encode())
        try:
            return reply_of(await self._http.request(**request_of(step)))
        except httpx2.HTTPError as error:
            return failed(error)
