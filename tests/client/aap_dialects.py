"""The seven scenarios for each further integration of the Agent Approval Protocol, too long for each run of the suite.

python -m pytest tests/client/aap_dialects.py
"""

from __future__ import annotations

import asyncio

from agentapprovalprotocol import Call, Client, Gate
from agentapprovalprotocol._gate import CONSUMED_TEXT
from agentapprovalprotocol.langgraph import ApprovalMiddleware
from agentapprovalprotocol.openai_agents import Approvals
from agents import Runner

from tests.client import test_langchain, test_openai_agents
from tests.client.aap_contract import AapContract, aap_gate
from tests.client.dialect import DIALECT, Seat
from tests.gateway.stage import Stage

pytestmark = DIALECT


class TestLangGraph(AapContract):
    """`create_agent(…, middleware=[ApprovalMiddleware("https://GATEWAY/aap", KEY)])`."""

    async def converse(self, seat: Seat) -> str:
        return await self.run_agent(seat, test_langchain.GO)

    async def again(self, seat: Seat) -> str:
        return await self.run_agent(seat, None)

    async def run_agent(self, seat: Seat, asked: object) -> str:
        async with (
            aap_gate(seat) as gate,
            test_langchain.agent_of(seat, ApprovalMiddleware(async_gate=gate)) as agent,
        ):
            return test_langchain.said_by(await agent.ainvoke(asked, test_langchain.config_of(seat)))


class TestOpenAIAgents(AapContract):
    """`Approvals("https://GATEWAY/aap", KEY).protect(agent)`."""

    async def converse(self, seat: Seat) -> str:
        async with aap_gate(seat) as gate:
            agent = Approvals(gate=gate).protect(test_openai_agents.agent_of(seat))
            return str((await Runner.run(agent, "Refund the vase", **test_openai_agents.QUIET)).final_output)


class TestWithThreads(AapContract):
    """`with Gate(Client("https://GATEWAY/aap", KEY)).guard(Call(…)) as verdict`, on threads."""

    async def converse(self, seat: Seat) -> str:
        return await asyncio.to_thread(_guarded, seat)

    async def test_an_agent_that_is_started_again_finds_its_request_and_runs_once(self, stage: Stage) -> None:
        """No thread can be killed: here the agent that is started again meets the one that was thought dead."""
        seat = self.seat(stage)
        runs = [asyncio.create_task(self.converse(seat)) for _ in range(2)]
        await seat.approve()
        said = sorted(await asyncio.gather(*runs))
        assert said == [CONSUMED_TEXT, "refunded 140 for HG-1042"]
        assert seat.ran == [("HG-1042", 140)]
        assert seat.requests() == 1


def _guarded(seat: Seat) -> str:
    client = Client(f"{seat.url}/aap", seat.key, retry_budget=min(seat.patience, 60))
    call = Call(key=f"{seat.run}:call-1", tool=seat.tool, arguments=seat.arguments)
    try:
        with Gate(client).guard(call) as verdict:
            return seat.refund(**seat.arguments) if verdict else str(verdict.reason)
    finally:
        client.close()
