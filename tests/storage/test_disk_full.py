"""A full or failing disk: nothing is promised, nothing is lost, and it works again once there is space."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.errors import Unavailable
from storage.store import Store
from tests.storage.samples import WORKSPACE, decided, opened

BULKY = "x" * 20_000


async def fill(store: Store, most: int = 400) -> tuple[list[str], list[Unavailable]]:
    """Add bulky requests until the disk is full; the ids that were acknowledged, and the refusals."""
    kept: list[str] = []
    refused: list[Unavailable] = []
    for n in range(0, most, 8):
        names = [f"full{n + m}" for m in range(8)]
        ended = await asyncio.gather(*(store.add(opened(name, reason=BULKY)) for name in names), return_exceptions=True)
        for name, one in zip(names, ended, strict=True):
            if isinstance(one, Unavailable):
                refused.append(one)
            else:
                assert not isinstance(one, BaseException), one
                kept.append(name)
        if refused:
            break
    return kept, refused


async def check(store: Store, kept: list[str], refused: list[Unavailable], codes: set[str]) -> None:
    """The disk was full in the midst: what was acknowledged stands, the rest doesn't."""
    assert kept
    assert refused
    assert {one.code for one in refused} <= codes
    stored, cursor = set(), None
    while True:
        page = await store.requests(cursor=cursor, limit=500)
        stored |= {one.id for one in page.requests}
        if (cursor := page.cursor) is None:
            break
    assert stored == set(kept)
    assert (await store.verify_journal()).rows == len(kept)


async def test_a_full_database_refuses_and_recovers(store: Store, database: Path) -> None:
    await store._write(lambda tx: tx.connection.command("PRAGMA max_page_count=200"))
    kept, refused = await fill(store)
    await check(store, kept, refused, {"storage_full"})
    await store._write(lambda tx: tx.connection.command("PRAGMA max_page_count=100000"))
    await store.add(opened("after", reason=BULKY))
    assert (await store.change(kept[0], decided())).settled
    assert sqlite3.connect(database).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 1 MB: every longer write fails, as on a broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_failing_disk_refuses_and_recovers(store: Store, small_files: None) -> None:
    kept, refused = await fill(store)
    await check(store, kept, refused, {"storage_failed", "storage_full"})
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.add(opened("after", reason=BULKY))
    assert (await store.change(kept[0], decided())).settled


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk isn't permitted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_full_disk_refuses_and_works_again_without_a_restart(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"0" * 600_000)
    store = await Store.open(f"sqlite:///{small_disk}/signoff.db", workspace_id=WORKSPACE, exclusive=True)
    try:
        kept, refused = await fill(store)
        await check(store, kept, refused, {"storage_full", "storage_failed"})
        ballast.unlink()
        await store.add(opened("after"))
        assert (await store.change(kept[0], decided())).settled
    finally:
        await store.close()
