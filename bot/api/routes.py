"""The addresses of the HTTP API, and what each does: check the key, read the body, one call of the gateway, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.api.aap.errors import errors as aap_errors
from bot.api.aap.instances import InstanceRoutes
from bot.api.aap.receivers import Receivers
from bot.api.aap.routes import AapRoutes
from bot.api.addresses import request_id_of
from bot.api.answers import show, shown
from bot.api.asks import AnswersBody, BareBody, ClaimBody, ListQuery, ReadQuery, ReportBody, SubmitBody, is_bare
from bot.api.auth import Caller, Doorkeeper
from bot.api.bodies import body_as, idempotency, idempotency_key, json_of, query_as
from bot.api.describing import Description
from bot.api.event_routes import EventRoutes
from bot.api.group_routes import GroupRoutes
from bot.api.health import Figures, Ready, alive, metrics_for, readiness
from bot.api.hook_routes import HookRoutes
from bot.api.models import RequestOut, RequestsOut
from bot.api.operations import IDEMPOTENCY_KEY, Operation, describes
from bot.api.problems import moved, problems
from bot.api.submitting import submitted
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from bot.webhooks.sender import Sender
from policies.allowance import Scope
from policies.arguments import JsonValue
from policies.errors import Invalid
from policies.request import ExecutionState, Requester, Submission
from storage.store import Store


def add_routes(
    app: web.Application,
    gateway: Gateway,
    store: Store,
    clock: Callable[[], datetime],
    *,
    ready: Ready,
    figures: Figures,
    sender: Sender,
) -> None:
    """Add the API to ``app``, with problem documents for whatever goes wrong anywhere in ``app``.

    ``sender`` asks those receivers that agents bring themselves.
    """
    app.middlewares.append(problems)
    app.middlewares.append(aap_errors)
    waits = OpenWaits()
    app.cleanup_ctx.append(waits.watch)
    app.on_shutdown.append(waits.end)
    doorkeeper = Doorkeeper(store=store, clock=clock)
    description = Description()
    requests = RequestRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    groups = GroupRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    hooks = HookRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits)
    instances = InstanceRoutes(
        store=store, doorkeeper=doorkeeper, clock=clock, turns=gateway.turns, receivers=Receivers(sender=sender)
    )
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
            web.post("/v1/hooks/claude-code", hooks.claude_code),
            *AapRoutes(gateway=gateway, doorkeeper=doorkeeper, waits=waits).table(),
            *instances.table(),
            web.get("/healthz", alive),
            web.get("/readyz", readiness(ready)),
            web.get("/metrics", metrics_for(figures, doorkeeper)),
            web.get("/openapi.json", description.document),
            web.get("/docs", description.page),
        ]
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRoutes:
    """What an agent can do with its own requests."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    @describes(
        Operation(
            id="submit_request",
            tag="requests",
            key="agent",
            scopes=(Scope.ASK,),
            bodies=(SubmitBody, BareBody),
            headers=(IDEMPOTENCY_KEY,),
            answers={201: RequestOut, 200: RequestOut},
            leads_on=True,
            codes=(
                "arguments_invalid",
                "too_large",
                "too_deep",
                "idempotency_key_invalid",
                "idempotency_conflict",
                "group_conflict",
                "group_full",
                "rate_limited",
                "cooling_off",
                "rejected_before",
            ),
        )
    )
    async def submit(self, http: web.Request) -> web.Response:
        """Ask for a sign-off.

        A call that the policy lets through or refuses comes back settled at once; any other waits for people. Send an
        ``Idempotency-Key``: 201 is a new request, 200 the one that the same key and body made before, as it stands
        now. Without a ``tool``, a ``question`` is all that is asked.
        """
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
        added = await submitted(http, self.gateway, self.doorkeeper, submission, requester, again)
        status = 201 if added.created else 200
        response = await turns.run(lambda: show(RequestOut.of(added.request), status=status))
        response.headers["Location"] = f"/v1/requests/{added.request.id}"
        return response

    @describes(
        Operation(
            id="read_request",
            tag="requests",
            key="agent",
            query=ReadQuery,
            answers={200: RequestOut},
            leads_on=True,
            codes=("not_found", "restarting"),
        )
    )
    async def read(self, http: web.Request) -> web.Response:
        """Read a request, or wait for it.

        With ``wait`` it answers as soon as the request is settled (or changed, as ``revision`` and ``inquiry`` say),
        and at the end of the wait as it stands then. Ask again until it is settled.
        """
        requester = await self.doorkeeper.requester(http)
        query = query_as(ReadQuery, http)
        if query.wait == 0:
            return shown(await self.gateway.own(request_id_of(http), requester))
        waiting = self.gateway.wait(
            request_id_of(http), requester, revision=query.revision, inquiries=query.inquiry, seconds=query.wait
        )
        found = await self.waits.hold(http, waiting)
        await self.doorkeeper.requester(http)  # whose key ended meanwhile is told nothing
        return shown(found)

    @describes(Operation(id="list_requests", tag="requests", key="agent", query=ListQuery, answers={200: RequestsOut}))
    async def list_own(self, http: web.Request) -> web.Response:
        """List requests.

        The agent's own, newest first. ``execution=unclaimed`` is what the agent may run now: an agent that was
        restarted finds its approvals there.
        """
        requester = await self.doorkeeper.requester(http)
        query = query_as(ListQuery, http)
        try:
            page = await self.gateway.list_own(
                requester,
                states=query.state or (),
                execution=query.execution or (),
                limit=query.limit,
                cursor=query.cursor,
            )
        except Invalid as error:
            raise moved(error, "?") from error
        return show(RequestsOut.of(page.requests, page.cursor))

    @describes(
        Operation(
            id="claim_request",
            tag="requests",
            key="agent",
            scopes=(Scope.ACT,),
            bodies=(ClaimBody,),
            headers=(IDEMPOTENCY_KEY,),
            answers={200: RequestOut},
            codes=(
                "not_found",
                "not_approved",
                "digest_mismatch",
                "already_claimed",
                "call_lapsed",
                "call_revoked",
                "call_purged",
                "idempotency_key_invalid",
            ),
        )
    )
    async def claim(self, http: web.Request) -> web.Response:
        """Claim an approved call.

        Its permit is taken once. Run it with the ``arguments`` of this answer and no others, then report how it went.
        With an ``Idempotency-Key`` the same claim again gets the same answer; any other second claim is refused.
        """
        requester = await self._of_own(http, Scope.ACT)
        key = idempotency_key(http)
        body = body_as(ClaimBody, await json_of(http, self.gateway.turns))
        await self.doorkeeper.key(http)  # a body may take its time, and a key that ended meanwhile claims nothing
        return shown(await self.gateway.claim(request_id_of(http), requester, body.digest, key=key))

    @describes(
        Operation(
            id="report_request",
            tag="requests",
            key="agent",
            scopes=(Scope.ACT,),
            bodies=(ReportBody,),
            answers={200: RequestOut},
            codes=(
                "not_found",
                "not_approved",
                "already_reported",
                "already_settled",
                "call_unclaimed",
                "call_lapsed",
                "call_revoked",
                "too_large",
            ),
        )
    )
    async def report(self, http: web.Request) -> web.Response:
        """Report how it went.

        What is never reported counts as unknown, and people are asked about it. The same status again changes nothing.
        """
        requester = await self._of_own(http, Scope.ACT)
        body = body_as(ReportBody, await json_of(http, self.gateway.turns))
        state = ExecutionState(body.status)
        request_id, result = request_id_of(http), body.checked_result()
        return shown(await self.gateway.report(request_id, requester, state, note=body.note, result=result))

    @describes(
        Operation(
            id="answer_inquiry",
            tag="requests",
            key="agent",
            scopes=(Scope.ASK,),
            bodies=(AnswersBody,),
            answers={200: RequestOut},
            codes=("not_found", "already_answered", "already_settled"),
        )
    )
    async def answer_inquiry(self, http: web.Request) -> web.Response:
        """Answer what people asked.

        Once for each of the request's ``inquiries``, while it is pending. The answer decides nothing.
        """
        requester = await self._of_own(http, Scope.ASK)
        body = body_as(AnswersBody, await json_of(http, self.gateway.turns))
        return shown(await self.gateway.reply(request_id_of(http), requester, body.inquiry, body.text))

    @describes(
        Operation(
            id="withdraw_request",
            tag="requests",
            key="agent",
            scopes=(Scope.ASK, Scope.ACT),
            answers={200: RequestOut},
            codes=("not_found", "already_settled"),
        )
    )
    async def withdraw(self, http: web.Request) -> web.Response:
        """Withdraw a request.

        Pending, it is withdrawn; approved and not yet claimed, its permit is revoked. The same again changes nothing.
        """
        requester = await self._of_own(http, Scope.ASK, Scope.ACT)
        return shown(await self.gateway.withdraw(request_id_of(http), requester))

    async def _of_own(self, http: web.Request, *scopes: Scope) -> Requester:
        """Who does something with a request of theirs, with a key that may do one of ``scopes`` with its tool."""
        caller = await self.doorkeeper.caller(http, *scopes)
        if caller.allowance.tools:
            caller.allowance.check_tool((await self.gateway.own(request_id_of(http), caller.requester)).call.tool)
        return caller.requester


def _submission_of(sent: JsonValue) -> Callable[[], Submission]:
    """How to read what was sent: a call with or without a question, or a question alone."""
    return body_as(BareBody, sent).submission if is_bare(sent) else body_as(SubmitBody, sent).submission
