"""A store for each database that Signoff supports; every contract test runs on all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.store import Store
from tests.storage.samples import WORKSPACE


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path}/signoff.db"


@pytest.fixture
def topics() -> list[frozenset[str]]:
    """What ``on_commit`` of ``store`` was told, commit by commit."""
    return []


@pytest.fixture
async def store(url: str, topics: list[frozenset[str]]) -> AsyncIterator[Store]:
    """A store that serves."""
    opened = await Store.open(url, workspace_id=WORKSPACE, exclusive=True, on_commit=topics.append)
    yield opened
    await opened.close()


@pytest.fixture
def database(url: str) -> Path:
    """The file behind ``url``."""
    return Path(url.removeprefix("sqlite:///"))
