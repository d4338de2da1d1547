"""Why a call did not run. Each error's words are fit to be handed to a model as the call's result."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.models import Request


class SignoffError(Exception):
    """Base of everything that this package raises. None of them means yes."""


class NotApproved(SignoffError):
    """The request came to something else than a call that may run now; ``request`` is how it stands."""

    def __init__(self, words: str, request: Request) -> None:
        super().__init__(words)
        self.request = request

    @property
    def note(self) -> str | None:
        """What the reviewer said."""
        return self.request.decision.note if self.request.decision is not None else None


class Rejected(NotApproved):
    """People said no, or the policy did."""


class Expired(NotApproved):
    """Nobody decided in time."""


class Withdrawn(NotApproved):
    """It was taken back: by the agent, or stopped by a person after it was approved, or its permit lapsed."""


class StillPending(NotApproved):
    """The time that this client was to wait is over; the request waits on, and can be waited for again by its id."""


class AlreadyRan(NotApproved):
    """This very call of this run was approved and has run before; it does not run twice."""


class Interrupted(NotApproved):
    """An earlier life of this agent took the permit and never told how it went: the call may have run or not."""


class Refused(SignoffError):
    """The gateway does not take what was sent. ``errors`` says for each fault its place and what to do."""

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[tuple[str, str]] = ()) -> None:
        places = "".join(f"\n  {where}: {words}" for where, words in errors if words not in detail)
        super().__init__(f"{detail}{places}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)


class Unreachable(SignoffError):
    """The gateway could not be reached, or was not able to answer, for as long as this client is patient."""


def not_approved(request: Request) -> NotApproved:
    """The error for a request that is settled, but not for it to run."""
    note = request.decision.note if request.decision is not None else None
    said = f" They said: “{note}”" if note else ""
    if request.state == "rejected":
        by = request.deciders
        if by == "the policy":
            return Rejected(f"The policy does not allow {request.tool}: {request.checkpoint.reason}", request)
        return Rejected(f"{by} rejected {request.tool}; it did not run.{said}", request)
    if request.state == "expired":
        return Expired(f"Nobody decided about {request.tool} in time; it did not run.", request)
    if request.state == "withdrawn":
        return Withdrawn(f"The request for {request.tool} was withdrawn; it did not run.", request)
    return NotApproved(f"{request.tool} is {request.state}, not approved; it did not run.", request)


def not_claimable(request: Request) -> NotApproved:
    """The error for an approved request whose call may not be started (any more)."""
    state = request.execution.state if request.execution is not None else "gone"
    if state in ("succeeded", "failed"):
        return AlreadyRan(f"{request.tool} has run before ({state}); it does not run twice.", request)
    if state in ("claimed", "unknown"):
        words = f"{request.tool} was started before and never reported: look whether it ran before you go on."
        return Interrupted(words, request)
    why = {"lapsed": "was approved, but the approval is over", "revoked": "was approved and then stopped"}
    return Withdrawn(f"{request.tool} {why.get(state, 'can not be started')}; it did not run.", request)
