"""One process serves a database; others work beside it; a newer program brings the schema up to date."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from policies.errors import Invalid, Unavailable
from storage import migrations, schema
from storage.store import Store, migrate
from storage.tables import METADATA
from tests.storage.samples import WORKSPACE, decided, opened

ROOT = Path(__file__).parents[2]
OPEN = """
import asyncio, sys
from policies.errors import Unavailable
from storage.store import Store
async def main():
    try:
        store = await Store.open(sys.argv[1], workspace_id="T0SANDBOX", exclusive=True)
    except Unavailable as refused:
        print(refused.code, refused.words)
    else:
        await store.close()
        print("opened")
asyncio.run(main())
"""


def opened_elsewhere(url: str) -> str:
    """What another process says that tries to serve the same database."""
    done = subprocess.run([sys.executable, "-c", OPEN, url], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return done.stdout.strip()


async def test_a_second_server_of_the_same_database_is_refused_here_and_elsewhere(store: Store, url: str) -> None:
    with pytest.raises(Unavailable) as refused:
        await Store.open(url, workspace_id=WORKSPACE, exclusive=True)
    assert refused.value.code == "already_serving"
    said = opened_elsewhere(url)
    assert said.startswith("already_serving Another signoff (process ")
    await store.close()
    assert opened_elsewhere(url) == "opened"


async def test_a_command_works_beside_the_server(store: Store, url: str) -> None:
    beside = await Store.open(url, workspace_id=WORKSPACE)
    await beside.add(opened())
    assert (await store.change("r1", decided())).settled
    seen = await beside.request("r1")
    await beside.close()
    assert seen is not None
    assert seen.settled


async def test_a_command_makes_the_database_where_there_is_none(url: str, database: Path) -> None:
    beside = await Store.open(url, workspace_id=WORKSPACE)
    await beside.add(opened())
    await beside.close()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    serving = await Store.open(url, workspace_id=WORKSPACE, exclusive=True)
    assert await serving.request("r1") is not None
    await serving.close()


async def test_closing_twice_is_closing_once(store: Store) -> None:
    await store.close()
    await store.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://db/signoff", "nonsense", ""], ids=repr
)
async def test_a_url_that_cannot_be_served_is_refused_with_words(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        await Store.open(url, workspace_id=WORKSPACE)
    assert "sqlite:///signoff.db" in refused.value.words


async def test_a_missing_folder_and_a_foreign_file_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as missing:
        await Store.open(f"sqlite:///{tmp_path}/no/signoff.db", workspace_id=WORKSPACE, exclusive=True)
    assert missing.value.code == "storage_unreachable"
    (tmp_path / "letter.txt").write_text("Dear all, " * 1000)
    with pytest.raises(Unavailable) as foreign:
        await Store.open(f"sqlite:///{tmp_path}/letter.txt", workspace_id=WORKSPACE, exclusive=True)
    assert foreign.value.code == "storage_corrupt"
    assert (tmp_path / "letter.txt").read_text() == "Dear all, " * 1000


async def test_a_database_of_a_newer_program_is_refused(url: str, database: Path) -> None:
    migrate(url)
    raw = sqlite3.connect(database, isolation_level=None)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    for exclusive in (True, False):
        with pytest.raises(Unavailable) as refused:
            await Store.open(url, workspace_id=WORKSPACE, exclusive=exclusive)
        assert refused.value.code == "schema_newer"


async def test_a_command_beside_a_server_of_an_older_schema_is_refused(
    store: Store, url: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "PATIENCE_SECONDS", 0.1)
    raw = sqlite3.connect(database, isolation_level=None)
    raw.execute("DELETE FROM alembic_version")
    raw.close()
    with pytest.raises(Unavailable) as refused:
        await Store.open(url, workspace_id=WORKSPACE)
    assert refused.value.code == "schema_outdated"


def test_the_migrations_make_exactly_the_tables_that_are_declared(url: str, database: Path) -> None:
    migrations.run(database)
    assert migrate(url) == schema.REVISIONS[-1]
    with migrations.engine(database).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_new_database_is_the_one_that_the_migrations_make(url: str, database: Path, tmp_path: Path) -> None:
    migrate(url)
    migrated = tmp_path / "migrated.db"
    migrations.run(migrated)
    assert _declared(database) == _declared(migrated)


def _declared(path: Path) -> set[str]:
    """Each table's columns and keys, and each index, as SQLite itself describes them."""
    found = set()
    with closing(sqlite3.connect(path)) as raw:
        names = raw.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        for kind, name in names:
            found |= {f"{kind} {name} {row}" for row in raw.execute(f"PRAGMA {kind}_xinfo({name})")}
            if kind == "table":
                foreign = raw.execute(f"PRAGMA foreign_key_list({name})").fetchall()
                unique = raw.execute(f"SELECT name, \"unique\", origin FROM pragma_index_list('{name}')").fetchall()
                found |= {f"{name} {sorted(foreign)} {sorted(each[1:] for each in unique)}"}
    return found


def test_the_program_knows_every_migration_in_order() -> None:
    script = ScriptDirectory.from_config(migrations.config())
    assert tuple(reversed([one.revision for one in script.walk_revisions()])) == schema.REVISIONS


def test_a_migration_that_fails_leaves_nothing_behind(database: Path) -> None:
    raw = sqlite3.connect(database, isolation_level=None)
    raw.execute("CREATE TABLE run_messages (x)")  # the last table that the first migration makes
    raw.close()
    with pytest.raises(Exception, match="run_messages already exists"):
        migrations.run(database)
    raw = sqlite3.connect(database)
    assert raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("run_messages",)]
    raw.close()


def test_every_downgrade_goes_back_to_where_it_began(url: str, database: Path) -> None:
    from alembic import command

    migrate(url)
    with migrations.engine(database).begin() as connection:
        settings = migrations.config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")
    raw = sqlite3.connect(database)
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    raw.close()
    assert tables <= {"alembic_version", "sqlite_sequence"}
