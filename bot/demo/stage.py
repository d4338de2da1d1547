"""``signoff demo``: the workspace as a process of its own, the gateway, and an agent with real things to do."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import webbrowser
from contextlib import AsyncExitStack
from importlib import resources
from pathlib import Path

import aiohttp
import typer
from pydantic import SecretStr

from bot.bootstrap import Serving, serving
from bot.demo.story import AGENTS, STARTER, Stage, tell
from bot.demo.welcome import ERRANDS, WELCOME, first_screen
from bot.demo.workspace import People, local_workspace
from bot.logs import set_up_logs
from bot.settings import Settings
from policies.errors import SignoffError
from policies.loader import load
from policies.policy import Policy, scaled

FAST = 1 / 10
FAST_ALONE = 1 / 30
"""By how much ``--fast`` shortens the ladders: people need longer to read than ``--auto`` does."""


async def play(*, port: int, browser: bool, auto: bool, fast: bool) -> None:
    """Run the demo until it is interrupted, or with ``auto`` until its story is told."""
    set_up_logs("text")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signoff-demo-")))
        os.environ["SIGNOFF_COMPANY"] = str(folder / "company")
        url = await stack.enter_async_context(local_workspace(0 if auto and port == 4390 else port, folder, WELCOME))
        policy = _policy(FAST_ALONE if auto else FAST) if fast else _policy(1)
        served = await stack.enter_async_context(serving(_settings(url, folder), policy))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        people = People(url, session, patience=50 if fast else 600)
        if auto:
            await _tell(served, people, folder)
        else:
            await _show(served, people, url, browser)


def _policy(factor: float) -> Policy:
    text = resources.files("bot.demo").joinpath("policy.yml").read_text(encoding="utf-8")
    policy = load(text, source="bot/demo/policy.yml")
    return policy if factor == 1 else scaled(policy, factor)


def _settings(url: str, folder: Path) -> Settings:
    """The demo's own settings; only a key for the real model is taken from the environment."""
    real = os.environ.get("ANTHROPIC_API_KEY")
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        slack_bot_token=SecretStr("xoxb-sandbox"),
        slack_app_token=SecretStr("xapp-sandbox"),
        slack_signing_secret=None,
        slack_api_url=f"{url}/api/",
        database_url=f"sqlite:///{folder / 'signoff.db'}",
        signoff_policy=None,
        signoff_host="127.0.0.1",
        port=0,
        signoff_tools="bot.demo.company",
        anthropic_api_key=SecretStr(real or "sandbox"),
        anthropic_base_url=os.environ.get("ANTHROPIC_BASE_URL") if real else f"{url}/anthropic",
        signoff_files="all",  # its channels are public, and so is everything in them: nothing leaves this computer
        signoff_log="text",
    )


async def _show(served: Serving, people: People, url: str, browser: bool) -> None:
    page = f"{url}/#as=U0ANA&channel=C0APPROVALS"
    for errand in ERRANDS:
        await people.command(STARTER, AGENTS, f"/agent {errand}")
    typer.echo(first_screen(page, served.url))
    if browser:
        await asyncio.to_thread(webbrowser.open, page)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((stopped, served.ended), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


async def _tell(served: Serving, people: People, folder: Path) -> None:
    typer.echo("Six errands, played through the same interactions as in Slack:\n")
    endings = await tell(Stage(served, people, folder / "company"))
    for ending in endings:
        typer.echo(f"  {'✓' if ending.right else '✗'} {ending.name:<20} {ending.words}")
    right = sum(ending.right for ending in endings)
    typer.echo(f"\n{right} of {len(endings)} ended as they should.")
    if right < len(endings):
        raise SignoffError("The demo's story did not end as it should; see the lines marked ✗.")
