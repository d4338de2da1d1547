"""Lists of requests, and what ``/approvals`` answers besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches

from bot.slack import ids
from bot.slack.views import action, words
from bot.slack.views.blocks import Block, button, context, header, mrkdwn, named, plain, section
from bot.slack.views.look import Look, moment
from bot.slack.views.text import DOTS, clip, inline, one_line
from policies.checkpoint import Kind
from policies.request import Request
from policies.review import Review, Verdict
from policies.visible import in_quotes

ROWS = 15
"""Requests in one list; two blocks each."""

GIST = 3
"""Arguments that stand in a list's row."""
SHORT_ID = 12
"""Characters of an id that a row shows: enough for the command's words about one request."""
HISTORY = 20
"""Reviews that a request's history shows, the latest."""

HELP = (
    "*/approvals* lists what waits for you, *mine* what was asked on your behalf, *all* both\n"
    "*/approvals ID* or *show ID* opens the whole call; 8 characters of an id, such as req_1c9f, are enough if unique\n"
    "*/approvals approve ID* approves it, if it is short and needs no more than that; else the whole call opens\n"
    "*/approvals reject ID reason* rejects it; the agent is told the reason, which you may leave out\n"
    "*/approvals snooze ID 1h* puts its reminders off for an hour; *now* instead of 1h ends that\n"
    "*/approvals delegate ID @person* asks somebody else to decide it, of those whom the policy names\n"
    "*/approvals history* lists what was decided lately, *history ID* what became of one request\n"
    "*/approvals grants* shows what was approved in advance, and ends it\n"
    "*/approvals agents* shows which agents cool off after rejections, and *resume AGENT* lets one ask again\n"
    "*/approvals stats* shows your own numbers\n"
    "*/approvals digest off* ends your digest in the morning; *on* brings it back\n"
    "*/agent what to do* starts the agent"
)
WORDS = (
    "list",
    "mine",
    "all",
    "show",
    "approve",
    "reject",
    "snooze",
    "delegate",
    "grants",
    "agents",
    "resume",
    "history",
    "stats",
    "digest",
    "help",
)
"""The words that may follow ``/approvals``."""


def listing(
    title: str,
    requests: Sequence[Request],
    look: Look,
    empty: str,
    name: str = "list",
    *,
    rows: int = ROWS,
    served: bool = False,
) -> list[Block]:
    """One list as a message, with a Review button for each request; ``name`` keeps lists in one message apart."""
    return named(_titled(title, requests, look, empty, rows, served), name)


def _titled(
    title: str, requests: Sequence[Request], look: Look, empty: str, rows: int, served: bool
) -> Iterator[Block]:
    yield header(f"{title} ({len(requests)})" if requests else title)
    if not requests:
        yield section(plain(empty))
    for request in requests[:rows]:
        yield from row(request, look, served=served)
    if len(requests) > rows:
        yield context(plain(f"… and {len(requests) - rows} more. Home lists them all."))


def row(request: Request, look: Look, *, served: bool = False, opens: str = ids.VIEW) -> Iterator[Block]:
    """One request in two blocks: what it is about, with a button (``opens``) that opens it, and how it stands.

    ``served`` says that the reader waits for others there.
    """
    title, told = words.title(request, look), gist(request, look)
    if served and not request.settled and not request.asking and request.checkpoint.kind is not Kind.SOFT:
        title = clip(f"{words.subject(request, look)} waits for approval", 150)
    mark = "❗ " if not request.settled and _is_high(request) else ""
    yield section(plain(f"{mark}{title}\n{told}" if told else f"{mark}{title}"), _review(request, served, opens))
    about = [mrkdwn(words.stand(request))]
    about.append(plain(f"Asked by {one_line(request.requester.name, look.key, 60)} · {request.id[:SHORT_ID]}"))
    if not request.settled:
        if request.asking or request.approvals or request.checkpoint.quorum > 1:
            about.append(plain(words.progress(request, look)))
        if request.deadline_at is not None:
            about.append(mrkdwn(f"{words.silence(request)} {moment(request.deadline_at)}"))
        if request.delegated:
            about.append(plain(f"🤝 {words.asked(request.delegated[-1], request, look)}"))
        if request.snoozed is not None:
            about.append(mrkdwn(f"💤 until {moment(request.snoozed.until)}"))
    elif request.decision is not None:
        about.append(mrkdwn(moment(request.decision.at)))
        if request.decision.note and request.decision.by != ("silence",):
            about.append(plain(in_quotes(one_line(request.decision.note, look.key, 140))))
    yield context(*about)


