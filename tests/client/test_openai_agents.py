"""OpenAI Agents SDK behind the gate: the real framework with a scripted model, a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from agents import (
    Agent,
    CustomTool,
    HostedMCPTool,
    Model,
    ModelResponse,
    RunConfig,
    Runner,
    RunState,
    Tool,
    Usage,
    WebSearchTool,
    function_tool,
    handoff,
)
from agents.mcp import MCPServer
from agents.testing import assistant_message, function_call
from openai.types.responses import ResponseCustomToolCall
from openai.types.responses.response_output_item import McpApprovalRequest

from signoff import AsyncSignoff
from signoff.openai_agents import Gate
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.gateway.house_policy import channel_of
from tests.gateway.stage import Stage
from tests.sandbox_process import until

pytestmark = DIALECT
QUIET: dict[str, Any] = {"run_config": RunConfig(tracing_disabled=True)}


class Script(Model):
    """Says its turns one after the other, then what its tools said to it. Some models number their calls."""

    def __init__(self, *turns: Any) -> None:
        self.turns, self.heard = turns, []  # type: Any, list[Any]

    async def get_response(self, system_instructions: Any, input: Any, *more: Any, **others: Any) -> ModelResponse:
        self.heard.append([dict(item) for item in input])
        said = [str(item.get("output", item.get("reason"))) for item in input if "output" in item or "approve" in item]
        turn = self.turns[len(said)] if len(said) < len(self.turns) else assistant_message(f"It said: {said}")
        output = turn if isinstance(turn, list) else [turn]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def refund_of(seat: Seat, **more: Any) -> Tool:
    return function_tool(seat.refund, name_override=seat.tool, **more)


def agent_of(seat: Seat, tool: Tool | None = None) -> Agent[Any]:
    """An agent with one tool, which its model calls once."""
    called = function_call(seat.tool, seat.arguments, call_id="call_1")
    return Agent(name="clerk", model=Script(called), tools=[tool or refund_of(seat)])


def client_of(seat: Seat, **more: Any) -> AsyncSignoff:
    return AsyncSignoff(seat.url, seat.key, patience=seat.patience, **more)


class TestStoredState(DialectContract):
    """`Gate(AsyncSignoff(run=…)).run(agent, …, keep=…)`; the gate is in the tool in either way to run."""

    @pytest.fixture(autouse=True)
    def kept(self, tmp_path: Path) -> None:
        self.keep = tmp_path / "state.json"

    async def converse(self, seat: Seat) -> str:
        async with client_of(seat, run=seat.run) as client:
            result = await Gate(client).run(agent_of(seat), "Refund the vase", keep=self.keep, **QUIET)
        assert not self.keep.exists()
        return str(result.final_output)

    async def again(self, seat: Seat) -> str:
        """The model is not asked for the call anew: its first turn would end the run."""
        assert self.keep.stat().st_mode & 0o777 == 0o600
        agent = agent_of(seat)
        agent.model = Script(assistant_message("I was asked anew."))
        async with client_of(seat, run=seat.run) as client:
            return str((await Gate(client).run(agent, "Refund the vase", keep=self.keep, **QUIET)).final_output)


async def run_of(seat: Seat, agent: Agent[Any], **more: Any) -> str:
    """Let the agent run with its gate in its tools: `Gate(AsyncSignoff()).agent(agent)`."""
    async with client_of(seat, **more) as client:
        return str((await Runner.run(Gate(client).agent(agent), "Refund the vase", **QUIET)).final_output)


def nowhere() -> AsyncSignoff:
    """A client of a gateway that isn't there."""
    return AsyncSignoff("http://localhost:1", "k", patience=0.0)


async def test_in_the_tool_a_call_waits_and_runs_as_edited_also_of_an_agent_handed_over_to(stage: Stage) -> None:
    seat = Seat(stage=stage)

    async def refund(order_id: str, amount: float) -> str:
        return seat.refund(order_id, amount)

    clerk = agent_of(seat, function_tool(refund, name_override=seat.tool, timeout=0.2))
    clerk.model = Script([], function_call(seat.tool, seat.arguments, call_id="call_1"))
    triage = Agent(name="triage", model=Script(function_call("transfer_to_clerk", {}, call_id="call_0")))
    triage.handoffs = [handoff(clerk)]
    run = asyncio.create_task(run_of(seat, triage))
    await seat.card()
    await asyncio.sleep(0.3)  # longer than the tool itself may take: people's time isn't its time
    card = await seat.edit("40.5")
    assert "refunded 40.5 for HG-1042" in await run
    assert (seat.ran, stage.execution(card.request_id)) == ([("HG-1042", 40.5)], "succeeded")


