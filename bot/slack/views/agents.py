"""Agents that cool off after rejections, in words; mrkdwn, agents' names inert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.slack.views.look import Look, moment
from bot.slack.views.text import inline
from policies.budget import account_of, agent_of
from policies.request import RUNNER, Request

ROWS = 20


def cooling(found: Sequence[tuple[Request, datetime]], look: Look) -> str:
    """Which agents ask nothing new, until when, and how to let them go on."""
    if not found:
        return "No agent whose calls you decide cools off now."
    lines = [
        f"• {whole_name(request, look)} asks nothing new until {moment(until)}. "
        f"*/approvals resume {inline(agent_of(account_of(request.requester)), look.key, 60)}* ends that."
        for request, until in found[:ROWS]
    ]
    return "\n".join([*lines, *([f"… and {len(found) - ROWS} more."] if len(found) > ROWS else [])])


def resumed(request: Request, look: Look) -> str:
    """Somebody let an agent go on."""
    return f"{whole_name(request, look)} may ask again; what was rejected before counts no more."


def whole_name(request: Request, look: Look) -> str:
    """The agent whose account it is; of the runner only the runs that one person started. Mrkdwn-safe."""
    name, owner = inline(request.requester.name, look.key, 60), request.requester.owner
    return f"{name} for {inline(look.name(owner), look.key, 60)}" if request.requester.id == RUNNER and owner else name
