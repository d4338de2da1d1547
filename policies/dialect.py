"""How an agent asked that speaks another protocol than Signoff's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AAP = "aap"
"""The Agent Approval Protocol: https://agentapprovalprotocol.io."""
SENT_BACK = "sent_back"
"""By whom a permit is revoked that its agent couldn't use: people changed the arguments, and it runs only its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """A protocol in which a call runs exactly as proposed or not at all: edits are told, and the agent asks anew.

    ``sent`` is what came with the call, to be given back as it came.
    """

    name: str
    sent: Mapping[str, Any]


def uuid_of(own_id: str) -> str:
    """An id of ours (of a request, of a key) as the UUID that its digits are."""
    return str(uuid.UUID(hex=own_id.partition("_")[2]))
