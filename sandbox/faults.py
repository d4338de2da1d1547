"""Planned trouble: what the next matching calls suffer, in order."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Literal

from sandbox.json_types import Json

_NAMES = {"method", "times", "status", "retry_after", "error", "effect", "delay", "reset", "slow_body", "delivery"}
_DELIVERIES = ("drop", "duplicate", "lose_ack")


@dataclass(kw_only=True, slots=True)
class PlannedFault:
    """Trouble for the next `times` calls of a method (`*` for any; also `response_url`, `upload`).

    `effect` says whether the call takes effect although it seems to fail: `after` does it first and then fails,
    `before` and `none` fail without doing it. A fault with a delay alone is slow, but goes well; `slow_body` seconds
    pass in the middle of the answer's body.

    `delivery` turns the fault around: it befalls what the workspace sends to the app. Its method is then the payload's
    type (`block_actions`, `view_submission`, `event_callback`, ...) or a slash command. `drop`: it never arrives.
    `duplicate`: it arrives twice. `lose_ack`: it arrives, but its acknowledgement gets lost.
    """

    method: str
    times: int = 1
    status: int = 0
    retry_after: int = 1
    error: str = ""
    effect: Literal["before", "after", "none"] = "before"
    delay: float = 0.0
    reset: bool = False
    slow_body: float = 0.0
    delivery: Literal["", "drop", "duplicate", "lose_ack"] = ""

    @property
    def fails(self) -> bool:
        """Whether the caller gets anything else than the true answer."""
        return bool(self.status or self.error or self.reset)


class Faults:
    """The list of planned faults; each is used up by the calls that match it."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []
        self._replaced = asyncio.Event()

    def plan(self, faults: list[Json]) -> None:
        """Replace the list; calls held up by the old one go on. Raises ValueError for a field that no fault has."""
        for entry in faults:
            if unknown := sorted(set(entry) - _NAMES):
                raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(_NAMES))}")
            if entry.get("delivery", "drop") not in _DELIVERIES:
                raise ValueError(f"a fault's delivery is one of {', '.join(_DELIVERIES)}")
        self._planned = [PlannedFault(**{"method": "*", **entry}) for entry in faults]
        self._replaced.set()
        self._replaced = asyncio.Event()

    async def hold_up(self, seconds: float) -> None:
        """Let a delay pass, or the plan that it stood in end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._replaced.wait(), seconds)

    def next_for(self, method: str) -> PlannedFault | None:
        """The first planned fault that matches a call, counted as used."""
        return self._next(method, delivery=False)

    def delivery_of(self, method: str) -> str:
        """What befalls a delivery to the app: `drop`, `duplicate`, `lose_ack` or nothing; counted as used."""
        fault = self._next(method, delivery=True)
        return fault.delivery if fault is not None else ""

    def _next(self, method: str, *, delivery: bool) -> PlannedFault | None:
        for fault in self._planned:
            if fault.method in ("*", method) and fault.times > 0 and bool(fault.delivery) == delivery:
                fault.times -= 1
                return fault
        return None
