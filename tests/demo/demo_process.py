"""`signoff demo` as a real process, for tests that open its workspace in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
_FOREIGN = ("SLACK_", "SIGNOFF_", "ANTHROPIC")


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[str]:
    """The demo with its scripted agent, started in `folder`; yields the workspace's address without a slash."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "bot", "demo", "--port", "0", "--no-browser"),
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT)},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        address = await asyncio.wait_for(_address(process), START_SECONDS)
        reading = asyncio.create_task(_rest(process))
        yield address
        reading.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _address(process: Process) -> str:
    said = ""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        said += line
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/#", line):
            return found[1]
    raise RuntimeError(f"the demo did not start: {said}")


async def _rest(process: Process) -> None:
    """Read on, so that the demo never waits for a full pipe."""
    assert process.stdout is not None
    while await process.stdout.read(4096):
        pass
