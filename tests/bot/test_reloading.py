"""A changed policy file comes into force only where it checks, for new calls alone; the journal says what changed."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.logs import set_up_logs
from bot.reloading import PolicyWatch, read_policy, watching
from bot.shelf import PolicyShelf
from policies.errors import Invalid
from storage.store import Store
from tests.sandbox_process import until

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POLICY = """\
version: 1
reviewers: {team: {users: [U0ANA]}}
ladders: {standard: [{after: 2h, then: expire}]}
rules: [{name: reads, match: "read_*", checkpoint: allow}]
default: {checkpoint: hard, reviewers: team, ladder: standard}
"""
STRICTER = POLICY.replace("checkpoint: allow", "checkpoint: deny").replace("U0ANA", "U0ANA, U0BEN")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yml"
    path.write_text(POLICY)
    return path


@pytest.fixture
async def shelf(tmp_path: Path, file: Path) -> AsyncIterator[PolicyShelf]:
    store = await Store.open(f"sqlite:///{tmp_path}/signoff.db", workspace_id="T1")
    yield PolicyShelf(store, read_policy(file))
    await store.close()


def rewrite(path: Path, text: str) -> None:
    """As editors do it: a new file in the old one's place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


async def test_a_good_change_comes_into_force_and_the_journal_says_what_changed(file: Path, shelf: PolicyShelf) -> None:
    before = shelf.current
    watch = PolicyWatch(file, shelf, lambda: NOW)
    await watch.look()
    assert shelf.current is before
    stricter = STRICTER + 'budgets: [{agents: "*", waiting: 5}]\n'
    rewrite(file, stricter)
    await watch.look()
    await watch.look()
    assert shelf.current.text == stricter
    (line,) = await shelf._store.journal()
    assert (line.what, line.actor, line.subject) == ("policy", "file change", shelf.current.digest)
    changed = ["budgets", "reviewers team", "rule reads"]
    assert line.detail == {"source": str(file), "before": before.digest, "changed": changed}


async def test_what_was_opened_under_the_earlier_policy_is_still_judged_by_it(file: Path, shelf: PolicyShelf) -> None:
    before = shelf.current
    rewrite(file, STRICTER)
    await PolicyWatch(file, shelf, lambda: NOW).reload("SIGHUP")
    assert (await shelf.by_digest(before.digest)).text == POLICY


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (POLICY.replace("hard", "haard"), "policy.yml:5:"),
        (POLICY.replace("U0ANA", "@ana"), "policy.yml:2:"),
        ("\x00", ""),
    ],
)
async def test_a_faulty_file_changes_nothing_and_every_fault_is_said(
    text: str, part: str, file: Path, shelf: PolicyShelf, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("text")
    before = shelf.current
    watch = PolicyWatch(file, shelf, lambda: NOW)
    rewrite(file, text)
    await watch.look()
    await watch.look()
    assert shelf.current is before
    assert await shelf._store.journal() == ()
    said = capsys.readouterr().err
    assert "the earlier policy stays in force" in said
    assert part in said


async def test_a_file_that_vanished_changes_nothing(file: Path, shelf: PolicyShelf) -> None:
    watch = PolicyWatch(file, shelf, lambda: NOW)
    file.unlink()
    await watch.look()
    await watch.look()
    assert shelf.current.text == POLICY


def test_a_file_that_is_not_text_is_refused_in_a_sentence(file: Path) -> None:
    file.write_bytes(b"version: \xff")
    with pytest.raises(Invalid, match="isn't UTF-8 text"):
        read_policy(file)


async def test_a_file_that_is_still_being_written_is_not_read(file: Path, shelf: PolicyShelf) -> None:
    watch = PolicyWatch(file, shelf, lambda: NOW)
    half = POLICY.replace("rules:", "rules: [] #")
    for text in (half, half + "# more", STRICTER):
        file.write_text(text)
        await watch.look()
        assert shelf.current.text == POLICY
    await watch.look()
    assert shelf.current.text == STRICTER


async def test_sighup_reads_it_at_once(file: Path, shelf: PolicyShelf) -> None:
    async with watching(file, shelf, lambda: NOW):
        rewrite(file, STRICTER)
        os.kill(os.getpid(), signal.SIGHUP)

        async def changed() -> bool:
            return shelf.current.text == STRICTER

        await until(changed, within=20)
    assert (await shelf._store.journal())[0].actor in ("SIGHUP", "file change")
