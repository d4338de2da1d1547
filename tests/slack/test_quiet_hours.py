"""Silence over a weekend, with the clock in the test's hand and everything else real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from policies.request import Request, State
from tests.sandbox_process import SandboxProcess, until
from tests.slack.house import House, house

POLICY = """
version: 1
digest: off
calendars: {office: {zone: Europe/Berlin, hours: "09:00-17:00"}}
reviewers: {support: {channel: "#approvals", users: [U0ANA]}}
ladders:
  standard: {hours: office, steps: [{after: 30m, remind: true, every: 30m}, {after: 4h, then: expire}]}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""
FRIDAY = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)  # 16:10 in Berlin


@pytest.fixture
async def home(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[House]:
    async with house(sandbox, tmp_path, policy=POLICY) as standing:
        at(standing, FRIDAY)
        yield standing


def at(home: House, moment: datetime) -> None:
    home.clock.ahead = moment - datetime.now(UTC)


async def reminders(home: House, request: Request) -> int:
    channel, ts = await home.place(request)
    said = await home.sandbox.people.history("U0ANA", channel, ts)
    return sum("still waits for a decision" in message["text"] for message in said)


async def reminded(home: House, request: Request, times: int) -> None:
    async def so_often() -> bool:
        return await reminders(home, request) == times

    await until(so_often, 10.0)


async def steps_by(home: House, request: Request, moment: datetime) -> int:
    """How many steps of the ladder were taken by ``moment``."""
    at(home, moment)
    await home.serving.gateway.advance(home.clock())
    return (await home.now(request)).steps_done


async def test_a_weekend_is_quiet_a_snooze_too_and_the_end_comes_in_working_time(home: House) -> None:
    request, monday = await home.ask(), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Berlin
    due = (await home.now(request)).deadline_at
    assert due is not None
    assert timedelta(0) <= due - (monday + timedelta(hours=3, minutes=10)) < timedelta(minutes=1)
    assert await steps_by(home, request, FRIDAY + timedelta(minutes=31)) == 1
    await reminded(home, request, 1)
    assert await steps_by(home, request, monday + timedelta(minutes=5)) == 1
    assert await home.choose("U0ANA", request, "hour") == {"ok": True}
    assert await steps_by(home, request, monday + timedelta(minutes=60)) == 1
    assert await steps_by(home, request, monday + timedelta(minutes=66)) == 3
    await reminded(home, request, 2)  # two were put off; one is said
    at(home, due + timedelta(seconds=1))
    await home.card_says(request, "expired: nobody decided in time")
    assert (await home.now(request)).state is State.EXPIRED
