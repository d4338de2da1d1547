"""The independent witness: everything that was sent and received, with times, in order."""

import json
import time
import zlib
from collections import deque
from typing import Any

from sandbox.json_types import Json

_MOST = 20_000
_LOOSE = 200


class Record:
    """A list of calls; an entry is completed in place when its answer is known.

    The newest 20,000 calls are kept, all but the newest 200 of them packed, so that a long load test does not fill the
    machine's memory. `n` goes on counting when old calls are forgotten.
    """

    def __init__(self, most: int = _MOST, loose: int = _LOOSE) -> None:
        self._calls: deque[Json | bytes] = deque()
        self._most, self._loose = most, loose
        self._first = 0

    @property
    def next(self) -> int:
        """The number of the call that comes next."""
        return self._first + len(self._calls)

    def add(self, direction: str, kind: str, **rest: Any) -> Json:
        """Note a call; `at` is real time in epoch seconds, whatever the workspace's clock says."""
        entry: Json = {"n": self.next, "at": time.time(), "direction": direction, "kind": kind}
        entry.update({"status": None, "answer": None}, **rest)
        self._calls.append(entry)
        self._make_room()
        return entry

    def since(self, number: int) -> Json:
        """The calls from a number on, the oldest number that is still known, and the number to ask for next."""
        start = max(number - self._first, 0)
        kept = [self._calls[index] for index in range(start, len(self._calls))]
        return {"calls": [_unpacked(entry) for entry in kept], "first": self._first, "next": self.next}

    def _make_room(self) -> None:
        if len(self._calls) > self._loose:
            old = self._calls[-self._loose - 1]
            if isinstance(old, dict) and old["status"] is not None:  # what is still under way must stay changeable
                self._calls[-self._loose - 1] = zlib.compress(json.dumps(old).encode(), 1)
        if len(self._calls) > self._most:
            self._calls.popleft()
            self._first += 1


def _unpacked(entry: Json | bytes) -> Json:
    return entry if isinstance(entry, dict) else dict(json.loads(zlib.decompress(entry)))
