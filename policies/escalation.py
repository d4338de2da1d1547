"""What silence does: the ladder's steps, the requester's own limit, permits that lapse, reports that never came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from policies import answering
from policies.checkpoint import Act, Step
from policies.effects import Refresh, Remind, TellServed
from policies.events import Outcome
from policies.joining import join
from policies.request import ExecutionState, Request, State
from policies.settling import entry, execute, settle


def elapse(request: Request, now: datetime) -> Outcome:
    """All that is due at ``now``, in the order in which it fell due."""
    outcome = Outcome(request=request)
    while (due := outcome.request.next_action_at) is not None and due <= now:
        outcome = outcome.then(_fall_due(outcome.request, now))
    return outcome


def steps_at_delivery(request: Request) -> int:
    """How many steps count as done where the clock starts anew because a card was delivered only now.

    Reminders that nobody could see come again. Groups that joined have joined, with all that came before them.
    """
    done = request.ladder.steps[: request.steps_done]
    return max((place for place, step in enumerate(done, 1) if step.act is Act.ADD), default=0)


def _fall_due(request: Request, now: datetime) -> Outcome:
    if request.settled:
        return _execution_due(request, now)
    if request.expires_at is not None and request.expires_at <= request.next_due:
        did = "answered" if request.asking else "decided"
        return _expire(request, now, f"nobody {did} before the requester's own limit")
    if request.pause.ends_at == request.next_due:
        running = replace(request, pause=request.pause.over(now))
        return Outcome(request=running, effects=(Refresh(request_id=request.id),))
    if request.snoozed is not None:
        # What was put off is due from here on, at once where its time has come meanwhile.
        return Outcome(request=replace(request, snoozed=None), effects=(Refresh(request_id=request.id),))
    step = request.ladder.steps[request.steps_done]
    if request.fresh_at is not None and request.fresh_at <= request.falls_due(step):
        drawn = replace(request, freshened=request.freshened + 1)
        return Outcome(request=drawn, effects=(Refresh(request_id=request.id),))
    return STEPS[step.act](request, step, now)


def _execution_due(request: Request, now: datetime) -> Outcome:
    claimed = request.execution is not None and request.execution.state is ExecutionState.CLAIMED
    return execute(request, ExecutionState.UNKNOWN if claimed else ExecutionState.LAPSED, "clock", now)


def _remind(request: Request, step: Step, now: datetime) -> Outcome:
    """The step is done. After a stop of the gateway several may be due at once: only the last of them is said."""
    return Outcome(
        request=replace(request, steps_done=request.steps_done + 1),
        effects=() if _comes_again(request, now) else (Remind(request_id=request.id),),
        entries=(entry(request, "step", "clock", now, act="remind"),),
    )


def _comes_again(request: Request, now: datetime) -> bool:
    """Is a later reminder, or the end itself, due by ``now`` as well?"""
    later = (step for step in request.ladder.steps[request.steps_done + 1 :] if step.act is not Act.ADD)
    return any(request.falls_due(step) <= now for step in islice(later, 1))


def _end_by_expiry(request: Request, step: Step, now: datetime) -> Outcome:
    return _expire(request, now, "nobody answered in time" if request.asking else "nobody decided in time")


def _end_by_proceeding(request: Request, step: Step, now: datetime) -> Outcome:
    if request.delivered_at is None:
        return _expire(request, now, "no card could be delivered, so silence means nothing")
    if request.asking and request.question is not None:
        if request.bare and request.question.best_guess is None:
            return _expire(request, now, "nobody answered in time")
        return answering.guess(request, now)
    if request.unanswered:
        return _expire(request, now, "the agent left a question unanswered, so silence means nothing")
    return settle(replace(request, audit="open"), State.APPROVED, ("silence",), now, "nobody stopped it in time")


def _expire(request: Request, now: datetime, why: str) -> Outcome:
    ended = settle(request, State.EXPIRED, ("silence",), now, why)
    return replace(ended, effects=(*ended.effects, TellServed(request_id=request.id)))


STEPS: Mapping[Act, Callable[[Request, Step, datetime], Outcome]] = {
    Act.REMIND: _remind,
    Act.ADD: join,
    Act.EXPIRE: _end_by_expiry,
    Act.PROCEED: _end_by_proceeding,
}
