"""What came back for something that was delivered to the app."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.clock import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """How a delivery ended. `reason` is Slack's word for a retry, `body` the acknowledgement's payload."""

    outcome: Literal["acked", "timeout", "refused", "no_connection"]
    body: Any = None
    status: int = 0
    reason: str = ""
    no_retry: bool = False

    @property
    def error(self) -> str:
        """The error that a person sees, or an empty string."""
        return {"acked": "", "timeout": "operation_timeout", "refused": "app_error"}.get(self.outcome, self.outcome)


async def within(clock: Clock, seconds: float, future: "asyncio.Future[Any]") -> bool:
    """Whether a future was done before the workspace's clock had gone on by some seconds."""
    timer = asyncio.ensure_future(clock.until(clock.now() + seconds))
    try:
        await asyncio.wait({future, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
    return future.done()
