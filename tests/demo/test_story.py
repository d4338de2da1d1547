"""``signoff demo --auto --fast`` is the main job with nothing but Python; it judges itself by what really happened."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import warm

pytestmark = pytest.mark.process

TOLD, PLANTED = "bot", "tests.demo.claims_as_proposed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How the two stories ended, and what lies in the folders they were told in."""

    sound: subprocess.CompletedProcess[str]
    planted: subprocess.CompletedProcess[str]
    left_behind: list[Path]


def demo(program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SIGNOFF_", "ANTHROPIC"))
    }
    env = {**clean, "PYTHONPATH": str(warm.ROOT)}
    return warm.run(program, "demo", "--auto", "--fast", "--no-browser", cwd=cwd, env=env, timeout=120)


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
