"""One sandbox process for all tests of this folder; `fresh` starts it over for a test that must have it to itself."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def _process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(_process: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The sandbox; earlier tests may have left messages in it."""
    yield _process
    await _process.aclose()


@pytest.fixture(scope="session")
def _own() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
async def fresh(_own: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """A sandbox in which nothing has happened yet."""
    await _own.control.reset()
    yield _own
    await _own.aclose()
