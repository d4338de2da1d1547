"""A gateway that is killed at any commit: the run ends the same, and each approved call ran at most once.

The runs are played by processes of their own, forked after the libraries were loaded, which die by SIGKILL at the N-th
commit (or inside the tool); another takes up what they left. What ran is read from the tools' own traces.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.agent_run import RunState
from policies.errors import SignoffError
from policies.request import ExecutionState, Request, State
from tests.agent.runner_house import House, house
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process

ERRAND, REFUND = "pay both", "issue_refund"
MOST = 60
SECONDS = 25


async def reviewer(home: House) -> None:
    """Ana approves what waits, and looks into the books where nobody knows whether a call ran."""
    while True:
        for request in (await home.store.requests(limit=50)).requests:
            try:
                await decide(home, request)
            except SignoffError:
                continue
        await asyncio.sleep(0.003)


async def decide(home: House, request: Request) -> None:
    if request.state is State.PENDING:
        await home.review(request)
    elif request.execution is not None and request.execution.state is ExecutionState.UNKNOWN:
        order = request.call.arguments["order_id"]
        await home.gateway.attest(request.id, home.person(), order in [each.get("refund") for each in home.effects()])


async def play(sandbox: SandboxProcess, folder: Path, die_at: int) -> None:
    """Start the errand, or take it up, and drive it to its end; die at the ``die_at``-th commit."""
    commits = Counter[str]()

    def count(topics: frozenset[str]) -> None:
        commits["seen"] += 1
        if commits["seen"] == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async with house(sandbox, folder, on_commit=count) as home:
        found = await home.store.runs(None)
        home.serve()
        people = asyncio.create_task(reviewer(home))
        run = found[0] if found else await home.start(ERRAND)
        ended = await home.over(run, SECONDS)
        people.cancel()
        (folder / "ended.json").write_text(
            json.dumps({"state": ended.state, "transcript": ended.transcript, "commits": commits["seen"]})
        )


def forked(work: Callable[[], None]) -> int:
    """Do ``work`` in a process of its own; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of this process
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model's libraries, loaded before the forks."""
    for name in ("anthropic", "httpx2"):
        importlib.import_module(name)


def killed_at(stage: SandboxProcess, folder: Path, die_at: int, die_after: str = "") -> tuple[int, dict[str, object]]:
    """Play with a kill, then play on without one: how the first ended, and what came of the run."""
    folder.mkdir()

    def first() -> None:
        os.environ["SIGNOFF_TEST_DIE_AFTER"] = die_after
        asyncio.run(play(stage, folder, die_at))

    def second() -> None:
        os.environ["SIGNOFF_TEST_DIE_AFTER"] = ""
        asyncio.run(play(stage, folder, 0))

    status = forked(first)
    if not (folder / "ended.json").exists():
        assert forked(second) == 0, f"killed at {die_at}: the run was not taken up"
    return status, json.loads((folder / "ended.json").read_text())


def ran(folder: Path) -> Counter[str]:
    lines = (folder / "effects.jsonl").read_text().splitlines() if (folder / "effects.jsonl").exists() else []
    return Counter(json.loads(line)["refund"] for line in lines)


def attested(folder: Path, order: str) -> bool:
    """Was the call about ``order`` claimed, and then said by a person not to have run?"""
    with contextlib.closing(sqlite3.connect(folder / "signoff.db")) as database:
        found = [json.loads(document) for (document,) in database.execute("SELECT document FROM requests")]
    calls = [call for call in found if (call["call"]["tool"], call["call"]["arguments"]["order_id"]) == (REFUND, order)]
    return [(call["execution"]["state"], call["execution"]["by"]) for call in calls] == [("failed", "U0ANA")]


def shape(ended: dict[str, object]) -> list[object]:
    """Who speaks, and how many blocks: the run's course, without its ids."""
    transcript = ended["transcript"]
    assert isinstance(transcript, list)
    return [(message["role"], len(message["content"])) for message in transcript]


def test_a_run_killed_at_every_commit_ends_the_same_and_nothing_runs_twice(
    stage: SandboxProcess, tmp_path: Path
) -> None:
    status, whole = killed_at(stage, tmp_path / "whole", 0)
    assert status == 0
    assert ran(tmp_path / "whole") == {"HG-1": 1, "HG-2": 1}
    lost = died = 0
    for die_at in range(1, MOST):
        folder = tmp_path / f"at-{die_at}"
        status, ended = killed_at(stage, folder, die_at)
        died += status == -signal.SIGKILL
        assert ended["state"] == RunState.DONE
        assert shape(ended) == shape(whole)
        assert max(ran(folder).values(), default=0) <= 1, f"killed at {die_at}: a call ran twice"
        for order in {"HG-1", "HG-2"} - set(ran(folder)):
            assert attested(folder, order), f"killed at {die_at}: {order} was left undone before it was claimed"
            lost += 1
        if status == 0:
            break
    assert died >= 15, "the run was killed at many places"
    assert lost < died / 2, "most kills leave nothing undone"


def test_a_kill_after_the_effect_and_before_the_report_never_repeats_the_effect(
    stage: SandboxProcess, tmp_path: Path
) -> None:
    status, ended = killed_at(stage, tmp_path / "in", 0, "HG-1")
    assert status == -signal.SIGKILL
    assert ran(tmp_path / "in") == {"HG-1": 1, "HG-2": 1}
    assert ended["state"] == RunState.DONE
    assert "Ana Reyes said that it ran" in json.dumps(ended["transcript"])
