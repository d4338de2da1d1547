"""Calls that an agent asks about together: each is decided alone, and the agent waits for all of them at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.errors import Conflict

MOST_CALLS = 50
"""How many calls one group has at most: nobody answers for more of them in one go."""
GROUP_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:~-]{0,199}")
"""What stands in an address as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The agent's own name for calls that it asks about together (unique to the agent), and how many they are."""

    id: str
    size: int


def check_joins(group: Group, size: int | None, members: int) -> None:
    """May one more call be of ``group``, which has ``members`` so far, begun with ``size`` (None: it's the first)?

    Raises ``Conflict``.
    """
    if size is None:
        return
    if size != group.size:
        raise Conflict(
            f"The group {group.id} was begun with the size {size}, not {group.size}. "
            "Send the same size with each of its calls, or begin another group.",
            code="group_conflict",
        )
    if members >= size:
        raise Conflict(
            f"The group {group.id} has all of its {size} calls. Begin another group with an id of its own.",
            code="group_full",
        )
