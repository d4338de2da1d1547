"""Finding requests: pages, newest first, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from policies.errors import Invalid
from policies.request import TAKEN, ExecutionState, Request, State
from storage.access import Access
from storage.columns import micros, moment
from storage.requests import OURS, REQUESTS
from storage.rows import REQUEST
from storage.statement import Statement
from storage.values import Page

LARGEST_PAGE = 500
MADE_SINCE = (OURS, REQUESTS.c.requester == bindparam("of_requester"), REQUESTS.c.created_at >= bindparam("since"))

COUNT = Statement(select(func.count()).select_from(REQUESTS).where(*MADE_SINCE))
COUNT_OF_TOOL = Statement(
    select(func.count()).select_from(REQUESTS).where(*MADE_SINCE, REQUESTS.c.tool == bindparam("of_tool"))
)
ANY_TAKEN = Statement(
    select(REQUESTS.c.id)
    .where(
        *MADE_SINCE,
        REQUESTS.c.tool == bindparam("of_tool"),
        or_(*(REQUESTS.c.execution_state == state.value for state in sorted(TAKEN))),
    )
    .limit(1)
)


def written_cursor(request: Request) -> str:
    """The cursor that goes on after ``request``."""
    return f"{micros(request.created_at)}.{request.id}"


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Where ``cursor`` goes on. Raises Invalid for one that no page gave."""
    at, _, request_id = cursor.partition(".")
    try:
        return moment(int(at)), request_id
    except (ValueError, OverflowError):
        raise Invalid("The cursor isn't one that a page gave; leave it out to start anew.", where="cursor") from None


def older_than(cursor: str) -> ColumnElement[bool]:
    """The condition for everything after ``cursor`` in a list that is newest first."""
    at, request_id = read_cursor(cursor)
    made = REQUESTS.c.created_at
    return (made <= at) & ((made < at) | (REQUESTS.c.id < request_id))


class Listing(Access):
    """The store's lists of requests."""

    async def requests(
        self,
        *,
        states: Sequence[State] = (),
        execution: Sequence[ExecutionState] = (),
        requester: str | None = None,
        ids: Sequence[str] = (),
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """The requests that meet every given condition, newest first, at most ``limit`` (1 to 500) a page.

        An empty sequence is no condition. ``requester`` is a requester's id. Raises Invalid for a foreign cursor.
        """
        most = max(1, min(limit, LARGEST_PAGE))
        conditions: list[ColumnElement[Any]] = [REQUESTS.c.workspace_id == self._workspace_id]
        if states:
            conditions.append(REQUESTS.c.state.in_([state.value for state in states]))
        if execution:
            conditions.append(REQUESTS.c.execution_state.in_([state.value for state in execution]))
        if requester is not None:
            conditions.append(REQUESTS.c.requester == requester)
        if ids:
            conditions.append(REQUESTS.c.id.in_(ids))
        if cursor is not None:
            conditions.append(older_than(cursor))
        return await self._page(conditions, most)

    async def _page(self, conditions: list[ColumnElement[Any]], most: int) -> Page:
        statement = Statement(
            select(REQUESTS.c.document)
            .where(*conditions)
            .order_by(REQUESTS.c.created_at.desc(), REQUESTS.c.id.desc())
            .limit(most + 1)
        )
        found = await self._read(
            lambda connection: [REQUEST.load(document) for (document,) in connection.rows(statement)]
        )
        page = tuple(found[:most])
        return Page(requests=page, cursor=written_cursor(page[-1]) if len(found) > most else None)

    async def counts(self, requester: str, tool: str | None, since: datetime) -> int:
        """How many requests a requester (its id) made since then, of one tool or of all."""
        statement = COUNT if tool is None else COUNT_OF_TOOL
        values = {"of_requester": requester, "since": since} | ({} if tool is None else {"of_tool": tool})
        found = await self._read(lambda connection: connection.row(statement, workspace=self._workspace_id, **values))
        return found[0] if found else 0

    async def taken(self, requester: str, tool: str, since: datetime) -> bool:
        """Did a requester (its id) take a call of this tool that it made since then, so that it ran?"""
        values = {"of_requester": requester, "of_tool": tool, "since": since}
        found = await self._read(lambda connection: connection.row(ANY_TAKEN, workspace=self._workspace_id, **values))
        return found is not None
