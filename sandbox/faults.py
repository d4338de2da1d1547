"""Planned trouble: what the next matching calls suffer, in order."""

from dataclasses import dataclass
from typing import Literal

from sandbox.json_types import Json

_NAMES = {"method", "times", "status", "retry_after", "error", "effect", "delay", "reset"}


@dataclass(kw_only=True, slots=True)
class PlannedFault:
    """Trouble for the next `times` calls of a method (`*` for any; also `response_url`, `upload`).

    `effect` says whether the call takes effect although it seems to fail: `after` does it first and then fails,
    `before` and `none` fail without doing it. A fault with a delay alone is slow, but goes well.
    """

    method: str
    times: int = 1
    status: int = 0
    retry_after: int = 1
    error: str = ""
    effect: Literal["before", "after", "none"] = "before"
    delay: float = 0.0
    reset: bool = False

    @property
    def fails(self) -> bool:
        """Whether the caller gets anything else than the true answer."""
        return bool(self.status or self.error or self.reset)


class Faults:
    """The list of planned faults; each is used up by the calls that match it."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def plan(self, faults: list[Json]) -> None:
        """Replace the list. Raises ValueError for a field that no fault has."""
        for entry in faults:
            if unknown := sorted(set(entry) - _NAMES):
                raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(_NAMES))}")
        self._planned = [PlannedFault(**{"method": "*", **entry}) for entry in faults]

    def next_for(self, method: str) -> PlannedFault | None:
        """The first planned fault that matches a call, counted as used."""
        for fault in self._planned:
            if fault.method in ("*", method) and fault.times > 0:
                fault.times -= 1
                return fault
        return None
