"""The seven scenarios for each other way of LangChain and LangGraph to ask people, too long for each run of the suite.

python -m pytest tests/client/langgraph_dialects.py
"""

from __future__ import annotations

from typing import Any

from langchain.agents.middleware import HumanInTheLoopMiddleware

from signoff import SignoffError
from signoff.langchain import Gate
from signoff.langgraph import Reviewed
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.client.test_langchain import GO, agent_of, client_of, config_of, said_by

pytestmark = DIALECT


class ReviewedContract(DialectContract):
    """``Reviewed(graph, AsyncSignoff()).ainvoke(…)``; a graph that a gateway doesn't answer stays interrupted."""

    def middleware(self, seat: Seat, client: Any) -> Any:
        raise NotImplementedError

    async def converse(self, seat: Seat) -> str:
        async with client_of(seat) as client, agent_of(seat, self.middleware(seat, client)) as agent:
            try:
                return said_by(await Reviewed(agent, client).ainvoke(GO, config_of(seat)))
            except SignoffError as error:
                return str(error)

    async def again(self, seat: Seat) -> str:
        async with client_of(seat) as client, agent_of(seat, self.middleware(seat, client)) as agent:
            found = await Reviewed(agent, client).aresume_settled()
            return said_by(found[seat.run])


class TestBatched(ReviewedContract):
    """`HumanInTheLoopMiddleware(interrupt_on=…)`."""

    def middleware(self, seat: Seat, client: Any) -> Any:
        return HumanInTheLoopMiddleware({seat.tool: True})


class TestPerCall(ReviewedContract):
    """`HumanInTheLoopMiddleware(interrupt_on=…, interrupt_mode="per_call")`."""

    def middleware(self, seat: Seat, client: Any) -> Any:
        return HumanInTheLoopMiddleware({seat.tool: True}, interrupt_mode="per_call")


class TestParked(ReviewedContract):
    """`Gate(client, park=True)`."""

    def middleware(self, seat: Seat, client: Any) -> Any:
        return Gate(client, park=True)
