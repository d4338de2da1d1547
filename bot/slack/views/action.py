"""A call as items: what would run, what a reviewer changed and, marked as such, what the agent says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.slack.views import headline
from bot.slack.views.look import Look
from bot.slack.views.text import BREAKS, TITLE, Item, item, items_of, one_line, readable
from policies.changes import ABSENT, Change, changes
from policies.inquiry import Inquiry
from policies.preview import Preview
from policies.redaction import redact, redact_text
from policies.request import RUNNER, Request
from policies.visible import in_quotes

TOOL = 60
"""Escaped characters of a tool's name that a headline shows; a longer name is repeated in full among the arguments."""
_CONTINUED = "│ "
"""Begins each further line of a text in a list of changes, so that the text can't add a change of its own."""
_CONFUSING = re.compile(r"[:→“”]")
"""In a name that could be taken for more of the line than the name."""


def arguments(request: Request, look: Look) -> tuple[Item, ...]:
    """The arguments as they stand now, each with its name."""
    if request.purged_at is not None:
        return (item("Contents", f"Blanked on {request.purged_at:%Y-%m-%d}; what was decided stays.", look.key),)
    titles = {draft.argument: draft.title for draft in request.preview if draft.argument is not None}
    shown_as = headline.chosen(request)
    found = items_of(request.call.arguments, look.key, chosen=shown_as, schema=request.call.schema, drafts=titles)
    tool = item("Tool", request.call.tool, look.key)
    return (tool, *found) if tool.need > TOOL else found


def edits(request: Request, look: Look) -> tuple[Item, ...]:
    """What people changed in what the agent proposed: before → after, one line for each change."""
    if not request.modified:
        return ()
    lines = compared(request.proposed, request.call.arguments, look)
    lines += redrawn(request, look)
    lines = lines or ["Nothing: the arguments are as proposed."]
    authors = [review for review in request.reviews if review.revision > 1 and review.verdict.value == "modify"]
    by = f" by {one_line(authors[-1].name, look.key, 60)}" if authors else " by the answer"
    return (item(f"Changed{by}", "\n".join(lines), look.key),)


def redrawn(request: Request, look: Look) -> list[str]:
    """What became of the agent's own drafts: one entry for each that was edited, not yet fit to be shown."""
    return [_redrawn(draft, look) for draft in request.preview if draft.proposed is not None]


def compared(before: Mapping[str, Any], after: Mapping[str, Any], look: Look) -> list[str]:
    """What became of the arguments, secrets redacted: one line for each change, not yet fit to be shown."""
    sides = [redact(dict(side), key=look.key).value for side in (before, after)]
    return [_change(change) for change in changes(*sides)]


def _change(change: Change) -> str:
    label = change.label.translate(BREAKS)
    label = in_quotes(label) if _CONFUSING.search(label) else label
    return f"{label}: {_side(change.before)} → {_side(change.after)}"


def _redrawn(draft: Preview, look: Look) -> str:
    title = in_quotes(one_line(draft.title, look.key, TITLE))
    before, after = (redact_text(side, key=look.key) for side in (draft.proposed or "", draft.text))
    if "\n" not in f"{before}{after}":
        return f"Draft {title}: {before} → {after}"
    before, after = _indented(f"\n{before}"), _indented(f"\n{after}")
    return f"Draft {title}:{before}\n→{after}"


def _side(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    text = readable(value)
    if "\n" in text and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False) if " → " in text else _indented(text)


def _indented(text: str) -> str:
    """A text of several lines between other lines: nothing in it begins a line of its own."""
    return text.replace("\n", f"\n{_CONTINUED}")


def drafts(request: Request, look: Look) -> tuple[Item, ...]:
    """What the agent shows beside the call: nothing of it runs."""
    return tuple(
        item(f"Draft {in_quotes(one_line(draft.title, look.key, TITLE))}, {_kind(draft)}", draft.text, look.key)
        for draft in request.preview
        if draft.argument is None
    )


def _kind(draft: Preview) -> str:
    as_text = "" if draft.media_type == "text/plain" else f", {draft.media_type} as text"
    whose = "as the agent shows it" if draft.proposed is None else "as a reviewer changed it"
    return f"{whose} (not part of the call{as_text})"


def claims(request: Request, look: Look) -> tuple[Item, ...]:
    """The agent's own words about the call. Nobody checked them."""
    sure = f", {request.confidence:.0%} sure" if request.confidence is not None else ""
    said = []
    if request.reason:
        said.append(item(f"The agent says (not checked){sure}", request.reason, look.key, prose=True))
    elif sure:
        said.append(item("The agent says (not checked)", f"It gives no reason{sure}.", look.key, prose=True))
    if request.context:
        said.append(item(_source_of_context(request, look), request.context, look.key, prose=True))
    return tuple(said)


def _source_of_context(request: Request, look: Look) -> str:
    """Signoff's own runner passes on the errand as a person gave it; any other agent tells what it likes."""
    owner = request.requester.owner
    if request.requester.id == RUNNER and owner:
        return f"The errand, as {one_line(look.name(owner, request), look.key, 60)} gave it"
    return "Context from the agent (not checked)"


def inquiries(request: Request, look: Look) -> tuple[Item, ...]:
    """What people asked the agent, each with its answer: the agent's own words, which nobody checked."""
    return tuple(part for inquiry in request.inquiries for part in _asked(request, inquiry, look))


def _asked(request: Request, inquiry: Inquiry, look: Look) -> Iterator[Item]:
    who = one_line(inquiry.name, look.key, 60)
    waits = "" if inquiry.answer is not None or request.settled else " (the agent hasn't answered yet)"
    yield item(f"{who} asks{waits}", inquiry.text, look.key, prose=True)
    if inquiry.answer is not None:
        yield item(f"The agent answers {who} (not checked)", inquiry.answer, look.key, prose=True)


def outcome(request: Request, look: Look) -> tuple[Item, ...]:
    """What the agent reported as the call's result."""
    execution = request.execution
    if execution is None or execution.result is None:
        return ()
    result = redact(execution.result, key=look.key).value
    return (item("Result, as the agent reported it", readable(result), look.key),)
