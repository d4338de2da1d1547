"""One sandbox with Slack's pace; a test that asks for a post office gets a courier on a workspace made new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.bot.courier_house import Post, post_office
from tests.sandbox_process import SandboxProcess

SCOPES = [
    *("app_mentions:read", "chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read"),
    *("channels:history", "groups:history", "im:history", "channels:read", "groups:read", "files:write"),
]
"""With leave to read what was posted, so that an uncertain post can be looked for."""


@pytest.fixture(scope="session")
def _slow_workspace() -> Iterator[SandboxProcess]:
    with SandboxProcess(pace=True) as sandbox:
        yield sandbox


@pytest.fixture
async def post(_slow_workspace: SandboxProcess, tmp_path: Path) -> AsyncIterator[Post]:
    """A post office on a workspace that was started over."""
    await _slow_workspace.control.reset()
    await _slow_workspace.control.pace(enabled=True)
    await _slow_workspace.control.app(scopes=SCOPES)
    async with post_office(_slow_workspace, tmp_path) as made:
        yield made
    await _slow_workspace.aclose()
