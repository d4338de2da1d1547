"""Processes of their own for the storage tests: ``python -m tests.storage.child racer|writer URL ...``."""

from __future__ import annotations

import asyncio
import os
import sys

from policies.errors import Conflict
from storage.store import Store
from tests.storage.samples import WORKSPACE, decided, opened


async def race(url: str, name: str, requests: int) -> None:
    """Try to decide every request, all at once; print how many of them this process decided."""
    store = await Store.open(url, workspace_id=WORKSPACE)
    tried = await asyncio.gather(
        *(store.change(f"r{n}", decided(name)) for n in range(requests)), return_exceptions=True
    )
    await store.close()
    wrong = [one for one in tried if isinstance(one, BaseException) and not isinstance(one, Conflict)]
    won = sum(not isinstance(one, BaseException) for one in tried)
    os.write(1, f"{name} {won} {wrong}\n".encode())  # in one piece: eight processes share the pipe


def racers(url: str, processes: int, requests: int) -> None:
    """Fork the racers, so that the libraries are imported once; wait for all."""
    children = []
    for n in range(processes):
        child = os.fork()
        if child == 0:
            asyncio.run(race(url, f"U{n}", requests))
            os._exit(0)
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


async def write(url: str) -> None:
    """Add and decide requests, many at once, for ever; print each one's id as soon as it is acknowledged."""
    store = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)

    async def one_after_the_other(lane: int) -> None:
        n = 0
        while True:
            await store.add(opened(f"r{lane}-{n}"))
            os.write(1, f"added r{lane}-{n}\n".encode())
            await store.change(f"r{lane}-{n}", decided())
            os.write(1, f"decided r{lane}-{n}\n".encode())
            n += 1

    await asyncio.gather(*(one_after_the_other(lane) for lane in range(16)))


if __name__ == "__main__":
    if sys.argv[1] == "racer":
        racers(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        asyncio.run(write(sys.argv[2]))
