"""What every agent framework behind the gate must keep: seven scenarios, judged by what its tool really did.

A test module gives its way to run an agent: a subclass of ``DialectContract`` named ``Test…``, in a module marked
``pytestmark = DIALECT``, with the real framework and a scripted model. The gateway and the workspace are real.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from tests.gateway.stage import Card, Stage

DIALECT = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]


@dataclass(kw_only=True, slots=True)
class Seat:
    """Where one agent sits: its gateway, its tool (in a lane of its own), and what the tool has done."""

    stage: Stage
    kind: str = "hard"
    patience: float = 300.0
    arguments: dict[str, Any] = field(default_factory=lambda: {"order_id": "HG-1042", "amount": 140})
    ran: list[tuple[str, float]] = field(default_factory=list)
    lane: int = 0
    server: str = ""
    """What the gateway knows the tool's server by, where tools have one."""

    def __post_init__(self) -> None:
        self.lane = self.stage.lane()

    @property
    def tool(self) -> str:
        """The tool's name; only this seat's agent knows it."""
        server = f"{self.server}." if self.server else ""
        return f"{server}{self.kind}_{self.lane}"

    @property
    def run(self) -> str:
        """A name for the agent's work, for what is to survive its crash."""
        return f"run of {self.tool}"

    @property
    def url(self) -> str:
        """The gateway's address; it stays the same over a restart."""
        return self.stage.serve.url

    @property
    def key(self) -> str:
        """The agent's key."""
        return self.stage.agent.key

    def refund(self, order_id: str, amount: float) -> str:
        """Give a customer money back."""
        self.ran.append((order_id, amount))
        return f"refunded {amount:g} for {order_id}"

    async def card(self) -> Card:
        """The card of this seat's request, as soon as it is there."""
        return await self.stage.card_naming(self.tool, self.lane)

    async def approve(self) -> Card:
        """Ana approves."""
        card = await self.card()
        await self.stage.press("U0ANA", card, "signoff.approve")
        return card

    async def reject(self, why: str) -> Card:
        """Ben rejects, and says why."""
        card = await self.card()
        await self.stage.press("U0BEN", card, "signoff.reject")
        await self.stage.fill("U0BEN", {"Why?": why})
        return card

    async def edit(self, amount: str) -> Card:
        """Ana changes the amount, and approves so."""
        card = await self.card()
        await self.stage.press("U0ANA", card, "signoff.modify")
        await self.stage.fill("U0ANA", {"Amount": amount})
        return card

    def requests(self) -> int:
        """How many requests people were asked about this seat's tool."""
        return len(self.stage.serve.rows("SELECT id FROM requests WHERE tool = ?", self.tool))


class DialectContract:
    """The seven scenarios. A subclass says how an agent of its framework runs."""

    reports: ClassVar[bool] = True
    """Does the gate learn how the call went?"""
    silence: ClassVar[str] = "Nobody decided"
    failure: ClassVar[str] = "nothing ran"
    """What the model is told, among other words, where nobody decided in time and where there is no gateway."""

    def seat(self, stage: Stage, **more: Any) -> Seat:
        """A seat of its own for one scenario."""
        return Seat(stage=stage, **more)

    async def converse(self, seat: Seat) -> str:
        """Run an agent whose model calls ``seat.tool`` (which is ``seat.refund``) once with ``seat.arguments``.

        Returns all that the model was told, the tool's result or why it did not run. Cancelled, the agent is gone as
        if it had been killed: nothing of it may run on.
        """
        raise NotImplementedError

    async def again(self, seat: Seat) -> str:
        """As ``converse``, for the agent that was killed: started anew from what its framework keeps."""
        return await self.converse(seat)

    async def edited(self, seat: Seat, said: str) -> None:
        """What must hold after an edit to 40.5; ``said`` is what the model was told."""
        assert seat.ran == [("HG-1042", 40.5)]
        assert "refunded 40.5 for HG-1042" in said

    async def test_an_approved_call_runs_and_its_end_is_reported(self, stage: Stage) -> None:
        seat = self.seat(stage)
        run = asyncio.create_task(self.converse(seat))
        card = await seat.approve()
        assert "refunded 140 for HG-1042" in await run
        assert seat.ran == [("HG-1042", 140)]
        if self.reports:
            assert stage.execution(card.request_id) == "succeeded"

    async def test_a_rejection_reaches_the_model_in_the_reviewer_s_words(self, stage: Stage) -> None:
        seat = self.seat(stage)
        run = asyncio.create_task(self.converse(seat))
        await seat.reject("Ask for a photo first")
        assert "Ask for a photo first" in await run
        assert seat.ran == []

    async def test_an_edited_call_runs_as_edited_or_not_at_all(self, stage: Stage) -> None:
        seat = self.seat(stage)
        run = asyncio.create_task(self.converse(seat))
        await seat.edit("40.5")
        await self.edited(seat, await run)

    async def test_on_silence_nothing_runs_and_the_model_hears_why(self, stage: Stage) -> None:
        seat = self.seat(stage, kind="quick")
        assert self.silence in await self.converse(seat)
        assert seat.ran == []

    async def test_with_the_gateway_down_nothing_runs_and_over_its_restart_the_wait_goes_on(self, stage: Stage) -> None:
        hasty = self.seat(stage, patience=0.2)
        await stage.serve.stop()
        assert self.failure in await self.converse(hasty)
        assert hasty.ran == []
        await stage.serve.restart()
        seat = self.seat(stage)
        run = asyncio.create_task(self.converse(seat))
        await seat.card()
        await stage.serve.restart()
        await seat.approve()
        assert "refunded 140 for HG-1042" in await run
        assert seat.ran == [("HG-1042", 140)]
        assert seat.requests() == 1

    async def test_an_agent_that_is_started_again_finds_its_request_and_runs_once(self, stage: Stage) -> None:
        seat = self.seat(stage)
        run = asyncio.create_task(self.converse(seat))
        await seat.card()
        run.cancel()
        await asyncio.wait({run})
        await seat.approve()
        assert seat.ran == []
        assert "refunded 140 for HG-1042" in await self.again(seat)
        assert seat.ran == [("HG-1042", 140)]
        assert seat.requests() == 1
