"""The journal shows every change made to it behind its back."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from policies.effects import Entry
from storage import chain
from storage.columns import micros
from storage.store import Head, Store
from tests.storage.samples import NOW, WORKSPACE

LINES = 60
HASH = "0" * 64

TAMPERING = {
    "an edit of who": "UPDATE journal SET actor = 'U0EVE' WHERE seq = 30",
    "an edit of what": "UPDATE journal SET what = 'rejected' WHERE seq = 30",
    "an edit of when": "UPDATE journal SET at = at + 1 WHERE seq = 30",
    "an edit of about whom": "UPDATE journal SET subject = 'r999' WHERE seq = 30",
    "an edit of the detail": "UPDATE journal SET detail = '{\"n\":31}' WHERE seq = 30",
    "a detail written otherwise": "UPDATE journal SET detail = ' ' || detail WHERE seq = 30",
    "a detail that is no JSON": "UPDATE journal SET detail = '{' WHERE seq = 30",
    "a time that is no number": "UPDATE journal SET at = 'noon' WHERE seq = 30",
    "bytes for text": "UPDATE journal SET what = x'00ff' WHERE seq = 30",
    "another hash": f"UPDATE journal SET hash = '{HASH}' WHERE seq = 30",
    "a deletion": "DELETE FROM journal WHERE seq = 30",
    "a swap": "UPDATE journal SET seq = CASE seq WHEN 30 THEN -31 ELSE -30 END WHERE seq IN (30, 31);"
    "UPDATE journal SET seq = -seq WHERE seq < 0",
    "a line moved to the end": "UPDATE journal SET seq = 61 WHERE seq = 30",
    "an insertion": "UPDATE journal SET seq = -seq - 1 WHERE seq >= 30; UPDATE journal SET seq = -seq WHERE seq < 0;"
    "INSERT INTO journal SELECT workspace_id, 30, at, what, actor, subject, detail, hash FROM journal WHERE seq = 29",
}


async def written(store: Store, lines: int = LINES) -> None:
    for n in range(1, lines + 1):
        entry = Entry(what="noted", actor="U0ANA", at=NOW, subject=f"r{n % 7}", detail={"n": n, "é": [1.5, None]})
        await store._write(lambda transaction, entry=entry: chain.append(transaction, [entry]))  # type: ignore[misc]


def tamper(database: Path, script: str) -> None:
    raw = sqlite3.connect(database, isolation_level=None)
    raw.executescript(script)
    raw.close()


async def test_an_untouched_journal_is_whole_and_reads_back(store: Store) -> None:
    assert (await store.verify_journal()).ok
    await written(store)
    report = await store.verify_journal()
    assert (report.ok, report.rows, report.first_bad) == (True, LINES, None)
    lines = await store.journal(after=40, limit=10)
    assert [line.seq for line in lines] == list(range(41, 51))
    assert (lines[0].at, lines[0].detail) == (NOW, {"n": 41, "é": [1.5, None]})


@pytest.mark.parametrize("script", TAMPERING.values(), ids=TAMPERING.keys())
async def test_tampering_is_found_where_it_was_done(store: Store, database: Path, script: str) -> None:
    await written(store)
    tamper(database, script)
    report = await store.verify_journal()
    assert (report.ok, report.rows, report.first_bad) == (False, 29, 30)
    assert "Line 30" in report.words


async def test_a_line_forged_with_a_hash_of_its_own_is_found_at_the_line_after_it(store: Store, database: Path) -> None:
    await written(store)
    (before, line) = await store.journal(after=28, limit=2)
    forged = chain.chained(
        Head(seq=29, hash=before.hash), micros(line.at), line.what, "U0EVE", line.subject, line.detail
    )
    tamper(database, f"UPDATE journal SET actor = 'U0EVE', hash = '{forged.hash}' WHERE seq = 30")
    assert (await store.verify_journal()).first_bad == 31


async def test_a_cut_tail_is_found(store: Store, database: Path) -> None:
    await written(store)
    tamper(database, "DELETE FROM journal WHERE seq > 50")
    report = await store.verify_journal()
    assert (report.ok, report.first_bad) == (False, 51)


async def test_a_tail_cut_together_with_its_head_is_found_by_an_anchor_kept_outside(
    store: Store, database: Path
) -> None:
    await written(store)
    anchor = (await store.verify_journal()).head
    (line,) = await store.journal(after=49, limit=1)
    tamper(database, f"DELETE FROM journal WHERE seq > 50; UPDATE journal_heads SET seq = 50, hash = '{line.hash}'")
    assert (await store.verify_journal()).ok
    assert (await store.verify_journal(anchor=anchor)).first_bad == 51


async def test_a_journal_written_anew_is_found_by_an_anchor_kept_outside(store: Store, database: Path) -> None:
    await written(store)
    anchor = (await store.verify_journal()).head
    tamper(database, "DELETE FROM journal; DELETE FROM journal_heads")
    await written(store, LINES + 1)
    tamper(database, "UPDATE journal SET actor = 'x' WHERE 0")
    assert (await store.verify_journal(anchor=anchor)).ok  # the same words give the same chain
    tamper(database, "DELETE FROM journal; DELETE FROM journal_heads")
    entry = Entry(what="forged", actor="U0EVE", at=NOW, subject="r1")
    await store._write(lambda transaction: chain.append(transaction, [entry] * (LINES + 1)))
    assert (await store.verify_journal()).ok
    assert not (await store.verify_journal(anchor=anchor)).ok


async def test_no_random_change_of_any_byte_passes(store: Store, database: Path) -> None:
    await written(store, 20)
    chance = random.Random(7)
    raw = sqlite3.connect(database, isolation_level=None)
    missed = []
    for _ in range(100):
        column, seq = chance.choice(["what", "actor", "subject", "detail", "hash"]), chance.randint(1, 20)
        (before,) = raw.execute(f"SELECT {column} FROM journal WHERE seq = ?", (seq,)).fetchone()
        place = chance.randrange(len(before))
        after = before[:place] + chr((ord(before[place]) + chance.randint(1, 20)) % 120 + 8) + before[place + 1 :]
        if after == before:
            continue
        raw.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (after, seq))
        if (await store.verify_journal()).first_bad != seq:
            missed.append((column, seq, before, after))
        raw.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (before, seq))
    raw.close()
    assert missed == []
    assert (await store.verify_journal()).ok


async def test_each_workspace_has_a_chain_of_its_own(store: Store, url: str) -> None:
    await written(store, 3)
    other = await Store.open(url, workspace_id="T0OTHER")
    await written(other, 2)
    first, second = await store.verify_journal(), await other.verify_journal()
    await other.close()
    assert (first.rows, second.rows) == (3, 2)
    assert chain.beginning(WORKSPACE) != chain.beginning("T0OTHER")
    assert isinstance(first.head, Head)


async def test_the_lines_of_one_request_are_read_by_an_index_however_long_the_journal_is(
    store: Store, database: Path
) -> None:
    await written(store)
    assert [line.seq for line in await store.journal_of("r3", after=31)] == [38, 45, 52, 59]
    values = {"workspace": WORKSPACE, "of_subject": "r3", "after": 31}
    with closing(sqlite3.connect(database)) as raw:
        statement = chain.READ_OF
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters(values))]
    assert len(plan) == 1
    assert plan[0].endswith("(workspace_id=? AND subject=? AND seq>?)")
