"""An agent with the client package, the real gateway and people in Slack: what runs is what was decided, or nothing."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from signoff import (
    AlreadyRan,
    AsyncSignoff,
    Expired,
    Interrupted,
    Rejected,
    Signoff,
    StillPending,
    Unreachable,
    Withdrawn,
    needs_approval,
)
from tests.gateway.house_policy import channel_of
from tests.gateway.stage import Card, Stage, staged
from tests.sandbox_process import until
from tests.serve_process import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]
OPEN: list[Signoff] = []
ERRAND = Path(__file__).with_name("errand.py")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(lanes=16, kinds=("hard", "quick")) as found:
        yield found


class Refunds:
    """A tool with a side effect, behind the gate, in a lane of its own."""

    def __init__(self, stage: Stage, kind: str = "hard", **gate: Any) -> None:
        self.stage, self.lane = stage, stage.lane()
        self.tool = f"{kind}_{self.lane}"
        self.ran: list[tuple[str, float]] = []

        @needs_approval(client=client_of(stage), tool=self.tool, **gate)
        def refund(order_id: str, amount: float = 140) -> str:
            """Give a customer their money back."""
            self.ran.append((order_id, amount))
            return f"refunded {amount:g}"

        self.refund: Callable[..., str] = refund

    async def card(self) -> Card:
        """The card of the one request in this lane."""
        return await self.stage.card_naming(self.tool, self.lane)


def client_of(stage: Stage, **more: Any) -> Signoff:
    client = Signoff(stage.serve.url, stage.agent.key, **more)
    OPEN.append(client)
    return client


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Whatever a test opened is closed."""
    yield
    while OPEN:
        OPEN.pop().close()


async def test_an_approved_call_runs_once_and_its_card_tells_that_it_did(stage: Stage) -> None:
    refunds = Refunds(stage, reason="The parcel arrived broken.")
    call = asyncio.create_task(asyncio.to_thread(refunds.refund, "HG-1042"))
    card = await refunds.card()
    assert "The parcel arrived broken." in card.words
    await stage.press("U0ANA", card, "signoff.approve")
    assert await call == "refunded 140"
    assert refunds.ran == [("HG-1042", 140)]
    await stage.card_saying(card.request_id, "is done")


async def test_a_rejection_reaches_the_agent_in_the_reviewer_s_words_and_nothing_runs(stage: Stage) -> None:
    refunds = Refunds(stage)
    call = asyncio.create_task(asyncio.to_thread(refunds.refund, "HG-1042"))
    card = await refunds.card()
    await stage.press("U0BEN", card, "signoff.reject")
    await stage.fill("U0BEN", {"Why?": "Ask for a photo first"})
    with pytest.raises(Rejected, match=r"Ben Okafor rejected hard_\d+; .*“Ask for a photo first”"):
        await call
    assert refunds.ran == []


async def test_an_edited_call_runs_as_edited_in_the_parameters_own_types(stage: Stage) -> None:
    refunds = Refunds(stage)
    call = asyncio.create_task(asyncio.to_thread(refunds.refund, order_id="HG-1042"))
    card = await refunds.card()
    await stage.press("U0ANA", card, "signoff.modify")
    await stage.fill("U0ANA", {"Amount": "40.5"})
    assert await call == "refunded 40.5"
    assert refunds.ran == [("HG-1042", 40.5)]


async def test_silence_ends_as_expired_and_nothing_runs(stage: Stage) -> None:
    refunds = Refunds(stage, "quick")
    with pytest.raises(Expired, match="Nobody decided"):
        await asyncio.to_thread(refunds.refund, "HG-1042")
    assert refunds.ran == []


async def test_the_agent_s_own_patience_with_people_leaves_the_request_standing(stage: Stage) -> None:
    refunds = Refunds(stage, timeout=0)
    with pytest.raises(StillPending) as error:
        await asyncio.to_thread(refunds.refund, "HG-1042")
    assert (await stage.request(error.value.request.id))["state"] == "pending"
    assert refunds.ran == []


async def test_what_the_function_raises_passes_and_is_told_on_the_card(stage: Stage) -> None:
    lane = stage.lane()

    @needs_approval(client=client_of(stage), tool="free")
    def refund(order_id: str) -> None:
        raise LookupError(f"no order {order_id} {lane}")

    with pytest.raises(LookupError, match="no order HG-1042"):
        await asyncio.to_thread(refund, "HG-1042")
    ((state,),) = stage.serve.rows("SELECT execution_state FROM requests WHERE tool = 'free'")
    assert state == "failed"


