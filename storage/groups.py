"""Groups of requests: which belong together, and how far all of them are.

A request joins its group in the transaction that stores it, so that no group gets more members than its size.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, func, select, type_coerce

from policies.group import check_joins
from policies.request import Request, State
from storage.access import Access
from storage.engine import Connection
from storage.rows import REQUEST
from storage.statement import Statement, inserting
from storage.tables import GroupMemberRow, RequestRow, table
from storage.transaction import Transaction
from storage.values import GroupProgress, GroupStanding

MEMBERS, REQUESTS = table(GroupMemberRow), table(RequestRow)
OF_GROUP = (
    MEMBERS.c.workspace_id == bindparam("workspace"),
    MEMBERS.c.requester == bindparam("of_requester"),
    MEMBERS.c.group_id == bindparam("of_group"),
)
THEIRS = MEMBERS.join(REQUESTS, REQUESTS.c.id == MEMBERS.c.request_id)

JOIN = inserting(MEMBERS)
SIZE = Statement(select(func.max(MEMBERS.c.size), func.count()).where(*OF_GROUP))
PROGRESS = Statement(
    select(
        func.max(MEMBERS.c.size),
        func.count(),
        type_coerce(func.sum(REQUESTS.c.state != State.PENDING.value), Integer),
        type_coerce(func.sum(func.json_array_length(REQUESTS.c.document, "$.inquiries")), Integer),
    )
    .select_from(THEIRS)
    .where(*OF_GROUP)
)
ALL = Statement(
    select(MEMBERS.c.size, REQUESTS.c.document).select_from(THEIRS).where(*OF_GROUP).order_by(MEMBERS.c.place)
)


def topic(requester: str, group_id: str) -> str:
    """What those watch who wait for a group of the requester with this id."""
    return f"group:{requester}:{group_id}"


def join(transaction: Transaction, request: Request) -> None:
    """Make a request that was just stored a member of its group. Raises Conflict where the group doesn't take it."""
    group = request.group
    if group is None:
        return
    whose = {"workspace": transaction.workspace_id, "of_requester": request.requester.id, "of_group": group.id}
    size, members = transaction.connection.row(SIZE, **whose) or (None, 0)
    check_joins(group, size, members)
    transaction.connection.write(
        JOIN,
        workspace_id=transaction.workspace_id,
        requester=request.requester.id,
        group_id=group.id,
        request_id=request.id,
        place=members + 1,
        size=group.size,
    )


def tell(transaction: Transaction, request: Request) -> None:
    """Wake whoever waits for the group of a request that was just changed."""
    if request.group is not None:
        transaction.topics.append(topic(request.requester.id, request.group.id))


class Groups(Access):
    """The store's groups."""

    async def group_progress(self, requester: str, group_id: str) -> GroupProgress | None:
        """How far a requester's (its id) group is, without its requests; None where there is no such group."""

        def read(connection: Connection) -> GroupProgress | None:
            found = connection.row(PROGRESS, **self._whose(requester, group_id))
            if found is None or found[0] is None:
                return None
            size, asked, settled, inquiries = found
            return GroupProgress(size=size, asked=asked, settled=settled, inquiries=inquiries)

        return await self._read(read)

    async def group(self, requester: str, group_id: str) -> GroupStanding | None:
        """A requester's (its id) group with its requests in the order they came; None where there is none."""

        def read(connection: Connection) -> GroupStanding | None:
            found = connection.rows(ALL, **self._whose(requester, group_id))
            if not found:
                return None
            requests = tuple(REQUEST.load(document) for _, document in found)
            return GroupStanding(id=group_id, size=found[0][0], requests=requests)

        return await self._read(read)

    def _whose(self, requester: str, group_id: str) -> dict[str, Any]:
        return {"workspace": self._workspace_id, "of_requester": requester, "of_group": group_id}
