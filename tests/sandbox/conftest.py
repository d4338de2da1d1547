"""One sandbox process for all tests of this folder; `fresh` starts it over for a test that must have it to itself."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox_process import SandboxProcess

SCOPES = [
    *("app_mentions:read", "chat:write", "commands", "im:write", "im:history", "users:read", "users:read.email"),
    *("usergroups:read", "channels:read", "groups:read", "files:write"),
]
EVENTS = ["app_mention", "message.im", "app_home_opened"]
"""More than the workspace's own app has, so that there is more to try."""


@pytest.fixture(scope="session")
def _process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(_process: SandboxProcess) -> AsyncIterator[SandboxProcess]:
    """The sandbox; earlier tests may have left messages in it."""
    await _process.control.app(scopes=SCOPES, events=EVENTS)
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
    await _own.control.app(scopes=SCOPES, events=EVENTS)
    yield _own
    await _own.aclose()