async def test_an_approval_that_is_stopped_before_the_claim_does_not_run(stage: Stage) -> None:
    with client_of(stage) as client:
        lane = stage.lane()
        request = await asyncio.to_thread(client.submit, f"hard_{lane}", {"order_id": "HG-1042"})
        stage.where[request.id] = channel_of(lane)
        await stage.press("U0ANA", await stage.card(request.id), "signoff.approve")
        settled = await asyncio.to_thread(client.wait, request)
        await asyncio.to_thread(client.withdraw, settled)
        with pytest.raises(Withdrawn):
            await asyncio.to_thread(client.claim, settled)


async def test_an_async_function_is_gated_as_well_and_its_cancelled_wait_takes_the_request_back(stage: Stage) -> None:
    ran = []
    async with AsyncSignoff(stage.serve.url, stage.agent.key) as client:
        lane = stage.lane()

        @needs_approval(client=client, tool=f"hard_{lane}", local=["session"])
        async def refund(order_id: str, session: object) -> object:
            ran.append(order_id)
            return session

        async def asked() -> list[tuple[Any, ...]]:
            return stage.serve.rows("SELECT id FROM requests WHERE tool = ?", f"hard_{lane}")

        call = asyncio.create_task(refund("HG-1042", stage))
        ((request_id,),) = await until(asked)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (await stage.request(request_id))["state"] == "withdrawn"
        assert ran == []

        call = asyncio.create_task(refund("HG-1042", stage))
        second = (await until(lambda: _two(asked)))[-1][0]
        stage.where[second] = channel_of(lane)
        card = await stage.card(second)
        assert "session" not in card.words
        await stage.press("U0ANA", card, "signoff.approve")
        assert await call is stage
        assert ran == ["HG-1042"]


async def _two(asked: Callable[[], Any]) -> list[Any]:
    found = await asked()
    return found if len(found) == 2 else []


async def test_a_restarted_gateway_and_a_restarted_agent_take_up_the_same_request(stage: Stage, tmp_path: Path) -> None:
    lane, done = stage.lane(), tmp_path / "done"
    words = [sys.executable, str(ERRAND), f"hard_{lane}", str(done)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": stage.serve.url}
    env["SIGNOFF_KEY"] = stage.agent.key

    async def asked() -> list[tuple[Any, ...]]:
        return stage.serve.rows("SELECT id FROM requests WHERE tool = ?", f"hard_{lane}")

    first = subprocess.Popen(words, env=env)
    ((request_id,),) = await until(asked)
    first.kill()
    first.wait()
    await stage.serve.restart()
    second = subprocess.Popen(words, env=env)
    stage.where[request_id] = channel_of(lane)
    card = await stage.card(request_id)
    await stage.serve.restart()
    await stage.press("U0ANA", card, "signoff.approve")
    assert await asyncio.to_thread(second.wait, 30) == 0
    assert (done.read_text(), len(await asked())) == ("HG-1042 140\n", 1)

    third = await asyncio.to_thread(subprocess.run, words, env=env, capture_output=True, text=True)
    assert AlreadyRan.__name__ in third.stderr
    assert done.read_text() == "HG-1042 140\n"


async def test_what_was_begun_and_never_reported_is_not_begun_again_unless_that_does_no_harm(stage: Stage) -> None:
    lane, ran = stage.lane(), []

    def life(repeatable: bool) -> None:
        with client_of(stage, run="night") as client:
            permit = client.approve_or_raise("free", {"lane": lane}, repeatable=repeatable)
            ran.append(permit.arguments)

    await asyncio.to_thread(life, False)
    with pytest.raises(Interrupted, match="look whether it ran"):
        await asyncio.to_thread(life, False)
    await asyncio.to_thread(life, True)
    assert ran == [{"lane": lane}] * 2


async def test_with_the_gateway_down_nothing_runs(stage: Stage) -> None:
    client = client_of(stage, patience=0.2)
    await stage.serve.stop()
    try:
        with pytest.raises(Unreachable, match=r"gave no answer for 0\.2 seconds"):
            await asyncio.to_thread(client.approve_or_raise, "free", {})
    finally:
        await stage.serve.restart()
