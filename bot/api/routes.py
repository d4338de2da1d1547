"""The addresses of the HTTP API, and what each does: check the key, read the body, one call of the gateway, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.api.aap.errors import errors as aap_errors
from bot.api.aap.routes import AapRoutes
from bot.api.addresses import request_id_of
from bot.api.answers import show, shown
from bot.api.asks import AnswersBody, BareBody, ClaimBody, ListQuery, ReadQuery, ReportBody, SubmitBody, is_bare
from bot.api.auth import Caller, Doorkeeper
from bot.api.bodies import body_as, idempotency, idempotency_key, json_of, query_as
from bot.api.event_routes import EventRoutes
from bot.api.group_routes import GroupRoutes
from bot.api.models import RequestOut, RequestsOut
from bot.api.problems import ANSWER_HEADERS, answer, moved, problems
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from policies.allowance import Scope
from policies.arguments import JsonValue
from policies.errors import Fault, Invalid
from policies.request import ExecutionState, Requester, Submission
from storage.store import Store

Ready = Callable[[], Awaitable[tuple[str, ...]]]
"""What keeps the gateway from deciding now, a sentence each (the database, Slack); empty when it is able to."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text format."""

Figures = Callable[[], Awaitable[bytes]]
"""The gateway's metrics in Prometheus's text format."""


