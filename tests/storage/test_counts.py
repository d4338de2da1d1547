"""What is counted before every call: told by an index alone, in a new database and in one that was made before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage import migrations
from storage.budgets import REJECTED, SO_MANYTH, WAITING
from storage.listing import COUNT_OF_TOOL
from storage.statement import Statement
from storage.store import migrate

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNT = {"workspace": "T0TEST", "of_account": "key:a"}
ASKED = {"workspace": "T0TEST", "of_requester": "key_a"}
COUNTED: Mapping[str, tuple[Statement, dict[str, Any]]] = {
    "recent calls of a tool": (COUNT_OF_TOOL, {**ASKED, "of_tool": "pay", "since": SINCE}),
    "asks": (SO_MANYTH, {**ACCOUNT, "newer": 3}),
    "rejections": (REJECTED, {**ACCOUNT, "since": SINCE}),
}


@pytest.mark.parametrize("made", ["new", "older"])
@pytest.mark.parametrize("what", COUNTED)
def test_a_count_reads_no_request_but_an_index_of_just_those(url: str, database: Path, what: str, made: str) -> None:
    if made == "older":
        migrations.run(database, "0001")
    migrate(url)
    statement, values = COUNTED[what]
    with closing(sqlite3.connect(database)) as raw:
        plan = raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters(values)).fetchall()
    assert len(plan) == 1
    assert "USING COVERING INDEX" in plan[0][3]
    assert plan[0][3].count("=?") + plan[0][3].count(">?") == len(values) - ("newer" in values)


def test_what_waits_is_counted_from_what_is_pending_and_nothing_else(url: str, database: Path) -> None:
    migrate(url)
    values = {**ACCOUNT, "of_requester": "key:a"}
    with closing(sqlite3.connect(database)) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {WAITING.sql}", WAITING.parameters(values))]
    assert plan == [
        "SEARCH requests USING INDEX ix_requests_workspace_id_requester_state"
        " (workspace_id=? AND requester=? AND state=?)",
        "SEARCH asked USING INDEX sqlite_autoindex_asked_1 (request_id=?)",
    ]
