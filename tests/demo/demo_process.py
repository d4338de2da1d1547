"""`signoff demo` as a real process, for tests that open its workspace in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from tests import warm

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
_FOREIGN = ("SLACK_", "SIGNOFF_", "ANTHROPIC")


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[str]:
    """The demo with its scripted agent, started in `folder`; yields the workspace's address without a slash."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    env = {**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as out:
        words = ("bot", "demo", "--port", "0", "--no-browser")
        process = warm.start(*words, cwd=folder, env=env, stdout=out.fileno(), stderr=out.fileno())
        try:
            yield await asyncio.wait_for(_address(process, out), START_SECONDS)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


async def _address(process: warm.Started, out: IO[str]) -> str:
    """Where the workspace answers, as soon as the demo says so."""
    said, ended = "", False
    while not ended:
        ended = process.poll() is not None
        said = os.pread(out.fileno(), 65_536, 0).decode()
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/#", said):
            return found[1]
        await asyncio.sleep(0.01)
    raise RuntimeError(f"the demo did not start: {said}")