def add_routes(
    app: web.Application,
    gateway: Gateway,
    store: Store,
    clock: Callable[[], datetime],
    *,
    ready: Ready,
    figures: Figures,
) -> None:
    """Add the API to ``app``, with problem documents for whatever goes wrong anywhere in ``app``."""
    app.middlewares.append(problems)
    app.middlewares.append(aap_errors)
    waits = OpenWaits()
    app.cleanup_ctx.append(waits.watch)
    app.on_shutdown.append(waits.end)
    doorkeeper = Doorkeeper(store=store, clock=clock)
    requests = RequestRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    groups = GroupRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    events = EventRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    app.add_routes(
        [
            web.post("/v1/requests", requests.submit),
            web.get("/v1/requests", requests.list_own, allow_head=False),
            web.get("/v1/requests/{id}", requests.read, allow_head=False),
            web.delete("/v1/requests/{id}", requests.withdraw),
            web.post("/v1/requests/{id}/claim", requests.claim),
            web.post("/v1/requests/{id}/report", requests.report),
            web.post("/v1/requests/{id}/answers", requests.answer_inquiry),
            web.get("/v1/requests/{id}/events", events.follow, allow_head=False),
            web.get("/v1/groups/{id}", groups.read, allow_head=False),
            *AapRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits).table(),
            web.get("/healthz", alive),
            web.get("/readyz", _readiness(ready)),
            web.get("/metrics", _metrics(figures, doorkeeper)),
        ]
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRoutes:
    """What an agent can do with its own requests."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    async def submit(self, http: web.Request) -> web.Response:
        """``POST /v1/requests``: 201 new, 200 the same again."""
        caller = await self.doorkeeper.caller(http, Scope.ASK)
        async with self.gateway.budgets.crowding.place(caller.requester.id):
            return await self._submit(http, caller)

    async def _submit(self, http: web.Request, caller: Caller) -> web.Response:
        requester = caller.requester
        key = idempotency_key(http)
        turns = self.gateway.turns
        sent = await json_of(http, turns)
        submission = await turns.run(_submission_of(sent))
        caller.allowance.check_tool(submission.call.tool)
        again = await turns.run(partial(idempotency, requester, key, sent)) if key is not None else None
        added = await self.gateway.submit(submission, requester, idempotency=again)
        status = 201 if added.created else 200
        response = await turns.run(lambda: show(RequestOut.of(added.request), status=status))
        response.headers["Location"] = f"/v1/requests/{added.request.id}"
        return response

    async def read(self, http: web.Request) -> web.Response:
        """``GET /v1/requests/{id}``: how it stands, or a long poll until that changes."""
        requester = await self.doorkeeper.requester(http)
        query = query_as(ReadQuery, http)
        if query.wait == 0:
            return shown(await self.gateway.own(request_id_of(http), requester))
        waiting = self.gateway.wait(
            request_id_of(http), requester, revision=query.revision, inquiries=query.inquiry, seconds=query.wait
        )
        return shown(await self.waits.hold(http, waiting))

    async def list_own(self, http: web.Request) -> web.Response:
        """``GET /v1/requests``: the agent's own, newest first."""
        requester = await self.doorkeeper.requester(http)
        query = query_as(ListQuery, http)
        try:
            page = await self.gateway.list_own(
                requester, states=query.state, execution=query.execution, limit=query.limit, cursor=query.cursor
            )
        except Invalid as error:
            raise moved(error, "?") from error
        return show(RequestsOut.of(page.requests, page.cursor))

    async def claim(self, http: web.Request) -> web.Response:
        """``POST /v1/requests/{id}/claim``: the arguments to run, once."""
        requester = await self._of_own(http, Scope.ACT)
        key = idempotency_key(http)
        body = body_as(ClaimBody, await json_of(http, self.gateway.turns))
        return shown(await self.gateway.claim(request_id_of(http), requester, body.digest, key=key))

    async def report(self, http: web.Request) -> web.Response:
        """``POST /v1/requests/{id}/report``: how the claimed call went."""
        requester = await self._of_own(http, Scope.ACT)
        body = body_as(ReportBody, await json_of(http, self.gateway.turns))
        state = ExecutionState(body.status)
        request_id, result = request_id_of(http), body.checked_result()
        return shown(await self.gateway.report(request_id, requester, state, note=body.note, result=result))

    async def answer_inquiry(self, http: web.Request) -> web.Response:
        """``POST /v1/requests/{id}/answers``: what the agent answers to a person's question."""
        requester = await self._of_own(http, Scope.ASK)
        body = body_as(AnswersBody, await json_of(http, self.gateway.turns))
        return shown(await self.gateway.reply(request_id_of(http), requester, body.inquiry, body.text))

    async def withdraw(self, http: web.Request) -> web.Response:
        """``DELETE /v1/requests/{id}``: pending is withdrawn, approved and unclaimed revoked."""
        requester = await self._of_own(http, Scope.ASK, Scope.ACT)
        return shown(await self.gateway.withdraw(request_id_of(http), requester))

    async def _of_own(self, http: web.Request, *scopes: Scope) -> Requester:
        """Who does something with a request of theirs, with a key that may do one of ``scopes`` with its tool."""
        caller = await self.doorkeeper.caller(http, *scopes)
        if caller.allowance.tools:
            caller.allowance.check_tool((await self.gateway.own(request_id_of(http), caller.requester)).call.tool)
        return caller.requester


async def alive(http: web.Request) -> web.Response:
    """``GET /healthz``: the process answers."""
    return web.json_response({"status": "ok"}, headers=ANSWER_HEADERS)


def _readiness(ready: Ready) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def readyz(http: web.Request) -> web.Response:
        missing = await ready()
        if not missing:
            return web.json_response({"status": "ready"}, headers=ANSWER_HEADERS)
        faults = tuple(Fault(where="", words=words) for words in missing)
        response = answer(503, "not_ready", "Signoff can't decide now: " + "; ".join(missing), faults)
        response.headers["Retry-After"] = "5"
        return response

    return readyz


def _metrics(figures: Figures, doorkeeper: Doorkeeper) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def metrics(http: web.Request) -> web.Response:
        await doorkeeper.operator(http)
        headers = {**ANSWER_HEADERS, "Content-Type": METRICS_TYPE}
        return web.Response(body=await figures(), headers=headers)

    return metrics


def _submission_of(sent: JsonValue) -> Callable[[], Submission]:
    """How to read what was sent: a call with or without a question, or a question alone."""
    return body_as(BareBody, sent).submission if is_bare(sent) else body_as(SubmitBody, sent).submission
