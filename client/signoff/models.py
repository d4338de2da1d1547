"""What the gateway answers, as frozen values. Fields that a newer gateway adds are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """Base of everything read from the gateway."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Checkpoint(Value):
    """What stands between the call and its running (``allow`` to ``deny``), by which rule, and why."""

    kind: str
    rule: str
    reason: str
    required_by: str | None = None


class Change(Value):
    """What a person changed: at ``path`` (a JSON pointer) from ``before`` to ``after``; None where there is no side."""

    path: str
    before: Any = None
    after: Any = None


class Review(Value):
    """One person's verdict on one revision; ``by`` is the Slack user id."""

    by: str
    name: str
    verdict: str
    revision: int
    at: datetime
    note: str | None = None


class Answer(Value):
    """What was answered: the id of a ``choice``, or a ``text``. ``guessed``: nobody answered, the best guess stands."""

    by: str
    name: str | None = None
    choice: str | None = None
    text: str | None = None
    guessed: bool = False


class Decision(Value):
    """The settled result; ``by`` holds Slack user ids, or ``policy``, ``silence``, ``requester``, ``grant:ID``."""

    verdict: str
    by: tuple[str, ...]
    at: datetime
    note: str | None = None
    answer: Answer | None = None


class Execution(Value):
    """Where the approved call stands: ``unclaimed``, ``claimed``, ``succeeded``, ``failed``, ``unknown``, ``lapsed``,
    ``revoked``.
    """

    state: str
    at: datetime
    note: str | None = None


class Inquiry(Value):
    """What a person asked the agent about its call; ``answer`` is None while the agent owes one."""

    id: str
    by: str
    name: str
    text: str
    answer: str | None = None


class Choice(Value):
    """One answer to choose from; ``arguments`` where choosing it changes the call."""

    id: str
    label: str
    arguments: dict[str, Any] | None = None


class GroupRef(Value):
    """The group that a request was asked in: calls that their agent waits for together."""

    id: str
    size: int


class Request(Value):
    """A tool call that people decide about, as it stands.

    ``arguments`` are those that stand now, ``proposed_arguments`` those that were sent. Only ``approved`` says yes:
    a state that this version doesn't know is none.
    """

    id: str
    state: str
    checkpoint: Checkpoint
    tool: str | None = None
    arguments: dict[str, Any]
    proposed_arguments: dict[str, Any]
    modified: bool = False
    changes: tuple[Change, ...] = ()
    revision: int
    digest: str
    requester: str
    run: str | None = None
    group: GroupRef | None = None
    created_at: datetime
    deadline_at: datetime | None = None
    permit_expires_at: datetime | None = None
    reviews: tuple[Review, ...] = ()
    decision: Decision | None = None
    execution: Execution | None = None
    answer: Answer | None = None
    inquiries: tuple[Inquiry, ...] = ()

    @property
    def pending(self) -> bool:
        """Does it still wait for people?"""
        return self.state == "pending"

    @property
    def approved(self) -> bool:
        """May it run, as far as people and the policy are concerned?"""
        return self.state == "approved"

    @property
    def deciders(self) -> str:
        """Who decided, in words: names as the reviews tell them."""
        names = {review.by: review.name for review in self.reviews}
        by = self.decision.by if self.decision is not None else ()
        said = {"policy": "the policy", "silence": "silence", "requester": "the agent itself"}
        return " and ".join(names.get(who, said.get(who, who)) for who in by) or "nobody"


class Page(Value):
    """Some of the agent's requests, newest first; ``cursor`` leads to the next page."""

    requests: tuple[Request, ...]
    cursor: str | None = None


class Group(GroupRef):
    """How a group stands: ``asked`` of its ``size`` calls are known, ``settled`` of them are; in the order asked."""

    asked: int
    settled: int
    requests: tuple[Request, ...]
