"""Alembic's migrations, run from the program itself: no ini file, no command line."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from storage.engine import raw_connection


def config() -> Config:
    """Alembic's configuration for this folder."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def engine(path: Path) -> Engine:
    """An SQLAlchemy engine on the SQLite file, whose transactions hold for schema changes too."""
    made = create_engine("sqlite://", creator=lambda: raw_connection(path), poolclass=NullPool)

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def run(path: Path, revision: str = "head") -> None:
    """Bring the database at ``path`` to ``revision``, all steps or none."""
    with engine(path).begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
