"""Requests: stored whole, changed by pure functions, one transaction a change: row, decision, journal, outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import bindparam, select

from policies.effects import Refresh
from policies.errors import Conflict, NotFound, Unavailable
from policies.events import Outcome
from policies.request import Request
from policies.review import Decision
from storage import attention, budgets, chain, grants, groups, outbox, webhooks
from storage.access import Access
from storage.engine import Connection, Duplicate
from storage.rows import REQUEST, request_columns
from storage.statement import Statement, inserting, setting
from storage.tables import DecisionRow, IdempotencyRow, RequestRow, table
from storage.transaction import Transaction
from storage.values import Added, Chance, Changed, Guard, Idempotency, Watch

Change = Callable[[Request], Outcome]

REQUESTS, DECISIONS, IDEMPOTENCY = table(RequestRow), table(DecisionRow), table(IdempotencyRow)
TRIES = 5
OURS = REQUESTS.c.workspace_id == bindparam("workspace")

INSERT = inserting(REQUESTS)
DECIDE = inserting(DECISIONS)
REMEMBER_KEY = inserting(IDEMPOTENCY)
LOAD = Statement(select(REQUESTS.c.document).where(REQUESTS.c.id == bindparam("of_id"), OURS))
LOAD_OWN = Statement(
    select(REQUESTS.c.document).where(
        REQUESTS.c.id == bindparam("of_id"), OURS, REQUESTS.c.requester == bindparam("of_requester")
    )
)
UPDATE = Statement(
    setting(REQUESTS, "state", "execution_state", "revision", "version", "next_action_at", "document").where(
        REQUESTS.c.id == bindparam("of_id"), REQUESTS.c.version == bindparam("of_version")
    )
)
BY_KEY = Statement(
    select(IDEMPOTENCY.c.body, IDEMPOTENCY.c.request_id).where(
        IDEMPOTENCY.c.workspace_id == bindparam("workspace"),
        IDEMPOTENCY.c.requester == bindparam("of_requester"),
        IDEMPOTENCY.c.key == bindparam("of_key"),
    )
)


def load(connection: Connection, workspace_id: str, request_id: str, requester: str | None = None) -> Request | None:
    """The request as it stands, or None; also None for another workspace's, and for another requester's than this one.

    What isn't the requester's isn't even read, so that nobody can tell by the time it takes that it is there.
    """
    if requester is None:
        found = connection.row(LOAD, of_id=request_id, workspace=workspace_id)
    else:
        found = connection.row(LOAD_OWN, of_id=request_id, workspace=workspace_id, of_requester=requester)
    return REQUEST.load(found[0]) if found else None


def add(
    outcome: Outcome,
    idempotency: Idempotency | None,
    chances: Sequence[Chance],
    transaction: Transaction,
    *,
    guard: Guard | None = None,
) -> Added:
    """Store a new request with what it owes, unless its idempotency key made one before."""
    if (
        idempotency is not None
        and (earlier := made_before(transaction.connection, transaction.workspace_id, idempotency)) is not None
    ):
        return Added(request=earlier, created=False)
    outcome = grants.under_a_grant(transaction, chances) or outcome
    request = outcome.request
    if request.workspace_id != transaction.workspace_id:
        raise ValueError(f"Request {request.id} belongs to another workspace than this store.")
    try:
        transaction.connection.write(INSERT, **request_columns(request))
    except Duplicate:
        raise Conflict(f"A request {request.id} exists already; give the new one an id of its own.") from None
    groups.join(transaction, request)
    budgets.enter(transaction, request, guard)
    if idempotency is not None:
        _remember(transaction, idempotency, request.id)
    _record(transaction, None, outcome, request)
    return Added(request=request, created=True)


def change(
    request_id: str, fn: Change, transaction: Transaction, *, watch: Watch | None = None, requester: str | None = None
) -> Request:
    """Load, ``fn``, compare-and-set. A lost comparison is tried again with what stands by then."""
    for _ in range(TRIES):
        before = load(transaction.connection, transaction.workspace_id, request_id, requester)
        if before is None:
            raise NotFound(f"There is no request {request_id}; check its id.")
        saved = save(transaction, before, fn(before))
        if saved is not None:
            if watch is not None:
                budgets.watched(transaction, before, saved, watch)
            return saved
    raise Unavailable("The request is being changed too often at once; try again.", code="storage_busy")


def save(transaction: Transaction, before: Request, outcome: Outcome) -> Request | None:
    """Store ``outcome`` where ``before`` still stands; None where another change came first."""
    if not outcome.entries and not outcome.effects and outcome.request == before:
        return before
    if outcome.request.id != before.id:
        raise ValueError(f"A change of request {before.id} can't give request {outcome.request.id}.")
    version = before.version + 1
    shown = any(isinstance(effect, Refresh) for effect in outcome.effects)
    visible_version = version if shown else before.visible_version
    after = replace(outcome.request, version=version, visible_version=visible_version)
    if not transaction.connection.write(UPDATE, of_id=before.id, of_version=before.version, **request_columns(after)):
        return None
    _record(transaction, before, outcome, after)
    return after


def _record(transaction: Transaction, before: Request | None, outcome: Outcome, after: Request) -> None:
    """The decision, the journal, the outbox and the topics of a change that was just stored."""
    if after.decision is not None and not _stood(before, after.decision):
        _decide(transaction, after, after.decision)
        budgets.enter_rejection(transaction, after)
    if outcome.grant is not None:
        grants.add(transaction, outcome.grant)
    attention.keep_reviews(transaction, before, after)
    chain.append(transaction, outcome.entries)
    outbox.owe(transaction, outcome.effects)
    transaction.topics.append(after.id)
    groups.tell(transaction, after)
    webhooks.tell(transaction, after, outcome.entries)
    transaction.changed.append(Changed(before=before, after=after, entries=outcome.entries))
    due, earlier = after.next_action_at, before.next_action_at if before else None
    if due is not None and (earlier is None or due < earlier):
        transaction.topics.append("deadline")


def _stood(before: Request | None, decision: Decision) -> bool:
    """Was this decided already? Its note may since have been blanked, and nothing else."""
    earlier = before.decision if before is not None else None
    return earlier is not None and decision in (earlier, replace(earlier, note=None))


def _decide(transaction: Transaction, request: Request, decision: Decision) -> None:
    try:
        transaction.connection.write(
            DECIDE,
            request_id=request.id,
            verdict=decision.verdict,
            by=list(decision.by),
            at=decision.at,
            revision=request.revision,
            digest=request.digest,
        )
    except Duplicate:
        raise Conflict("This request was decided already; nothing was changed.", code="already_settled") from None


def made_before(connection: Connection, workspace_id: str, idempotency: Idempotency) -> Request | None:
    """The request that the same key made. Raises Conflict where the key came with another body."""
    found = connection.row(BY_KEY, workspace=workspace_id, of_requester=idempotency.requester, of_key=idempotency.key)
    if found is None:
        return None
    body, request_id = found
    if body != idempotency.body:
        raise Conflict(
            "This Idempotency-Key came with another body before; use a new key for a new request.",
            code="idempotency_conflict",
        )
    return load(connection, workspace_id, request_id)


def _remember(transaction: Transaction, idempotency: Idempotency, request_id: str) -> None:
    transaction.connection.write(
        REMEMBER_KEY,
        workspace_id=transaction.workspace_id,
        requester=idempotency.requester,
        key=idempotency.key,
        body=idempotency.body,
        request_id=request_id,
    )


class Requests(Access):
    """The store's requests: adding and changing them. ``listing.py`` finds them."""

    async def add(
        self,
        outcome: Outcome,
        *,
        idempotency: Idempotency | None = None,
        chances: Sequence[Chance] = (),
        guard: Guard | None = None,
    ) -> Added:
        """Store a new request. The same key with the same body gives the stored one, ``created`` False.

        Under the first of ``chances`` whose grant still stands it is stored approved, and the grant's use counted, in
        one transaction; where none stands, as ``outcome`` says, if ``guard`` lets it wait for people.

        Raises Conflict(code="idempotency_conflict") where the key came with another body, Conflict where its group has
        no place for it, and what ``guard`` raises.
        """
        return await self._write(partial(add, outcome, idempotency, chances, guard=guard))

    async def made_before(self, idempotency: Idempotency) -> Request | None:
        """The request that the same key made already. Raises Conflict where the key came with another body."""
        return await self._read(lambda connection: made_before(connection, self._workspace_id, idempotency))

    async def change(
        self, request_id: str, fn: Change, *, watch: Watch | None = None, requester: str | None = None
    ) -> Request:
        """Let ``fn`` change a request, and return what stands once that is durable. ``watch`` looks at a rejection.

        With ``requester`` (its id) only a request of its own: any other is as unknown as one that there isn't. ``fn``
        runs in the writer's thread, perhaps more than once: a pure function, please. Raises NotFound, and whatever
        ``fn`` raises; then nothing was changed.
        """
        return await self._write(partial(change, request_id, fn, watch=watch, requester=requester))

    async def request(self, request_id: str, *, requester: str | None = None) -> Request | None:
        """The request as it stands; with ``requester`` (its id) only one of its own."""
        return await self._read(lambda connection: load(connection, self._workspace_id, request_id, requester))
