"""The App Home: one person's inbox, by sections, or one list of it, sought through and turned page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack import ids
from bot.slack.home_memo import HomeMemo
from bot.slack.memo import Memo
from bot.slack.views import words
from bot.slack.views.blocks import (
    Block,
    actions,
    button,
    context,
    divider,
    entry,
    header,
    mrkdwn,
    named,
    plain,
    section,
)
from bot.slack.views.figures import PRIVATE, figures
from bot.slack.views.home import gist, row
from bot.slack.views.look import Look, moment
from bot.slack.views.modals import modal
from bot.slack.views.text import clip, inline, one_line
from policies.inbox import Inbox
from policies.people import Absence
from policies.request import Request
from policies.visible import HIDDEN

SECTIONS = {
    "waiting": ("Waiting for you", "Waiting for me", 8),
    "escalated": ("Escalated to you", "Escalated to me", 5),
    "questions": ("Questions you may answer", "Questions", 5),
    "given": ("Approved by you, waiting for others", "Waiting for others", 3),
    "audits": ("To look at afterwards", "To look at afterwards", 5),
    "mine": ("Asked on your behalf", "Asked on my behalf", 5),
    "recent": ("Recently decided", "Recently decided", 5),
}
"""By name: the title, what the filter calls it, and how many rows it has while all sections stand below each other.

Together with titles and buttons these stay below the hundred blocks of a Home.
"""
ROWS = 20
"""Requests on one page of one list."""
OPTIONS = 20
"""Teams, agents and rules that the filter offers, each."""
ALL = "Everything"
NOTHING = "Nothing waits for you. Cards also come to your channels."


def home(
    inbox: Inbox, look: Look, memo: HomeMemo | None = None, *, away: Absence | None = None, asked: Sequence[str] = ()
) -> Block:
    """One person's Home. ``away`` says that they are out of office, ``asked`` names the groups asked in their place."""
    memo = memo or HomeMemo()
    blocks = [*_top(inbox, look, away, asked)]
    whole = memo.show == "all" and not memo.search
    if inbox.shown or not whole:
        blocks += [_filters(inbox, look, memo), _search(memo)]
    blocks += [*(_sections(inbox, look) if whole else _list(inbox, look, memo))]
    return {"type": "home", "private_metadata": memo.text(), "blocks": named(blocks, "home")}


def inbox_form(inbox: Inbox, look: Look) -> Block:
    """The same sections in a form, for whoever comes from a digest."""
    blocks = [*_top(inbox, look, None, ()), *_sections(inbox, look, whole=False)]
    return modal(ids.NOTICE_FORM, "Your inbox", Memo(), named(blocks, "inbox"))


def _top(inbox: Inbox, look: Look, away: Absence | None, asked: Sequence[str]) -> Iterator[Block]:
    count = len(inbox.wanted)
    yield header(f"{count} waiting for you" if count else "You are up to date")
    if not count:
        yield section(plain(NOTHING))
    if away is not None:
        until = f" until {moment(away.until)}" if away.until else ""
        groups = " and ".join(inline(name, look.key, 40) for name in asked[:4])
        instead = f" Where too few others are here, *{groups}* are asked for you." if groups else ""
        yield context(mrkdwn(f":palm_tree: Slack says that you are out of office{until}.{instead}"))
    if inbox.more:
        yield context(plain("More waits than Home looks at: these are the newest. Decide some to see the rest."))


def _filters(inbox: Inbox, look: Look, memo: HomeMemo) -> Block:
    groups = [("Show", _section_options(inbox)), *_found_options(inbox, look)]
    options = {value: label for _, some in groups for value, label in some}
    shown = memo.show if memo.show in options else "all"
    menu: Block = {
        "type": "static_select",
        "action_id": ids.HOME_SHOW,
        "placeholder": plain("Show"),
        "option_groups": [
            {"label": plain(title), "options": [_option(value, label) for value, label in some]}
            for title, some in groups
        ],
        "initial_option": _option(shown, options[shown]),
    }
    whole = memo.show == "all" and not memo.search
    reset = [] if whole else [button("Show everything", ids.HOME_RESET, "all")]
    return {**actions([menu, *reset]), "block_id": f"filter.{memo.turn}"}


def _section_options(inbox: Inbox) -> list[tuple[str, str]]:
    counted = [(name, label, len(part(inbox, name))) for name, (_, label, _) in SECTIONS.items()]
    return [("all", ALL), *((name, f"{label} ({count})" if count else label) for name, label, count in counted)]


