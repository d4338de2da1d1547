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
from bot.api.waits import OpenWaits
from bot.gateway import Gateway


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRoutes:
    """What an agent can do with its own groups."""

    gateway: Gateway
    doorkeeper: Doorkeeper
    waits: OpenWaits

    async def read(self, http: web.Request) -> web.Response:
        """``GET /v1/groups/{id}``: how all of it stands, or a long poll until all of it is settled."""
        requester = await self.doorkeeper.requester(http)
        query, group_id = query_as(GroupQuery, http), group_id_of(http)
        if query.wait == 0:
            group = await self.gateway.groups.own(group_id, requester)
        else:
            waiting = self.gateway.groups.wait(
                group_id, requester, settled=query.settled, inquiries=query.inquiry, seconds=query.wait
            )
            group = await self.waits.hold(http, waiting)
        return await self.gateway.turns.run(lambda: show(GroupOut.of(group)))
