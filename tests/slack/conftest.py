"""One sandbox process for the room; a test that asks for a home gets a gateway of its own on a workspace made new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.slack.house import House, house


@pytest.fixture(scope="session")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(process: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """A workspace in which nothing has happened yet."""
    await process.control.reset()
    yield process
    await process.aclose()


@pytest.fixture
async def home(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    """A gateway over Socket Mode."""
    async with house(sandbox, tmp_path) as running:
        yield running