async def test_calls_of_one_turn_are_asked_together_and_none_is_begun_before_all_are_decided(
    stage: Stage, tmp_path: Path
) -> None:
    first, second, keep = Seat(stage=stage), Seat(stage=stage), tmp_path / "state.json"

    async def start(*turns: Any) -> str:
        agent = Agent(name="clerk", model=Script(*turns), tools=[refund_of(first), refund_of(second)])
        async with client_of(first, run=first.run) as client:
            return str((await Gate(client).run(agent, "Refund both", keep=keep, **QUIET)).final_output)

    calls = [function_call(seat.tool, seat.arguments, call_id=f"call_{seat.lane}") for seat in (first, second)]
    run = asyncio.create_task(start(calls))
    card = await first.approve()
    assert "One of 2 calls that the agent waits for together" in card.words
    await second.card()
    await stage.card_saying(card.request_id, "Approved")
    run.cancel()
    await asyncio.wait({run})
    assert stage.execution(card.request_id) == "unclaimed"
    again = asyncio.create_task(start())
    await second.reject("Only one of them")
    said = await again
    assert "refunded 140" in said
    assert "Only one of them" in said
    assert (first.ran, second.ran) == ([("HG-1042", 140)], [])


async def test_a_call_that_was_begun_before_the_agent_was_killed_does_not_run_again(
    stage: Stage, tmp_path: Path
) -> None:
    seat, keep, begun = Seat(stage=stage), tmp_path / "state.json", asyncio.Event()

    async def endless(order_id: str, amount: float) -> str:
        seat.refund(order_id, amount)
        begun.set()
        return await asyncio.Future[str]()

    async def start() -> str:
        agent = agent_of(seat, function_tool(endless, name_override=seat.tool))
        async with client_of(seat, run=seat.run) as client:
            return str((await Gate(client).run(agent, "Refund the vase", keep=keep, **QUIET)).final_output)

    run = asyncio.create_task(start())
    await seat.approve()
    await begun.wait()
    run.cancel()
    await asyncio.wait({run})
    assert "look whether it ran" in await start()
    assert seat.ran == [("HG-1042", 140)]


async def test_what_has_no_gate_inside_runs_unedited_or_when_the_model_follows_the_edit(stage: Stage) -> None:
    seat = Seat(stage=stage, arguments={"input": "x"})

    async def type_in(context: Any, text: str) -> str:
        seat.ran.append((text, 0))
        return f"typed {text}"

    def said(text: str, number: int) -> ResponseCustomToolCall:
        return ResponseCustomToolCall(
            type="custom_tool_call", name=seat.tool, input=text, call_id=f"call_{number}", id=f"call_{number}"
        )

    turns = said("x", 1), said("y", 2), said("y", 3)
    tool = CustomTool(name=seat.tool, description="Types.", on_invoke_tool=type_in, needs_approval=True)
    agent = Agent(name="typist", model=Script(*turns), tools=[tool])
    async with client_of(seat) as client:
        run = asyncio.create_task(Gate(client).run(agent, "Type", **QUIET))
        card = await seat.card()
        await stage.press("U0ANA", card, "signoff.modify")
        await stage.fill("U0ANA", {"Input": "y"})

        async def asked() -> bool:
            return seat.requests() == 2

        await until(asked)  # the third call is like the second, whose approval is used up
        assert seat.ran == [("y", 0)]
        run.cancel()
        await asyncio.wait({run})
    assert stage.execution(card.request_id) == "succeeded"


async def test_a_tool_that_fails_is_reported_as_failed_and_the_model_hears_what_it_would(stage: Stage) -> None:
    seat = Seat(stage=stage)

    @function_tool(name_override="free")
    def charge(order_id: str, amount: float) -> str:
        raise LookupError("no such order")

    agent = agent_of(seat, charge)
    agent.model = Script(function_call("free", seat.arguments, call_id="call_1"))
    assert "An error occurred while running the tool" in await run_of(seat, agent)
    ((state,),) = stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")
    assert state == "failed"


