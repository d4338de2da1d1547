"""``signoff serve``: the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import typer

from bot.bootstrap import Serving, serving
from bot.logs import set_up_logs
from bot.reloading import read_policy, watching
from bot.settings import Settings, load_settings
from policies.cautions import nowhere
from policies.errors import Unavailable
from policies.policy import Policy


async def serve_until_stopped(host: str | None, port: int | None) -> None:
    """Serve with the settings of the environment until SIGTERM or SIGINT."""
    settings = load_settings()
    given = {name: value for name, value in (("signoff_host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    set_up_logs(settings.signoff_log)
    policy = read_policy(settings.signoff_policy)
    async with serving(settings, policy) as served:
        _say(served, settings, policy)
        async with watching(settings.signoff_policy, served.gateway.shelf, served.gateway.clock, served.metrics):
            await _until_stopped(served)


def _say(served: Serving, settings: Settings, policy: Policy) -> None:
    way = "Socket Mode" if settings.uses_socket_mode else "HTTP at /slack/events"
    typer.echo(f"Signoff serves {served.identity.team_id} by {way}; the API answers at {served.url}")
    for warning in (*policy.warnings, *filter(None, (nowhere(policy, settings.signoff_environment),))):
        typer.echo(f"warning: {warning}", err=True)
    if all(group.empty for group in policy.reviewers.values()):
        typer.echo(
            "warning: the policy names no reviewers, so nobody may decide anything. Put their Slack ids or e-mail "
            "addresses under `reviewers:` in a policy file, set SIGNOFF_POLICY to it, and start again.",
            err=True,
        )


async def _until_stopped(served: Serving) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((stopped, served.ended), return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        stopped.cancel()
        raise Unavailable("A part of the gateway fell over; see the log above. Nothing was approved by it.")
