"""What runs leave behind when they end early: requests that still wait, permits, calls that nobody reports any more."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.agent.kit import Kit
from policies.agent_run import RunState
from policies.errors import Refused
from policies.request import RUNNER, ExecutionState, Request, Requester, State

ITSELF = Requester(id=RUNNER, name="Signoff agent")
PAGE = 200


async def take_back(kit: Kit, run_id: str | None = None) -> None:
    """Withdraw what runs that are over have left open, so that nothing of it can run afterwards.

    Looks at one run's requests, or (None) at every run's. Runs that are active, or were never stored, keep theirs.
    """
    over: dict[str, bool] = {}
    for request in [request async for request in _open(kit)]:
        run = request.run or ""
        if run_id in (None, run):
            if run not in over:
                over[run] = await _is_over(kit, run)
            if over[run]:
                await _end(kit, request)


async def _is_over(kit: Kit, run_id: str) -> bool:
    run = await kit.store.run(run_id)
    return run is not None and run.state is not RunState.ACTIVE


async def _end(kit: Kit, request: Request) -> None:
    claimed = request.execution is not None and request.execution.state is ExecutionState.CLAIMED
    if claimed and request.id in kit.running:
        return
    try:
        await (kit.gateway.lose if claimed else kit.gateway.withdraw)(request.id, ITSELF)
    except Refused:
        return  # it was settled, claimed or reported meanwhile


async def _open(kit: Kit) -> AsyncIterator[Request]:
    """The runner's requests that can still come to something: pending, or approved and not reported."""
    unfinished = (ExecutionState.UNCLAIMED, ExecutionState.CLAIMED)
    for states, execution in (((State.PENDING,), ()), ((), unfinished)):
        cursor: str | None = None
        while True:
            page = await kit.store.requests(
                states=states, execution=execution, requester=RUNNER, cursor=cursor, limit=PAGE
            )
            for request in page.requests:
                yield request
            if (cursor := page.cursor) is None:
                break
