"""Agents of LangChain behind the gate: the real framework with a scripted model, a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from signoff import AsyncSignoff
from signoff.langchain import Gate
from tests.client.dialect import DIALECT, DialectContract, Seat

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


def tool_of(seat: Seat) -> StructuredTool:
    return StructuredTool.from_function(seat.refund, name=seat.tool)


def config_of(seat: Seat) -> dict[str, Any]:
    return {"configurable": {"thread_id": seat.run}}


@asynccontextmanager
async def agent_of(seat: Seat, *middleware: Any) -> AsyncIterator[Any]:
    """An agent with one tool; its threads are kept in a file, as those of a real one."""
    async with AsyncSqliteSaver.from_conn_string(str(seat.stage.serve.folder / f"{seat.tool}.db")) as saver:
        model = Clerk(calls=[(seat.tool, seat.arguments)])
        yield create_agent(model, [tool_of(seat)], middleware=middleware, checkpointer=saver)


def client_of(seat: Seat) -> AsyncSignoff:
    return AsyncSignoff(seat.url, seat.key, patience=seat.patience)


class TestGate(DialectContract):
    """`create_agent(…, middleware=[Gate(AsyncSignoff())])`."""

    async def converse(self, seat: Seat) -> str:
        return await self.run_agent(seat, GO)

    async def again(self, seat: Seat) -> str:
        return await self.run_agent(seat, None)

    async def run_agent(self, seat: Seat, asked: Any) -> str:
        async with client_of(seat) as client, agent_of(seat, Gate(client)) as agent:
            return str((await agent.ainvoke(asked, config_of(seat)))["messages"][-1].content)

    async def edited(self, seat: Seat, said: str) -> None:
        await super().edited(seat, said)
        assert "People changed this call" in said
