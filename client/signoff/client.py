"""The client for threads: ``Signoff``. ``AsyncSignoff``, for asyncio, says the same to the gateway."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar, cast

import httpx2

from signoff.connection import FAREWELL, PATIENCE, Connection, answer_of, failed, question_body, reply_of, request_of
from signoff.errors import SignoffError, Unreachable
from signoff.flows import Consult, Flow, Pause, Reply, Step, Talk
from signoff.models import Answer, Choice, Group, Inquiry, Request
from signoff.permit import Permit
from signoff.together import asking_all, look_at, settle_all

T = TypeVar("T")


class Signoff:
    """Asks the gateway and waits, in the thread that calls. Safe to share between threads.

    ``url`` and ``key`` default to ``SIGNOFF_URL`` and ``SIGNOFF_KEY``. ``run`` names work that survives a crash.
    ``patience``: for how many seconds without an answer from the gateway it goes on trying. ``on_inquiry`` answers what
    a reviewer asks about a pending call; without it reviewers get no answer.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        run: str | None = None,
        patience: float = PATIENCE,
        on_inquiry: Callable[[Request, Inquiry], str] | None = None,
        allow_http: bool = False,
    ) -> None:
        self._connection = Connection(url, key, run, allow_http=allow_http)
        self._http = httpx2.Client(**self._connection.options())
        self._talk = Talk(patience=patience, clock=time.monotonic)
        self._on_inquiry = on_inquiry

    def approve_or_raise(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        timeout: float | None = None,
        repeatable: bool = False,
        **words: Any,
    ) -> Permit:
        """Ask for this call, wait for the answer, and take the permit; use it ``with`` the call inside.

        ``words`` are the API's other fields: ``schema``, ``description``, ``reason``, ``confidence``, ``on_behalf_of``,
        ``context``, ``expires_in``, ``preview``, ``question``. ``timeout``: seconds to wait for people at most, for
        ever (until the policy ends it) by default. ``repeatable``: running it twice does no harm, so that what an
        earlier life of this run began is begun again. Raises ``NotApproved``, ``Refused`` or ``Unreachable``.
        """
        body, key = self._connection.asking(tool=tool, arguments=arguments, **words)
        request = self.wait(self._drive(self._talk.submit(body, key)), timeout)
        return self.claim(request, repeatable=repeatable)

    def ask(
        self,
        text: str,
        choices: Sequence[Choice] = (),
        *,
        free_text: bool = True,
        best_guess: str | None = None,
        timeout: float | None = None,
        **words: Any,
    ) -> Answer:
        """Put a question to people. An answer authorises nothing. Raises ``NotApproved`` where none came."""
        question = question_body(text, choices, best_guess, free_text=free_text)
        body, key = self._connection.asking(question=question, **words)
        return answer_of(self.wait(self._drive(self._talk.submit(body, key)), timeout))

    def submit(self, tool: str, arguments: dict[str, Any], *, key: str | None = None, **words: Any) -> Request:
        """Ask, and go on at once; ``key`` makes it the same request however often it is asked."""
        body, said = self._connection.asking(key, tool=tool, arguments=arguments, **words)
        return self._drive(self._talk.submit(body, said))

    def put(
        self,
        text: str,
        choices: Sequence[Choice] = (),
        *,
        free_text: bool = True,
        best_guess: str | None = None,
        **words: Any,
    ) -> Request:
        """Put a question to people, and go on at once."""
        question = question_body(text, choices, best_guess, free_text=free_text)
        body, key = self._connection.asking(question=question, **words)
        return self._drive(self._talk.submit(body, key))

    def read(self, request_id: str) -> Request:
        """How a request stands."""
        return self._drive(self._talk.look(request_id))

    def wait(self, request: Request, timeout: float | None = None) -> Request:
        """Wait until it is settled. An interrupted wait takes the request back, unless a run may take it up again."""
        try:
            return self._drive(self._talk.settle(request, timeout))
        except BaseException as error:
            if not isinstance(error, Exception):
                self._take_back([request])
            raise

    def submit_all(self, calls: Sequence[Mapping[str, Any]]) -> list[Request]:
        """Ask for several calls together and go on at once; each is ``{"tool", "arguments"}`` and the other words.

        Each is decided alone. What was asked is taken back where one of them can't be, unless a run may take it up.
        """
        found: list[Request] = []
        try:
            for body, key in asking_all(self._connection, calls):
                found.append(self._drive(self._talk.submit(body, key)))
        except BaseException:
            self._take_back(found)
            raise
        return found

    def wait_all(self, requests: Sequence[Request], timeout: float | None = None) -> list[Request]:
        """Wait until all are settled; how they stand then, in their order, or after ``timeout`` seconds.

        ``claim`` those that are approved, each right before it runs. An interrupted wait takes them back as ``wait``.
        """
        try:
            return self._drive(settle_all(self._talk, requests, timeout))
        except BaseException as error:
            if not isinstance(error, Exception):
                self._take_back(requests)
            raise

    def group(self, group_id: str) -> Group:
        """How a group of this agent stands."""
        return self._drive(look_at(self._talk, group_id))

    def _take_back(self, requests: Sequence[Request]) -> None:
        for one in requests:
            if one.run is None:
                try:
                    self._drive(replace(self._talk, patience=FAREWELL).withdraw(one.id))
                except Unreachable:
                    return
                except SignoffError:
                    continue

    def news(self, request: Request, seconds: float) -> Request:
        """How it stands after at most ``seconds``, sooner if it settles, is edited, or people ask about it."""
        return self._drive(self._talk.news(request, seconds))

    def reply(self, request: Request, inquiry: Inquiry, text: str) -> Request:
        """Answer what a person asked about a pending call; where somebody else has, that stands."""
        return self._drive(self._talk.reply(request, inquiry.id, text))

    def claim(self, request: Request, *, key: str | None = None, repeatable: bool = False) -> Permit:
        """Take the permit of an approved request. Of two at once one gets it, unless both say the same ``key``."""
        flow = self._talk.permit(request, key or secrets.token_urlsafe(24), repeatable=repeatable)
        return Permit(self, self._drive(flow))

    def report(self, request: Request, *, succeeded: bool, note: str | None = None, result: Any = None) -> Request:
        """Tell how a claimed call went."""
        return self._drive(self._talk.report(request, succeeded=succeeded, note=note, result=result))

    def requests(
        self, *, state: Sequence[str] = (), execution: Sequence[str] = (), since: datetime | None = None
    ) -> list[Request]:
        """This agent's own requests, newest first; only those in these states, and made ``since`` then."""
        return self._drive(self._talk.requests(state, execution, since))

    def withdraw(self, request: Request) -> Request:
        """Take a request back, or an approval that was not taken."""
        return self._drive(self._talk.withdraw(request.id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def run(self) -> str | None:
        """The name of the work that survives a crash."""
        return self._connection.run

    def __enter__(self) -> Signoff:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _drive(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                step = flow.send(self._do(step))
        except StopIteration as end:
            return cast(T, end.value)

    def _do(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return Reply(status=0)
        if isinstance(step, Consult):
            said = self._on_inquiry(step.request, step.inquiry) if self._on_inquiry is not None else ""
            return Reply(status=200, body=said.encode())
        try:
            return reply_of(self._http.request(**request_of(step)))
        except httpx2.HTTPError as error:
            return failed(error)
