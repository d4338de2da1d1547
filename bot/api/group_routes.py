"""The address of a group: how all calls stand that an agent asked about together, or a long poll for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.api.addresses import group_id_of
from bot.api.answers import show
from bot.api.asks import GroupQuery
from bot.api.auth import Doorkeeper
from bot.api.bodies import query_as
from bot.api.models import GroupOut
from bot.api.operations import Operation, describes
from bot.api.waits import OpenWaits
from bot.gateway import Gateway
from policies.group import GROUP_ID


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRoutes:
    """What an agent can do with its own groups."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    @describes(
        Operation(
            id="read_group",
            tag="requests",
            key="agent",
            query=GroupQuery,
            id_pattern=GROUP_ID.pattern,
            id_words="Your own name for the group.",
            answers={200: GroupOut},
            codes=("not_found", "restarting"),
        )
    )
    async def read(self, http: web.Request) -> web.Response:
        """Read a group, or wait for it.

        With ``wait`` it answers as soon as all of its calls are settled (or as ``settled`` and ``inquiry`` say), and at
        the end of the wait as it stands then. Each call of it is decided alone.
        """
        requester = await self.doorkeeper.requester(http)
        query, group_id = query_as(GroupQuery, http), group_id_of(http)
        if query.wait == 0:
            group = await self.gateway.groups.own(group_id, requester)
        else:
            waiting = self.gateway.groups.wait(
                group_id, requester, settled=query.settled, inquiries=query.inquiry, seconds=query.wait
            )
            group = await self.waits.hold(http, waiting)
            await self.doorkeeper.requester(http)  # whose key ended meanwhile is told nothing
        return await self.gateway.turns.run(lambda: show(GroupOut.of(group)))