def _found_options(inbox: Inbox, look: Look) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    agents = {_agent(one): one_line(one.requester.name, look.key, 60) for one in inbox.shown}
    rules = {_rule(one): one_line(one.checkpoint.rule, look.key, 60) for one in inbox.shown}
    teams = {_team(name): one_line(name, look.key, 60) for name in inbox.teams}
    for title, found in (("By team", teams), ("By agent", agents), ("By rule", rules)):
        if found:
            yield title, [(value, label or "(no name)") for value, label in sorted(found.items())[:OPTIONS]]


def _option(value: str, label: str) -> Block:
    return {"text": plain(clip(label, 75)), "value": value}


def _agent(request: Request) -> str:
    return f"agent:{request.requester.id}"[:140]


def _rule(request: Request) -> str:
    return f"rule:{request.checkpoint.rule}"[:140]


def _team(name: str) -> str:
    return f"team:{name}"[:140]


def _search(memo: HomeMemo) -> Block:
    sought = HIDDEN.sub("", memo.search)
    field: Block = {
        "type": "plain_text_input",
        "action_id": ids.HOME_SEARCH,
        "max_length": 100,
        "placeholder": plain("A tool, an agent, a rule, a value, an id; Enter to search"),
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        **({"initial_value": sought} if sought else {}),
    }
    return {**entry("Search", f"search.{memo.turn}", field, optional=True), "dispatch_action": True}


def _sections(inbox: Inbox, look: Look, *, whole: bool = True) -> Iterator[Block]:
    """Each section with its first rows, and the rest behind a button, or (not ``whole``) told of."""
    for name, (title, _, most) in SECTIONS.items():
        found = part(inbox, name)
        if not found:
            continue
        yield divider()
        yield header(f"{title} ({len(found)})")
        for request in found[:most]:
            yield from row(request, look, served=name in ("mine", "given"))
        if len(found) > most and not whole:
            yield context(plain(f"… and {len(found) - most} more in the Home of this app."))
        elif len(found) > most:
            yield actions([button(f"Show all {len(found)}", ids.HOME_SHOW, name)])
    if inbox.numbers.decided:
        told = " ".join((*figures(inbox.numbers), PRIVATE))
        yield context(mrkdwn(f"*Your own numbers*\n{told}"))


def _list(inbox: Inbox, look: Look, memo: HomeMemo) -> Iterator[Block]:
    found = [request for request in chosen(inbox, memo) if _matches(request, memo.search, look)]
    last = max(0, (len(found) - 1) // ROWS)
    page = min(memo.page, last)
    yield divider()
    yield header(_list_title(inbox, look, memo, len(found)))
    if not found:
        yield section(plain("Nothing here fits. Show everything, or search for something else."))
    for request in found[page * ROWS : (page + 1) * ROWS]:
        yield from row(request, look, served=request in (*inbox.mine, *inbox.given))
    turns = [button("◀ Previous page", ids.HOME_PREVIOUS, str(page - 1))] if page else []
    if page < last:
        turns.append(button("Next page ▶", ids.HOME_NEXT, str(page + 1)))
    if last:
        yield context(plain(f"Page {page + 1} of {last + 1}"))
        yield actions(turns)


def _list_title(inbox: Inbox, look: Look, memo: HomeMemo, count: int) -> str:
    labels = dict(option for _, some in _found_options(inbox, look) for option in some)
    title = SECTIONS[memo.show][0] if memo.show in SECTIONS else labels.get(memo.show, "Found")
    return f"{title} ({count})"


def part(inbox: Inbox, name: str) -> tuple[Request, ...]:
    """The section of this name."""
    found: tuple[Request, ...] = getattr(inbox, name)
    return found


def chosen(inbox: Inbox, memo: HomeMemo) -> tuple[Request, ...]:
    """What the filter lets through; everything where it names what isn't there any more."""
    if memo.show in SECTIONS:
        return part(inbox, memo.show)
    if memo.show.startswith(("agent:", "rule:")):
        return tuple(one for one in inbox.shown if memo.show in (_agent(one), _rule(one)))
    if memo.show.startswith("team:"):
        return tuple(one for one in inbox.open if memo.show in {_team(group.name) for group in one.reviewers})
    return inbox.shown


def _matches(request: Request, search: str, look: Look) -> bool:
    """Does a row say all of the words? Only what is shown is searched: nobody finds a secret by guessing at it."""
    said = " ".join(
        (
            words.title(request, look),
            gist(request, look),
            one_line(request.call.tool, look.key, 60),
            one_line(request.requester.name, look.key, 60),
            one_line(request.checkpoint.rule, look.key, 60),
            request.id,
        )
    ).casefold()
    return all(word in said for word in search.casefold().split())
