"""How an agent asked that speaks another protocol than Signoff's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SENT_BACK = "sent_back"
"""By whom a permit is revoked that its agent couldn't use: people changed the arguments, and it runs only its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """A protocol in which a call runs exactly as proposed or not at all: edits are told, and the agent asks anew.

    ``sent`` is what came with the call, to be given back as it came.
    """

    name: str
    sent: Mapping[str, Any]
