"""The form in which a reviewer approves a call and, in advance, calls like it. It says in words what that allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views import action
from bot.slack.views.blocks import Block, actions, context, divider, entry, mrkdwn, named, plain, section
from bot.slack.views.card import alarms
from bot.slack.views.grants import clauses, freedom, label_of, listed, value_of
from bot.slack.views.layout import warnings_of
from bot.slack.views.look import Look
from bot.slack.views.modals import modal
from bot.slack.views.text import clip, duration, one_line
from policies.checkpoint import GrantBound
from policies.grant import USUAL_COUNT, USUAL_SPAN, Leaf, Terms, counts, leaves, spans
from policies.request import Request

GROUP = 10
"""Boxes in one group: Slack's limit."""
OPTION = 75


def usual_terms(request: Request) -> Terms:
    """What the form offers at first: nothing may differ, an hour, ten calls, or less where the policy says so."""
    bound = _bound(request)
    lasts = USUAL_SPAN if USUAL_SPAN in spans(bound) else spans(bound)[-1]
    return Terms(loose=(), lasts=lasts, most=USUAL_COUNT if USUAL_COUNT in counts(bound) else counts(bound)[-1])


def written(request: Request, terms: Terms) -> str:
    """The terms as a form remembers which it has said in words."""
    free = [str(place) for place, leaf in enumerate(leaves(request.call.arguments)) if leaf.pointer in terms.loose]
    return f"{_seconds(terms.lasts)} {terms.most} {' '.join(free)}"


def grant_form(request: Request, terms: Terms, look: Look, memo: Memo, remark: str = "") -> Block:
    """The form for ``terms``. ``remark`` (plain text) says why it is shown again."""
    blocks = [
        *([context(plain(f"⚠️ {remark}"))] if remark else []),
        *_in_words(request, terms, look),
        *alarms(warnings_of(action.arguments(request, look))),
        divider(),
        *_reach(request, terms),
        *_boxes(request, terms, look),
        context(mrkdwn(_ENDS)),
    ]
    kept = memo.model_copy(update={"terms": written(request, terms)})
    return modal(
        ids.GRANT_FORM, "Approve calls like this", kept, named(blocks, f"r{request.revision}"), "Approve and allow"
    )


_ENDS = (
    "Each use is told in the card's thread. */approvals grants* shows and ends the grant; it also ends when the policy "
    "changes, and lets nothing through that you yourself couldn't approve at that moment."
)


def _seconds(span: timedelta) -> str:
    return str(round(span.total_seconds()))


def _bound(request: Request) -> GrantBound:
    return request.checkpoint.grants or GrantBound()


def _reach(request: Request, terms: Terms) -> Iterator[Block]:
    bound = _bound(request)
    lasting = {_seconds(span): duration(span) for span in spans(bound)}
    calls = {str(count): f"{count} more calls" if count > 1 else "1 more call" for count in counts(bound)}
    yield _select("For how long?", ids.LASTS, lasting, _seconds(terms.lasts))
    yield _select("How many calls?", ids.MOST, calls, str(terms.most))


def _select(label: str, block_id: str, offered: dict[str, str], chosen: str) -> Block:
    options = {value: {"text": plain(words), "value": value} for value, words in offered.items()}
    element = {
        "type": "static_select",
        "action_id": ids.TERMS,
        "options": list(options.values()),
        "initial_option": options[chosen],
    }
    return {**entry(label, block_id, element), "dispatch_action": True}


def groups(request: Request) -> dict[str, dict[str, Leaf]]:
    """The values that could be let differ, by the number of their box, in groups by ``block_id``."""
    found = [(str(place), leaf) for place, leaf in enumerate(leaves(request.call.arguments)) if leaf.may_differ]
    starts = range(0, len(found), GROUP)
    return {f"{ids.SAME}{start // GROUP}": dict(found[start : start + GROUP]) for start in starts}


def _boxes(request: Request, terms: Terms, look: Look) -> Iterator[Block]:
    """The boxes, all ticked at first; values that can't differ are named in the words below only."""
    found = groups(request)
    if found:
        yield section(mrkdwn("*What must be the same?* Untick what may differ."))
    for block_id, boxes in found.items():
        options = {place: _box(place, leaf, look) for place, leaf in boxes.items()}
        ticked = [options[place] for place, leaf in boxes.items() if leaf.pointer not in terms.loose]
        element = {
            "type": "checkboxes",
            "action_id": ids.TERMS,
            "options": list(options.values()),
            **({"initial_options": ticked} if ticked else {}),
        }
        yield {**actions([element]), "block_id": block_id}


def _box(place: str, leaf: Leaf, look: Look) -> Block:
    words = clip(f"{label_of(leaf, look)}: {value_of(leaf, look)}", OPTION)
    otherwise = clip(f"unticked: {freedom(leaf, look)}", OPTION)
    return {"text": plain(words), "description": plain(otherwise), "value": place}


def _in_words(request: Request, terms: Terms, look: Look) -> Iterator[Block]:
    agent, tool = one_line(request.requester.name, look.key, 60), one_line(request.call.tool, look.key, 60)
    allowed = f"{agent} may then call {tool} again without asking, {_times(terms.most, terms.lasts)}, where"
    yield section(plain(f"You approve this call now. {allowed}"))
    yield from listed(clauses(request.call.arguments, terms.loose, look))


def _times(most: int, lasts: timedelta) -> str:
    return f"at most {most} times within {duration(lasts)}" if most > 1 else f"once within {duration(lasts)}"
