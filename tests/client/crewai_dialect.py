"""CrewAI behind the gate: the real framework with a scripted model, a real gateway, people in Slack.

``CREWAI=/path/to/python python -m pytest tests/client/crewai_dialect.py``; that Python has ``crewai``, ``httpx2`` and
``pydantic``. The framework, a gigabyte, is too large for every run of the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import ClassVar

import pytest

from tests.client.dialect import DIALECT, DialectContract, Seat
from tests.gateway.stage import Stage
from tests.sandbox_process import until
from tests.serve_process import ROOT

pytestmark = DIALECT


async def run_of(seat: Seat, mode: str, folder: Path, **more: str) -> str:
    """Run the crew in a process of its own, which is killed where this is cancelled."""
    ledger = folder / "ledger"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "SIGNOFF_URL": seat.url, "SIGNOFF_KEY": seat.key, **more}
    env |= {"RUN": seat.run, "PATIENCE": str(seat.patience), "TOOL": seat.tool, "ARGUMENTS": json.dumps(seat.arguments)}
    env |= {"HOME": str(folder), "CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CI": "true"}
    agent = str(ROOT / "tests" / "client" / "crewai_agent.py")
    process = await asyncio.create_subprocess_exec(
        *(os.environ["CREWAI"], agent, mode, str(ledger)),
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out = (await process.communicate())[0].decode()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    seat.ran[:] = [tuple(json.loads(line)) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    told = [line for line in out.splitlines() if line.startswith('{"said"')]
    assert told, out[-3_000:]
    return str(json.loads(told[-1])["said"])


class Dialect(DialectContract):
    mode: ClassVar[str]

    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    async def converse(self, seat: Seat) -> str:
        return await run_of(seat, self.mode, self.folder)


class TestNative(Dialect):
    """The model calls tools by its provider's own means."""

    mode = "native"


class TestReAct(Dialect):
    """The model calls tools in text."""

    mode = "react"


async def test_a_tool_that_fails_is_asked_for_at_each_try_and_reported(stage: Stage, tmp_path: Path) -> None:
    seat = Seat(stage=stage)
    run = asyncio.create_task(run_of(seat, "react", tmp_path, FAILS="1"))
    card = await seat.approve()

    async def again() -> bool:
        return seat.requests() == 2

    await until(again)
    assert stage.execution(card.request_id) == "failed"
    assert len((tmp_path / "ledger").read_text().splitlines()) == 1
    run.cancel()
    await asyncio.wait({run})
