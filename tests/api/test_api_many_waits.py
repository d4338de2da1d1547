"""Many clients wait and half of them vanish: nothing is left of any. ``benchmarks.waiting`` does it with thousands."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from benchmarks.waiting import Client, Waiter, connect
from policies.review import Verdict
from tests.api.house import MAIL, House, until

WAITS = 60


def connections() -> int:
    """This process's sockets: the clients' ends and the gateway's."""
    found = 0
    for each in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own
            found += os.readlink(f"/proc/self/fd/{each}").startswith("socket:")
    return found


async def test_nothing_is_left_of_clients_that_wait_whether_they_are_told_or_vanish(house: House) -> None:
    ids = [(await house.ask(MAIL, reason=str(number)))["id"] for number in range(WAITS)]
    before = (connections(), len(asyncio.all_tasks()))
    clients = await _wait(house, ids)
    assert house.waiting.topics == WAITS
    assert len(asyncio.all_tasks()) <= before[1] + 2 * WAITS, "a wait costs no task beyond its connection's"
    for place, client in enumerate(clients[1::2]):
        client.leave(place % 3)
    for each in (*ids[::2], *ids[5::6]):  # those who vanished without a word are found by their answer
        await house.gateway.review(each, house.person("U0ANA"), Verdict.REJECT, 1)
    async with asyncio.timeout(20):
        await asyncio.gather(*(client.answered for client in clients[::2]))
    for client in clients[::2]:
        client.leave(0)
    await until(lambda: house.waiting.topics == 0)
    await until(lambda: (connections(), len(asyncio.all_tasks())) <= before)


async def _wait(house: House, ids: list[str]) -> list[Client]:
    """Long polls and streams, two of each in turn."""

    async def nobody() -> float:
        return 0.0

    tails = ("?wait=55", "?wait=55", "/events", "/events")
    paths = [f"/v1/requests/{each}{tails[place % 4]}" for place, each in enumerate(ids)]
    waiters = [Waiter(path=path, key=house.agent, decide=nobody) for path in paths]
    clients = await connect(house.runner.addresses[0][1], waiters, b'"rejected"')
    await until(lambda: house.waiting.agents == WAITS)
    return clients
