"""The whole request as a text file, for the thread of a card that can't show all of it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.carrier import WholeFile
from bot.slack.views import words
from bot.slack.views.haste import everything
from bot.slack.views.home import SHORT_ID
from bot.slack.views.look import Look
from bot.slack.views.text import Item, one_line
from policies.request import Request

LABEL, TEXT = "■ ", "  "
"""How the lines of labels and of texts begin: no text can look like a label, since none of its lines begins so."""


def whole_file(request: Request, look: Look) -> WholeFile:
    """Everything that View all shows, in its order; secrets redacted and hidden characters visible as there."""
    name = f"{request.id[:SHORT_ID]}-r{request.revision}.txt"
    lines = [*_head(request, look), *(line for item in everything(request, look) for line in _lines(item))]
    comment = (
        f":page_facing_up: All of `{request.id[:SHORT_ID]}` as a text file, since its card can't show everything"
        f" (revision {request.revision})."
        f" {'Answer' if request.asking else 'Decide'} in *View all*."
    )
    return WholeFile(name=name, text="\n".join(lines) + "\n", comment=comment)


def _head(request: Request, look: Look) -> Iterator[str]:
    yield f"Request {request.id}, revision {request.revision}: {words.subject(request, look)}"
    yield f"Asked by {one_line(request.requester.name, look.key, 60)}. Digest {request.digest}"
    yield "Secrets are redacted and hidden characters are marked. This file decides nothing: decide in Slack."


def _lines(item: Item) -> Iterator[str]:
    yield ""
    yield f"{LABEL}{item.label}"
    yield from (f"{TEXT}{line}" for line in item.whole.text.split("\n"))
    yield from (f"{LABEL}⚠ {warning}" for warning in item.whole.warnings)
