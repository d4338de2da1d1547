"""Storing what an agent asks for, unless its key ended meanwhile."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from bot.api.auth import Doorkeeper
from bot.api.problems import Unauthenticated
from bot.gateway import Gateway
from policies.errors import Refused
from policies.request import Requester, Submission
from storage.store import Added, Idempotency


async def submitted(
    http: web.Request,
    gateway: Gateway,
    doorkeeper: Doorkeeper,
    submission: Submission,
    requester: Requester,
    again: Idempotency | None,
) -> Added:
    """The request of an agent whose key was looked at before its body came and its turn was there.

    Whoever revokes a key takes back what it had asked for, and looks for that once. What is stored after that look is
    found here: the key is revoked by then. It is taken back, and ``Unauthenticated`` raised.
    """
    added = await gateway.submit(submission, requester, idempotency=again)
    try:
        await doorkeeper.key(http)
    except Unauthenticated as error:
        if error.code == "key_revoked":
            with suppress(Refused):  # it is over already
                await gateway.withdraw(added.request.id, requester)
            raise
    return added
