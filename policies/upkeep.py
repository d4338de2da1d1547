"""What should have happened to a request and can be seen to be missing. Pure: the auditor looks, the store repairs."""

from __future__ import annotations

from enum import StrEnum

from policies.checkpoint import Kind
from policies.request import Request


class Repair(StrEnum):
    """What was found missing and done after all."""

    OVERDUE = "overdue"
    MISFILED = "misfiled"
    UNANNOUNCED = "unannounced"
    OUTDATED = "outdated"


class Trouble(StrEnum):
    """What is found and only a person can put right."""

    GIVEN_UP = "given_up"
    STUCK = "stuck"
    UNTOLD = "untold"
    UNREADABLE = "unreadable"
    IDLE_RUN = "idle_run"
    WEBHOOK = "webhook"


def needs_card(request: Request) -> bool:
    """Should people be looking at a card of it? What waits in the inbox is shown there alone."""
    return not request.settled and (request.asking or request.checkpoint.kind is not Kind.INBOX)


def missing(request: Request, least_shown: int | None) -> Repair | None:
    """What the cards of ``request`` lack, where nothing more is owed to them.

    ``least_shown`` is the oldest version that one of its cards shows; None where there is no card.
    """
    if least_shown is None:
        return Repair.UNANNOUNCED if needs_card(request) else None
    return Repair.OUTDATED if least_shown < request.visible_version else None
