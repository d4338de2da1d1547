"""The policy's answer for one tool call: which checkpoint, why, who may review it, and how silence ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.calendar import Calendar
from policies.people import Reviewers


class Kind(StrEnum):
    """The checkpoints, from the most permissive to the strictest."""

    ALLOW = "allow"
    SOFT = "soft"
    INBOX = "inbox"
    HARD = "hard"
    MANUAL = "manual"
    DENY = "deny"

    @property
    def strictness(self) -> int:
        """0 for ``allow`` up to 5 for ``deny``."""
        return STRICTNESS[self]


STRICTNESS = {kind: place for place, kind in enumerate(Kind)}


class Act(StrEnum):
    """What a step of the ladder does."""

    REMIND = "remind"
    ADD = "add"
    EXPIRE = "expire"
    PROCEED = "proceed"

    @property
    def ends(self) -> bool:
        """True for the acts that end a request."""
        return self in (Act.EXPIRE, Act.PROCEED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One rung: ``after`` this long (from opening; for soft gates from delivery) do ``act``."""

    after: timedelta
    act: Act
    add: Reviewers | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ladder:
    """The ordered steps of escalation. The last one, and only the last, ends the request.

    With a ``calendar`` its delays count open time only; without, all time.
    """

    name: str
    steps: tuple[Step, ...]
    calendar: Calendar | None = None

    @property
    def length(self) -> timedelta:
        """How long the ladder takes from its clock's start to its end; open time where it has a calendar."""
        return self.steps[-1].after

    def falls_due(self, step: Step, start: datetime) -> datetime:
        """When ``step`` is due where the ladder's clock started at ``start`` (UTC)."""
        return self.calendar.later(start, step.after) if self.calendar else start + step.after

    def later(self, due: datetime, span: timedelta) -> datetime:
        """``due`` (UTC) moved by ``span`` of the time that this ladder counts."""
        if not span:
            return due
        return self.calendar.later(due, span) if self.calendar else due + span

    def ends_at(self, start: datetime) -> datetime:
        """When silence ends it where its clock started at ``start`` (UTC)."""
        return self.falls_due(self.steps[-1], start)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """So many approvals (``count``) that only people of ``group`` can give, or seniors who joined.

    0: people of the group may give any of the approvals, and none of them has to.
    """

    group: Reviewers
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantBound:
    """How far a person may let calls like one that waits here go ahead unasked: how long, and how many of them."""

    longest: timedelta = timedelta(hours=8)
    most: int = 50


NOBODY = Reviewers(name="nobody")
ASKING = Ladder(
    name="a question's own",
    steps=(Step(after=timedelta(minutes=5), act=Act.REMIND), Step(after=timedelta(minutes=10), act=Act.PROCEED)),
)
"""What silence does to a question where the policy names no ladder: the best guess stands."""
ENDS_IN_A_DAY = Ladder(name="a day", steps=(Step(after=timedelta(days=1), act=Act.EXPIRE),))


@dataclass(frozen=True, kw_only=True, slots=True)
class Clarify:
    """A question that the policy puts before the call: its own words and choices, or none of its own.

    It never authorises anything: once it is answered (or the ladder goes on without an answer) the call meets its gate.
    """

    rule: str
    question: str | None = None
    choices: tuple[str, ...] = ()
    ladder: Ladder = ASKING


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What stands between a tool call and its running; frozen into the request with the policy's digest.

    ``rule`` names the rule that won (or ``default``), ``reason`` says in plain words why it did. ``phrase`` is what a
    reviewer must type (manual only). ``permit`` is how long an approval may wait to be claimed, ``report`` how long a
    claimed call may take before its outcome counts as unknown. ``matched`` names every rule that matched.

    ``quorum`` is the number of people who must approve in all. Where ``places`` stand, each group has to fill its own
    with different people, and ``reviewers`` is all of those groups in one (``together``). ``clarify`` is asked first.

    ``title``, ``show``, ``reversible`` and ``impact`` are what the catalogue says of the tool, if it knows it: what a
    call does, with arguments in braces; how arguments are shown (pairs of a name and what
    ``policies.rendering.read_rendering`` reads); what is at stake.

    ``grants`` bounds what may be let through in advance, None where nothing may (see ``policies.granting``). ``batch``
    says that calls which this rule held may be approved together (see ``policies.gathering``).
    """

    kind: Kind
    rule: str
    reason: str
    reviewers: Reviewers = NOBODY
    quorum: int = 1
    ladder: Ladder = ENDS_IN_A_DAY
    phrase: str | None = None
    permit: timedelta = timedelta(minutes=15)
    report: timedelta = timedelta(hours=1)
    self_approval: bool = False
    required_by: str | None = None
    matched: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    title: str | None = None
    show: tuple[tuple[str, str], ...] = ()
    reversible: bool | None = None
    impact: str | None = None
    grants: GrantBound | None = GrantBound()
    clarify: Clarify | None = None
    batch: bool = False

    @property
    def groups(self) -> tuple[Reviewers, ...]:
        """The groups that the policy names, each with its own channel."""
        return tuple(place.group for place in self.places) or (self.reviewers,)

    @property
    def shares(self) -> tuple[Place, ...]:
        """The places that have to be filled by their own groups; none where any group may give the approvals."""
        return tuple(place for place in self.places if place.count)

    @property
    def rank(self) -> tuple[int, int]:
        """Order of strictness; among equals the higher quorum is the stricter."""
        return (self.kind.strictness, self.quorum)


def together(places: tuple[Place, ...]) -> Reviewers:
    """Everybody who may fill one of the places, as one group without a channel of its own."""
    groups = [place.group for place in places]
    return Reviewers(
        name=" and ".join(group.name for group in groups),
        users=tuple(dict.fromkeys(user for group in groups for user in group.users)),
        usergroups=tuple(dict.fromkeys(one for group in groups for one in group.usergroups)),
        members=tuple(dict.fromkeys(one for group in groups for one in group.members)),
        outsiders=tuple(dict.fromkeys(one for group in groups for one in group.outsiders)),
    )


def stricter(one: Checkpoint, other: Checkpoint) -> Checkpoint:
    """The stricter of two checkpoints; ``one`` where they are equally strict."""
    return other if other.rank > one.rank else one