class Shop(MCPServer):
    """An MCP server with one tool."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self.seat = seat

    @property
    def name(self) -> str:
        return "shop"

    async def list_tools(self, *args: Any, **more: Any) -> list[mcp_types.Tool]:
        fields = {"order_id": {"type": "string"}, "amount": {"type": "number"}}
        return [mcp_types.Tool(name=self.seat.tool, input_schema={"type": "object", "properties": fields})]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> mcp_types.CallToolResult:
        said = self.seat.refund(**arguments)
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(type="text", text=said)])

    async def connect(self) -> None: ...

    async def cleanup(self) -> None: ...

    async def list_prompts(self) -> Any: ...

    async def get_prompt(self, name: str, arguments: Any = None) -> Any: ...


async def test_an_mcp_server_s_tool_waits_and_runs_as_edited_also_inside_an_agent_used_as_a_tool(stage: Stage) -> None:
    seat = Seat(stage=stage)
    called = function_call(seat.tool, seat.arguments, call_id="call_1")
    clerk = Agent(name="clerk", model=Script(called), mcp_servers=[Shop(seat)])
    async with client_of(seat) as client:
        inner = Gate(client).agent(clerk).as_tool("free", "Ask the clerk.")
        asked = function_call("free", {"input": "Refund"}, call_id="call_1")
        outer = Gate(client).agent(Agent(name="boss", model=Script(asked), tools=[inner]))
        run = asyncio.create_task(Runner.run(outer, "Refund the vase", **QUIET))
        await seat.edit("40.5")
        assert "refunded 40.5 for HG-1042" in str((await run).final_output)
    assert seat.ran == [("HG-1042", 40.5)]


async def test_an_agent_used_as_a_tool_is_asked_for_once_though_it_stops_for_calls_of_its_own(stage: Stage) -> None:
    seat, inside = Seat(stage=stage, arguments={"input": "Refund"}), Seat(stage=stage)
    clerk = agent_of(inside, refund_of(inside, needs_approval=True)).as_tool(seat.tool, "Ask the clerk.")
    async with client_of(seat) as client:
        run = asyncio.create_task(Gate(client).run(agent_of(seat, clerk), "Refund the vase", **QUIET))
        card = await seat.approve()
        await inside.card()
        assert stage.execution(card.request_id) == "claimed"
        await inside.approve()
        assert "refunded 140 for HG-1042" in str((await run).final_output)
    assert (inside.ran, seat.requests(), inside.requests()) == ([("HG-1042", 140)], 1, 1)
    assert stage.execution(card.request_id) == "succeeded"


@pytest.mark.parametrize(("why", "told"), [("", (True, None)), ("Not this one", (False, "Not this one"))])
async def test_a_hosted_mcp_server_is_told_the_decision(stage: Stage, why: str, told: tuple[bool, str | None]) -> None:
    seat = Seat(stage=stage)
    asked = McpApprovalRequest(
        id="mcpr_1", type="mcp_approval_request", server_label="shop", name=seat.tool, arguments='{"amount": 140}'
    )
    config: Any = {
        "type": "mcp",
        "server_label": "shop",
        "server_url": "https://x.example",
        "require_approval": "always",
    }
    model = Script(asked)
    agent = Agent(name="clerk", model=model, tools=[HostedMCPTool(tool_config=config)])
    async with client_of(seat) as client:
        run = asyncio.create_task(Gate(client).run(agent, "Refund the vase", **QUIET))

        async def waits() -> list[tuple[str]]:
            return seat.stage.serve.rows("SELECT id FROM requests WHERE tool = ? AND state = 'pending'", name)

        name = f"shop.{seat.tool}"
        ((request_id,),) = await until(waits)
        stage.where[request_id] = channel_of(0)
        card = await stage.card(request_id)
        await stage.press("U0BEN", card, "signoff.reject" if why else "signoff.approve")
        if why:
            await stage.fill("U0BEN", {"Why?": why})
        await run
    approved, reason = told
    (answer,) = [item for item in model.heard[-1] if item.get("type") == "mcp_approval_response"]
    assert answer["approve"] is approved
    assert (reason or "") in (answer.get("reason") or "")


async def test_who_approves_the_state_by_hand_opens_no_gate(stage: Stage) -> None:
    seat = Seat(stage=stage)
    gate = Gate(nowhere())
    agent = gate.agent(agent_of(seat), stops=True)
    state = (await Runner.run(agent, "Refund the vase", **QUIET)).to_state()
    state = await RunState.from_string(agent, state.to_string())
    for item in state.get_interruptions():
        state.approve(item, always_approve=True)
    assert "nothing ran" in str((await Runner.run(agent, state, **QUIET)).final_output)
    assert seat.ran == []


async def test_no_tool_passes_the_gate_unseen(stage: Stage) -> None:
    gate, seat = Gate(nowhere()), Seat(stage=stage)
    with pytest.raises(TypeError, match="web_search runs where no gate can be"):
        gate.agent(Agent(name="clerk", tools=[WebSearchTool()]))
    late = gate.agent(agent_of(seat))
    late.tools.append(function_tool(seat.refund, name_override="other"))
    with pytest.raises(TypeError, match="other was added past the gate"):
        await Runner.run(late, "Refund the vase", **QUIET)
    named = Gate(nowhere(), tools=["other"]).agent(agent_of(seat))
    assert "refunded 140" in str((await Runner.run(named, "Refund the vase", **QUIET)).final_output)
    garbled = agent_of(seat)
    garbled.model = Script(function_call(seat.tool, '{"amount": NaN}', call_id="call_1"))
    assert "no JSON object" in str((await Runner.run(gate.agent(garbled), "Refund", **QUIET)).final_output)
    with pytest.raises(ValueError, match="run="):
        await gate.run(agent_of(seat), "Refund", keep=Path("state.json"))
