"""LangGraph: ``Reviewed(graph, Signoff()).invoke(…)`` has people answer what interrupts the graph.

For graphs that ask already: with LangChain's ``HumanInTheLoopMiddleware``, by ``interrupt`` in a node, or by a ``Gate``
that parks. Nothing is kept but the graph's own checkpoints: each request's key comes from the thread and the interrupt,
its ``run`` is the thread's id. Needs ``langgraph`` 1.2 or newer, and a checkpointer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from langgraph.types import Command

from signoff.async_client import AsyncSignoff
from signoff.client import Signoff
from signoff.errors import NotApproved, StillPending, Unreachable, Withdrawn, not_claimable
from signoff.interrupts import Decision, decision_of, refusal_of
from signoff.models import Answer, Request
from signoff.permit import note_of
from signoff.threads import Open, Standing, cut_off, heard, known, latest, stranded, thread_of, told_of, tools_in

log = logging.getLogger("signoff")
TURN = 2.0
"""Seconds that one of several requests is waited for before the next one's turn comes."""
RECENT, IDLE = timedelta(days=7), timedelta(minutes=1)
BEGUN = ("claimed", "unknown", "failed")

T = TypeVar("T")
Flow = Generator[Callable[[], Any], Any, T]
"""What to do, step by step; what each gives, or raises, comes back. The same for threads and for asyncio."""
Config = Mapping[str, Any]


