"""A stock app in a process of its own works here unchanged, in Socket Mode and over HTTP."""

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.sandbox_process import SandboxProcess, until

ROOM = "C0AGENTS"
APP = Path(__file__).with_name("expenses.py")


@pytest.fixture(params=["socket", "http"])
async def office(fresh: SandboxProcess, request: pytest.FixtureRequest) -> AsyncIterator[SandboxProcess]:
    """The sandbox with the example app at work."""
    port = _free_port()
    arguments = ["socket"] if request.param == "socket" else ["http", str(port)]
    environment = {**os.environ, **fresh.env(http=request.param == "http")}
    process = subprocess.Popen([sys.executable, str(APP), *arguments], env=environment, stdout=subprocess.DEVNULL)
    try:
        if request.param == "socket":
            await fresh.control.connected()
        else:
            await _listening(port)
            await fresh.control.app(mode="http", request_url=f"http://127.0.0.1:{port}/slack/events")
        yield fresh
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _listening(port: int) -> None:
    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/"):
                return True
        except aiohttp.ClientError:
            return False

    await until(answers)


async def test_post_press_modal_error_update_command_and_home(office: SandboxProcess) -> None:
    people = office.people
    assert await people.command("U0ANA", ROOM, "/approvals lunch") == {"ok": True}
    card = await until(lambda: _said(office, "lunch?"))
    assert [message["text"] for message in await people.history("U0ANA", ROOM)].count("I have asked.") == 1

    edit = card["blocks"][0]["elements"][0]["action_id"]
    assert await people.press("U0ANA", ROOM, card["ts"], edit) == {"ok": True}
    (view,) = await until(lambda: people.views("U0ANA"))
    wrong = await people.submit("U0ANA", view["id"], {"what": {"value": "nothing"}})
    assert wrong["errors"] == {"what": "Write what it was for."}
    assert (await people.submit("U0ANA", view["id"], {"what": {"value": "Train\nto Oslo"}}))["ok"]
    await until(lambda: _said(office, "ana paid: Train\nto Oslo"))

    await people.press("U0BEN", ROOM, (await _other_card(office))["ts"], edit)
    (untouched,) = await until(lambda: people.views("U0BEN"))
    assert (await people.submit("U0BEN", untouched["id"]))["ok"]
    await until(lambda: _said(office, "ben paid: Train\nto Oslo"))

    await people.open_home("U0ANA")
    home = await until(lambda: people.home("U0ANA"))
    assert home["blocks"][0]["text"]["text"] == "*Expenses*"


async def _other_card(office: SandboxProcess) -> dict[str, Any]:
    await office.people.command("U0BEN", ROOM, "/approvals dinner")
    return dict(await until(lambda: _said(office, "dinner?")))


async def _said(office: SandboxProcess, text: str) -> dict[str, Any] | None:
    found = await office.people.history("U0ANA", ROOM)
    return next((message for message in found if message["text"] == text), None)


def test_the_example_is_as_short_as_it_claims() -> None:
    lines = [
        line for line in APP.read_text().splitlines() if line.strip() and not line.startswith(('"""', "    python"))
    ]
    assert len(lines) <= 45
