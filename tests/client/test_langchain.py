"""Agents of LangChain and LangGraph behind the gate: the real frameworks with a scripted model, a real gateway.

Their other ways of asking meet the seven scenarios in ``langgraph_dialects.py``.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolRetryMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command, StateSnapshot, interrupt

from signoff import AsyncSignoff, Interrupted, Signoff
from signoff.langchain import Gate
from signoff.langgraph import Reviewed
from signoff.threads import heard
from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.gateway.stage import Stage

pytestmark = DIALECT

GO: dict[str, Any] = {"messages": [HumanMessage("Refund the vase")]}


class Clerk(BaseChatModel):
    """A model that makes its calls, all at once, and then says what it heard."""

    calls: list[tuple[str, dict[str, Any]]]

    @property
    def _llm_type(self) -> str:
        return "clerk"

    def bind_tools(self, tools: Any, **how: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *a: Any, **how: Any) -> ChatResult:
        heard = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
        asked = [
            {"name": name, "args": dict(arguments), "id": f"call_{number}"}  # some models number their calls
            for number, (name, arguments) in enumerate(self.calls)
        ]
        said = AIMessage("It said: " + "\n".join(heard)) if heard else AIMessage("", tool_calls=asked)
        return ChatResult(generations=[ChatGeneration(message=said)])


def tool_of(seat: Seat, does: Any = None) -> StructuredTool:
    given = {"coroutine": does} if asyncio.iscoroutinefunction(does) else {"func": does or seat.refund}
    return StructuredTool.from_function(**given, name=seat.tool, description="Give a customer money back.")


def made_of(seats: list[Seat], tools: list[StructuredTool], middleware: Any, saver: Any) -> Any:
    model = Clerk(calls=[(seat.tool, seat.arguments) for seat in seats])
    return create_agent(model, tools, middleware=[middleware], checkpointer=saver)


def config_of(seat: Seat) -> dict[str, Any]:
    return {"configurable": {"thread_id": seat.run}}


def threads_of(seat: Seat) -> str:
    """The file in which the threads of this seat's agent are kept, as those of a real one."""
    return str(seat.stage.serve.folder / f"{seat.tool}.db")


@asynccontextmanager
async def agent_of(seat: Seat, middleware: Any, does: Any = None, saver: Any = None) -> AsyncIterator[Any]:
    """An agent with one tool."""
    async with saver or AsyncSqliteSaver.from_conn_string(threads_of(seat)) as opened:
        yield made_of([seat], [tool_of(seat, does)], middleware, opened)


def client_of(seat: Seat) -> AsyncSignoff:
    return AsyncSignoff(seat.url, seat.key, patience=seat.patience)


def said_by(result: dict[str, Any]) -> str:
    """The last word of an agent."""
    return str(result["messages"][-1].content)


class TestGate(DialectContract):
    """`create_agent(…, middleware=[Gate(AsyncSignoff())])`."""

    async def converse(self, seat: Seat) -> str:
        async with client_of(seat) as client, agent_of(seat, Gate(client)) as agent:
            return said_by(await agent.ainvoke(GO, config_of(seat)))

    async def again(self, seat: Seat) -> str:
        async with client_of(seat) as client, agent_of(seat, Gate(client)) as agent:
            assert await Reviewed(agent, client).aresume_settled() == {}, "a living agent might be about to"
            return said_by((await Reviewed(agent, client).aresume_settled(idle=timedelta()))[seat.run])

    async def edited(self, seat: Seat, said: str) -> None:
        await super().edited(seat, said)
        assert "People changed this call" in said


def batched(seats: list[Seat], client: Any) -> Any:
    return HumanInTheLoopMiddleware({seat.tool: True for seat in seats})


def per_call(seats: list[Seat], client: Any) -> Any:
    return HumanInTheLoopMiddleware({seat.tool: True for seat in seats}, interrupt_mode="per_call")


