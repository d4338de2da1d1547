"""AAP's addresses, and what each does: check the key, read the body, the gateway's own steps, answer in its words."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.api.aap.asks import ConsumeBody, OutcomeBody, ReadQuery, SubmissionBody
from bot.api.aap.bodies import answer, fields, required_key
from bot.api.aap.described import AapRequest, operation
from bot.api.aap.errors import BASE
from bot.api.aap.shows import id_of, shown, status_of
from bot.api.auth import Doorkeeper
from bot.api.bodies import body_as, idempotency, query_as
from bot.api.operations import IDEMPOTENCY_KEY, describes
from bot.api.submitting import submitted
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from policies.allowance import Scope
from policies.dialect import uuid_of
from policies.errors import Conflict, NotFound
from policies.request import ExecutionState, Request, Requester, State

REFUSED_CONSUME: Mapping[str, str] = {
    "already_claimed": "already_consumed",
    "call_lapsed": "approval_expired",
    "call_revoked": "not_approved",
    "already_settled": "not_approved",
}
REFUSED_OUTCOME: Mapping[str, str] = {"already_reported": "outcome_conflict"}
"""AAP's codes for the gateway's; what isn't named is ``not_approved``, ``not_consumed``, ``already_terminal``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AapRoutes:
    """What an instance can do with its own requests."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    def table(self) -> list[web.RouteDef]:
        """The addresses."""
        one = f"{BASE}/v1/requests/{{id}}"
        return [
            web.post(f"{BASE}/v1/requests", self.submit),
            web.get(one, self.read, allow_head=False),
            web.delete(one, self.cancel),
            web.post(f"{one}/consume", self.consume),
            web.post(f"{one}/outcome", self.outcome),
        ]

    @describes(
        operation(
            id="aap_submit",
            scopes=(Scope.ASK,),
            bodies=(SubmissionBody,),
            headers=(IDEMPOTENCY_KEY,),
            headers_needed=True,
            answers={201: AapRequest, 200: AapRequest},
            leads_on=True,
            codes=(
                "missing_idempotency_key",
                "idempotency_key_invalid",
                "idempotency_conflict",
                "too_large",
                "too_deep",
                "rate_limited",
                "cooling_off",
                "rejected_before",
            ),
        )
    )
    async def submit(self, http: web.Request) -> web.Response:
        """Ask by the Agent Approval Protocol.

        201 is a new request, 200 the one that the same key and body made before.
        """
        caller = await self.doorkeeper.caller(http, Scope.ASK)
        async with self.gateway.budgets.crowding.place(caller.requester.id):
            key = required_key(http)
            turns = self.gateway.turns
            sent = await fields(http, self.gateway.turns)
            submission = await turns.run(body_as(SubmissionBody, sent).submission)
            caller.allowance.check_tool(submission.call.tool)
            again = await turns.run(partial(idempotency, caller.requester, key, sent))
            added = await submitted(http, self.gateway, self.doorkeeper, submission, caller.requester, again)
            response = await turns.run(partial(_show, added.request, status=201 if added.created else 200))
            response.headers["Location"] = f"{BASE}/v1/requests/{uuid_of(added.request.id)}"
            return response

    @describes(operation(id="aap_read", query=ReadQuery, answers={200: AapRequest}, codes=("not_found", "restarting")))
    async def read(self, http: web.Request) -> web.Response:
        """Read a request of AAP's, or wait for it.

        With ``wait`` it answers as soon as the request is decided, at the latest after 30 seconds.
        """
        requester, query = await self.doorkeeper.requester(http), query_as(ReadQuery, http)
        request = await self._own(http, requester)
        if query.seconds and not request.settled:
            waiting = self.gateway.wait(request.id, requester, revision=None, inquiries=None, seconds=query.seconds)
            request = await self.waits.hold(http, waiting)
            await self.doorkeeper.requester(http)  # whose key ended meanwhile is told nothing
        return _show(request)

    @describes(
        operation(
            id="aap_cancel",
            scopes=(Scope.ASK, Scope.ACT),
            answers={200: AapRequest},
            codes=("not_found", "already_terminal"),
        )
    )
    async def cancel(self, http: web.Request) -> web.Response:
        """Cancel a request of AAP's.

        What waits is withdrawn; what was decided stays as it was decided.
        """
        requester, request = await self._of_own(http, Scope.ASK, Scope.ACT)
        if request.state is State.PENDING:
            request = await _or(self.gateway.withdraw(request.id, requester), {}, "already_terminal")
        if status_of(request) != "cancelled":
            raise Conflict(f"The request is {status_of(request)} already.", code="already_terminal")
        return _show(request)

    @describes(
        operation(
            id="aap_consume",
            scopes=(Scope.ACT,),
            bodies=(ConsumeBody,),
            body_needed=False,
            headers=(IDEMPOTENCY_KEY,),
            headers_needed=True,
            answers={200: AapRequest},
            codes=(
                "not_found",
                "missing_idempotency_key",
                "idempotency_key_invalid",
                "not_approved",
                "already_consumed",
                "approval_expired",
            ),
        )
    )
    async def consume(self, http: web.Request) -> web.Response:
        """Consume an approval of AAP's, once.

        The same key gets the same answer again.
        """
        requester, request = await self._of_own(http, Scope.ACT)
        key = required_key(http)
        body_as(ConsumeBody, await fields(http, self.gateway.turns) if http.can_read_body else {})
        await self.doorkeeper.key(http)  # a body may take its time, and a key that ended meanwhile claims nothing
        taking = self.gateway.claim(request.id, requester, request.digest, key=key)
        return _show(await _or(taking, REFUSED_CONSUME, "not_approved"))

    @describes(
        operation(
            id="aap_outcome",
            scopes=(Scope.ACT,),
            bodies=(OutcomeBody,),
            answers={200: AapRequest},
            codes=("not_found", "not_consumed", "outcome_conflict"),
        )
    )
    async def outcome(self, http: web.Request) -> web.Response:
        """Report the outcome of a consumed call.

        What was said first stands.
        """
        requester, request = await self._of_own(http, Scope.ACT)
        body = body_as(OutcomeBody, await fields(http, self.gateway.turns))
        telling = self.gateway.report(request.id, requester, ExecutionState(body.status), note=body.note)
        told = await _or(telling, REFUSED_OUTCOME, "not_consumed")
        if told.execution is not None and told.execution.note != body.note:
            raise Conflict("Another note was reported already; the first stands.", code="outcome_conflict")
        return _show(told)

    async def _of_own(self, http: web.Request, *scopes: Scope) -> tuple[Requester, Request]:
        """Who does something with a request of theirs, with a key that may do one of ``scopes`` with its tool."""
        caller = await self.doorkeeper.caller(http, *scopes)
        request = await self._own(http, caller.requester)
        caller.allowance.check_tool(request.call.tool)
        return caller.requester, request

    async def _own(self, http: web.Request, requester: Requester) -> Request:
        """The instance's own request that came through AAP; any other reads like an unknown one."""
        request = await self.gateway.own(id_of(http.match_info["id"]), requester)
        if request.dialect is None:
            raise NotFound("No such request.")
        return request


async def _or(changing: Awaitable[Request], codes: Mapping[str, str], otherwise: str) -> Request:
    """The changed request. Raises ``Conflict`` with AAP's code for the gateway's."""
    try:
        return await changing
    except Conflict as error:
        raise Conflict(error.words, code=codes.get(error.code, otherwise)) from error


def _show(request: Request, *, status: int = 200) -> web.Response:
    return answer(shown(request), status=status)
