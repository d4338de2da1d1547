"""One sandbox with the runner tests' own stories; a test that asks for a home gets a runner on an empty database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.agent.runner_house import STORIES, House, house
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def stage() -> Iterator[SandboxProcess]:
    with SandboxProcess("--stories", str(STORIES)) as sandbox:
        yield sandbox


@pytest.fixture
async def workspace(stage: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The sandbox; earlier tests may have left messages in it."""
    await stage.control.faults()
    yield stage
    await stage.aclose()


@pytest.fixture
async def home(workspace: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    """A runner and a courier at work."""
    async with house(workspace, tmp_path) as made:
        made.serve()
        yield made
