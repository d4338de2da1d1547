"""How often something happened, and how sure one may be of it after so few looks."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proportion:
    """``count`` out of ``of``, both from 0."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where there was nothing to look at."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 %, from 0 to 1; everything is possible where there was nothing to look at."""
        if not self.of:
            return (0.0, 1.0)
        n, p, z = self.of, self.share, _Z
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        margin = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low = 0.0 if self.count == 0 else middle - margin
        high = 1.0 if self.count == n else middle + margin
        return (max(0.0, low), min(1.0, high))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.of} ({self.share:.0%}; 95 % interval {low:.0%} to {high:.0%})"
