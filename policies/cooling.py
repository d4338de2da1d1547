"""An agent begins to cool off, is asked by people to go on: what follows from it for journal, cards and reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from policies.authority import check_fresh, check_may_approve
from policies.budget import Budget, Spent, account_of, cooling
from policies.effects import Effect, Entry, TellOfCoolOff
from policies.people import Person
from policies.request import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Follows:
    """What the journal keeps and what is owed."""

    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()


def begins(budgets: Sequence[Budget], spent: Spent, rejected: Request) -> Follows:
    """What follows where the newest of ``spent.rejected``, that of ``rejected``, makes its agent cool off.

    Told once: rejections while it cools off already prolong that, and say nothing more.
    """
    decision = rejected.decision
    if decision is None:
        return Follows()
    standing = cooling(budgets, spent, decision.at)
    if standing is None or cooling(budgets, replace(spent, rejected=spent.rejected[1:]), decision.at) is not None:
        return Follows()
    written = Entry(
        what="cooling_off",
        actor="policy",
        at=decision.at,
        subject=account_of(rejected.requester),
        detail={"request": rejected.id, "rejections": standing.rejections, "until": standing.until.isoformat()},
    )
    told = TellOfCoolOff(
        request_id=rejected.id,
        what="begun",
        by=decision.by[0],
        until=standing.until,
        rejections=standing.rejections,
        seconds=int(standing.within.total_seconds()),
    )
    return Follows(entries=(written,), effects=(told,))


def check_may_resume(rejected: Request, person: Person, now: datetime) -> None:
    """Refuse whoever could not approve the call whose rejection came last: it takes as much to let its agent go on."""
    check_fresh(person, now)
    check_may_approve(rejected, person)


def resumes(rejected: Request, person: Person, now: datetime) -> Follows:
    """What follows where ``person`` lets the agent of ``rejected`` go on before its time."""
    account = account_of(rejected.requester)
    written = Entry(what="resumed", actor=person.id, at=now, subject=account, detail={"request": rejected.id})
    told = TellOfCoolOff(request_id=rejected.id, what="ended", by=person.id, until=now)
    return Follows(entries=(written,), effects=(told,))
