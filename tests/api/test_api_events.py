"""Server-sent events: what happens to a request, as it is written, to a parser that isn't ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx2
import pytest
from aiohttp.test_utils import make_mocked_request

from bot.api import event_routes
from bot.api.auth import Doorkeeper
from bot.api.event_routes import EventRoutes
from bot.api.waits import OpenWaits
from policies.request import ExecutionState, Requester
from policies.review import Verdict
from tests.api.house import MAIL, PAYMENT, House, open_house, until

MAILER = Requester(id="key:mailer", name="mailer")


@asynccontextmanager
async def stream(house: House, asked: str, last: str | None = None) -> AsyncIterator[httpx2.EventSource]:
    """The open stream of a request, as the HTTP client of another house reads it."""
    headers = {"Authorization": f"Bearer {house.agent}", **({"Last-Event-ID": last} if last else {})}
    async with (
        httpx2.AsyncClient(base_url=house.address(""), headers=headers, timeout=20) as client,
        client.sse(f"/v1/requests/{asked}/events") as source,
    ):
        yield source


async def told(source: httpx2.EventSource, most: int = 99) -> list[tuple[str, Any]]:
    """The stream's events with their data, until it ends or there are so many."""
    found = []
    async for event in source:
        found.append((event.event, {"seq": int(event.id), **json.loads(event.data)}))
        if len(found) == most:
            break
    return found


def names(events: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in events]


async def ana(house: House, asked: str, verdict: Verdict = Verdict.APPROVE, **more: Any) -> Any:
    return await house.gateway.review(asked, house.person("U0ANA"), verdict, 1, **more)


async def test_a_request_s_whole_life_is_told_in_the_journal_s_words_and_then_the_stream_ends(house: House) -> None:
    asked = (await house.ask(PAYMENT))["id"]
    async with stream(house, asked) as source:
        following = asyncio.create_task(told(source))
        await until(lambda: house.waiting.topics == 1)
        fay, fred = house.person("U0FAY"), house.person("U0FRED")
        await house.gateway.inquire(asked, fay, "Which invoice?")
        changed = {**PAYMENT["arguments"], "amount": 40}
        await house.gateway.review(asked, fay, Verdict.MODIFY, 1, arguments=changed)
        settled = await house.gateway.review(asked, fred, Verdict.APPROVE, 2)
        await house.gateway.claim(asked, MAILER, settled.digest)
        await house.gateway.report(asked, MAILER, ExecutionState.SUCCEEDED)
        events = await following
    words = ["opened", "inquired", "revised", "reviewed", "reviewed", "settled", "claimed", "succeeded"]
    assert names(events) == words
    seqs = [said.pop("seq") for _, said in events]
    assert seqs == [line.seq for line in await house.store.journal() if line.subject == asked]
    by_name = dict(events)
    assert by_name["inquired"]["inquiry"] == settled.inquiries[0].id
    assert (by_name["revised"]["revision"], by_name["revised"]["by"]) == (2, ["U0FAY"])
    assert set(by_name["settled"].pop("by")) == {"U0FAY", "U0FRED"}
    at = by_name["settled"].pop("at")
    assert by_name["settled"] == {"request": asked, "verdict": "approved", "digest": settled.digest}
    assert (at, by_name["claimed"]["by"]) == ("2026-11-23T09:00:00Z", ["requester"])
    assert "Nordkai" not in str(events), "the arguments are the request's, not the event's"
    assert house.waiting.topics == 0


async def test_what_was_missed_is_sent_again_also_by_a_gateway_that_was_started_anew(tmp_path: Any) -> None:
    async with open_house(tmp_path) as house:
        asked = (await house.ask())["id"]
        async with stream(house, asked) as source:
            ((_, opened),) = await told(source, most=1)
        await house.gateway.inquire(asked, house.person("U0ANA"), "Why?")
    async with open_house(tmp_path, again=house) as later:
        async with stream(later, asked, last=str(opened["seq"])) as source:
            following = asyncio.create_task(told(source))
            await until(lambda: later.waiting.topics == 1)
            await ana(later, asked, Verdict.REJECT)
            events = await following
        assert names(events) == ["inquired", "reviewed", "settled"]
        last = events[-1][1]["seq"]
        over = await later.call("GET", f"/v1/requests/{asked}/events", headers={"Last-Event-ID": str(last)})
        assert (over.status, over.body) == (204, None), "which tells an EventSource to come no more"
        async with stream(later, asked, last="999999") as source:  # an id of another database
            assert names(await told(source)) == ["opened", *names(events)]


async def test_a_gateway_that_stops_ends_its_streams_whole_and_begins_no_other(house: House) -> None:
    asked = (await house.ask(MAIL))["id"]
    async with stream(house, asked) as source:
        following = asyncio.create_task(told(source))
        await until(lambda: house.waiting.topics == 1)
        began = time.perf_counter()
        await house.runner.cleanup()
        assert names(await following) == ["opened"], "an end within a chunk would have raised"
    assert time.perf_counter() - began < 10
    assert house.waiting.topics == 0


async def test_a_stream_shows_signs_of_life_and_ends_soon_after_its_key_was_revoked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_routes, "KEEP_ALIVE", 0.05)
    asked = (await house.ask(MAIL))["id"]
    headers = {"Authorization": f"Bearer {house.agent}"}
    async with house.session.get(house.address(f"/v1/requests/{asked}/events"), headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert (response.headers["Cache-Control"], response.headers["X-Accel-Buffering"]) == ("no-store", "no")
        assert await response.content.readline() == b"retry: 1000\n"
        assert (await response.content.readline()).startswith(b"id: ")
        read = b""
        while read.count(b": waiting\n\n") < 3:
            read += await response.content.readany()
        await house.store.revoke_key("mailer", house.clock())
        async with asyncio.timeout(10):
            await response.content.read()
    assert house.waiting.topics == 0


async def test_foreign_unknown_and_unusable_streams_are_refused_before_they_begin(house: House) -> None:
    asked = (await house.ask(MAIL))["id"]
    foreign = await house.call("GET", f"/v1/requests/{asked}/events", key=house.other_agent)
    unknown = await house.call("GET", "/v1/requests/req_0/events")
    assert (foreign.status, foreign.body) == (404, unknown.body)
    assert (await house.call("GET", f"/v1/requests/{asked}/events", key="")).status == 401
    for last in ("x", "-1", "9" * 20, "²"):
        wrong = await house.call("GET", f"/v1/requests/{asked}/events", headers={"Last-Event-ID": last})
        assert (wrong.status, wrong.body["code"]) == (422, "invalid"), last
    async with aiohttp.ClientSession() as session, session.head(house.address("/v1/requests/req_0/events")) as head:
        assert head.status == 405
    assert house.waiting.topics == 0


async def test_one_key_is_remembered_once_however_it_is_sent(house: House) -> None:
    doorkeeper = Doorkeeper(store=house.store, clock=house.clock)
    routes = EventRoutes(gateway=house.gateway, doorkeeper=doorkeeper, waits=OpenWaits())
    for scheme in ("Bearer ", "bearer ", "BEARER    "):
        await routes._check_key(make_mocked_request("GET", "/", headers={"Authorization": scheme + house.agent}))
    assert len(routes.looked) == 1
