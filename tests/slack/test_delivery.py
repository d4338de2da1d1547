"""Cards on their way to Slack: posted once, found again, refreshed cheaply, and failures told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.carrier import Paced, Posted, Rejected, Uncertain
from bot.slack import ids
from bot.slack.delivery import SlackCarrier, carried
from bot.slack.directory import Directory
from bot.slack.listeners import web_client
from bot.slack.looks import Looks
from bot.slack.memo import Memo
from bot.slack.open_forms import OpenForm, OpenForms
from bot.slack.response_urls import FRESH, ResponseUrls
from bot.slack.views.look import Message
from policies.agent_run import AgentRun
from policies.effects import Post
from policies.request import State
from storage.store import Changed, Copy
from tests.heartbeat import heartbeat
from tests.sandbox_process import SandboxProcess
from tests.slack.house import MovableClock, said
from tests.slack.samples import KEY, NOW, PLACES, SENIORS, ask

SCOPES = ["chat:write", "im:write", "users:read", "users:read.email"]
READING = ["channels:read", "groups:read", "channels:history", "groups:history", "im:history"]
"""What an app needs besides to look for a post whose answer was lost."""


class Desk:
    """A carrier, and what its tests look at."""

    def __init__(self, sandbox: SandboxProcess, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.clock = MovableClock()
        client = web_client(sandbox.bot_token, sandbox.api_url, session)
        directory = Directory(client, self.clock, team_id="T0SANDBOX", usergroups=frozenset)
        self.urls = ResponseUrls(session, self.clock, origins=(sandbox.api_url,))
        self.carrier = SlackCarrier(client, directory, Looks(directory=directory, key=KEY, clock=self.clock), self.urls)

    async def message(self, posted: Posted, person: str = "U0ANA") -> dict[str, Any]:
        found = await self.sandbox.people.history(person, posted.channel, posted.ts)
        return next(one for one in found if one["ts"] == posted.ts)


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as session:
        yield Desk(sandbox, session)


def copy_at(posted: Posted) -> Copy:
    return Copy(
        request_id="req_1", channel=posted.channel, ts=posted.ts, to="#approvals", shown_version=0, private=False
    )


@pytest.mark.parametrize("to", ["#approvals", "C0APPROVALS", "U0ANA"])
async def test_a_card_goes_to_a_channel_by_name_or_id_or_to_a_person(desk: Desk, to: str) -> None:
    posted = await desk.carrier.post_card(PLACES["pending"], to, 1)
    assert posted.channel[0] in "CD"
    message = await desk.message(posted)
    assert "for Nia Newton" in said(message)
    assert "<@U0ANA> <@U0BEN>" in said(message)


async def test_a_card_of_the_largest_arguments_holds_nobody_up(desk: Desk) -> None:
    async with heartbeat() as turns:
        posted = await desk.carrier.post_card(ask({"to": ["a"] * 15_000}), "U0ANA", 1)
    assert max(turns) < 0.1
    assert "issue_refund" in said(await desk.message(posted))


@pytest.mark.parametrize("to", ["#approvals", "U0ANA"])
async def test_a_post_whose_answer_was_lost_is_found_again_by_its_mark(desk: Desk, to: str) -> None:
    await desk.sandbox.control.app(scopes=[*SCOPES, *READING])
    since = datetime.now(UTC) - timedelta(seconds=5)
    await desk.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "status": 500, "effect": "after"})
    with pytest.raises(Uncertain):
        await desk.carrier.post_card(PLACES["pending"], to, 41)
    found = await desk.carrier.find_posted((41, 42), to, since)
    assert found.keys() == {41}
    assert "issue_refund" in said(await desk.message(found[41]))


async def test_without_the_right_to_look_nothing_is_found_and_nothing_fails(desk: Desk) -> None:
    await desk.sandbox.control.app(scopes=SCOPES)
    assert await desk.carrier.find_posted((1,), "#approvals", datetime.now(UTC)) == {}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429, "retry_after": 7}, Paced),
        ({"status": 503}, Uncertain),
        ({"reset": True}, Uncertain),
        ({"error": "internal_error"}, Uncertain),
        ({"error": "channel_not_found"}, Rejected),
        ({"error": "is_archived"}, Rejected),
    ],
)
async def test_each_failure_is_told_apart_and_nothing_is_repeated(
    desk: Desk, fault: dict[str, Any], kind: type[Exception]
) -> None:
    await desk.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "effect": "before", **fault})
    with pytest.raises(kind) as failed:
        await desk.carrier.post_card(PLACES["pending"], "#approvals", 1)
    assert len(await desk.sandbox.control.calls("chat.postMessage")) == 1
    if isinstance(failed.value, Paced):
        assert failed.value.retry_after == 7


async def test_a_copy_without_a_click_is_refreshed_by_update(desk: Desk) -> None:
    posted = await desk.carrier.post_card(PLACES["pending"], "#approvals", 1)
    await desk.carrier.refresh((PLACES["rejected"],), copy_at(posted))
    assert "rejected by Ana Reyes" in said(await desk.message(posted))
    assert len(await desk.sandbox.control.calls("chat.update")) == 1


async def test_a_message_that_is_gone_is_told_as_final(desk: Desk) -> None:
    with pytest.raises(Rejected) as rejected:
        await desk.carrier.refresh((PLACES["rejected"],), copy_at(Posted(channel="C0APPROVALS", ts="1.000001")))
    assert rejected.value.error == "message_not_found"


async def test_reminders_and_summons_go_to_the_cards_thread(desk: Desk) -> None:
    joined = PLACES["pending_joined"]
    posted = await desk.carrier.post_card(joined, "#approvals", 1)
    await desk.carrier.remind(joined, copy_at(posted))
    await desk.carrier.summon(joined, SENIORS, copy_at(posted))
    thread = await desk.sandbox.people.history("U0ANA", posted.channel, posted.ts)
    assert "still waits for a decision" in said(thread[1])
    assert "<@U0SAM> Nobody has decided yet, so seniors may decide too" in said(thread[2])


async def test_the_person_served_is_told_of_an_expiry(desk: Desk) -> None:
    await desk.carrier.tell_served((PLACES["expired"],))
    calls = await desk.sandbox.control.calls("chat.postMessage")
    assert calls[-1]["body"]["channel"] == "U0NEWT"
    assert "nobody decided in time" in calls[-1]["body"]["text"]


async def test_the_person_served_is_told_who_objects_to_what_went_ahead_and_why(desk: Desk) -> None:
    await desk.carrier.tell_served((PLACES["proceeded_objected"],))
    told = (await desk.sandbox.control.calls("chat.postMessage"))[-1]["body"]
    assert told["channel"] == "U0NEWT"
    assert "publish_post went ahead on your behalf, since nobody stopped it" in told["text"]
    assert "Ana Reyes objected after it had gone ahead. “We are closed.”" in told["text"]


async def test_a_runs_messages_are_posted_and_then_updated(desk: Desk) -> None:
    run = AgentRun(id="run_1", owner="U0ANA", owner_name="Ana", channel="C0AGENTS", errand="tidy", created_at=NOW)
    post = Post(
        run_id="run_1", key="progress", channel="C0AGENTS", thread_ts=None, text="Reading *the* list", kind="progress"
    )
    posted = await desk.carrier.post_run(post, run, None, 7)
    again = await desk.carrier.post_run(post, run, posted.ts, 8)
    assert again.ts == posted.ts
    assert "Stop the agent" in said(await desk.message(posted))


async def test_no_response_url_leads_anywhere_but_to_slack(desk: Desk) -> None:
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response()

    served = web.Application()
    served.router.add_post("/{any}", elsewhere)
    async with TestServer(served) as server:
        url = str(server.make_url("/x"))
        desk.urls.remember("C", "1", url)
        assert not await desk.urls.replace("C", "1", Message(text="x", blocks=(), metadata={}))
        assert not await desk.urls.whisper(url, "hello")
    assert reached == []


async def test_response_urls_serve_for_a_while_and_are_dropped_when_slack_refuses(desk: Desk) -> None:
    message = Message(text="x", blocks=(), metadata={})
    url = f"{desk.sandbox.url}/response/nothing"
    desk.urls.remember("C", "1", url)
    desk.clock.ahead = FRESH + timedelta(seconds=1)
    assert not await desk.urls.replace("C", "1", message)
    assert await desk.sandbox.control.calls("nothing") == []
    desk.urls.remember("C", "1", url)
    assert not await desk.urls.replace("C", "1", message), "Slack refuses it, so the carrier goes on by update"
    assert len(await desk.sandbox.control.calls("nothing")) == 1


async def test_a_runs_message_in_a_thread_whose_answer_was_lost_is_found_again(desk: Desk) -> None:
    await desk.sandbox.control.app(scopes=[*SCOPES, *READING])
    since = datetime.now(UTC) - timedelta(seconds=5)
    run = AgentRun(id="run_1", owner="U0ANA", owner_name="Ana", channel="C0AGENTS", errand="tidy", created_at=NOW)
    post = Post(run_id="run_1", key="opening", channel="C0AGENTS", thread_ts=None, text="tidy", kind="opening")
    opened = await desk.carrier.post_run(post, run, None, 71)
    said_in_it = replace(post, key="say-1", text="I look first", kind="say", thread_ts=opened.ts)
    await desk.sandbox.control.faults({"method": "chat.postMessage", "times": 1, "status": 500, "effect": "after"})
    with pytest.raises(Uncertain):
        await desk.carrier.post_run(said_in_it, run, None, 72)
    found = await desk.carrier.find_posted((72, 73), "C0AGENTS", since, thread_ts=opened.ts)
    assert found.keys() == {72}
    assert found[72].ts != opened.ts


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [(200, "<html>", "application/json"), (200, "[]", "application/json"), (503, "Sorry", "text/plain")],
)
async def test_an_answer_that_is_no_json_object_says_nothing_and_breaks_nothing(
    status: int, text: str, kind: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=kind)

    app = web.Application()
    app.router.add_post("/{method}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = web_client("xoxb-1", str(server.make_url("/")), session)
        with pytest.raises(Uncertain):
            await carried(client.views_update(view_id="V1", view={}))


async def test_a_form_that_cannot_be_drawn_ends_no_gateway() -> None:
    forms, drawn = OpenForms(pause=0), asyncio.Event()
    view = {"callback_id": ids.VIEW_FORM, "private_metadata": Memo(r="req_1", v=1).text()}
    forms.shown("U0ANA", view, {"view": {"id": "V1"}})

    async def breaks(form: OpenForm) -> None:
        drawn.set()
        raise AttributeError("a fault in a view")

    keeping = asyncio.create_task(forms.keep(breaks))
    forms.changed([Changed(before=None, after=replace(ask(), id="req_1", state=State.WITHDRAWN), entries=())])
    await drawn.wait()
    await asyncio.sleep(0)
    assert not keeping.done()
    keeping.cancel()
