"""Reading and verifying the journal; it is written by ``chain.append`` within each change."""

from __future__ import annotations

from functools import partial

from storage import chain
from storage.access import Access
from storage.values import Head, JournalRow, VerifyReport


class Journal(Access):
    """The store's journal."""

    async def journal(self, *, after: int = 0, limit: int = 500) -> tuple[JournalRow, ...]:
        """The lines after the one whose ``seq`` is ``after``, oldest first."""
        return await self._read(partial(chain.read, self._workspace_id, after, limit))

    async def verify_journal(self, *, anchor: Head | None = None) -> VerifyReport:
        """Is the journal as it was written?

        With ``anchor``, a head from an earlier report that was kept outside the database, a cut tail and a chain
        written anew are found as well, up to the anchor.
        """
        return await self._read(partial(chain.verify, self._workspace_id, anchor))
