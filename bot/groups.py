"""The use cases of groups: how all calls stand that an agent asked about together, and waiting for all of them."""

from __future__ import annotations

import asyncio

from bot.waiting import Waiting, changed_within
from policies.errors import NotFound
from policies.request import Requester
from storage.store import GroupProgress, GroupStanding, Store, group_topic


class Groups:
    """What an agent can do with its own groups. A foreign group reads like an unknown one."""

    def __init__(self, store: Store, waiting: Waiting) -> None:
        self._store = store
        self._waiting = waiting

    async def own(self, group_id: str, requester: Requester) -> GroupStanding:
        """How the requester's own group stands, with all of its requests."""
        found = await self._store.group(requester.id, group_id)
        if found is None:
            raise NotFound("No such group.")
        return found

    async def wait(
        self, group_id: str, requester: Requester, *, settled: int | None, inquiries: int | None, seconds: float
    ) -> GroupStanding:
        """The group as soon as all of it is settled, or as it stands after ``seconds``.

        With ``settled`` it comes as soon as more than so many are settled, with ``inquiries`` as soon as people have
        asked more than so many things about its calls.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        with self._waiting.watch(group_topic(requester.id, group_id)) as changed:
            while True:
                progress = await self._store.group_progress(requester.id, group_id)
                if progress is None or _is_news(progress, settled, inquiries):
                    break
                if not await changed_within(changed, deadline - asyncio.get_running_loop().time()):
                    break
        return await self.own(group_id, requester)


def _is_news(progress: GroupProgress, settled: int | None, inquiries: int | None) -> bool:
    more_settled = settled is not None and progress.settled > settled
    more_asked = inquiries is not None and progress.inquiries > inquiries
    return progress.complete or more_settled or more_asked
