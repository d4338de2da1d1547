"""How many durable decisions a second: the store beside the disk's floor and beside the plain way.

    python benchmarks/decisions.py [--rounds 5] [--decisions 2000] [--waiting 64]

*floor*: append 12 KiB to a file and flush it. *one by one*: plain sqlite3, synchronous=FULL, one transaction for each
compare-and-set with its journal row. *store*: whole decisions through ``Store.change`` (document, decision, journal
line with its hash, outbox), ``--waiting`` of them under way at once; *store alone*: one after the other. The rounds are
interleaved, because a disk's speed changes by the minute: only the ratios within a run mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from policies.checkpoint import Checkpoint, Kind
from policies.events import Outcome
from policies.request import Request, Requester, State, ToolCall
from policies.settling import settle
from storage.engine import raw_connection
from storage.store import Store

WORKSPACE = "T0BENCH"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
BLOCK = b"x" * 12_288


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One round: decisions a second, CPU microseconds a decision, median and 99th percentile wait in milliseconds."""

    rate: float
    cpu: float
    p50: float = 0.0
    p99: float = 0.0


def measured(count: int, started: float, cpu: float, waits: list[float] | None = None) -> Timing:
    """The figures of a round that did ``count`` decisions."""
    elapsed, used = time.perf_counter() - started, time.process_time() - cpu
    ordered = sorted(waits or [0.0])
    return Timing(
        rate=count / elapsed,
        cpu=used / count * 1e6,
        p50=statistics.median(ordered) * 1e3,
        p99=ordered[int(len(ordered) * 0.99)] * 1e3,
    )


async def floor(folder: Path, count: int, waiting: int) -> Timing:
    """Append and flush, nothing else."""
    descriptor = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        os.write(descriptor, BLOCK)
        os.fdatasync(descriptor)
    timing = measured(count, started, cpu)
    os.close(descriptor)
    return timing


async def one_by_one(folder: Path, count: int, waiting: int) -> Timing:
    """Each decision a transaction of its own."""
    raw = raw_connection(folder / "plain.db")
    raw.execute("PRAGMA wal_autocheckpoint=1000")
    raw.execute("CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, state TEXT, version INTEGER)")
    raw.execute("CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, what TEXT)")
    raw.execute("DELETE FROM requests")
    raw.executemany("INSERT INTO requests VALUES (?, 'pending', 0)", [(f"r{n}",) for n in range(count)])
    started, cpu = time.perf_counter(), time.process_time()
    for n in range(count):
        decide_plainly(raw, f"r{n}")
    timing = measured(count, started, cpu)
    raw.close()
    return timing


def decide_plainly(raw: sqlite3.Connection, name: str) -> None:
    """One compare-and-set and its journal row, durable."""
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("UPDATE requests SET state='approved', version=1 WHERE id=? AND version=0", (name,))
    raw.execute("INSERT INTO journal (what) VALUES (?)", (f"settled {name}",))
    raw.execute("COMMIT")


async def through_the_store(folder: Path, count: int, waiting: int) -> Timing:
    """Whole decisions, ``waiting`` at once."""
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        store = await Store.open(f"sqlite:///{fresh}/signoff.db", workspace_id=WORKSPACE, exclusive=True)
        await asyncio.gather(*(store.add(Outcome(request=request(n))) for n in range(count)))
        names, waits = iter([f"r{n}" for n in range(count)]), list[float]()

        async def reviewer() -> None:
            for name in names:
                asked = time.perf_counter()
                await store.change(name, approve)
                waits.append(time.perf_counter() - asked)

        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(reviewer() for _ in range(waiting)))
        timing = measured(count, started, cpu, waits)
        await store.close()
        return timing


def request(n: int) -> Request:
    """A pending request of usual size."""
    arguments = {"order": n, "amount": 12.5, "reason": "the parcel never arrived", "items": ["a", "b", "c"]}
    return Request(
        id=f"r{n}",
        workspace_id=WORKSPACE,
        requester=Requester(id="key:till", name="till"),
        call=ToolCall(tool="issue_refund", arguments=arguments),
        proposed=arguments,
        digest=f"sha256:{n:064}",
        checkpoint=Checkpoint(kind=Kind.HARD, rule="refunds", reason="money leaves"),
        policy_digest="sha256:policy",
        created_at=NOW,
    )


def approve(before: Request) -> Outcome:
    """A reviewer's approval that settles."""
    return settle(replace(before, context="seen"), State.APPROVED, ("U0ANA",), NOW, None)


WAYS: dict[str, Callable[[Path, int, int], Awaitable[Timing]]] = {
    "floor": floor,
    "one by one": one_by_one,
    "store": through_the_store,
}


async def compare(rounds: int, count: int, waiting: int) -> dict[str, list[Timing]]:
    """All ways in turn, ``rounds`` times."""
    found: dict[str, list[Timing]] = {name: [] for name in (*WAYS, "store alone")}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for _ in range(rounds):
            for name, way in WAYS.items():
                found[name].append(await way(Path(folder), count, waiting))
            found["store alone"].append(await through_the_store(Path(folder), count // 10, 1))
    return found


def show(found: dict[str, list[Timing]]) -> None:
    """A table of medians, with the ratios to the floor and to the plain way (medians of the rounds' own ratios)."""
    print(f"{'way':<12} {'per s':>8} {'x floor':>8} {'x plain':>8} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for name, timings in found.items():
        ratios = [
            statistics.median(one.rate / other.rate for one, other in zip(timings, found[base], strict=True))
            for base in ("floor", "one by one")
        ]
        rate, cpu, p50, p99 = (
            statistics.median(getattr(one, of) for one in timings) for of in ("rate", "cpu", "p50", "p99")
        )
        print(f"{name:<12} {rate:8.0f} {ratios[0]:8.2f} {ratios[1]:8.2f} {cpu:8.0f} {p50:8.2f} {p99:8.2f}")


def main() -> None:
    """Run the comparison as the command line says."""
    parser = argparse.ArgumentParser(description="Durable decisions a second, beside the disk's floor.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decisions", type=int, default=2000)
    parser.add_argument("--waiting", type=int, default=64)
    arguments, _ = parser.parse_known_args()
    show(asyncio.run(compare(arguments.rounds, arguments.decisions, arguments.waiting)))


if __name__ == "__main__":
    main()
