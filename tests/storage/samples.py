"""Requests, runs and changes that the storage tests work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from policies.agent_run import AgentRun
from policies.checkpoint import Act, Checkpoint, Kind, Ladder, Step
from policies.effects import Announce, Effect
from policies.errors import Conflict
from policies.events import Outcome
from policies.people import Reviewers
from policies.request import Request, Requester, State, ToolCall
from policies.settling import entry, settle

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WORKSPACE = "T0SANDBOX"
SUPPORT = Reviewers(name="support", channel="#approvals", users=("U0ANA", "ben@example.com"))
LADDER = Ladder(
    name="standard",
    steps=(
        Step(after=timedelta(minutes=10), act=Act.REMIND),
        Step(after=timedelta(hours=2), act=Act.EXPIRE),
    ),
)


def request(request_id: str = "r1", *, created_at: datetime = NOW, **fields: Any) -> Request:
    """A pending request of the agent ``key:till``."""
    arguments = {"order": 7, "amount": 12.5}
    return Request(
        **{
            "id": request_id,
            "workspace_id": WORKSPACE,
            "requester": Requester(id="key:till", name="till", owner="U0NEWT"),
            "call": ToolCall(tool="issue_refund", arguments=arguments),
            "proposed": arguments,
            "digest": f"sha256:{request_id}",
            "checkpoint": Checkpoint(
                kind=Kind.HARD, rule="refunds", reason="money leaves", reviewers=SUPPORT, ladder=LADDER
            ),
            "policy_digest": "sha256:policy",
            "created_at": created_at,
            **fields,
        }
    )


def opened(request_id: str = "r1", *, effects: tuple[Effect, ...] | None = None, **fields: Any) -> Outcome:
    """The outcome of opening a request: it is to be announced."""
    made = request(request_id, **fields)
    owed = (Announce(request_id=request_id),) if effects is None else effects
    return Outcome(request=made, effects=owed, entries=(entry(made, "opened", made.requester.id, made.created_at),))


def decided(by: str = "U0ANA", state: State = State.APPROVED, now: datetime = NOW) -> Callable[[Request], Outcome]:
    """A change that settles a pending request and refuses a settled one."""

    def decide(before: Request) -> Outcome:
        if before.settled:
            raise Conflict("decided already", code="already_settled")
        return settle(before, state, (by,), now, None)

    return decide


def noted(note: str) -> Callable[[Request], Outcome]:
    """A change that settles nothing: it only notes something and owes nothing."""

    def take_note(before: Request) -> Outcome:
        return Outcome(
            request=replace(before, context=note), entries=(entry(before, "noted", "U0ANA", NOW, note=note),)
        )

    return take_note


def run(run_id: str = "run1", **fields: Any) -> AgentRun:
    """A run that was just begun."""
    return AgentRun(
        **{
            "id": run_id,
            "owner": "U0NEWT",
            "owner_name": "Nia",
            "channel": "C0AGENTS",
            "errand": "refund order 7",
            "created_at": NOW,
            **fields,
        }
    )
