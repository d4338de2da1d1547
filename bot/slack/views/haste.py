"""How long a call is for whoever reads it, and what they are told who approved it faster than that."""

from __future__ import annotations

from datetime import timedelta

from bot.slack.views import action, question
from bot.slack.views.blocks import Block, plain, section
from bot.slack.views.look import Look
from bot.slack.views.text import Item, clip
from policies.request import Request
from policies.visible import in_quotes

MUCH = 0.2
"""The part of the whole from which on the question names where it stands."""


def everything(request: Request, look: Look) -> tuple[Item, ...]:
    """All that there is to read of a request, in the order of its form."""
    asked = question.items(request, request.question, look) if request.question and request.asking else ()
    return (
        *asked,
        *question.answered(request, look),
        *action.arguments(request, look),
        *action.edits(request, look),
        *action.drafts(request, look),
        *action.claims(request, look),
        *action.inquiries(request, look),
        *action.outcome(request, look),
    )


def length(request: Request, look: Look) -> int:
    """How many characters somebody has to read who reads all of it, as it is shown."""
    return sum(item.length for item in everything(request, look))


def too_fast(characters: int, had: timedelta) -> str:
    """What happened, as a sentence."""
    return f"You approved {characters:,} characters {_within(had)}."


def asked_back(request: Request, look: Look, had: timedelta) -> Block:
    """What stands above the whole call: what happened, that nothing is approved yet, and where most of the text is."""
    items = everything(request, look)
    characters = sum(item.length for item in items)
    much = [item for item in items if item.length >= MUCH * characters]
    where = " and ".join(f"{in_quotes(clip(item.label, 60))} ({item.length:,})" for item in much)
    told = f"⏱️ {too_fast(characters, had)} Nobody reads that fast, so nothing is approved yet."
    return section(plain(f"{told}\nPlease look once more{f', above all at {where}' if where else ''}."))


def _within(had: timedelta) -> str:
    seconds = had.total_seconds()
    if seconds < 0.1:
        return "at once"
    return f"in {seconds:.1f} s" if seconds < 10 else f"in {seconds:.0f} s"
