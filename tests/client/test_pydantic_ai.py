"""A Pydantic AI agent behind the gate: the real framework with a scripted model, a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agentapprovalprotocol.pydantic_ai import ApprovalCapability
from pydantic_ai import Agent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapToolExecuteHandler
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from signoff import AsyncSignoff
from signoff.pydantic_ai import Gate
from tests.client.aap_contract import AapContract, aap_gate
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.gateway.stage import Stage

pytestmark = DIALECT


def agent_of(seat: Seat, *capabilities: AbstractCapability[Any], name: str = "", tool: Any = None) -> Agent[None, str]:
    """An agent with one tool, which its model calls once; then it says what the tool's result was."""
    called = name or seat.tool

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse(parts=[TextPart(f"It said: {last.content}")])
        # Some models number their calls: each run begins with the same id.
        return ModelResponse(parts=[ToolCallPart(called, dict(seat.arguments), tool_call_id="call_1")])

    agent: Agent[None, str] = Agent(FunctionModel(model), capabilities=capabilities)
    agent.tool_plain(name=called)(tool or seat.refund)
    return agent


def client_of(seat: Seat, **more: Any) -> AsyncSignoff:
    return AsyncSignoff(seat.url, seat.key, patience=seat.patience, **more)


class TestPydanticAI(DialectContract):
    """`capabilities=[Gate(AsyncSignoff())]`."""

    async def converse(self, seat: Seat) -> str:
        async with client_of(seat, run=seat.run) as client:
            return str((await agent_of(seat, Gate(client)).run("Refund the vase")).output)


class TestAap(AapContract):
    """`capabilities=[ApprovalCapability("https://GATEWAY/aap", KEY)]`: the protocol's own integration, unchanged."""

    async def converse(self, seat: Seat) -> str:
        async with aap_gate(seat) as gate:
            agent = agent_of(seat, ApprovalCapability(gate=gate))
            return str((await agent.run("Refund the vase", conversation_id=seat.run)).output)


class Twice(AbstractCapability[Any]):
    """Does each call of a tool a second time, as what repeats failed calls would."""

    async def wrap_tool_execute(self, ctx: Any, *, args: Any, handler: WrapToolExecuteHandler, **call: Any) -> Any:
        await handler(args)
        return await handler(args)


async def test_an_approval_counts_once_and_for_no_call_of_another_run_with_the_same_id(stage: Stage) -> None:
    seat, other = Seat(stage=stage), Seat(stage=stage)
    started, ends = asyncio.Event(), asyncio.Event()

    async def slow(order_id: str, amount: float) -> str:
        seat.ran.append((order_id, amount))
        started.set()
        await ends.wait()
        return "refunded"

    async with client_of(seat) as client:
        gate = Gate(client)
        run = asyncio.create_task(agent_of(seat, Twice(), gate, tool=slow).run("Refund the vase"))
        await seat.approve()
        await asyncio.wait({run, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
        second = asyncio.create_task(agent_of(other, gate).run("Refund the vase"))
        await other.reject("No")
        assert "No" in (await second).output
        assert other.ran == []
        ends.set()
        with pytest.raises(UserError, match="deferred tool call"):  # asked once more, where the run can't wait again
            await run
    assert seat.ran == [("HG-1042", 140)]


async def test_a_tool_that_fails_is_reported_as_failed(stage: Stage) -> None:
    seat = Seat(stage=stage)

    def charge(order_id: str, amount: float) -> str:
        raise LookupError("no such order")

    async with client_of(seat) as client:
        with pytest.raises(LookupError):
            await agent_of(seat, Gate(client), name="free", tool=charge).run("Refund the vase")
    ((state,),) = stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")
    assert state == "failed"


async def test_reviewers_are_told_what_a_tool_is_by_the_agent_alone(stage: Stage) -> None:
    seat = Seat(stage=stage)
    async with client_of(seat) as client:
        run = asyncio.create_task(agent_of(seat, Gate(client)).run("Refund the vase"))
        card = await seat.approve()
        await run
    assert "Give a customer money back." not in card.words, "descriptions are the agent's own words"