class Reviewed:
    """A graph whose interrupts people answer. ``invoke`` with ``Signoff``, ``ainvoke`` with ``AsyncSignoff``.

    ``timeout``: seconds to wait for people, for ever by default; after it the graph stays interrupted, as LangGraph's
    result tells, and ``resume_settled`` takes it up. ``repeatable``: running a call twice does no harm, so that what
    an earlier life of a thread began is begun again. Without an answer of the gateway the graph stays interrupted, too.
    """

    def __init__(
        self, graph: Any, client: Signoff | AsyncSignoff, *, timeout: float | None = None, repeatable: bool = False
    ) -> None:
        self._graph = graph
        self._tools = tools_in(graph)
        self._client = client
        self._timeout = timeout
        self._repeatable = repeatable

    def invoke(self, input: Any, config: Config, **how: Any) -> Any:
        """As the graph's own ``invoke``, on until nothing of its interrupts waits for people.

        What asks for anything but a call is left standing, as the result tells. Raises what the graph raises,
        ``Unreachable``, and ``Interrupted`` for a thread that was cut off while an approved call ran.
        """
        return self._drive(self._invoked(input, config, how, self._timeout))

    async def ainvoke(self, input: Any, config: Config, **how: Any) -> Any:
        """As ``invoke``."""
        return await self._adrive(self._invoked(input, config, how, self._timeout))

    def answer(self, config: Config, **how: Any) -> Any:
        """Have people answer what interrupts this thread now; the graph's result, None where nothing does."""
        return self._drive(self._answered(None, config, how, self._timeout))

    async def aanswer(self, config: Config, **how: Any) -> Any:
        """As ``answer``."""
        return await self._adrive(self._answered(None, config, how, self._timeout))

    def resume_settled(self, since: timedelta = RECENT, idle: timedelta = IDLE, **how: Any) -> dict[str, Any]:
        """Go on with each thread whose people have decided; results, or what was raised, by thread. Waits for nobody.

        Threads are found by this agent's requests of the time ``since``. One that a crash left in the middle of a turn,
        without an interrupt, is gone on with when its calls have been decided, and not begun, for as long as ``idle``:
        then no living program is about to.
        """
        return self._drive(self._resumed(since, idle, how))

    async def aresume_settled(self, since: timedelta = RECENT, idle: timedelta = IDLE, **how: Any) -> dict[str, Any]:
        """As ``resume_settled``."""
        return await self._adrive(self._resumed(since, idle, how))

    def _invoked(self, asked: Any, config: Config, how: dict[str, Any], seconds: float | None) -> Flow[Any]:
        if asked is None:
            yield from self._untouched(latest(config))
        result = yield self._graphs("invoke", asked, config, **how)
        return (yield from self._answered(result, config, how, seconds))

    def _answered(self, result: Any, config: Config, how: dict[str, Any], seconds: float | None) -> Flow[Any]:
        """Answer one interrupt after the other, each as soon as it is settled; the last result of the graph."""
        here, until = latest(config), None if seconds is None else time.monotonic() + seconds
        thread, running = thread_of(here), list[Open]()
        while True:
            snapshot = yield self._graphs("get_state", here)
            ready = yield from self._first(known(snapshot, thread), thread, until)
            if ready is None:
                return result
            snapshot = yield self._graphs("get_state", here)
            if ready.id not in {one.id for one in snapshot.interrupts}:
                continue  # somebody else has answered it meanwhile
            answer = yield from self._decided(ready)
            running += [call for call in ready.calls if call.permit is not None]
            try:
                result = yield self._graphs("invoke", Command(resume={ready.id: answer}), here, **how)
            except Exception as error:
                yield from self._reported(running, here, error)
                raise
            running = yield from self._reported(running, here, None)

    def _first(self, standing: list[Standing], thread: str, until: float | None) -> Flow[Standing | None]:
        """The first interrupt that can be answered, None when the time is over. All are asked before any is awaited."""
        for one in standing:
            for call in one.calls:
                yield from self._ask(one, call, thread)
        while standing:
            ready = next((one for one in standing if one.settled), None)
            left = None if until is None else until - time.monotonic()
            if ready is not None or (left is not None and left <= 0):
                return ready
            waiting = [call for one in standing for call in one.calls if not call.settled]
            turn = left if len(waiting) == 1 else min(TURN, TURN if left is None else left)
            for call in waiting:
                yield from self._wait(call, thread, turn)
        return None

    def _ask(self, one: Standing, call: Open, thread: str) -> Flow[None]:
        asked = call.asked
        if one.parked is not None:
            call.request = yield partial(self._client.read, one.parked)
        elif asked.question is not None:
            yield from self._wait(call, thread, 0)
        else:
            tool = self._tools.get(asked.tool)
            shown = {"schema": asked.schema} if tool is None else told_of(tool)
            told = {**shown, "run": thread, "group": call.group}
            call.request = yield partial(self._client.submit, asked.tool, asked.arguments, key=call.key, **told)

    def _wait(self, call: Open, thread: str, seconds: float | None) -> Flow[None]:
        try:
            if call.request is not None:
                call.request = yield partial(self._client.wait, call.request, seconds)
                return
            told: dict[str, Any] = {"key": call.key, "run": thread, "group": call.group}
            said = yield partial(self._client.ask, str(call.asked.question), timeout=seconds, **told)
            call.decision = Decision(kind="respond", arguments=call.asked.arguments, words=_words(said))
        except StillPending:
            return
        except NotApproved as error:
            call.decision = refusal_of(call.asked, error.request, str(error))

    def _decided(self, ready: Standing) -> Flow[Any]:
        """What to resume with, once the permits of what runs are taken. Raises ``NotApproved`` where that can't be."""
        if ready.asking is None:
            return "settled"
        for call in ready.calls:
            if call.decision is None and call.request is not None:
                call.decision = decision_of(call.asked, call.request)
                state = call.request.execution.state if call.request.execution is not None else "gone"
                if call.decision.runs and not (state == "unclaimed" or (state == "claimed" and self._repeatable)):
                    raise not_claimable(call.request)
        for call in ready.calls:
            yield from self._claim(ready, call)
        return ready.asking.answer([call.decision for call in ready.calls if call.decision is not None])

    def _claim(self, ready: Standing, call: Open) -> Flow[None]:
        """Take the permit of a call that runs; where it is over by now, that is the answer."""
        request, decision = call.request, call.decision
        if request is None or decision is None or not request.approved:
            return
        if not decision.runs:  # nobody else is to run what was approved, either
            if request.execution is not None and request.execution.state == "unclaimed":
                yield partial(self._client.withdraw, request)
            return
        try:
            call.permit = yield partial(self._client.claim, request, repeatable=self._repeatable)
        except Withdrawn as error:
            call.decision = refusal_of(call.asked, request, str(error))
        except Exception:
            for other in ready.calls:
                if other.permit is not None:
                    yield partial(other.permit.ended, "It was not started.")
            raise

    def _reported(self, running: list[Open], here: Config, error: Exception | None) -> Flow[list[Open]]:
        """Report the calls that have ended. Of the others nothing is said: the gateway will call them unknown."""
        snapshot = yield self._graphs("get_state", here)
        results, left = heard(snapshot), list[Open]()
        silent = [call for call in running if call.call_id not in results]
        for call in running:
            result = results.get(call.call_id) if call.call_id is not None else None
            if result is not None:
                failure = str(result.text) if result.status == "error" else None
            elif error is not None and len(silent) == 1:
                failure = note_of(error)
            elif error is None and call.call_id is None:
                failure = None  # the graph went on past a node's own interrupt
            else:
                left.append(call)
                continue
            yield partial(call.permit.ended, failure)
        return left

    def _untouched(self, here: Config) -> Flow[None]:
        """Raise for a thread that was cut off in the middle of an approved call: LangGraph would run it again."""
        snapshot = yield self._graphs("get_state", here)
        if self._repeatable or snapshot.interrupts or not snapshot.next:
            return
        since = datetime.now(UTC) - RECENT
        for request in (yield partial(self._client.requests, execution=BEGUN, since=since)):
            if request.run == thread_of(here) and cut_off(snapshot, request):
                raise not_claimable(request)

    def _resumed(self, since: timedelta, idle: timedelta, how: dict[str, Any]) -> Flow[dict[str, Any]]:
        now = datetime.now(UTC)
        asked = yield partial(self._client.requests, since=now - since)
        found: dict[str, Any] = {}
        for thread in dict.fromkeys(request.run for request in asked if request.run and not request.pending):
            own = [request for request in asked if request.run == thread]
            try:
                result = yield from self._taken_up(thread, own, now - idle, how)
            except Unreachable:
                raise
            except Exception as error:
                log.exception("The thread %s could not go on", thread)
                result = error
            if result is not None:
                found[thread] = result
        return found

    def _taken_up(self, thread: str, own: list[Request], before: datetime, how: dict[str, Any]) -> Flow[Any]:
        here = {"configurable": {"thread_id": thread}}
        try:
            snapshot = yield self._graphs("get_state", here)
        except Exception as error:  # the agent's other runs are no threads of this graph
            log.warning("The thread %s could not be read: %s", thread, error)
            return None
        if snapshot.interrupts:
            return (yield from self._answered(None, here, how, 0))
        if snapshot.next and stranded(snapshot, own, before):
            return (yield from self._invoked(None, here, how, 0))
        return None

    def _graphs(self, verb: str, *words: Any, **how: Any) -> Callable[[], Any]:
        """One of the graph's methods, in the form that the client's kind calls for."""
        name = f"a{verb}" if isinstance(self._client, AsyncSignoff) else verb
        return partial(getattr(self._graph, name), *words, **how)

    def _drive(self, flow: Flow[T]) -> T:
        if not isinstance(self._client, Signoff):
            raise TypeError("With AsyncSignoff call ainvoke, aanswer and aresume_settled.")
        try:
            step = next(flow)
            while True:
                try:
                    value = step()
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(value)
        except StopIteration as end:
            return cast(T, end.value)

    async def _adrive(self, flow: Flow[T]) -> T:
        if not isinstance(self._client, AsyncSignoff):
            raise TypeError("With Signoff call invoke, answer and resume_settled.")
        try:
            step = next(flow)
            while True:
                try:
                    value = await step()
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(value)
        except StopIteration as end:
            return cast(T, end.value)


def _words(answer: Answer) -> str:
    return answer.text or answer.choice or ""
