"""What one item of work sees of the transaction that it shares with the others of its batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from storage.engine import Connection
from storage.values import Changed, Head

T = TypeVar("T")


class Transaction:
    """An open write transaction. ``topics`` and ``changed`` are told after the commit.

    ``head`` is the journal's last line so far.
    """

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        self.connection = connection
        self.workspace_id = workspace_id
        self.topics: list[str] = []
        self.changed: list[Changed] = []
        self.head: Head | None = None

    def attempt(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a savepoint of its own: where it raises, nothing of it stays and the others are unharmed."""
        told, changed, head = len(self.topics), len(self.changed), self.head
        self.connection.command("SAVEPOINT item")
        try:
            result = work(self)
        except BaseException:
            self._undo()
            del self.topics[told:]
            del self.changed[changed:]
            self.head = head
            raise
        self.connection.command("RELEASE item")
        return result

    def _undo(self) -> None:
        # A full disk makes SQLite roll the whole transaction back by itself; then there is no savepoint any more.
        if self.connection.in_transaction:
            self.connection.command("ROLLBACK TO item")
            self.connection.command("RELEASE item")
