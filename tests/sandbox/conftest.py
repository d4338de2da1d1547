"""One sandbox process for each module of tests; what a test needs for itself alone it takes from `fresh`."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def _process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(_process: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The module's sandbox; earlier tests may have left messages in it."""
    yield _process
    await _process.aclose()


@pytest.fixture
async def fresh() -> AsyncIterator[SandboxProcess]:
    """A sandbox for one test alone."""
    async with SandboxProcess() as sandbox:
        yield sandbox
