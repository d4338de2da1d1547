"""Budgets: how much of people's attention an agent may take, and when it has to cool off.

Only what people would have to look at is counted and refused: a call that the policy allows or denies, or that a grant
lets through, costs nobody anything. Every budget that names an agent holds, so that adding one can only tighten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from policies.bundle import looks_at
from policies.duration import in_words
from policies.request import RUNNER, Request, Requester, State

LATER = timedelta(minutes=1)
"""When to ask again where nobody knows when there will be room: people decide when they decide."""
FREE = "Calls that need nobody still run."


@dataclass(frozen=True, kw_only=True, slots=True)
class Asks:
    """At most so many calls (``most``) are put before people within any such span (``per``)."""

    most: int
    per: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CoolOff:
    """So many rejections by people ``within`` such a span: then nothing new goes to people for ``length``."""

    rejections: int
    within: timedelta
    length: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What each agent that ``agents`` names may take; they are keys' names or patterns of them.

    At most so many calls are ``waiting`` at a time. A call that people rejected isn't put before them again for
    ``same_again``.
    """

    agents: tuple[str, ...]
    waiting: int | None = None
    asks: Asks | None = None
    cool_off: CoolOff | None = None
    same_again: timedelta | None = None

    def about(self, agent: str) -> bool:
        """Does it hold for the agent of this name?"""
        return looks_at(self.agents, agent)


MOST_WAITING = 200
HOUSE = Budget(agents=("*",), waiting=MOST_WAITING)
"""Holds for every agent, whatever the policy says: what nobody can look through protects nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What some budgets have to know: the asks that each allows, and how far back rejections are looked for."""

    most: tuple[int, ...] = ()
    rejected: timedelta | None = None
    same: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What stands on an agent's account.

    ``waiting`` calls wait for people now. ``asked`` says for each number that was ``Wanted`` when the so-many-th newest
    call was put before people; none where there were fewer. ``rejected`` are the times when people rejected one, the
    newest first, ``same`` when they last rejected this very call, ``resumed`` when somebody last ended
    a cooling-off.
    """

    waiting: int = 0
    asked: Mapping[int, datetime] = field(default_factory=dict)
    rejected: tuple[datetime, ...] = ()
    same: datetime | None = None
    resumed: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """One budget that is used up: its name, until when (None: nobody knows), and a sentence for the agent."""

    budget: str
    until: datetime | None
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CoolingOff:
    """Nothing new of an agent goes to people until then, for so many ``rejections`` ``within`` a span."""

    until: datetime
    rejections: int
    within: timedelta


def account_of(requester: Requester) -> str:
    """On whose account a request goes: every key is one agent, and so are the runs that one person started."""
    return f"{RUNNER}:{requester.owner}" if requester.id == RUNNER and requester.owner else requester.id


def agent_of(account: str) -> str:
    """The name by which budgets know the agent: its key's, or ``runner``."""
    return account.removeprefix("key:").partition(":")[0]


def rejected_by_people(request: Request) -> bool:
    """Did people reject it? What the policy refuses takes nobody's attention."""
    decision = request.decision
    return decision is not None and request.state is State.REJECTED and decision.by != ("policy",)


def holding(budgets: Sequence[Budget], agent: str) -> tuple[Budget, ...]:
    """The budgets that hold for the agent of this name."""
    return tuple(budget for budget in (*budgets, HOUSE) if budget.about(agent))


def wanted(budgets: Sequence[Budget]) -> Wanted:
    """What these budgets have to know."""
    looks_back = [each.cool_off.within + each.cool_off.length for each in budgets if each.cool_off]
    return Wanted(
        most=tuple(sorted({each.asks.most for each in budgets if each.asks})),
        rejected=max(looks_back, default=None),
        same=max((each.same_again for each in budgets if each.same_again), default=None),
    )


