"""The independent witness: everything that was sent and received, with times, in order."""

import time
from typing import Any

from sandbox.json_types import Json


class Record:
    """An append-only list of calls; an entry is completed in place when its answer is known."""

    def __init__(self) -> None:
        self.calls: list[Json] = []

    def add(self, direction: str, kind: str, **rest: Any) -> Json:
        """Note a call; `at` is real time in epoch seconds, whatever the workspace's clock says."""
        entry: Json = {"n": len(self.calls), "at": time.time(), "direction": direction, "kind": kind}
        entry.update({"status": None, "answer": None}, **rest)
        self.calls.append(entry)
        return entry

    def since(self, number: int) -> Json:
        """The calls from a number on, and the number to ask for next."""
        return {"calls": self.calls[max(number, 0) :], "next": len(self.calls)}
