"""Groups that join the reviewers: when a step of the ladder is due, or early since nobody else could decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from policies.checkpoint import Act, Step
from policies.effects import Refresh, Summon
from policies.events import Outcome
from policies.people import Reviewers
from policies.request import Request
from policies.settling import entry


def join_early(request: Request, steps: int, now: datetime) -> Outcome:
    """The groups of the next ``steps`` steps join at once, since nobody else can decide; reminders between fall away.

    Later steps keep their time.
    """
    outcome = Outcome(request=request)
    for step in request.checkpoint.ladder.steps[request.steps_done : request.steps_done + steps]:
        if step.act is Act.ADD:
            outcome = outcome.then(join(outcome.request, step, now, actor="policy"))
        else:
            standing = outcome.request
            outcome = replace(outcome, request=replace(standing, steps_done=standing.steps_done + 1))
    return outcome


def join(request: Request, step: Step, now: datetime, actor: str = "clock") -> Outcome:
    """The group of ``step`` may decide too, and is told."""
    group = step.add or Reviewers(name="nobody")
    grown = replace(request, steps_done=request.steps_done + 1, joined=(*request.joined, group))
    return Outcome(
        request=grown,
        effects=(Summon(request_id=request.id, group=group.name), Refresh(request_id=request.id)),
        entries=(entry(request, "step", actor, now, act="add", group=group.name),),
    )


def with_their_deputies(request: Request) -> Request:
    """``request`` without those who stood in for a group that no longer decides."""
    names = {group.name for group in (*request.checkpoint.groups, *request.joined)}
    return replace(request, stand_ins=tuple(one for one in request.stand_ins if one.of in names))
