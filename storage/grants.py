"""Grants: made with the approval, used up by the very transaction that stores a request, revoked for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, delete, select, update

from policies.errors import Conflict, NotFound, Refused
from policies.events import Outcome
from policies.grant import Grant
from policies.granting import Ending
from storage import chain, outbox
from storage.access import Access
from storage.columns import UtcDateTime
from storage.engine import Connection
from storage.rows import grant_columns, grant_from
from storage.statement import Statement, inserting, setting
from storage.tables import GrantRow, table
from storage.transaction import Transaction
from storage.values import Chance

GRANTS = table(GrantRow)
OURS = GRANTS.c.workspace_id == bindparam("workspace")
STANDING = (GRANTS.c.revoked_at.is_(None), GRANTS.c.used < GRANTS.c.most)
UNEXPIRED = GRANTS.c.expires_at > bindparam("now", type_=UtcDateTime())
FOUND = select(GRANTS.c.document, GRANTS.c.used, GRANTS.c.revoked_at, GRANTS.c.revoked_by).where(OURS)

INSERT = inserting(GRANTS)
BY_ID = Statement(FOUND.where(GRANTS.c.id == bindparam("of_id")))
BY_AGE = Statement(
    FOUND.where(GRANTS.c.created_at > bindparam("since"))
    .order_by(GRANTS.c.created_at.desc(), GRANTS.c.id)
    .limit(bindparam("most"))
)
OF_AGENT = Statement(
    FOUND.where(
        GRANTS.c.requester == bindparam("of_requester"),
        GRANTS.c.tool == bindparam("of_tool"),
        GRANTS.c.policy_digest == bindparam("of_policy"),
        UNEXPIRED,
        *STANDING,
    ).order_by(GRANTS.c.expires_at, GRANTS.c.id)
)
OF_OTHER_POLICIES = Statement(
    FOUND.where(GRANTS.c.policy_digest != bindparam("of_policy"), UNEXPIRED, *STANDING).order_by(GRANTS.c.id)
)
OF_ANY_TOOL = Statement(
    FOUND.where(GRANTS.c.requester == bindparam("of_requester"), UNEXPIRED, *STANDING).order_by(GRANTS.c.id)
)
USE = Statement(
    update(GRANTS).where(OURS, GRANTS.c.id == bindparam("of_id"), UNEXPIRED, *STANDING).values(used=GRANTS.c.used + 1)
)
REVOKE = Statement(
    setting(GRANTS, "revoked_at", "revoked_by").where(
        OURS, GRANTS.c.id == bindparam("of_id"), GRANTS.c.revoked_at.is_(None)
    )
)
FORGET = Statement(delete(GRANTS).where(OURS, GRANTS.c.expires_at < bindparam("before")))

Revocation = Callable[[Grant], Ending]


def load(connection: Connection, workspace_id: str, grant_id: str) -> Grant | None:
    """The grant as it stands, or None."""
    found = connection.row(BY_ID, workspace=workspace_id, of_id=grant_id)
    return grant_from(*found) if found else None


def add(transaction: Transaction, grant: Grant) -> None:
    """Store a grant that was made with a change."""
    transaction.connection.write(INSERT, **grant_columns(grant))


def under_a_grant(transaction: Transaction, chances: Sequence[Chance]) -> Outcome | None:
    """What comes of a new request under the first grant that still lets it through; None where none does.

    A use counts only if the grant stands at this moment: neither used up, nor revoked, nor expired.
    """
    for chance in chances:
        grant = load(transaction.connection, transaction.workspace_id, chance.grant_id)
        outcome = _go_ahead(chance, grant) if grant else None
        at = outcome.request.decision.at if outcome and outcome.request.decision else None
        used = {"workspace": transaction.workspace_id, "of_id": chance.grant_id, "now": at}
        if at is not None and transaction.connection.write(USE, **used):
            return outcome
    return None


def _go_ahead(chance: Chance, grant: Grant) -> Outcome | None:
    try:
        return chance.go_ahead(grant)
    except Refused:
        return None


def revoke(grant_id: str, fn: Revocation, transaction: Transaction) -> Grant:
    """End one grant by ``fn``, with its journal line and what is owed."""
    standing = load(transaction.connection, transaction.workspace_id, grant_id)
    if standing is None:
        raise NotFound(f"There is no grant {grant_id}; see /approvals grants, or signoff grants list.")
    return _end(transaction, fn(standing))


def _end(transaction: Transaction, ending: Ending) -> Grant:
    ended = ending.grant
    at, by = ended.revoked_at, ended.revoked_by
    if not transaction.connection.write(
        REVOKE, workspace=transaction.workspace_id, of_id=ended.id, revoked_at=at, revoked_by=by
    ):
        raise Conflict("This grant is revoked already; it lets nothing through.", code="grant_ended")
    chain.append(transaction, ending.entries)
    outbox.owe(transaction, ending.effects)
    return ended


def _end_all(
    found: Statement, which: Mapping[str, str], now: datetime, fn: Revocation, transaction: Transaction
) -> int:
    rows = transaction.connection.rows(found, workspace=transaction.workspace_id, now=now, **which)
    return len([_end(transaction, fn(grant_from(*row))) for row in rows])


def forget(transaction: Transaction, before: datetime) -> int:
    """Delete the grants that expired ``before`` then: their patterns hold arguments. The journal keeps who and when."""
    return transaction.connection.write(FORGET, workspace=transaction.workspace_id, before=before)


class Grants(Access):
    """The store's grants."""

    async def grant(self, grant_id: str) -> Grant | None:
        """The grant as it stands."""
        return await self._read(lambda connection: load(connection, self._workspace_id, grant_id))

    async def grants(self, *, since: datetime, limit: int = 200) -> tuple[Grant, ...]:
        """The grants made after ``since``, the newest first, ended ones too."""
        found = await self._read(
            lambda connection: connection.rows(BY_AGE, workspace=self._workspace_id, since=since, most=limit)
        )
        return tuple(grant_from(*row) for row in found)

    async def standing_grants(self, requester: str, tool: str, policy: str, now: datetime) -> tuple[Grant, ...]:
        """The active grants for one agent and tool under the policy of that digest; what ends first stands first."""
        asked = {"of_requester": requester, "of_tool": tool, "of_policy": policy, "now": now}
        found = await self._read(lambda connection: connection.rows(OF_AGENT, workspace=self._workspace_id, **asked))
        return tuple(grant_from(*row) for row in found)

    async def revoke_grant(self, grant_id: str, fn: Revocation) -> Grant:
        """End a grant for good. Raises NotFound, Conflict where it is over already, and whatever ``fn`` raises."""
        return await self._write(partial(revoke, grant_id, fn))

    async def end_grants_of_other_policies(self, policy: str, now: datetime, fn: Revocation) -> int:
        """End by ``fn`` every active grant that was made under another policy than that of this digest; how many."""
        return await self._write(partial(_end_all, OF_OTHER_POLICIES, {"of_policy": policy}, now, fn))

    async def end_grants_of_agent(self, requester: str, now: datetime, fn: Revocation) -> int:
        """End by ``fn`` every active grant for one agent; how many."""
        return await self._write(partial(_end_all, OF_ANY_TOOL, {"of_requester": requester}, now, fn))
