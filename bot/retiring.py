"""What ends with an agent: all that it had asked for and could still come to something, and what was granted it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from policies.errors import Refused
from policies.events import Withdrawn
from policies.granting import revoke
from policies.lifecycle import apply
from policies.request import ExecutionState, State
from storage.store import Store


async def take_back(store: Store, agent: str, now: datetime) -> int:
    """Withdraw what waits, revoke what nobody claimed, end the grants; how many requests that were.

    Whoever gets the agent's name later can claim none of it, and must ask anew.
    """
    requester = f"key:{agent}"
    await store.end_grants_of_agent(requester, now, lambda standing: revoke(standing, "operator", now))
    count = 0
    for states, execution in (((State.PENDING,), ()), ((), (ExecutionState.UNCLAIMED,))):
        while page := (await store.requests(requester=requester, states=states, execution=execution)).requests:
            for request in page:
                with suppress(Refused):  # it was decided or claimed meanwhile; the others are to end all the same
                    await store.change(request.id, lambda standing: apply(standing, Withdrawn(), now))
            count += len(page)
    return count
