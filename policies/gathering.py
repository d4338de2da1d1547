"""Which requests may share one message when more arrive than a channel takes one by one."""

from __future__ import annotations

from policies.checkpoint import Kind
from policies.request import Request


def may_share(request: Request) -> bool:
    """May this request be one row among others?

    Not where much is at stake, several people must agree, something is asked first or somebody stands in for another:
    such a call has its card to itself, so that nobody looks at it in passing.
    """
    gate = request.checkpoint
    if request.settled or gate.kind not in (Kind.SOFT, Kind.HARD) or request.stand_ins or request.question:
        return False
    return gate.impact != "high" and gate.required_by is None and gate.quorum == 1
