"""How long the clock of a ladder stands still while the agent owes people an answer. Bounded, whatever anybody does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST = timedelta(minutes=30)
"""How long the clock of one request may stand still in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """``spent`` is how long the clock stood still before; ``since`` when (UTC) it has stood still now, if it does.

    ``before`` is the part of ``spent`` that an earlier clock stood still: when a clock starts anew, it moves nothing.
    """

    spent: timedelta = timedelta(0)
    since: datetime | None = None
    before: timedelta = timedelta(0)

    @property
    def ends_at(self) -> datetime | None:
        """When the clock runs on by itself; None while it runs."""
        return None if self.since is None else self.since + LONGEST - self.spent

    @property
    def moves(self) -> timedelta:
        """By how much everything is due later, as far as that is known: what is over counts."""
        return self.spent - self.before

    @property
    def moves_at_most(self) -> timedelta:
        """As ``moves``, if this pause lasts as long as it may."""
        return self.moves if self.since is None else LONGEST - self.before

    def begun(self, now: datetime) -> Pause:
        """The clock stands still from ``now`` on, if it doesn't already and may."""
        return replace(self, since=now) if self.since is None and self.spent < LONGEST else self

    def over(self, now: datetime) -> Pause:
        """The clock runs on at ``now``, or ran on before where the pause could not last so long."""
        if self.since is None:
            return self
        lasted = max(now - self.since, timedelta(0))
        return replace(self, spent=min(self.spent + lasted, LONGEST), since=None)

    def restarted(self, now: datetime) -> Pause:
        """The pause of a clock that starts at ``now``: nothing of it is moved by what was paused before."""
        ended = self.over(now)
        anew = replace(ended, before=ended.spent)
        return anew if self.since is None else anew.begun(now)
