"""Reading and verifying the journal; lines about requests are written by ``chain.append`` within each change."""

from __future__ import annotations

from functools import partial

from policies.effects import Entry
from storage import chain
from storage.access import Access
from storage.values import Head, JournalRow, VerifyReport


class Journal(Access):
    """The store's journal."""

    async def note(self, entry: Entry) -> None:
        """Write a line that belongs to no request: the policy in force, a grant, an operator's act."""
        await self._write(lambda transaction: chain.append(transaction, (entry,)))

    async def journal(self, *, after: int = 0, limit: int = 500) -> tuple[JournalRow, ...]:
        """The lines after the one whose ``seq`` is ``after``, oldest first."""
        return await self._read(partial(chain.read, self._workspace_id, after, limit))

    async def journal_of(self, request_id: str, *, after: int = 0) -> tuple[JournalRow, ...]:
        """The lines about one request after the one whose ``seq`` is ``after``, oldest first."""
        return await self._read(partial(chain.read_of, self._workspace_id, request_id, after))

    async def verify_journal(self, *, anchor: Head | None = None) -> VerifyReport:
        """Is the journal as it was written?

        With ``anchor``, a head from an earlier report that was kept outside the database, a cut tail and a chain
        written anew are found as well, up to the anchor.
        """
        return await self._read(partial(chain.verify, self._workspace_id, anchor))
