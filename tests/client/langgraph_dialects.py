"""The seven scenarios for LangGraph's other ways to ask people, too long for each run of the suite.

    python -m pytest tests/client/langgraph_dialects.py

With ``LANGGRAPH_POSTGRES`` (the URL of an empty database) and ``langgraph-checkpoint-postgres`` also on PostgresSaver.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

from signoff import Signoff, SignoffError
from signoff.langchain import Gate
from signoff.langgraph import Reviewed
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.client.test_langchain import GO, agent_of, client_of, config_of, made_of, said_by, threads_of, tool_of
from tests.gateway.stage import Stage, staged

pytestmark = DIALECT
POSTGRES = os.environ.get("LANGGRAPH_POSTGRES", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Lanes enough for all of them."""
    async with staged(lanes=60, kinds=("hard", "quick")) as found:
        yield found


class ReviewedContract(DialectContract):
    """``Reviewed(graph, AsyncSignoff()).ainvoke(…)``; a graph that no gateway answers stays interrupted."""

    def saver(self, seat: Seat) -> Any:
        return AsyncSqliteSaver.from_conn_string(threads_of(seat))

    def middleware(self, seat: Seat, client: Any) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def reviewed(self, seat: Seat) -> AsyncIterator[Reviewed]:
        async with (
            client_of(seat) as client,
            agent_of(seat, self.middleware(seat, client), saver=self.saver(seat)) as agent,
        ):
            yield Reviewed(agent, client)

    async def converse(self, seat: Seat) -> str:
        async with self.reviewed(seat) as agent:
            try:
                return said_by(await agent.ainvoke(GO, config_of(seat)))
            except SignoffError as error:
                return str(error)

    async def again(self, seat: Seat) -> str:
        async with self.reviewed(seat) as agent:
            return said_by((await agent.aresume_settled(idle=timedelta()))[seat.run])


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


class TestPlainInterrupt(ReviewedContract):
    """A node that asks by `interrupt` and acts by itself."""

    @asynccontextmanager
    async def reviewed(self, seat: Seat) -> AsyncIterator[Reviewed]:
        def refund(state: MessagesState) -> Any:
            said = interrupt({"name": seat.tool, "args": seat.arguments})
            if said["type"] == "reject":
                return {"messages": [AIMessage(said["message"])]}
            told = said["edited_action"]["args"] if said["type"] == "edit" else seat.arguments
            return {"messages": [AIMessage(seat.refund(**told))]}

        graph = StateGraph(MessagesState).add_node("refund", refund).add_edge(START, "refund").add_edge("refund", END)
        async with client_of(seat) as client, self.saver(seat) as saver:
            yield Reviewed(graph.compile(checkpointer=saver), client)


@pytest.mark.skipif(not POSTGRES, reason="needs a PostgreSQL: LANGGRAPH_POSTGRES")
class OnPostgres(ReviewedContract):
    def saver(self, seat: Seat) -> Any:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        @asynccontextmanager
        async def opened() -> AsyncIterator[Any]:
            async with AsyncPostgresSaver.from_conn_string(POSTGRES) as saver:
                await saver.setup()
                yield saver

        return opened()

    async def again(self, seat: Seat) -> str:
        """By threads: one way to take up what people settled, in a process without asyncio."""
        return await asyncio.to_thread(self.in_threads, seat)

    def in_threads(self, seat: Seat) -> str:
        from langgraph.checkpoint.postgres import PostgresSaver

        with Signoff(seat.url, seat.key) as client, PostgresSaver.from_conn_string(POSTGRES) as saver:
            agent = made_of([seat], [tool_of(seat)], self.middleware(seat, client), saver)
            return said_by(Reviewed(agent, client).resume_settled(idle=timedelta())[seat.run])


class TestBatchedOnPostgres(OnPostgres, TestBatched):
    """``HumanInTheLoopMiddleware`` with ``PostgresSaver``."""


class TestParkedOnPostgres(OnPostgres, TestParked):
    """``Gate(client, park=True)`` with ``PostgresSaver``."""


async def test_what_asks_for_no_call_is_left_standing(stage: Stage) -> None:
    seat = Seat(stage=stage)

    def ask(state: MessagesState) -> Any:
        return {"messages": [AIMessage(interrupt("Into which account?"))]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").add_edge("ask", END)
    async with client_of(seat) as client, AsyncSqliteSaver.from_conn_string(threads_of(seat)) as saver:
        found = await Reviewed(graph.compile(checkpointer=saver), client).ainvoke(GO, config_of(seat))
    assert found["__interrupt__"][0].value == "Into which account?"


async def test_where_a_tool_takes_people_s_words_alone_they_are_asked_a_question(stage: Stage) -> None:
    seat = Seat(stage=stage, arguments={"what": "Blue or red, for the vase?"})
    middleware = HumanInTheLoopMiddleware({seat.tool: {"allowed_decisions": ["respond"]}})

    def ask(what: str) -> str:
        raise AssertionError("people answer in its stead")

    async with client_of(seat) as client, agent_of(seat, middleware, ask) as agent:
        run = asyncio.create_task(Reviewed(agent, client).ainvoke(GO, config_of(seat)))
        card = await stage.card_naming("Blue or red, for the vase?")
        await stage.press("U0ANA", card, "signoff.answer_words")
        await stage.fill("U0ANA", {"Your answer": "Red, please"})
        assert said_by(await run) == "It said: Red, please"
