"""The seven scenarios for agents that speak the Agent Approval Protocol, whose own client and integrations are used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from agentapprovalprotocol import AsyncClient, AsyncGate

from tests.client.dialect import DialectContract, Seat


class AapContract(DialectContract):
    """What the protocol's own words are, and that it knows no edits."""

    silence: ClassVar[str] = "expired. The call was not run"
    failure: ClassVar[str] = "The call was not run"

    async def edited(self, seat: Seat, said: str) -> None:
        """The model is told what would be approved, and nothing ran."""
        assert seat.ran == []
        assert '"amount": 40.5' in said
        request_id = (await seat.card()).request_id
        card = await seat.stage.card_saying(request_id, "Sent back with changes")
        assert "its agent can't take changes" in card.words
        assert seat.stage.execution(request_id) == "revoked"


@asynccontextmanager
async def aap_gate(seat: Seat) -> AsyncIterator[AsyncGate]:
    """The protocol's gate, with the gateway as its provider."""
    client = AsyncClient(f"{seat.url}/aap", seat.key, retry_budget=min(seat.patience, 60))
    try:
        yield AsyncGate(client)
    finally:
        await client.aclose()