def _is_high(request: Request) -> bool:
    """Is more at stake than usual, so that it stands out in a list?"""
    gate = request.checkpoint
    return gate.kind is Kind.MANUAL or gate.impact == "high" or gate.reversible is False


def _review(request: Request, served: bool = False, opens: str = ids.VIEW) -> Block:
    """The button that opens the whole request."""
    value = str(ids.Target(request_id=request.id, revision=request.revision))
    label = "Look" if request.settled else "Answer" if request.asking else "Look" if served else "Review"
    return button(label, opens, value)


def gist(request: Request, look: Look) -> str:
    """The first short arguments on one line, so that two calls of one tool can be told apart; or the open question."""
    if request.question is not None and request.asking:
        return one_line(request.question.text, look.key, 140)
    short = [item for item in action.arguments(request, look) if item.short]
    told = (f"{item.label}: {_apart(' '.join(item.whole.text.splitlines()))}" for item in short[:GIST])
    return clip(" · ".join(told), 140)


def _apart(text: str) -> str:
    """A value beside others on a line: one that could be taken for several stands in quotation marks."""
    return text if DOTS.isdisjoint(text) else in_quotes(text)


def unknown_word(word: str, rest: str, look: Look) -> str:
    """What ``/approvals`` says to a word it doesn't know, or to one more than it takes; mrkdwn."""
    said = inline(word, look.key, 40)
    if word in WORDS:
        extra = in_quotes(inline(rest, look.key, 40))
        return f"*/approvals {said}* takes no more words; {extra} is one too many.\n{HELP}"
    close = get_close_matches(word.lower(), WORDS, n=1, cutoff=0.6)
    meant = f" Did you mean */approvals {close[0]}*?" if close else " What there is:"
    return f"There is no {in_quotes(said)} here.{meant}" + ("" if close else f"\n{HELP}")


def history(request: Request, look: Look) -> list[Block]:
    """What became of one request, oldest first."""
    lines = [_dated(request.created_at, f"Asked by {one_line(request.requester.name, look.key, 60)}")]
    acts = [(review.at, _said(review, look)) for review in request.reviews[-HISTORY:]]
    acts += [(one.at, words.asked(one, request, look)) for one in request.delegations]
    lines += [_dated(at, what) for at, what in sorted(acts)]
    if request.decision is not None:
        lines.append(_dated(request.decision.at, words.decided(request, look) or ""))
    if request.execution is not None and (ran := words.ran(request, look)):
        lines.append(_dated(request.execution.at, ran))
    title = section(plain(f"{words.title(request, look)}\n{gist(request, look)}"), _review(request))
    return named([title, *lines], "history")


def _dated(at: datetime, what: str) -> Block:
    return context(mrkdwn(moment(at)), plain(what))


def _said(review: Review, look: Look) -> str:
    who = one_line(review.name, look.key, 60)
    note = f" {in_quotes(one_line(review.note, look.key, 300))}" if review.note else ""
    return f"{who}: {_VERDICTS[review.verdict]}, revision {review.revision}.{note}"


_VERDICTS = {
    Verdict.APPROVE: "approved",
    Verdict.MODIFY: "changed and approved",
    Verdict.REJECT: "rejected",
    Verdict.ANSWER: "answered",
}
