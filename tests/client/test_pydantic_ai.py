"""A Pydantic AI agent behind the gate: the real framework with a scripted model, a real gateway, people in Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from pydantic_ai import Agent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.capabilities.abstract import WrapToolExecuteHandler
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from signoff import AsyncSignoff
from signoff.pydantic_ai import Gate
from tests.gateway.stage import Card, Stage, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(lanes=10, kinds=("hard", "quick")) as found:
        yield found


class Clerk:
    """An agent with one tool, which its model calls once; then it says what the tool's result was."""

    def __init__(self, stage: Stage, client: AsyncSignoff, kind: str = "hard", amount: float = 140) -> None:
        self.stage, self.client, self.lane, self.amount = stage, client, stage.lane(), amount
        self.tool, self.ran = f"{kind}_{self.lane}", []  # type: tuple[str, list[float]]
        self.agent = Agent(FunctionModel(self.model), capabilities=[Gate(client)])
        self.agent.tool_plain(name=self.tool)(self.refund)

    def refund(self, order_id: str, amount: float) -> str:
        """Give a customer money back."""
        self.ran.append(amount)
        return f"refunded {amount:g} for {order_id}"

    def model(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse(parts=[TextPart(f"It said: {last.content}")])
        arguments = {"order_id": "HG-1042", "amount": self.amount}
        return ModelResponse(parts=[ToolCallPart(self.tool, arguments, tool_call_id="call_1")])

    def start(self) -> asyncio.Task[Any]:
        """Run the agent; its model numbers its calls, as some do: each begins with the same id."""
        return asyncio.create_task(self.agent.run("Refund the vase"))

    async def card(self) -> Card:
        return await self.stage.card_naming(self.tool, self.lane)


@pytest_asyncio.fixture(loop_scope="module")
async def hired(stage: Stage) -> AsyncIterator[Callable[..., Clerk]]:
    async with AsyncSignoff(stage.serve.url, stage.agent.key) as client:
        yield lambda *words, **more: Clerk(stage, client, *words, **more)


async def test_an_approved_call_runs_and_its_end_is_reported(stage: Stage, hired: Callable[..., Clerk]) -> None:
    clerk = hired()
    run = clerk.start()
    card = await clerk.card()
    assert "Give a customer money back." not in card.words, "descriptions are the agent's own words"
    await stage.press("U0ANA", card, "signoff.approve")
    assert (await run).output == "It said: refunded 140 for HG-1042"
    assert (clerk.ran, stage.execution(card.request_id)) == ([140], "succeeded")


async def test_a_rejection_reaches_the_model_in_the_reviewer_s_words(stage: Stage, hired: Callable[..., Clerk]) -> None:
    clerk = hired()
    run = clerk.start()
    await stage.press("U0BEN", await clerk.card(), "signoff.reject")
    await stage.fill("U0BEN", {"Why?": "Ask for a photo first"})
    assert "Ask for a photo first" in (await run).output
    assert clerk.ran == []


async def test_an_edited_call_runs_as_edited(stage: Stage, hired: Callable[..., Clerk]) -> None:
    clerk = hired()
    run = clerk.start()
    await stage.press("U0ANA", await clerk.card(), "signoff.modify")
    await stage.fill("U0ANA", {"Amount": "40.5"})
    assert (await run).output == "It said: refunded 40.5 for HG-1042"
    assert clerk.ran == [40.5]


async def test_on_silence_nothing_runs_and_the_model_hears_why(stage: Stage, hired: Callable[..., Clerk]) -> None:
    clerk = hired("quick")
    assert "Nobody decided" in (await clerk.start()).output
    assert clerk.ran == []


class Twice(AbstractCapability[Any]):
    """Does each call of a tool a second time, as what repeats failed calls would."""

    async def wrap_tool_execute(self, ctx: Any, *, args: Any, handler: WrapToolExecuteHandler, **call: Any) -> Any:
        await handler(args)
        return await handler(args)


async def test_an_approval_counts_once_and_for_no_call_of_another_run_with_the_same_id(
    stage: Stage, hired: Callable[..., Clerk]
) -> None:
    clerk, other = hired(), hired()
    gate, started, ends = Gate(clerk.client), asyncio.Event(), asyncio.Event()

    async def slow(order_id: str, amount: float) -> str:
        clerk.ran.append(amount)
        started.set()
        await ends.wait()
        return "refunded"

    for one, capabilities, tool in ((clerk, [Twice(), gate], slow), (other, [gate], other.refund)):
        one.agent = Agent(FunctionModel(one.model), capabilities=capabilities)
        one.agent.tool_plain(name=one.tool)(tool)
    run = clerk.start()
    await stage.press("U0ANA", await clerk.card(), "signoff.approve")
    await asyncio.wait({run, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    second = other.start()
    await stage.press("U0BEN", await other.card(), "signoff.reject")
    await stage.fill("U0BEN", {"Why?": "No"})
    assert "No" in (await second).output
    assert other.ran == []
    ends.set()
    with pytest.raises(UserError, match="deferred tool call"):  # asked for once more, where the run can't wait again
        await run
    assert clerk.ran == [140]


async def test_a_tool_that_fails_is_reported_as_failed(stage: Stage, hired: Callable[..., Clerk]) -> None:
    clerk = hired()

    @clerk.agent.tool_plain(name="free")
    def charge(order_id: str, amount: float) -> str:
        raise LookupError("no such order")

    clerk.tool = "free"
    with pytest.raises(LookupError):
        await clerk.start()
    ((state,),) = stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")
    assert state == "failed"


async def test_with_the_gateway_down_nothing_runs_and_over_its_restart_the_wait_goes_on(stage: Stage) -> None:
    async with AsyncSignoff(stage.serve.url, stage.agent.key, patience=0.2) as hasty:
        clerk = Clerk(stage, hasty)
        await stage.serve.stop()
        assert "nothing ran" in (await clerk.start()).output
        assert clerk.ran == []
    await stage.serve.restart()
    async with AsyncSignoff(stage.serve.url, stage.agent.key) as client:
        clerk = Clerk(stage, client)
        run = clerk.start()
        card = await clerk.card()
        await stage.serve.restart()
        await stage.press("U0ANA", card, "signoff.approve")
        assert (await run).output == "It said: refunded 140 for HG-1042"


async def test_an_agent_that_is_started_again_finds_its_request(stage: Stage) -> None:
    async with AsyncSignoff(stage.serve.url, stage.agent.key, run="night") as first:
        clerk = Clerk(stage, first)
        run = clerk.start()
        card = await clerk.card()
        run.cancel()
        await asyncio.wait({run})
    await stage.press("U0ANA", card, "signoff.approve")
    async with AsyncSignoff(stage.serve.url, stage.agent.key, run="night") as second:
        clerk.agent = Agent(FunctionModel(clerk.model), capabilities=[Gate(second)])
        clerk.agent.tool_plain(name=clerk.tool)(clerk.refund)
        assert (await clerk.start()).output == "It said: refunded 140 for HG-1042"
    assert clerk.ran == [140]
    assert len(stage.serve.rows("SELECT id FROM requests WHERE tool = ?", clerk.tool)) == 1
