"""In which order cards leave for a channel: each agent's in their own order, and the agents in turn.

Slack takes about one message a second a channel. Without turns one agent's flood would keep everybody else's cards away
from people for as long as it lasts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from policies.effects import PostCard
from storage.store import Owed


def in_turn(waiting: Iterable[Owed], after: Owed | None = None) -> list[Owed]:
    """``waiting`` ordered so that first each agent has its first card, then each its second, and so on.

    Among equals what came first goes first, but the agent whose card went just before (``after``) comes a turn later.
    """
    turns = Counter([_account(after)] if after else [])
    ranked = []
    for place, owed in enumerate(waiting):
        account = _account(owed)
        ranked.append((turns[account], place, owed))
        turns[account] += 1
    return [owed for _, _, owed in sorted(ranked, key=lambda each: each[:2])]


def _account(owed: Owed) -> str:
    """On whose account a card was asked for; the empty one for everything else, which stays in its order."""
    return owed.effect.account if isinstance(owed.effect, PostCard) else ""
