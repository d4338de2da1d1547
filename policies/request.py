"""What is asked: a tool call, who asks, and the request that waits for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from policies.arguments import canonical
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.delegation import Delegation, last_of
from policies.dialect import SENT_BACK, Dialect
from policies.freshening import drawn_anew
from policies.group import Group
from policies.inquiry import Inquiry
from policies.pause import Pause
from policies.people import Person, Reviewers, StandIn, deputies
from policies.preview import Preview
from policies.question import Answer, Question
from policies.review import Decision, Review, approvers


class State(StrEnum):
    """The review lifecycle. Everything but ``pending`` is settled, and settled is final."""

    PENDING = "pending"
    ANSWERED = "answered"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ExecutionState(StrEnum):
    """The execution lifecycle of an approved call."""

    UNCLAIMED = "unclaimed"
    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    LAPSED = "lapsed"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A name and JSON arguments that an agent wants to run; ``schema`` is the arguments' JSON Schema, if known.

    Without a name (``tool`` is empty) nothing would run: the call of a bare question.
    """

    tool: str
    arguments: Mapping[str, Any]
    schema: Mapping[str, Any] | None = None
    description: str | None = None


TAKEN = frozenset({ExecutionState.CLAIMED, ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.UNKNOWN})
"""Where an execution stands once its permit was claimed, so that the call ran or may have run."""
ENDED = frozenset({ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.LAPSED, ExecutionState.REVOKED})
"""Where an execution stands for good."""
FAR = datetime.max.replace(tzinfo=UTC)
NO_CALL = ToolCall(tool="", arguments={})
"""What a bare question is about."""
RUNNER = "runner"
"""The id under which Signoff's own agent runner asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Requester:
    """The agent's identity. ``id`` is ``key:NAME`` for an API key, ``runner`` for Signoff's own agent runner.

    ``owner`` is the user id of the key's owner, or of the person who started the run: known, not claimed. ``via`` is
    the name of the key that was shown, where it isn't the agent's own: for the journal, the agent is the same.
    """

    id: str
    name: str
    owner: str | None = None
    via: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """Where an approved call stands. ``key`` is the idempotency key of the claim, ``note`` what the report said.

    ``claimed_at`` stays once its permit was taken.
    """

    state: ExecutionState
    at: datetime
    note: str | None = None
    key: str | None = None
    result: Any = None
    by: str | None = None
    claimed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snooze:
    """Who put off the ladder's steps (id and name), and until when (UTC)."""

    by: str
    name: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A tool call that waits for people, with all that was decided about it. One row; every change makes a new value.

    ``call`` holds the arguments as they stand now, ``proposed`` as the agent sent them. ``reason``, ``confidence``,
    ``context`` and ``on_behalf_of`` are the agent's own words. ``joined`` are the groups added by the ladder,
    ``steps_done`` the number of its steps already taken, ``delivered_at`` when a card was first demonstrably delivered.
    ``expires_at`` is the agent's own, earlier end. ``known_as`` are further ids and addresses of those whom
    ``requester`` and ``on_behalf_of`` name, as Slack knew them at opening. ``stand_ins`` were asked in the place of
    people who aren't here. ``former`` are the arguments of the revision before this one, for whoever was still editing
    those. ``preview`` are the drafts that the agent shows. ``purged_at`` is when its contents were blanked. While
    ``snoozed`` stands, no step falls due but the end. While ``question`` has no ``answer`` its ladder runs, and the
    gate's clock has not begun. ``inquiries`` are what people asked the agent; while one waits for its answer, ``pause``
    keeps the ladder's clock from running, within bounds. ``freshened`` counts how often the cards were drawn anew for
    the time left alone. ``audit_by`` is the name of who looked at what went ahead, ``audit_note`` their words.
    ``delegations`` are all that reviewers asked others to decide; ``delegated`` are those that count. ``group`` names
    the calls that the agent waits for together with this one; it changes nothing about how it is decided. ``dialect``
    is the foreign protocol in which the agent asked, if it did.
    ``version`` belongs to the store alone, and so does ``visible_version``: the version with which something last
    changed that the cards show.
    """

    id: str
    workspace_id: str
    requester: Requester
    call: ToolCall
    proposed: Mapping[str, Any]
    digest: str
    checkpoint: Checkpoint
    policy_digest: str
    created_at: datetime
    state: State = State.PENDING
    revision: int = 1
    version: int = 0
    visible_version: int = 0
    on_behalf_of: str | None = None
    reason: str | None = None
    confidence: float | None = None
    context: str | None = None
    run: str | None = None
    reviews: tuple[Review, ...] = ()
    decision: Decision | None = None
    execution: Execution | None = None
    audit: str | None = None
    joined: tuple[Reviewers, ...] = ()
    steps_done: int = 0
    delivered_at: datetime | None = None
    expires_at: datetime | None = None
    known_as: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    former: Mapping[str, Any] | None = None
    preview: tuple[Preview, ...] = ()
    purged_at: datetime | None = None
    snoozed: Snooze | None = None
    question: Question | None = None
    answer: Answer | None = None
    inquiries: tuple[Inquiry, ...] = ()
    pause: Pause = field(default_factory=Pause)
    freshened: int = 0
    audit_by: str | None = None
    audit_note: str | None = None
    delegations: tuple[Delegation, ...] = ()
    group: Group | None = None
    dialect: Dialect | None = None

    @property
    def settled(self) -> bool:
        """True once a decision stands."""
        return self.state is not State.PENDING

    @property
    def over(self) -> bool:
        """True once nothing more comes of it: it is settled, and if a call was approved, it is known how that ended."""
        if self.execution is None:
            return self.settled
        return self.execution.state in ENDED

    def arguments_at(self, revision: int) -> Mapping[str, Any] | None:
        """The arguments of an earlier revision or the standing one; None where they weren't kept."""
        if revision == self.revision:
            return self.call.arguments
        if revision == self.revision - 1 and self.former is not None:
            return self.former
        return self.proposed if revision == 1 else None

    @property
    def drafts(self) -> tuple[int, ...]:
        """The places in ``preview`` of the agent's own drafts, which are no arguments."""
        return tuple(place for place, draft in enumerate(self.preview) if draft.argument is None)

    def drafts_at(self, revision: int) -> tuple[Preview, ...]:
        """The agent's own drafts as they stood at an earlier revision; as they stand now where that wasn't kept."""
        proposed = revision <= (1 if self.answer is None else 2)
        own = (self.preview[place] for place in self.drafts)
        return tuple(
            replace(draft, text=draft.proposed) if proposed and draft.proposed is not None else draft for draft in own
        )

    @property
    def edited(self) -> bool:
        """True where a reviewer changed the arguments; an answer that changed them is none."""
        return self.revision > (1 if self.answer is None else 2)

    @property
    def modified(self) -> bool:
        """True where the arguments that stand are not those that the agent proposed."""
        return self.edited or (self.answer is not None and self.answer.changed)

    @property
    def unusable(self) -> bool:
        """Do other arguments stand than the agent proposed, which its protocol gives it no way to take?"""
        return self.dialect is not None and canonical(dict(self.call.arguments)) != canonical(dict(self.proposed))

    @property
    def sent_back(self) -> bool:
        """Was it approved with arguments that its agent can't take, so that it has to ask anew?"""
        return self.execution is not None and self.execution.by == SENT_BACK

    @property
    def asking(self) -> bool:
        """Is a question open? Then nobody can approve yet."""
        return self.question is not None and self.answer is None and not self.settled

    @property
    def bare(self) -> bool:
        """A question without a call: its answer is all that is wanted."""
        return not self.call.tool

    @property
    def ladder(self) -> Ladder:
        """The ladder whose clock runs: the open question's, else the gate's."""
        return self.question.ladder if self.question is not None and self.asking else self.checkpoint.ladder

    @property
    def reviewers(self) -> tuple[Reviewers, ...]:
        """The groups that may fill the quorum now: the checkpoint's own, those that joined, and deputies."""
        groups = (*self.checkpoint.groups, *self.joined)
        names = {group.name for group in groups}
        deputies = {one.group.name: one.group for one in self.stand_ins if not one.by_ladder}
        return (*groups, *(group for name, group in deputies.items() if name not in names))

    @property
    def may_join(self) -> tuple[Reviewers, ...]:
        """The groups that the policy names for later: those of the ladder's steps, and deputies."""
        later = (step.add for step in self.checkpoint.ladder.steps if step.act is Act.ADD)
        instead = (deputy for group in self.reviewers for deputy in deputies(group))
        return (*(group for group in later if group is not None), *instead)

    @property
    def delegated(self) -> tuple[Delegation, ...]:
        """What reviewers asked others that still counts: the policy names whom they asked for the request as it is."""
        if not self.delegations:
            return ()
        deciding = self.reviewers
        named = (*deciding, *self.may_join, *(group.delegates for group in deciding if group.delegates is not None))
        names = [group.name for group in deciding]
        return tuple(one for one in self.delegations if one.stands(named, names))

    def stepped_back(self, who: str) -> bool:
        """Did the person with this id hand their say over, and nobody asked them since?"""
        last = last_of(self.delegated, who)
        return last is not None and last.by == who and last.hands_over

    def groups_of(self, person: Person) -> tuple[str, ...]:
        """The names of the groups for which this person may decide: by themselves, or since somebody asked them."""
        deciding = self.reviewers
        own = [group.name for group in deciding if group.include(person)]
        asked = {name for one in self.delegated if one.admits(person) for name in one.speaks_for}
        return tuple(dict.fromkeys((*own, *(group.name for group in deciding if group.name in asked))))

    def voice(self, groups: Iterable[str]) -> frozenset[str]:
        """For which groups somebody speaks who belongs to ``groups``: for those too that theirs stand in for."""
        own = frozenset(groups)
        return own | {one.of for one in self.stand_ins if not one.by_ladder and one.group.name in own}

    @property
    def approvals(self) -> tuple[Review, ...]:
        """The reviews that count towards the quorum of the revision that stands."""
        return approvers(self.reviews, self.revision)

    @property
    def clock_from(self) -> datetime:
        """When the ladder's clock started: at delivery where silence may proceed, else at opening or at the answer."""
        if self.waits_for_delivery and self.delivered_at:
            return self.delivered_at
        return self.answer.at if self.answer is not None else self.created_at

    @property
    def waits_for_delivery(self) -> bool:
        """Does silence proceed here, so that its clock may only run once a card was delivered?"""
        return self.ladder.steps[-1].act is Act.PROCEED

    @property
    def can_be_put_off(self) -> bool:
        """Are there steps before the end that a snooze could put off? Never where silence proceeds.

        There a reviewer would keep the others from being asked, and then silence would let the call go.
        """
        return not self.settled and not self.waits_for_delivery and not self._next.act.ends

    @property
    def _next(self) -> Step:
        return self.ladder.steps[self.steps_done]

    @property
    def deadline_at(self) -> datetime | None:
        """When silence ends a pending request, at the latest where its clock stands still; None once it is settled."""
        if self.settled:
            return None
        end = self.ladder.later(self.ladder.ends_at(self.clock_from), self.pause.moves_at_most)
        return min(end, self.expires_at) if self.expires_at else end

    @property
    def soonest_end(self) -> datetime:
        """When silence ends it if the agent answers at once what it was asked."""
        end = self.falls_due(self.ladder.steps[-1])
        return min(end, self.expires_at) if self.expires_at else end

    def falls_due(self, step: Step) -> datetime:
        """When ``step`` of the ladder is due, moved by how long its clock stood still until now."""
        return self.ladder.later(self.ladder.falls_due(step, self.clock_from), self.pause.moves)

    @property
    def unanswered(self) -> tuple[Inquiry, ...]:
        """What people asked and the agent didn't answer."""
        return tuple(inquiry for inquiry in self.inquiries if inquiry.answer is None)

    @property
    def permit_expires_at(self) -> datetime | None:
        """Until when an approval may be claimed; None unless one waits."""
        if self.execution is None or self.execution.state is not ExecutionState.UNCLAIMED:
            return None
        return self.execution.at + self.checkpoint.permit

    @property
    def next_action_at(self) -> datetime | None:
        """The nearest deadline of any kind, an indexed column for the ticker; None where nothing can come due."""
        if not self.settled:
            return min(self.next_due, self.expires_at) if self.expires_at else self.next_due
        if self.execution is not None and self.execution.state is ExecutionState.CLAIMED:
            return self.execution.at + self.checkpoint.report
        return self.permit_expires_at

    @property
    def next_due(self) -> datetime:
        """When a pending request's next step is due, or what keeps it from falling due ends; without its own limit."""
        ends = (self.pause.ends_at, self.snoozed.until if self.snoozed else None)
        held = min((end for end in ends if end is not None), default=None)
        return held or min(self.falls_due(self._next), self.fresh_at or FAR)

    @property
    def fresh_at(self) -> datetime | None:
        """When the cards of what goes ahead on silence are next drawn anew for the time left; None where never."""
        if not self.proceeds or self.checkpoint.kind is not Kind.SOFT or self.delivered_at is None:
            return None
        left = drawn_anew(self.ladder.length)[self.freshened :]
        return self.falls_due(self.ladder.steps[-1]) - left[0] if left else None

    @property
    def excluded(self) -> tuple[str, ...]:
        """Ids and e-mail addresses of those who never count as approvers: the owner and whom the agent acts for."""
        return tuple(who for who in (self.requester.owner, self.on_behalf_of, *self.known_as) if who)

    def serves(self, person: Person) -> bool:
        """Is this the person served: the key's owner, who started the run, or whom the agent says it acts for?"""
        return any(person.is_called(who) for who in self.excluded)

    @property
    def proceeds(self) -> bool:
        """Does the call go ahead on silence? Never while a question is open: then it meets its gate first."""
        return not self.asking and self.checkpoint.kind in (Kind.SOFT, Kind.INBOX) and self.waits_for_delivery


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """What an agent sends to have a tool call judged, after intake: see the HTTP API's ``POST /v1/requests``.

    ``question`` is put before the call's gate; it comes without gates, which ``asking.question_before`` adds.
    """

    call: ToolCall
    reason: str | None = None
    confidence: float | None = None
    on_behalf_of: str | None = None
    context: str | None = None
    run: str | None = None
    expires_in: timedelta | None = None
    preview: tuple[Preview, ...] = ()
    question: Question | None = None
    group: Group | None = None
    dialect: Dialect | None = None

    @property
    def bare(self) -> bool:
        """A question without a call."""
        return not self.call.tool
