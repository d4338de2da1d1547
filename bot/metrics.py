"""What a gateway counts of itself, for Prometheus. Every label has few values; none comes from an agent.

Requests are counted from committed changes only, so that what was rolled back or tried again never counts twice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from policies.request import Request, State
from policies.upkeep import Repair, Trouble
from storage.store import Changed, Standing

WAITS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)
"""Bounds in seconds for how long people take: from a second to a week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One metric: its name without Prometheus's suffix, what it says, its labels."""

    name: str
    words: str
    labels: tuple[str, ...] = ()


Labels = tuple[str, ...]
"""The values of a figure's labels, in their order."""


@dataclass(kw_only=True, slots=True)
class Waits:
    """How many took at most each of ``WAITS`` seconds and longer than the one before; the last place: longer."""

    places: list[int] = field(default_factory=lambda: [0] * (len(WAITS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.places[bisect_left(WAITS, seconds)] += 1
        self.total += seconds


OPENED = Figure(name="signoff_requests_opened", words="Requests opened.", labels=("checkpoint",))
SETTLED = Figure(
    name="signoff_requests_settled",
    words="Requests settled; by is people, requester, policy, silence or grant.",
    labels=("verdict", "by"),
)
STEPS = Figure(
    name="signoff_ladder_steps",
    words="Steps of ladders taken: remind, add, or at the end expire or proceed.",
    labels=("act",),
)
ASKED_BACK = Figure(
    name="signoff_reviews_asked_back",
    words="Reviews by people who were asked back first, since they approved faster than one can read.",
    labels=("verdict",),
)
EFFECTS = Figure(
    name="signoff_effects",
    words="Effects by kind and outcome: carried, retried, given_up.",
    labels=("kind", "outcome"),
)
SLACK_CALLS = Figure(
    name="signoff_slack_calls",
    words="Calls of Slack's Web API by method and outcome: ok, refused, paced, failed.",
    labels=("method", "outcome"),
)
LATE = Figure(name="signoff_ticks_late", words="Ticks that came more than a second late.")
RELOADS = Figure(
    name="signoff_policy_reloads", words="Times the policy file was read again: ok or refused.", labels=("outcome",)
)
REPAIRED = Figure(
    name="signoff_repaired",
    words="What the auditor repaired: overdue, misfiled, unannounced, outdated.",
    labels=("kind",),
)
OVER_BUDGET = Figure(
    name="signoff_budget_refusals",
    words="Calls that were not put before people: waiting, asks, cool_off, same_again.",
    labels=("budget",),
)
WEBHOOKS = Figure(
    name="signoff_webhooks",
    words="Attempts to deliver to webhooks by outcome: delivered, retried, failed, disabled.",
    labels=("outcome",),
)
COUNTERS = (OPENED, SETTLED, STEPS, ASKED_BACK, EFFECTS, SLACK_CALLS, LATE, RELOADS, REPAIRED, OVER_BUDGET, WEBHOOKS)

WAITED = Figure(
    name="signoff_decision_seconds",
    words="Seconds from opening to the decision, of requests that waited for people.",
    labels=("checkpoint",),
)

TROUBLES = Figure(
    name="signoff_troubles",
    words="What only a person can put right: given_up, stuck, untold, unreadable, idle_run, webhook.",
    labels=("kind",),
)
PENDING = Figure(name="signoff_requests_pending", words="Requests that wait for people now.")
OVERDUE = Figure(name="signoff_requests_overdue", words="Requests whose deadline passed more than 5 s ago.")
WAITING = Figure(name="signoff_outbox_waiting", words="Effects that wait to be carried.")
OLDEST = Figure(name="signoff_outbox_oldest_seconds", words="For how long at least the oldest of them has waited.")
GIVEN_UP = Figure(name="signoff_outbox_given_up", words="Effects that were given up and stay, with their error.")
WEBHOOKS_WAITING = Figure(name="signoff_webhooks_waiting", words="Messages that wait to be delivered to webhooks.")
WEBHOOKS_FAILED = Figure(name="signoff_webhooks_failed", words="Messages to webhooks that were given up and stay.")
HELD = Figure(name="signoff_waits_open", words="Long polls and streams of events that wait now.")
TASKS = Figure(name="signoff_tasks", words="Tasks on the gateway's event loop now.")
GAUGES = (TROUBLES, PENDING, OVERDUE, WAITING, OLDEST, GIVEN_UP, WEBHOOKS_WAITING, WEBHOOKS_FAILED, HELD, TASKS)


class Metrics:
    """The figures of one gateway. To be used on the event loop alone.

    Kept as plain numbers; the library that writes Prometheus's format is loaded by the first scrape, so that a gateway
    that nobody watches doesn't hold it in memory.
    """

    def __init__(self) -> None:
        self._counted: dict[Figure, Counter[Labels]] = {each: Counter() for each in COUNTERS}
        self._standing: dict[Figure, dict[Labels, float]] = {each: {} for each in GAUGES}
        self._waited: dict[Labels, Waits] = {}
        self._counted[LATE][()] = 0
        for outcome in ("ok", "refused"):
            self._count(RELOADS, outcome, times=0)
        for budget in ("waiting", "asks", "cool_off", "same_again"):
            self._count(OVER_BUDGET, budget, times=0)
        for outcome in ("delivered", "retried", "failed", "disabled"):
            self._count(WEBHOOKS, outcome, times=0)
        for kind in Repair:
            self.repaired(kind, 0)
        for trouble in Trouble:
            self.troubled(trouble, 0)

    def _count(self, figure: Figure, *labels: str, times: int = 1) -> None:
        self._counted[figure][labels] += times

    def changed(self, changes: Sequence[Changed]) -> None:
        """Count what was committed."""
        for change in changes:
            if change.before is None:
                self._count(OPENED, change.after.checkpoint.kind.value)
            if change.after.settled and (change.before is None or not change.before.settled):
                self._count_decision(change.after)
            for entry in change.entries:
                if entry.what == "step":
                    self._count(STEPS, str(entry.detail.get("act", "other")))
                if entry.what == "reviewed" and entry.detail.get("asked_back"):
                    self._count(ASKED_BACK, str(entry.detail.get("verdict", "other")))

    def _count_decision(self, request: Request) -> None:
        if request.decision is None:
            return
        by = _whom(request.decision.by)
        self._count(SETTLED, request.state.value, by)
        if by not in ("policy", "grant"):
            waited = (request.decision.at - request.created_at).total_seconds()
            self._waited.setdefault((request.checkpoint.kind.value,), Waits()).add(max(waited, 0.0))
        if request.decision.by == ("silence",):
            self._count(STEPS, "expire" if request.state is State.EXPIRED else "proceed")

    def effect(self, kind: str, outcome: str, times: int = 1) -> None:
        """An effect was ``carried``, is to be ``retried``, or was ``given_up``."""
        self._count(EFFECTS, kind, outcome, times=times)

    def slack_call(self, method: str, outcome: str) -> None:
        """A call of Slack's Web API ended: ``ok``, ``refused``, ``paced`` (to be asked later), or ``failed``."""
        self._count(SLACK_CALLS, method, outcome)

    def webhook(self, outcome: str) -> None:
        """An attempt to deliver ended: ``delivered``, ``retried``, ``failed`` for good, or ``disabled`` its webhook."""
        self._count(WEBHOOKS, outcome)

    def tick_late(self) -> None:
        """A tick came more than a second late."""
        self._count(LATE)

    def reloaded(self, *, ok: bool) -> None:
        """The policy file was read again."""
        self._count(RELOADS, "ok" if ok else "refused")

    def over_budget(self, budget: str) -> None:
        """A call of an agent whose budget of that name is used up was refused."""
        self._count(OVER_BUDGET, budget)

    def repaired(self, kind: Repair, count: int = 1) -> None:
        """The auditor repaired something."""
        self._count(REPAIRED, kind.value, times=count)

    def troubled(self, kind: Trouble, count: int) -> None:
        """So many things of this kind stand that a person must put right."""
        self._standing[TROUBLES][(kind.value,)] = count

    def stands(self, standing: Standing, oldest_seconds: float) -> None:
        """How much there is of what, now."""
        self._standing[PENDING][()] = standing.pending
        self._standing[OVERDUE][()] = standing.overdue
        self._standing[WAITING][()] = standing.waiting
        self._standing[OLDEST][()] = oldest_seconds
        self._standing[GIVEN_UP][()] = standing.given_up

    def webhooks_stand(self, waiting: int, failed: int) -> None:
        """How many messages to webhooks wait, and how many were given up."""
        self._standing[WEBHOOKS_WAITING][()] = waiting
        self._standing[WEBHOOKS_FAILED][()] = failed

    def holds(self, waits: int, tasks: int) -> None:
        """How much is open on the event loop, now."""
        self._standing[HELD][()] = waits
        self._standing[TASKS][()] = tasks

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        from bot.exposition import written

        return written(self._counted, self._standing, WAITED, self._waited)


def _whom(by: Sequence[str]) -> str:
    """People are counted as people: their ids are nobody's business here, and have no bound."""
    first = by[0] if by else "policy"
    if first in ("policy", "silence", "requester"):
        return first
    return "grant" if first.startswith("grant:") else "people"
