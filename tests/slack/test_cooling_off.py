"""An agent whose calls people reject cools off: the card's thread says so, and a reviewer may let it go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from policies.errors import OverBudget
from policies.request import Request, Requester, State, Submission, ToolCall
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import POLICY, House, house, said
from tests.slack.samples import REFUND
from tests.slack.test_approvals import Told
from tests.slack.test_grants import REFUND as LIKE
from tests.slack.test_grants import ask as ask_like_it
from tests.slack.test_grants import granted

FILES = "  - {name: files, match: file_it, checkpoint: inbox, reviewers: support, ladder: standard}\n"
WAITING = 24
COOLS = f'budgets: [{{agents: "*", waiting: {WAITING}, cool_off: {{rejections: 2, within: 10m, for: 15m}}}}]\n'


@pytest.fixture
async def tired(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    async with house(sandbox, tmp_path, policy=POLICY.replace("rules:\n", f"rules:\n{FILES}") + COOLS) as home:
        yield home


async def thread_says(home: House, request: Request, words: str) -> None:
    """Wait until the thread of the request's first card says ``words``."""

    async def found() -> bool:
        channel, ts = await home.place(request)
        return any(words in said(one) for one in await home.sandbox.people.history("U0ANA", channel, ts))

    await until(found)


async def test_the_thread_says_it_and_only_a_reviewer_of_the_call_lets_the_agent_go_on(tired: House) -> None:
    await granted(tired)
    told, first, second = Told(tired), await tired.ask(), await tired.ask({**REFUND, "amount": 20.0})
    assert "No agent whose calls you decide cools off now." in await told("agents")
    for request in (first, second):
        assert "was rejected by" in await told(f"reject {request.id}")
    await thread_says(tired, second, ":pause_button: Shop agent asks nothing new until")
    await thread_says(tired, second, "2 of its calls were rejected within 10 minutes")
    with pytest.raises(OverBudget, match="2 of your calls were rejected within 10 minutes"):
        await tired.ask({**REFUND, "amount": 30.0})
    like = await ask_like_it(tired, {**LIKE, "amount": 100})
    assert like.state is State.APPROVED, "a grant takes nobody's attention"
    assert "*/approvals resume shop*" in await told("agents")
    assert "No agent whose calls you decide" in await told("agents", "U0FRED")
    assert "No agent called shop cools off that you may let go on" in await told("resume shop", "U0FRED")
    assert "No agent called shop cools off that you may let go on" in await told("resume shop", "U0NEWT")
    assert "Say which agent" in await told("resume")
    assert "Shop agent may ask again" in await told("resume shop")
    await thread_says(tired, second, "Ana Reyes lets Shop agent ask again.")
    assert (await tired.ask({**REFUND, "amount": 30.0})).settled is False


async def test_a_flood_stops_at_its_budget_and_a_calm_agents_card_does_not_wait_behind_all_of_it(tired: House) -> None:
    gateway = tired.serving.gateway
    shop = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")

    async def flood(number: int) -> str | None:
        call = ToolCall(tool="flood", arguments={"number": number})
        try:
            return (await gateway.submit(Submission(call=call), shop)).request.id
        except OverBudget:
            return None

    stored = [each for each in await asyncio.gather(*map(flood, range(60))) if each is not None]
    calm = await gateway.submit(
        Submission(call=ToolCall(tool="calm", arguments={})), Requester(id="key:calm", name="Calm agent", owner=None)
    )
    assert len(stored) == WAITING

    store = tired.serving.store
    await until(lambda: store.copies(calm.request.id))
    assert not all([await store.copies(each) for each in stored])


async def test_where_there_is_no_card_whoever_rejected_is_told_directly(tired: House) -> None:
    told, gateway = Told(tired), tired.serving.gateway
    shop = Requester(id="key:shop", name="Shop agent", owner="U0NEWT")
    for number in range(2):
        call = ToolCall(tool="file_it", arguments={"page": number})
        added = await gateway.submit(Submission(call=call), shop)
        assert "was rejected by" in await told(f"reject {added.request.id}")

    async def direct() -> bool:
        seen = (await tired.sandbox.people.workspace("U0ANA"))["channels"]
        lines = [await tired.sandbox.people.history("U0ANA", each["id"]) for each in seen if each["kind"] == "im"]
        return any(":pause_button:" in said(one) for some in lines for one in some)

    await until(direct)
