"""The menu "⋯" of a pending card: what can be done with the request besides deciding it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.slack import ids
from bot.slack.views import words
from bot.slack.views.blocks import Block, menu
from policies.granting import why_never
from policies.inquiry import MOST
from policies.request import Request

ASK = "Ask the agent…"
HOUR, HALF_A_DAY = timedelta(hours=1), timedelta(hours=12)


def more(request: Request, cut: bool) -> Iterator[Block]:
    """The menu as an element of the card's row of buttons; none where it would be empty.

    ``cut`` says that the card doesn't show the whole request.
    """
    options = [] if request.settled else list(_options(request, cut))
    if options:
        about = ids.Target(request_id=request.id, revision=request.revision)
        yield menu(ids.MORE, [(label, ids.option(verb, about)) for verb, label in options])


def _options(request: Request, cut: bool) -> Iterator[tuple[str, str]]:
    """The verb of each option (one of ``ids.VERBS``) and its label of at most 75 characters."""
    if not cut and why_never(request) is None:  # nobody approves from a card that is cut
        yield "grant", "Approve, and calls like this…"
    if not cut:  # else it has View all as a button
        yield "view", "Open in full"
    if len(request.inquiries) < MOST:
        yield "ask", words.ASK
    yield from _snoozes(request)


def _snoozes(request: Request) -> Iterator[tuple[str, str]]:
    """How long reminders may be put off; nothing that would always reach past the request's end. Or the end of that."""
    if request.snoozed is not None:
        yield "wake", "End the snooze"
    elif request.can_be_put_off and request.deadline_at is not None:
        lasts = request.deadline_at - request.created_at
        if lasts > HOUR:
            yield "hour", "Snooze 1 hour"
        if lasts > HALF_A_DAY:
            yield "morning", "Snooze until 9:00 in the morning"