def parked(seats: list[Seat], client: Any) -> Any:
    return Gate(client, park=True, tell=lambda call: {"reason": f"For the ticket of {call.tool_call['name']}"})


@pytest.mark.parametrize("kind", [Signoff, AsyncSignoff])
async def test_one_approval_is_one_run_whatever_stands_behind_the_gate(stage: Stage, kind: Any) -> None:
    seat, again = Seat(stage=stage), ToolRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)

    def charge(order_id: str, amount: float) -> str:
        seat.ran.append((order_id, amount))
        raise LookupError("no such order")

    client = kind(seat.url, seat.key)
    agent = create_agent(
        Clerk(calls=[(seat.tool, seat.arguments)]), [tool_of(seat, charge)], middleware=[Gate(client), again]
    )
    run = asyncio.ensure_future(agent.ainvoke(GO) if kind is AsyncSignoff else asyncio.to_thread(agent.invoke, GO))
    card = await seat.approve()
    assert "failed after 3 attempts" in said_by(await run)
    assert (seat.ran, stage.execution(card.request_id)) == ([("HG-1042", 140)], "failed")
    if kind is AsyncSignoff:
        await client.close()
    else:
        client.close()


@pytest.mark.parametrize("way", [batched, per_call, parked])
async def test_three_calls_at_once_run_as_each_was_decided_while_no_agent_was_there(stage: Stage, way: Any) -> None:
    seats = [Seat(stage=stage), Seat(stage=stage), Seat(stage=stage)]

    def live(how: Any) -> Any:  # one life of the agent, in threads
        with (
            Signoff(stage.serve.url, stage.agent.key) as client,
            sqlite3.connect(threads_of(seats[0]), check_same_thread=False) as threads,
        ):
            made = made_of(seats, [tool_of(seat) for seat in seats], way(seats, client), SqliteSaver(threads))
            return how(Reviewed(made, client, timeout=0))

    first = await asyncio.to_thread(live, lambda agent: agent.invoke(GO, config_of(seats[0])))
    assert "__interrupt__" in first
    await asyncio.gather(seats[0].approve(), seats[1].edit("40.5"), seats[2].reject("Ask for a photo first"))
    found = await asyncio.to_thread(live, lambda agent: agent.resume_settled())
    assert [seat.ran for seat in seats] == [[("HG-1042", 140)], [("HG-1042", 40.5)], []]
    for (document,) in stage.serve.rows("SELECT document FROM requests WHERE tool = ?", seats[1].tool):
        assert json.loads(document)["call"]["schema"]["properties"]["amount"] == {"title": "Amount", "type": "number"}
    if way is parked:
        assert f"For the ticket of {seats[0].tool}" in (await seats[0].card()).words
    said = said_by(found[seats[0].run])
    assert all(words in said for words in ("refunded 140", "refunded 40.5", "Ask for a photo first"))
    states = [stage.execution((await seat.card()).request_id) for seat in seats]
    assert states == ["succeeded", "succeeded", None]
    assert await asyncio.to_thread(live, lambda agent: agent.resume_settled()) == {}


@pytest.mark.parametrize("way", [batched, Gate])
async def test_a_call_that_a_crash_cut_off_is_not_run_again(stage: Stage, way: Any) -> None:
    seat, started = Seat(stage=stage), asyncio.Event()

    async def refund(order_id: str, amount: float) -> str:
        said, again = seat.refund(order_id, amount), started.is_set()
        started.set()
        await asyncio.sleep(0 if again else 600)
        return said

    async with client_of(seat) as client:
        middleware = batched([seat], client) if way is batched else Gate(client)
        async with agent_of(seat, middleware, refund) as graph:
            agent: Any = Reviewed(graph, client) if way is batched else graph
            run = asyncio.create_task(agent.ainvoke(GO, config_of(seat)))
            await seat.approve()
            await started.wait()
            run.cancel()
            await asyncio.wait({run})
            if way is batched:
                with pytest.raises(Interrupted, match="look whether it ran"):
                    await agent.ainvoke(None, config_of(seat))
            else:
                assert "look whether it ran" in said_by(await agent.ainvoke(None, config_of(seat)))
    assert seat.ran == [("HG-1042", 140)]


