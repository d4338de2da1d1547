"""Who has seen which calls whole of late. Kept in memory only: forgetting means that a call is opened once more."""

from __future__ import annotations

from collections import OrderedDict

from policies.request import Request

REMEMBERED = 20_000
"""Looks that are remembered; beyond them the oldest are forgotten."""


class Peeks:
    """Remembers, by person, which revisions were opened to their last page."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str, int], None] = OrderedDict()

    def note(self, user_id: str, request: Request) -> None:
        """This person has the last page before them; to come there they turned all the others."""
        mark = _mark(user_id, request)
        self._seen[mark] = None
        self._seen.move_to_end(mark)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def seen(self, user_id: str, request: Request) -> bool:
        """Has this person seen the revision that stands?"""
        return _mark(user_id, request) in self._seen


def _mark(user_id: str, request: Request) -> tuple[str, str, int]:
    return (user_id, request.id, request.revision)
