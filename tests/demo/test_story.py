"""``signoff demo --auto --fast`` is the main job with nothing but Python; it judges itself by what really happened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def demo(*words: str, cwd: Path, code: str = "from bot.cli import main; main()") -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SIGNOFF_", "ANTHROPIC"))
    }
    return subprocess.run(
        [sys.executable, "-c", code, "demo", "--auto", "--fast", "--no-browser", *words],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.process
def test_the_story_ends_as_it_should(tmp_path: Path) -> None:
    said = demo(cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "6 of 6 ended as they should." in said.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_the_story_fails_where_the_refund_that_ran_is_not_the_modified_one(tmp_path: Path) -> None:
    planted = """
import bot.gateway
claim = bot.gateway.Gateway.claim
async def claim_as_proposed(self, request_id, requester, digest, key=None):
    from dataclasses import replace
    request = await claim(self, request_id, requester, digest, key)
    return replace(request, call=replace(request.call, arguments=request.proposed))
bot.gateway.Gateway.claim = claim_as_proposed
from bot.cli import main
main()
"""
    said = demo(cwd=tmp_path, code=planted)
    assert said.returncode == 1
    assert "✗ modified" in said.stdout
    assert "not the modified 40 alone" in said.stdout
