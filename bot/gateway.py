"""The use cases, one short method each. Every room of the bot meets here; decisions come from ``policies``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.budgets import Budgets
from bot.eligible import People, who_may, with_people
from bot.grants import Grants
from bot.groups import Groups
from bot.inboxes import Inboxes
from bot.naming import new_id
from bot.shelf import PolicyShelf
from bot.turns import Turns
from bot.waiting import Waiting, changed_within
from policies.agent_run import AgentRun, RunState
from policies.asking import bare_gate, question_before
from policies.authority import check_may_approve, check_may_stop
from policies.checkpoint import Checkpoint
from policies.delegating import with_enough_left
from policies.effects import Post
from policies.errors import Conflict, Faulty, NotAllowed, NotFound, OverBudget
from policies.events import (
    Answered,
    Attested,
    AuditMarked,
    Claimed,
    Delegated,
    Edit,
    Elapsed,
    Event,
    Inquired,
    Lost,
    Outcome,
    Replied,
    Reported,
    Reviewed,
    Snoozed,
    Stopped,
    Withdrawn,
)
from policies.inbox import admits
from policies.judgement import BEFORE, Facts, counts, judge
from policies.lifecycle import apply, open_request
from policies.people import Person
from policies.policy import Policy
from policies.request import ExecutionState, Request, Requester, State, Submission, ToolCall
from policies.review import Verdict
from policies.satisfiable import behind_question
from policies.scope import may_start
from policies.settling import by_key
from policies.standing_in import readmit
from policies.tool_schema import validate
from storage.store import Added, Idempotency, Page, Store

EDIT_SECONDS = 1.2
"""How long an edit waits for Slack to say who could approve it: a form is answered within three seconds in all."""


class Gateway:
    """What can be done with requests and runs. ``clock`` gives the time in UTC; ``waiting`` is woken after commits.

    ``people`` knows who could approve; without it requests are opened without asking for that. ``environment`` is
    where the gateway stands, for the policy's conditions. ``over_budget`` is told the name of each budget that refused.
    """

    def __init__(
        self,
        store: Store,
        shelf: PolicyShelf,
        clock: Callable[[], datetime],
        waiting: Waiting,
        *,
        workspace_id: str,
        people: People | None = None,
        environment: str = "",
        over_budget: Callable[[str], None] | None = None,
    ) -> None:
        self.store = store
        self.shelf = shelf
        self.clock = clock
        self.waiting = waiting
        self.workspace_id = workspace_id
        self.turns = Turns()
        self._people = people
        self.grants = Grants(store, clock, people, lambda: shelf.current.digest)
        self.groups = Groups(store, waiting)
        self.inboxes = Inboxes(store, clock)
        self.budgets = Budgets(store, clock, shelf, over_budget)
        self._environment = environment

    # ---- the agent's side

    async def submit(
        self, submission: Submission, requester: Requester, *, idempotency: Idempotency | None = None
    ) -> Added:
        """Judge a tool call and store the request: pending, or settled at once (allow, deny, a grant, nobody who could
        approve)."""
        await self.turns.run(partial(_check_all, submission))
        policy = self.shelf.current
        facts = await self._facts(policy, submission, requester)
        judging = partial(bare_gate, policy) if submission.bare else partial(judge, policy, submission, facts)
        checkpoint = await self.turns.run(judging)
        question = await self.turns.run(partial(question_before, policy, submission, facts, checkpoint))
        opening = partial(
            open_request,
            submission,
            checkpoint,
            request_id=new_id("req"),
            workspace_id=self.workspace_id,
            requester=requester,
            policy_digest=policy.digest,
            now=self.clock(),
            question=question,
        )
        outcome = by_key(await self.turns.run(opening), requester)
        await self._check_budgets(outcome.request, idempotency)
        if self._people is not None:
            outcome = await with_people(outcome, self._people, self.clock())
        chances = await self.grants.chances(outcome)
        guard = self.budgets.guard(outcome.request)
        try:
            return await self.store.add(outcome, idempotency=idempotency, chances=chances, guard=guard)
        except OverBudget as error:
            await self.budgets.note(outcome.request, error)
            raise

    async def _check_budgets(self, request: Request, idempotency: Idempotency | None) -> None:
        """Refuse what would be one too many for people, before anything is asked of Slack or of the writer.

        The same submission again is none, nor is what a grant may let through: that is seen when it is stored.
        """
        if request.settled or (found := await self.budgets.over(request)) is None:
            return
        if idempotency is not None and await self.store.made_before(idempotency):
            return
        if not await self.grants.covering(request):
            raise await self.budgets.refuse(request, found)

    async def own(self, request_id: str, requester: Requester) -> Request:
        """The requester's own request; a foreign one reads like an unknown one."""
        request = await self.store.request(request_id, requester=requester.id)
        if request is None:
            raise NotFound("No such request.")
        return request

    async def list_own(
        self,
        requester: Requester,
        *,
        states: Sequence[State] = (),
        execution: Sequence[ExecutionState] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """The requester's own requests, newest first."""
        return await self.store.requests(
            states=states, execution=execution, requester=requester.id, limit=limit, cursor=cursor
        )

    async def wait(
        self, request_id: str, requester: Requester, *, revision: int | None, inquiries: int | None, seconds: float
    ) -> Request:
        """The request as soon as it is settled, newer than ``revision``, or as it stands after ``seconds``.

        With ``inquiries`` it also comes as soon as people have asked more than so many things about it.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        with self.waiting.watch(request_id) as changed:
            while not _is_news(request := await self.own(request_id, requester), revision, inquiries):
                del request  # it may be large, and thousands may wait
                if not await changed_within(changed, deadline - asyncio.get_running_loop().time()):
                    return await self.own(request_id, requester)
            return request

    async def withdraw(self, request_id: str, requester: Requester) -> Request:
        """Take a request back: pending is withdrawn, approved and unclaimed revoked."""
        return await self._change_own(request_id, requester, Withdrawn())

    async def claim(self, request_id: str, requester: Requester, digest: str, key: str | None = None) -> Request:
        """Take the permit, once, for exactly the approved digest."""
        return await self._change_own(request_id, requester, Claimed(digest=digest, key=key))

    async def report(
        self, request_id: str, requester: Requester, state: ExecutionState, note: str | None = None, result: Any = None
    ) -> Request:
        """Say how the claimed call went."""
        return await self._change_own(request_id, requester, Reported(state=state, note=note, result=result))

    async def reply(self, request_id: str, requester: Requester, inquiry_id: str, text: str) -> Request:
        """Answer what somebody asked about the request."""
        return await self._change_own(request_id, requester, Replied(inquiry_id=inquiry_id, text=text))

    async def lose(self, request_id: str, requester: Requester) -> Request:
        """The runner was interrupted between claim and report: the execution is unknown from now on."""
        return await self._change_own(request_id, requester, Lost())

    # ---- people's side

    async def request(self, request_id: str) -> Request:
        """The request with this id."""
        request = await self.store.request(request_id)
        if request is None:
            raise NotFound("There is no request with this id.")
        return request

    async def review(
        self,
        request_id: str,
        person: Person,
        verdict: Verdict,
        revision: int,
        *,
        note: str | None = None,
        phrase: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        drafts: Mapping[int, str] | None = None,
    ) -> Request:
        """One person's verdict on one revision; with ``modify`` the changed arguments, judged by the frozen policy.

        ``drafts`` are the edited texts of drafts that are no arguments, by position.
        """
        changed = verdict is Verdict.MODIFY and arguments is not None
        edit = await self._edit(request_id, arguments or {}, drafts or {}) if changed else None
        sight = await self.store.sight(request_id, revision, person.id)
        event = Reviewed(
            person=person, verdict=verdict, revision=revision, note=note, phrase=phrase, edit=edit, sight=sight
        )
        return await self._change_admitted(request_id, event) if edit else await self._change(request_id, event)

    async def answer(
        self, request_id: str, person: Person, revision: int, *, choice: str | None = None, text: str | None = None
    ) -> Request:
        """One person's answer to the open question: a choice by its id, or words. The call then meets its gate."""
        event = Answered(person=person, revision=revision, choice=choice, text=text)
        return await self._change_admitted(request_id, event)

    async def stop(self, request_id: str, person: Person, note: str | None = None) -> Request:
        """Stop what is pending or approved and not yet claimed."""
        return await self._change(request_id, Stopped(person=person, note=note))

    async def attest(self, request_id: str, person: Person, ran: bool) -> Request:
        """Say of an unknown execution whether it ran."""
        return await self._change(request_id, Attested(person=person, ran=ran))

    async def snooze(self, request_id: str, person: Person, until: datetime) -> Request:
        """Put off the ladder's steps until ``until`` (UTC); a time that isn't ahead wakes the request."""
        return await self._change(request_id, Snoozed(person=person, until=until))

    async def delegate(
        self, request_id: str, person: Person, to: Person, *, note: str | None = None, hands_over: bool = False
    ) -> Request:
        """Ask somebody else to decide; who hands over approves no more, so it is looked whether enough are left."""
        event = Delegated(person=person, to=to, note=note, hands_over=hands_over)
        if not hands_over or self._people is None:
            return await self._change(request_id, event)
        expected = apply(await self.request(request_id), event, self.clock()).request
        left = await who_may(behind_question(expected), self._people, seconds=EDIT_SECONDS)

        def step(request: Request) -> Outcome:
            return with_enough_left(apply(request, event, self.clock()), left, self.clock())

        return await self.store.change(request_id, step)

    async def inquire(self, request_id: str, person: Person, text: str) -> Request:
        """Ask the agent something about its pending request."""
        return await self._change(request_id, Inquired(person=person, inquiry_id=new_id("inq"), text=text))

    async def mark_audit(self, request_id: str, person: Person, mark: str, note: str | None = None) -> Request:
        """Mark what went ahead on silence as ``seen`` or ``objected``, with a word why."""
        return await self._change(request_id, AuditMarked(person=person, mark=mark, note=note))

    def asked_instead_of(self, person: Person) -> tuple[str, ...]:
        """The names of the groups that are asked where too few of this person's own groups are here."""
        own = [group for group in self.shelf.current.reviewers.values() if group.include(person)]
        return tuple(dict.fromkeys(group.deputy.name for group in own if group.deputy is not None))

    async def visible(self, request_id: str, person: Person) -> Request:
        """The request, for those who may review or stop it; to everybody else it reads like an unknown one."""
        request = await self.request(request_id)
        if not admits(check_may_stop, request, person):
            raise NotFound("There is no request with this id that you may see.")
        return request

    async def editable(self, request_id: str, person: Person) -> Request:
        """The request, for those who may change it; raises ``NotAllowed`` with the reason for everybody else."""
        request = await self.request(request_id)
        check_may_approve(request, person)
        return request

    # ---- time

    async def advance(self, now: datetime) -> int:
        """Let everything happen that is due at ``now``; how many requests changed."""
        return await self.store.change_due(now, lambda request: apply(request, Elapsed(), now))

    # ---- runs of the agent runner

    async def start_run(self, person: Person, channel: str, thread_ts: str | None, errand: str) -> AgentRun:
        """Start an errand for a person who may; its first message opens the thread where none is given."""
        self._check_may_start(person)
        run = AgentRun(
            id=new_id("run"),
            owner=person.id,
            owner_name=person.name,
            channel=channel,
            thread_ts=thread_ts,
            errand=errand,
            created_at=self.clock(),
        )
        opening = Post(run_id=run.id, key="opening", channel=channel, thread_ts=thread_ts, text=errand, kind="opening")
        stored = await self.store.add_run(run, effects=(opening,))
        self.waiting.wake(("runs",))
        return stored

    async def stop_run(self, run_id: str, person: Person) -> AgentRun:
        """Stop a run; only the person who started it and those who may start runs can."""
        run = await self.store.run(run_id)
        if run is None:
            raise NotFound("There is no such run.")
        if person.id != run.owner:
            self._check_may_start(person)
        return await self.store.change_run(run_id, lambda standing: (_stopped(standing, person), ()))

    # ---- small steps

    def _check_may_start(self, person: Person) -> None:
        if not may_start(self.shelf.current, person):
            raise NotAllowed(
                "You may not start the agent here. Whoever runs Signoff can add you to `agents: start` in the policy."
            )

    async def _judge(self, policy: Policy, submission: Submission, requester: Requester) -> Checkpoint:
        facts = await self._facts(policy, submission, requester)
        return await self.turns.run(partial(judge, policy, submission, facts))

    async def _facts(self, policy: Policy, submission: Submission, requester: Requester) -> Facts:
        now = self.clock()
        recent = await self._recent(policy, submission.call.tool, requester, now)
        return Facts(agent=requester.name, now=now, recent=recent, environment=self._environment)

    async def _recent(self, policy: Policy, tool: str, requester: Requester, now: datetime) -> dict[str, int]:
        """The counts that the policy's conditions read, and no others."""
        found = {}
        for name, (span, of_this_tool) in counts(policy).items():
            if name == BEFORE:
                found[name] = int(await self.store.taken(requester.id, tool, now - span))
            else:
                found[name] = await self.store.counts(requester.id, tool if of_this_tool else None, now - span)
        return found

    async def _edit(self, request_id: str, arguments: Mapping[str, Any], drafts: Mapping[int, str]) -> Edit:
        request = await self.request(request_id)
        call = replace(request.call, arguments=arguments)
        submission = Submission(
            call=call,
            reason=request.reason,
            confidence=request.confidence,
            on_behalf_of=request.on_behalf_of,
            context=request.context,
            run=request.run,
        )
        _check_schema(call, arguments)
        policy = await self.shelf.by_digest(request.policy_digest)
        checkpoint = await self._judge(policy, submission, request.requester)
        return Edit(arguments=arguments, checkpoint=checkpoint, drafts=drafts)

    async def _change(self, request_id: str, event: Event) -> Request:
        def step(request: Request) -> Outcome:
            return apply(request, event, self.clock())

        return await self.store.change(request_id, step, watch=self.budgets.watch)

    async def _change_admitted(self, request_id: str, event: Reviewed | Answered) -> Request:
        """As ``_change``, for what may put a request before other people: it is looked again who can approve it."""
        expected = apply(await self.request(request_id), event, self.clock()).request
        people = None
        if self._people is not None:
            people = await who_may(expected, self._people, seconds=EDIT_SECONDS)

        def step(request: Request) -> Outcome:
            outcome = apply(request, event, self.clock())
            if people is None or outcome.request.settled or outcome.request.checkpoint != expected.checkpoint:
                return outcome
            return readmit(outcome, people, self.clock())

        return await self.store.change(request_id, step)

    async def _change_own(self, request_id: str, requester: Requester, event: Event) -> Request:
        def step(request: Request) -> Outcome:
            return by_key(apply(request, event, self.clock()), requester)

        return await self.store.change(request_id, step, requester=requester.id)


def _check_all(submission: Submission) -> None:
    """Do the call's arguments fit its schema, and those of each choice? Faults are placed as in the API's body."""
    _check_schema(submission.call, submission.call.arguments, at="/arguments")
    for place, choice in enumerate(submission.question.choices if submission.question else ()):
        if choice.arguments is not None:
            _check_schema(submission.call, choice.arguments, at=f"/question/choices/{place}/arguments")


def _check_schema(call: ToolCall, arguments: Mapping[str, Any], *, at: str = "") -> None:
    faults = validate(dict(call.schema), dict(arguments)) if call.schema is not None else ()
    if faults:
        placed = tuple(replace(fault, where=f"{at}{fault.where}") for fault in faults)
        raise Faulty(placed, code="arguments_invalid")


def _is_news(request: Request, revision: int | None, inquiries: int | None) -> bool:
    """Is it settled, newer than ``revision``, or asked about more than ``inquiries`` times?"""
    newer = revision is not None and request.revision > revision
    return request.settled or newer or (inquiries is not None and len(request.inquiries) > inquiries)


def _stopped(run: AgentRun, person: Person) -> AgentRun:
    if run.state is not RunState.ACTIVE:
        raise Conflict(f"This run is over already ({run.state.value}).")
    return replace(run, state=RunState.STOPPED, note=f"stopped by {person.name}")
