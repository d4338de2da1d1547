"""Finding requests by what became of them, and by the beginning of an id; never more rows than were asked for.

Decisions of the policy alone (``allow``, ``deny``) are passed over by the index itself: they can be thousands a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, func, select, type_coerce

from policies.request import Request
from storage.access import Access
from storage.columns import UtcDateTime
from storage.requests import DECISIONS, OURS, REQUESTS
from storage.rows import REQUEST
from storage.statement import Statement
from storage.tables import NOT_BY_POLICY

DECIDED = DECISIONS.join(REQUESTS, REQUESTS.c.id == DECISIONS.c.request_id)
# The empty text keeps SQLite from walking all of a workspace's requests: the newest decisions come first, then theirs.
OF_OURS = REQUESTS.c.workspace_id.concat("") == bindparam("workspace")
LATELY = (OF_OURS, NOT_BY_POLICY, DECISIONS.c.at >= bindparam("since", type_=UtcDateTime()))
BY = type_coerce(DECISIONS.c.by, Text)

RECENT = Statement(
    select(REQUESTS.c.document)
    .select_from(DECIDED)
    .where(*LATELY)
    .order_by(DECISIONS.c.at.desc())
    .limit(bindparam("most"))
)
UNSEEN = Statement(
    select(REQUESTS.c.document)
    .select_from(DECIDED)
    .where(*LATELY, BY == '["silence"]', func.json_extract(REQUESTS.c.document, "$.audit") == "open")
    .order_by(DECISIONS.c.at.desc())
    .limit(bindparam("most"))
)
EXPIRED = Statement(
    select(REQUESTS.c.document)
    .select_from(DECIDED)
    .where(*LATELY, DECISIONS.c.verdict == "expired")
    .order_by(DECISIONS.c.at.desc())
    .limit(bindparam("most"))
)
BEGINNING = Statement(
    select(REQUESTS.c.document)
    .where(OURS, REQUESTS.c.id >= bindparam("beginning"), REQUESTS.c.id < bindparam("end"))
    .order_by(REQUESTS.c.id)
    .limit(bindparam("most"))
)


class Finding(Access):
    """What lists are made of."""

    async def decided_lately(self, since: datetime, *, limit: int = 100) -> tuple[Request, ...]:
        """What people, silence or a grant settled since then, the newest decision first."""
        return await self._documents(RECENT, {"since": since, "most": limit})

    async def unseen(self, since: datetime, *, limit: int = 100) -> tuple[Request, ...]:
        """What went ahead on silence since then and nobody has looked at, the newest first."""
        return await self._documents(UNSEEN, {"since": since, "most": limit})

    async def expired(self, since: datetime, *, limit: int = 100) -> tuple[Request, ...]:
        """What ended since then without anybody deciding, the latest first."""
        return await self._documents(EXPIRED, {"since": since, "most": limit})

    async def beginning_with(self, beginning: str, *, limit: int = 100) -> tuple[Request, ...]:
        """The requests whose ids begin so, in the ids' order."""
        return await self._documents(
            BEGINNING, {"beginning": beginning, "end": f"{beginning}\U0010ffff", "most": limit}
        )

    async def _documents(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Request, ...]:
        found = await self._read(
            lambda connection: [
                REQUEST.load(document)
                for (document,) in connection.rows(statement, workspace=self._workspace_id, **values)
            ]
        )
        return tuple(found)
