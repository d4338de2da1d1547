"""Is the gateway there, can it decide, and how is it doing: what operators' programs ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.api.auth import Doorkeeper
from bot.api.models import StatusOut
from bot.api.operations import Operation, describes
from bot.api.problems import ANSWER_HEADERS, answer
from policies.errors import Fault

Ready = Callable[[], Awaitable[tuple[str, ...]]]
"""What keeps the gateway from deciding now, a sentence each (the database, Slack); empty when it is able to."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text format."""

Figures = Callable[[], Awaitable[bytes]]
"""The gateway's metrics in Prometheus's text format."""


@describes(Operation(id="health", tag="operation", key=None, stored=False, answers={200: StatusOut}))
async def alive(http: web.Request) -> web.Response:
    """Is the process there?"""
    return web.json_response({"status": "ok"}, headers=ANSWER_HEADERS)


def readiness(ready: Ready) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of ``GET /readyz``."""

    @describes(
        Operation(
            id="readiness",
            tag="operation",
            key=None,
            stored=False,
            answers={200: StatusOut},
            codes=("not_ready",),
        )
    )
    async def readyz(http: web.Request) -> web.Response:
        """Can it decide now?

        503 while Slack isn't connected or the database doesn't answer.
        """
        missing = await ready()
        if not missing:
            return web.json_response({"status": "ready"}, headers=ANSWER_HEADERS)
        faults = tuple(Fault(where="", words=words) for words in missing)
        response = answer(503, "not_ready", "Signoff can't decide now: " + "; ".join(missing), faults)
        response.headers["Retry-After"] = "5"
        return response

    return readyz


def metrics_for(figures: Figures, doorkeeper: Doorkeeper) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of ``GET /metrics``."""

    @describes(Operation(id="metrics", tag="operation", key="operator", answers={200: "text/plain"}))
    async def metrics(http: web.Request) -> web.Response:
        """Read the figures.

        In Prometheus's text format.
        """
        await doorkeeper.operator(http)
        headers = {**ANSWER_HEADERS, "Content-Type": METRICS_TYPE}
        return web.Response(body=await figures(), headers=headers)

    return metrics
