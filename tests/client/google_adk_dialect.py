"""Google ADK behind the gate: the real framework with a scripted model, a real gateway, people in Slack.

``python -m pytest tests/client/google_adk_dialect.py`` in an environment that has ``google-adk`` besides; it is too
large for every run of the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools import AgentTool, FunctionTool
from google.genai import types

from signoff import AsyncSignoff
from signoff.google_adk import Gate
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.gateway.stage import Stage

pytestmark = [*DIALECT, pytest.mark.filterwarnings("ignore")]


class Script(BaseLlm):
    """Calls one tool, then says what the tool's result was."""

    tool: str
    arguments: dict[str, Any]

    async def generate_content_async(
        self, request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        last = request.contents[-1].parts[-1]
        part = types.Part(text=f"It said: {last.function_response.response}") if last.function_response else None
        if part is None:
            part = types.Part(function_call=types.FunctionCall(name=self.tool, args=dict(self.arguments)))
        yield LlmResponse(content=types.Content(role="model", parts=[part]))


def agent_of(seat: Seat, tool: Any = None) -> LlmAgent:
    def refund(order_id: str, amount: float) -> str:
        """Give a customer money back."""
        return seat.refund(order_id, amount)

    refund.__name__ = seat.tool
    model = Script(model="script", tool=seat.tool, arguments=seat.arguments)
    return LlmAgent(name="clerk", model=model, tools=[tool or refund])


async def run_of(seat: Seat, agent: LlmAgent, **more: Any) -> str:
    async with AsyncSignoff(seat.url, seat.key, patience=seat.patience, **more) as client:
        runner = InMemoryRunner(agent, plugins=[Gate(client)])
        return " ".join(
            part.text
            for event in await runner.run_debug("Refund the vase", quiet=True)
            if event.content
            for part in event.content.parts or []
            if part.text
        )


class TestGoogleADK(DialectContract):
    """`plugins=[Gate(AsyncSignoff())]`."""

    async def converse(self, seat: Seat) -> str:
        return await run_of(seat, agent_of(seat), run=seat.run)


async def test_a_tool_that_fails_is_reported_as_failed(stage: Stage) -> None:
    seat = Seat(stage=stage)

    def free(order_id: str, amount: float) -> str:
        raise LookupError("no such order")

    agent = agent_of(seat, free)
    agent.model.tool = "free"
    with pytest.raises(LookupError):
        await run_of(seat, agent)
    ((state,),) = stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")
    assert state == "failed"


async def test_the_approval_confirms_a_tool_that_needs_confirmation_also_inside_an_agent_used_as_a_tool(
    stage: Stage,
) -> None:
    seat = Seat(stage=stage)
    inner = agent_of(seat)
    inner.tools = [FunctionTool(inner.tools[0], require_confirmation=True)]
    inner.name = "free"
    outer = LlmAgent(
        name="boss", model=Script(model="s", tool="free", arguments={"request": "Refund"}), tools=[AgentTool(inner)]
    )
    run = asyncio.create_task(run_of(seat, outer))
    card = await seat.edit("40.5")
    assert "refunded 40.5" in await run
    assert (seat.ran, stage.execution(card.request_id)) == ([("HG-1042", 40.5)], "succeeded")


async def test_a_broken_gate_lets_nothing_run(stage: Stage) -> None:
    seat = Seat(stage=stage)

    class Broken(AsyncSignoff):
        async def approve_or_raise(self, *args: Any, **more: Any) -> Any:
            raise LookupError("broken")

    runner = InMemoryRunner(agent_of(seat), plugins=[Gate(Broken(seat.url, seat.key))])
    with pytest.raises(RuntimeError, match="broken"):
        await runner.run_debug("Refund the vase", quiet=True)
    assert seat.ran == []
