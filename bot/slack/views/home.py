"""Lists of requests: the App Home, and what ``/approvals`` answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack import ids
from bot.slack.views import words
from bot.slack.views.blocks import Block, button, context, divider, header, mrkdwn, named, plain, section
from bot.slack.views.look import Look, moment
from bot.slack.views.text import clip, inline, items_of, one_line
from policies.request import Request

ROWS = 15
"""Requests in one list; two blocks each."""

GIST = 3
"""Arguments that stand in a list's row."""

HELP = (
    "*/approvals* shows what waits for you\n"
    "*/approvals mine* shows what was asked on your behalf\n"
    "*/approvals all* shows both\n"
    "*/approvals grants* shows what was approved in advance, and ends it\n"
    "*/approvals ID* opens one request, such as req_1c9f…\n"
    "*/approvals snooze ID 1h* puts its reminders off for an hour; *now* instead of 1h ends that\n"
    "*/agent what to do* starts the agent"
)


def home(waiting: Sequence[Request], mine: Sequence[Request], look: Look) -> Block:
    """The App Home of one person: what waits for them, and what was asked on their behalf."""
    blocks = [
        *_titled("Waiting for you", waiting, look, "Nothing waits for you. Cards also come to your channels."),
        divider(),
        *_titled("Asked on your behalf", mine, look, "No agent waits for an answer on your behalf."),
    ]
    return {"type": "home", "blocks": named(blocks, "home")}


def listing(title: str, requests: Sequence[Request], look: Look, empty: str, name: str = "list") -> list[Block]:
    """One list as a message, with a Review button for each request; ``name`` keeps lists in one message apart."""
    return named(_titled(title, requests, look, empty), name)


def _titled(title: str, requests: Sequence[Request], look: Look, empty: str) -> Iterator[Block]:
    yield header(f"{title} ({len(requests)})" if requests else title)
    if not requests:
        yield section(plain(empty))
    for request in requests[:ROWS]:
        yield from _row(request, look)
    if len(requests) > ROWS:
        yield context(plain(f"… and {len(requests) - ROWS} more. These are the newest; decide some to see the rest."))


def _row(request: Request, look: Look) -> Iterator[Block]:
    value = str(ids.Target(request_id=request.id, revision=request.revision))
    review = button("Look" if request.settled else "Answer" if request.asking else "Review", ids.VIEW, value)
    gist = _gist(request, look)
    yield section(plain(f"{words.title(request, look)}\n{gist}" if gist else words.title(request, look)), review)
    about = [mrkdwn(words.stand(request))]
    about.append(plain(f"Asked by {one_line(request.requester.name, look.key, 60)}"))
    if not request.settled:
        about.append(plain(words.progress(request, look)))
        if request.deadline_at is not None:
            about.append(mrkdwn(f"{words.silence(request)} {moment(request.deadline_at)}"))
        if request.snoozed is not None:
            about.append(mrkdwn(f"💤 until {moment(request.snoozed.until)}"))
    yield context(*about)


def _gist(request: Request, look: Look) -> str:
    """The first short arguments on one line, so that two calls of one tool can be told apart; or the open question."""
    if request.question is not None and request.asking:
        return one_line(request.question.text, look.key, 140)
    short = [item for item in items_of(request.call.arguments, look.key) if item.short]
    return clip(" · ".join(f"{item.label}: {item.whole.text}" for item in short[:GIST]), 140)


def unknown_word(word: str, look: Look) -> str:
    """What ``/approvals`` says to a word it doesn't know; mrkdwn."""
    said = inline(word, look.key, 40)
    if word == "stats":
        return f"*/approvals {said}* is not available yet.\n{HELP}"
    return f"There is no “{said}” here. What there is:\n{HELP}"