def over(budgets: Sequence[Budget], spent: Spent, now: datetime) -> Over | None:
    """The budget that keeps one more call from people for the longest; None where all have room."""
    found = [each for budget in budgets for each in _over(budget, spent, now)]
    return max(found, key=lambda each: each.until or now + LATER, default=None)


def _over(budget: Budget, spent: Spent, now: datetime) -> Iterator[Over]:
    if budget.waiting is not None and spent.waiting >= budget.waiting:
        waits = f"{_of_your_calls(budget.waiting, 'waits', 'wait')} for people already"
        words = f"{waits}; wait until one is settled. {FREE}"
        yield Over(budget="waiting", until=None, words=words)
    if budget.asks is not None:
        yield from _asked_too_often(budget.asks, spent, now)
    if (standing := cooling_of(budget, spent)) is not None and standing.until > now:
        within = "" if standing.rejections == 1 else f" within {in_words(standing.within)}"
        words = (
            f"{_of_your_calls(standing.rejections)} rejected{within};"
            f" nothing new goes to people before {clock(standing.until, now)}. {FREE}"
        )
        yield Over(budget="cool_off", until=standing.until, words=words)
    if budget.same_again is not None and spent.same is not None and spent.same + budget.same_again > now:
        until = spent.same + budget.same_again
        words = (
            f"People rejected this very call at {clock(spent.same, now)}; it isn't put before them again before"
            f" {clock(until, now)}. Change it, or go on without it."
        )
        yield Over(budget="same_again", until=until, words=words)


def _asked_too_often(asks: Asks, spent: Spent, now: datetime) -> Iterator[Over]:
    oldest = spent.asked.get(asks.most)
    if oldest is None or oldest + asks.per <= now:
        return
    until = oldest + asks.per
    words = (
        f"{_of_your_calls(asks.most)} put before people within {in_words(asks.per)}; the next one may be at"
        f" {clock(until, now)}. {FREE}"
    )
    yield Over(budget="asks", until=until, words=words)


def _of_your_calls(count: int, one: str = "was", more: str = "were") -> str:
    return f"1 of your calls {one}" if count == 1 else f"{count} of your calls {more}"


def cooling_of(budget: Budget, spent: Spent) -> CoolingOff | None:
    """The last cooling-off that the rejections brought, over or not; each further rejection in time prolongs it."""
    rule = budget.cool_off
    if rule is None:
        return None
    times = [at for at in spent.rejected if spent.resumed is None or at > spent.resumed]
    for last, first in zip(times, times[rule.rejections - 1 :], strict=False):
        if last - first <= rule.within:
            return CoolingOff(until=last + rule.length, rejections=rule.rejections, within=rule.within)
    return None


def cooling(budgets: Sequence[Budget], spent: Spent, now: datetime) -> CoolingOff | None:
    """The cooling-off that stands at ``now``: of several, the longest."""
    found = [each for budget in budgets if (each := cooling_of(budget, spent)) is not None and each.until > now]
    return max(found, key=lambda each: each.until, default=None)


def clock(at: datetime, now: datetime) -> str:
    """``10:45 UTC``, rounded up to the whole minute; with the day where it is another one."""
    shown = at + timedelta(minutes=1) - timedelta(microseconds=1)
    return f"{shown:%H:%M UTC}" if shown.date() == now.date() else f"{shown:%d %b %H:%M UTC}"


def budget_in_words(budget: Budget) -> str:
    """What it allows, in one line."""
    parts = [f"at most {budget.waiting} waiting"] if budget.waiting is not None else []
    if budget.asks is not None:
        parts.append(f"at most {budget.asks.most} asked within {in_words(budget.asks.per)}")
    if (rule := budget.cool_off) is not None:
        times = f"{rule.rejections} rejections within {in_words(rule.within)}"
        after = "each rejection" if rule.rejections == 1 else times
        parts.append(f"nothing new for {in_words(rule.length)} after {after}")
    if budget.same_again is not None:
        parts.append(f"what was rejected not again for {in_words(budget.same_again)}")
    return "; ".join(parts)
