"""Several processes, and processes that die: one decision each, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from policies.request import Request, State
from storage.store import Store
from tests.storage.samples import WORKSPACE, opened

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
LANES = 16


def child(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.child", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_eight_processes_deciding_the_same_requests_decide_each_once(
    store: Store, url: str, database: Path
) -> None:
    requests = 300
    await asyncio.gather(*(store.add(opened(f"r{n}")) for n in range(requests)))
    racing = child("racer", url, "8", str(requests))
    said, errors = await asyncio.to_thread(racing.communicate, timeout=60)
    assert (racing.returncode, errors) == (0, "")
    assert sum(int(line.split()[1]) for line in said.splitlines()) == requests
    assert all(line.endswith("[]") for line in said.splitlines()), said
    raw = sqlite3.connect(database)
    assert raw.execute("SELECT count(*), count(DISTINCT request_id) FROM decisions").fetchone() == (requests, requests)
    per_request = Counter(dict(raw.execute("SELECT subject, count(*) FROM journal WHERE what='settled' GROUP BY 1")))
    raw.close()
    assert set(per_request.values()) == {1}
    assert (await store.verify_journal()).rows == 2 * requests


@pytest.mark.parametrize("after", [150, 700])
async def test_a_killed_server_loses_nothing_that_it_acknowledged(url: str, after: int) -> None:
    writing = child("writer", url)
    assert writing.stdout is not None
    lines = [await asyncio.to_thread(writing.stdout.readline) for _ in range(after)]
    writing.kill()
    # Not communicate(): that would pass over what readline() has buffered.
    lines += await asyncio.to_thread(writing.stdout.readlines)
    await asyncio.to_thread(writing.communicate, timeout=10)
    said = [tuple(line.split()) for line in lines]
    added = {words[1] for words in said if words[0] == "added"}
    decided = {words[1] for words in said if words[0] == "decided"}
    assert len(said) >= after

    store = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)  # the dead process's lock is free
    stored: dict[str, Request] = {}
    cursor = None
    while True:
        page = await store.requests(cursor=cursor, limit=500)
        stored |= {one.id: one for one in page.requests}
        if (cursor := page.cursor) is None:
            break
    report = await store.verify_journal()
    await store.close()
    settled = {name for name, one in stored.items() if one.state is State.APPROVED}
    assert added <= stored.keys()
    assert decided <= settled
    assert len(stored.keys() - added) + len(settled - decided) <= LANES  # what was under way may have been stored
    assert (report.ok, report.rows) == (True, len(stored) + len(settled))
