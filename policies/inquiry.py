"""What people ask the agent about its pending call, and what it answers. Neither decides anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LONGEST_TEXT = 1_000
"""Characters of what a person asks."""
LONGEST_REPLY = 4_000
"""Characters of what the agent answers."""
MOST_OPEN = 5
MOST = 10
"""Inquiries about one request, at a time and in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquiry:
    """What a person (``by``, ``name``) asked the agent at ``at`` (UTC), and its ``answer`` once there is one."""

    id: str
    by: str
    name: str
    at: datetime
    text: str
    answer: str | None = None
    answered_at: datetime | None = None
