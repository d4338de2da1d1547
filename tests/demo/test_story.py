"""``signoff demo --auto --fast`` is the main job with nothing but Python; it judges itself by what really happened."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]


TOLD = "from bot.cli import main; main()"
PLANTED = """
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How the two stories ended, and what lies in the folders they were told in."""

    sound: subprocess.CompletedProcess[str]
    planted: subprocess.CompletedProcess[str]
    left_behind: list[Path]


def demo(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SIGNOFF_", "ANTHROPIC"))
    }
    return subprocess.run(
        [sys.executable, "-c", code, "demo", "--auto", "--fast", "--no-browser"],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Both stories, told at the same time: they mostly wait for their ladders."""
    folders = [tmp_path_factory.mktemp(name) for name in ("sound", "planted")]
    with ThreadPoolExecutor() as both:
        sound, planted = both.map(demo, (TOLD, PLANTED), folders)
    return Told(sound=sound, planted=planted, left_behind=[path for folder in folders for path in folder.iterdir()])


def test_the_story_ends_as_it_should(told: Told) -> None:
    assert told.sound.returncode == 0, told.sound.stdout + told.sound.stderr
    assert "6 of 6 ended as they should." in told.sound.stdout
    assert told.left_behind == []


def test_the_story_fails_where_the_refund_that_ran_is_not_the_modified_one(told: Told) -> None:
    assert told.planted.returncode == 1
    assert "✗ modified" in told.planted.stdout
    assert "not the modified 40 alone" in told.planted.stdout
