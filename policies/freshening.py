"""How often a card that goes ahead on silence is drawn anew, so that the time left on it stays fresh: twice at most."""

from __future__ import annotations

from datetime import timedelta

LAST = timedelta(minutes=1)
"""The last minute is announced."""
LEAST = timedelta(seconds=20)
"""So near to its end no card is drawn anew: Slack's updates are few, and it would come too late."""


def drawn_anew(length: timedelta) -> tuple[timedelta, ...]:
    """How long before the end of a clock of ``length`` cards are drawn anew, the longest first."""
    return tuple(left for left in sorted({length / 2, LAST}, reverse=True) if LEAST <= left <= length / 2)
