"""Signoff as an MCP server, and as a proxy before one, by the official client; a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import ElicitRequestFormParams, ElicitResult, ToolListChangedNotification

from bot.slack import ids
from signoff import AsyncSignoff, Signoff, mcp_desk
from signoff.claude_code import Event, Hook
from signoff.mcp_desk import Desk
from signoff.mcp_proxy import Proxy
from signoff.mcp_rounds import ROUNDS
from signoff.mcp_server import Tools
from signoff.memory import Memory
from signoff.models import Request
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.client.mcp_house import (
    asking,
    inquire,
    inside,
    listening,
    program,
    proxied,
    refund,
    sent,
    settled,
    shop,
    state,
    text,
    told,
    waits,
)
from tests.gateway.house_policy import policy_of
from tests.gateway.stage import Stage, staged
from tests.sandbox_process import until

pytestmark = DIALECT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    lanes = 48
    policy = policy_of(lanes, kinds=("hard", "quick"))
    both = re.sub(r"match: ((?:hard|quick)_\d+)", r"match: [\1, shop.\1]", policy)
    async with staged(lanes=lanes, policy=both) as found:
        yield found


class TestRequestApproval(DialectContract):
    """A model that keeps to what `request_approval` says, on the protocol of 2026-07-28."""

    async def converse(self, seat: Seat) -> str:
        async with inside(seat, "auto", run=seat.run) as client:
            result = await asking(client, seat)
            if result.is_error or not told(result)["approved"]:
                return text(result)
            said = seat.refund(**told(result)["arguments"])
            await client.call_tool("report_outcome", {"id": told(result)["id"], "succeeded": True, "result": said})
            return said


class TestPermissionPrompt(DialectContract):
    """A program that asks `approve` before it runs a tool, and then runs its hook, as Claude Code does."""

    async def converse(self, seat: Seat) -> str:
        with tempfile.TemporaryDirectory() as folder:
            memory = Memory(folder=Path(folder))
            async with inside(seat, "legacy", run=seat.run, memory=memory) as client:
                sent = {"tool_name": seat.tool, "input": seat.arguments, "tool_use_id": "toolu_1"}
                said = json.loads(text(await client.call_tool("approve", sent)))
            if said["behavior"] != "allow":
                return str(said["message"])
            result = seat.refund(**said["updatedInput"])
            await asyncio.to_thread(self.hook, seat, memory, result)
            return result

    def hook(self, seat: Seat, memory: Memory, result: str) -> None:
        """The hook that only tells."""
        event = Event(
            hook_event_name="PostToolUse",
            session_id="s",
            tool_name=seat.tool,
            tool_input=seat.arguments,
            tool_use_id="toolu_1",
            tool_response=result,
        )
        with Signoff(seat.url, seat.key) as client:
            assert Hook(client=client, memory=memory, deadline=1).answer(event) is None


class TestProxy(DialectContract):
    """Any client, before a server behind `signoff-agent proxy`."""

    def seat(self, stage: Stage, **more: Any) -> Seat:
        return Seat(stage=stage, server="shop", **more)

    async def converse(self, seat: Seat) -> str:
        async with proxied(seat, "legacy") as client:
            return text(await client.call_tool(seat.tool.removeprefix("shop."), seat.arguments))


async def test_a_pending_call_is_told_so_and_its_permit_is_given_once(stage: Stage) -> None:
    """As the program runs it: the same call goes on waiting, and closing the client leaves nothing behind."""
    seat, left = Seat(stage=stage), Seat(stage=stage)
    async with program(seat, "--hold", "0", mode="legacy") as client:
        first = told(await asking(client, seat))
        assert (first["approved"], first["state"]) == (False, "pending")
        again = told(await asking(client, seat))
        assert again["id"] == first["id"]
        other = told(await asking(client, seat, arguments={**seat.arguments, "amount": 1}))
        assert other["id"] != first["id"]
        await client.call_tool("withdraw", {"id": other["id"]})
        stage.where[first["id"]] = f"C0LANE{seat.lane}"
        await stage.press("U0ANA", await stage.card(first["id"]), "signoff.approve")
        taken = await client.call_tool("get_approval_status", {"id": first["id"]})
        assert told(taken)["arguments"] == seat.arguments
        assert not told(await client.call_tool("get_approval_status", {"id": first["id"]}))["approved"]
        fresh = told(await asking(client, seat))
        assert fresh["id"] not in (first["id"], other["id"]), "an approval is used up by its call"
        assert told(await asking(client, left))["state"] == "pending"
    assert state(left) == [("withdrawn",)]
    assert state(seat) == [("approved",), ("withdrawn",), ("withdrawn",)]


class Abreast(AsyncSignoff):
    """A client that goes on only when its twin has heard of the approval as well."""

    heard: ClassVar[list[asyncio.Event]] = []

    async def news(self, request: Request, seconds: float) -> Request:
        found = await super().news(request, seconds)
        if not found.pending:
            self.heard.append(asyncio.Event())
            if len(self.heard) == 2:
                all(event.set() is None for event in self.heard)
            await self.heard[-1].wait()
        return found


async def test_two_that_wait_for_one_request_share_no_approval(stage: Stage) -> None:
    seat = Seat(stage=stage)
    async with Abreast(seat.url, seat.key) as client:
        tools = Tools(client=client, desk=Desk(client=client), hold=45, deadline=45)
        async with Client(tools.server()) as one, Client(tools.server()) as two:
            first = asking(one, seat)
            asked = {"id": (await seat.card()).request_id}
            second = asyncio.create_task(two.call_tool("get_approval_status", asked))
            await seat.approve()
            assert sorted([told(await first)["approved"], told(await second)["approved"]]) == [False, True]


async def test_a_call_that_is_given_up_is_taken_back(stage: Stage) -> None:
    for mode in ("auto", "legacy"):
        seat = Seat(stage=stage)
        async with inside(seat, mode) as client:
            call = asking(client, seat)
            await seat.card()
            call.cancel()
            await asyncio.wait({call})
            await until(lambda seat=seat: settled(seat))
        assert state(seat) == [("withdrawn",)]


async def test_a_client_that_comes_again_by_itself_waits_on_before_its_model_hears(stage: Stage) -> None:
    seat = Seat(stage=stage)
    async with inside(seat, "auto", hold=0) as client:

        async def round_(arguments: dict[str, Any], state: str | None) -> Any:
            call = client.session.call_tool
            return await call("request_approval", arguments, request_state=state, allow_input_required=True)

        first = await round_(sent(seat), None)
        assert first.result_type == "input_required"
        request_id, _, number = first.request_state.partition(" ")
        assert number == "1"
        assert told(await round_(sent(seat), f"{request_id} {ROUNDS}"))["state"] == "pending"
        await seat.approve()
        forged = {**sent(seat), "arguments": {**seat.arguments, "amount": 9_000}}
        assert (await round_(forged, first.request_state)).result_type == "input_required", "it is a call of its own"
        assert told(await round_(sent(seat), first.request_state))["arguments"] == seat.arguments
    assert seat.requests() == 2


async def test_what_reviewers_ask_is_put_to_whoever_sits_at_the_client_and_else_to_the_model(stage: Stage) -> None:
    shown: list[str] = []

    async def form(ctx: object, params: ElicitRequestFormParams) -> ElicitResult:
        shown.append(params.message)
        return ElicitResult(action="accept", content={"answer": "Mrs Meyer's."})

    for mode in ("auto", "legacy"):
        seat = Seat(stage=stage)
        async with inside(seat, mode, elicitation_callback=form) as client:
            call = asking(client, seat)
            await inquire(seat, "Whose order?")
            card = await seat.card()
            await stage.card_saying(card.request_id, "Mrs Meyer")
            assert not call.done(), "an answer decides nothing"
            await seat.approve()
            assert told(await call)["approved"]
    assert [one.startswith("Ben Okafor asks about hard_") for one in shown] == [True, True]
    seat = Seat(stage=stage)
    async with inside(seat, "legacy") as client:
        call = asking(client, seat)
        await inquire(seat, "Whose order?")
        pending = told(await call)
        assert (pending["approved"], pending["inquiry"]["text"]) == (False, "Whose order?")
        answer = {"id": pending["id"], "inquiry": pending["inquiry"]["id"], "text": "Mrs Meyer's."}
        told(await client.call_tool("answer_inquiry", answer))
        await stage.card_saying(pending["id"], "Mrs Meyer")
        status = asyncio.create_task(client.call_tool("get_approval_status", {"id": pending["id"]}))
        await seat.approve()
        assert told(await status)["arguments"] == seat.arguments


async def test_a_question_is_answered_by_people_and_approves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, signs = Seat(stage=stage), asyncio.Event()
    monkeypatch.setattr(mcp_desk, "ALIVE", 0.01)

    async def alive(progress: float, total: float | None, message: str | None) -> None:
        if "Waiting for a person" in (message or ""):
            signs.set()

    async with inside(seat, "auto") as client:
        question = {"text": f"Which colour for {seat.tool}?", "choices": [{"id": "red", "label": "Red"}]}
        call = asyncio.create_task(client.call_tool("ask_human", question, progress_callback=alive))
        card = await stage.card_naming(str(question["text"]))
        await asyncio.wait_for(signs.wait(), 10)
        choice = next(action for action in card.buttons if action.startswith(ids.ANSWER))
        await stage.press("U0ANA", card, choice)
        result = await call
        assert (text(result), told(result)["approved"]) == ("Ana Reyes answered: red", False)
        assert told(result)["answer"]["choice"] == "red"


async def test_what_makes_no_sense_is_answered_in_words_and_never_with_a_yes(stage: Stage) -> None:
    seat = Seat(stage=stage)
    async with inside(seat, "auto") as client:
        for name, arguments, said in (
            ("request_approval", {"tool": "x"}, "arguments: Field required"),
            ("request_approval", {"tool": "x y", "arguments": {}}, "/tool"),
            ("request_approval", {"tool": "x", "arguments": {}, "approved": True}, "Extra inputs"),
            ("get_approval_status", {"id": "req_nothing"}, "no such request"),
            ("report_outcome", {"id": "../keys", "succeeded": True}, "no such request"),
            ("grant", {}, "There is no tool 'grant'"),
        ):
            result = await client.call_tool(name, arguments)
            assert (result.is_error, said in text(result)) == (True, True), text(result)
        prompt = json.loads(text(await client.call_tool("approve", {"tool_name": "x"})))
        assert prompt["behavior"] == "deny"


async def test_over_http_each_client_has_its_own_requests_and_no_page_reaches_it(stage: Stage) -> None:
    seat, left = Seat(stage=stage), Seat(stage=stage)
    async with listening(seat, "--hold", "0") as url:
        async with Client(url, mode="legacy") as one, Client(url, mode="legacy") as two, Client(url) as modern:
            first = told(await asking(one, seat))
            assert told(await asking(one, seat))["id"] == first["id"]
            assert told(await asking(two, seat))["id"] != first["id"], "another client's call is another request"
            assert told(await asking(modern, seat))["id"] != first["id"]
            stage.where[first["id"]] = f"C0LANE{seat.lane}"
            await stage.press("U0ANA", await stage.card(first["id"]), "signoff.approve")
            assert not told(await asking(two, seat))["approved"]
            assert told(await asking(one, seat))["approved"]
            assert told(await asking(two, left))["state"] == "pending"
        evil = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        for header, status in (("Origin", 403), ("Host", 421)):
            answer = httpx2.post(url, json={}, headers={**evil, header: "http://evil.example"})
            assert answer.status_code == status
    assert state(left) == [("withdrawn",)]


async def test_when_a_server_s_tools_change_the_client_hears_it_and_reviewers_get_the_new_form(stage: Stage) -> None:
    seat = Seat(stage=stage, server="shop")
    name = seat.tool.removeprefix("shop.")
    server, heard = MCPServer("shop"), asyncio.Event()

    async def grow(ctx: Context) -> str:
        """Change what the tool takes."""
        server.remove_tool(name)
        server.add_tool(seat.refund, name=name)
        await ctx.session.send_tool_list_changed()
        return "grown"

    async def hear(message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            heard.set()

    server.add_tool(grow, name=name)
    async with AsyncSignoff(seat.url, seat.key) as client:
        behind = Client(server, mode="legacy")
        proxy = Proxy(client=client, desk=Desk(client=client), upstream=behind, name="shop", hold=45)
        behind.message_handler = proxy.heard
        async with behind, Client(proxy.server(), mode="legacy", message_handler=hear) as caller:
            await caller.list_tools()
            for arguments in ({}, seat.arguments):
                call = asyncio.create_task(caller.call_tool(name, arguments))
                ((request_id,),) = await until(lambda: waits(seat))
                stage.where[request_id] = f"C0LANE{seat.lane}"
                await stage.press("U0ANA", await stage.card(request_id), "signoff.approve")
                assert not (await call).is_error
            await asyncio.wait_for(heard.wait(), 10)
    rows = stage.serve.rows("SELECT document FROM requests WHERE tool = ? ORDER BY created_at", seat.tool)
    schemas = [json.loads(document)["call"]["schema"]["properties"] for (document,) in rows]
    assert [set(schema) for schema in schemas] == [set(), {"order_id", "amount"}]


async def test_a_server_behind_the_proxy_looks_and_answers_as_without(stage: Stage, tmp_path: Path) -> None:
    done = tmp_path / "done"
    async with shop(stage, done) as client:
        (tool,) = (await client.list_tools()).tools
        assert (tool.name, tool.description) == ("refund", "Give a customer money back.")
        assert set(tool.input_schema["properties"]) == {"order_id", "amount"}
        assert "9 to 5" in str(await client.read_resource("shop://hours"))
        running = refund(client, "HG-1")
        approved = await stage.card_naming("HG-1")
        assert "shop.refund" in approved.words
        await stage.press("U0ANA", approved, "signoff.approve")
        result = await running
        assert (result.is_error, text(result)) == (False, "refunded 140 for HG-1")
        assert stage.execution(approved.request_id) == "succeeded"
        running = refund(client, "lost")
        lost = await stage.card_naming("lost")
        await stage.press("U0ANA", lost, "signoff.approve")
        assert (await running).is_error
        assert stage.execution(lost.request_id) == "failed"
        running = refund(client, "crash")
        crashed = await stage.card_naming("crash")
        await stage.press("U0ANA", crashed, "signoff.approve")
        result = await running
        assert (result.is_error, "look whether it ran" in text(result)) == (True, True)
        assert stage.execution(crashed.request_id) == "claimed", "nobody knows how it went"
        left = refund(client, "left")
        request_id = (await stage.card_naming("left")).request_id
    left.cancel()
    assert stage.serve.rows("SELECT state FROM requests WHERE id = ?", request_id) == [("withdrawn",)]
    assert done.read_text().splitlines() == ["HG-1 140", "crash 140"]