async def test_of_two_that_take_up_a_thread_at_once_one_runs_its_call(stage: Stage) -> None:
    seat = Seat(stage=stage)
    async with client_of(seat) as client, agent_of(seat, batched([seat], client)) as graph:
        await Reviewed(graph, client, timeout=0).ainvoke(GO, config_of(seat))
        answering = [asyncio.create_task(Reviewed(graph, client).aanswer(config_of(seat))) for _ in range(2)]
        await seat.approve()
        ended = await asyncio.gather(*answering, return_exceptions=True)
    assert seat.ran == [("HG-1042", 140)]
    assert [type(one) for one in ended if isinstance(one, Exception)] in ([], [Interrupted])


async def test_where_one_call_of_a_turn_was_begun_elsewhere_no_permit_of_the_others_is_taken(stage: Stage) -> None:
    seats = [Seat(stage=stage), Seat(stage=stage)]
    async with client_of(seats[0]) as client, AsyncSqliteSaver.from_conn_string(threads_of(seats[0])) as saver:
        graph = made_of(seats, [tool_of(seat) for seat in seats], batched(seats, client), saver)
        await Reviewed(graph, client, timeout=0).ainvoke(GO, config_of(seats[0]))
        other, begun = await seats[0].approve(), await seats[1].approve()
        await stage.agent.claim(begun.request_id, (await stage.settled(begun.request_id))["digest"])
        with pytest.raises(Interrupted):
            await Reviewed(graph, client).aanswer(config_of(seats[0]))
        assert (await graph.aget_state(config_of(seats[0]))).interrupts, "it stays interrupted"
    assert [seat.ran for seat in seats] == [[], []]
    assert stage.execution(other.request_id) == "unclaimed"


async def test_a_gated_tool_that_is_itself_interrupted_goes_on_with_its_permit(stage: Stage) -> None:
    seat, answers = Seat(stage=stage), []

    def refund(order_id: str, amount: float) -> str:
        answers.append(interrupt("Into which account?"))
        return seat.refund(order_id, amount)

    async with client_of(seat) as client:
        tool = StructuredTool.from_function(refund, name="free", description="Asks back.")
        model = Clerk(calls=[("free", seat.arguments)])
        agent = create_agent(model, [tool], middleware=[Gate(client)], checkpointer=InMemorySaver())
        await agent.ainvoke(GO, config_of(seat))
        assert seat.ran == []
        assert "refunded" in said_by(await agent.ainvoke(Command(resume="hers"), config_of(seat)))
    assert (answers, seat.ran) == (["hers"], [("HG-1042", 140)])
    assert ("succeeded",) in stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")


async def test_a_tool_that_fails_is_reported_as_failed(stage: Stage) -> None:
    seat = Seat(stage=stage, kind="free")

    def refund(order_id: str, amount: float) -> str:
        raise LookupError("no such order")

    async with client_of(seat) as client:
        tool = StructuredTool.from_function(refund, name="free", description="Fails.")
        agent = create_agent(Clerk(calls=[("free", seat.arguments)]), [tool], middleware=[Gate(client)])
        with pytest.raises(LookupError):
            await agent.ainvoke(GO)
    assert ("failed",) in stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")


async def test_of_a_thread_at_langgraph_s_server_the_messages_are_read_too() -> None:
    asked = AIMessage("", tool_calls=[{"name": "refund", "args": {}, "id": "call_1"}])
    told = [message.model_dump() for message in (asked, ToolMessage("No money", tool_call_id="call_1", status="error"))]

    def snapshot(messages: Any) -> StateSnapshot:
        return StateSnapshot({"messages": messages}, (), {}, None, None, None, (), ())

    assert [(key, one.status) for key, one in heard(snapshot(told)).items()] == [("call_1", "error")]
    assert heard(snapshot([5])) == {}
