"""Grants in words: what a pattern lets through, what became of a grant, and the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.slack import ids
from bot.slack.views import action
from bot.slack.views.blocks import Block, button, context, header, mrkdwn, named, pieces, plain, section
from bot.slack.views.layout import lay_out
from bot.slack.views.look import Look, Message, moment
from bot.slack.views.text import clip, inline, name_of, one_line, readable
from policies.effects import TellOfGrant
from policies.grant import Grant, Leaf, Sort, Standing, leaves, sort_of
from policies.redaction import redact
from policies.request import Request
from policies.visible import in_quotes

ROWS = 12
"""Grants in one list; two blocks each."""
LABEL, VALUE, ROW = 60, 80, 500
USED = 1_200
"""Escaped characters of the arguments in a note about a use."""
NONE = "Nothing is approved in advance now. To do so choose “Approve, and calls like this…” from the menu ⋯ of a card."


def label_of(leaf: Leaf, look: Look) -> str:
    """The keys that lead to a value, on one short line."""
    return clip(" › ".join(name_of(key, look.key, LABEL) for key in leaf.path), LABEL)


def value_of(leaf: Leaf, look: Look, limit: int = VALUE) -> str:
    """A value on one line, redacted as on the card: under the same keys."""
    nested: Any = leaf.value
    for key in reversed(leaf.path):
        nested = {key: nested}
    redacted = redact(nested, key=look.key).value
    for _ in leaf.path:
        redacted = next(iter(redacted.values())) if isinstance(redacted, dict) else redacted
    if isinstance(leaf.value, str):  # its quotation marks tell “5” from 5
        return in_quotes(one_line(str(redacted), look.key, limit))
    return one_line(readable(redacted), look.key, limit)


def freedom(leaf: Leaf, look: Look) -> str:
    """What a value may be where it need not stay the same: "between 0 and 140", "any text"."""
    sort = sort_of(leaf.value)
    if sort is Sort.NUMBER:
        return f"between 0 and {value_of(leaf, look, 40)}"
    return sort.value if sort is Sort.FLAG else f"any {sort.value}"


def clauses(arguments: Mapping[str, Any], loose: Sequence[str], look: Look) -> list[str]:
    """The pattern, one line for each value, those that may differ first."""
    found = leaves(arguments)
    free = [f"{label_of(leaf, look)} may be {freedom(leaf, look)}" for leaf in found if leaf.pointer in loose]
    fixed = [f"{label_of(leaf, look)} is {value_of(leaf, look)}" for leaf in found if leaf.pointer not in loose]
    return [*free, *fixed, "nothing else is passed along" if found else "nothing is passed along"]


def listed(lines: Sequence[str]) -> Iterator[Block]:
    """Lines as plain text with bullets."""
    for piece in pieces("\n".join(f"• {line}" for line in lines)):
        yield section(plain(piece))


def grant_news(effect: TellOfGrant, grant: Grant, used_by: Request | None, look: Look) -> Message:
    """The note in the thread of the card from which the grant came."""
    text, blocks = _news(effect, grant, used_by, look)
    payload = {"event_type": "signoff_note", "event_payload": {"request_id": grant.request_id}}
    suffix = f"{grant.id}.{effect.what}{effect.number}"
    return Message(text=text, blocks=tuple(named([section(mrkdwn(text)), *blocks], suffix)), metadata=payload)


def _news(effect: TellOfGrant, grant: Grant, used_by: Request | None, look: Look) -> tuple[str, list[Block]]:
    who = inline(look.names.get(grant.by, grant.by_name), look.key, 60)
    if effect.what == "made":
        until = f"at most {grant.most} times until {moment(grant.expires_at)}"
        text = f":key: {who} lets calls like this one go ahead without asking, {until}, where:"
        return text, [*listed(clauses(grant.arguments, grant.loose, look)), context(mrkdwn(_TO_END))]
    if effect.what == "ended":
        return f":no_entry: {_ender(grant, look)} after {grant.used} of {grant.most} calls.", []
    tool = inline(grant.tool, look.key, 60)
    text = f":fast_forward: {tool} went ahead under {who}'s grant, {effect.number} of {grant.most}."
    return text, _of_use(used_by, look) if used_by else []


_TO_END = "*/approvals grants* shows and ends it. It also ends when the policy changes."


def _ender(grant: Grant, look: Look) -> str:
    """Who ended it, as the beginning of a sentence; mrkdwn-safe."""
    if grant.revoked_by == "policy":
        return "The policy changed, so this grant ended"
    if grant.revoked_by in (None, "operator"):
        return "Whoever runs Signoff ended this grant"
    return f"{inline(look.name(grant.revoked_by), look.key, 60)} ended this grant"


def _of_use(request: Request, look: Look) -> list[Block]:
    laid = lay_out(action.arguments(request, look), look.key, characters=USED, most_blocks=6)
    cut = "This note doesn't show everything. " if laid.cut else ""
    return [*laid.blocks, context(mrkdwn(f"{cut}*/approvals {inline(request.id, look.key, 60)}* shows the request."))]


def grants_list(grants: Sequence[Grant], look: Look) -> list[Block]:
    """The grants that concern a person, the active ones first, as a message only they see."""
    active = [grant for grant in grants if grant.standing(look.now) is Standing.ACTIVE]
    ended = [grant for grant in grants if grant.standing(look.now) is not Standing.ACTIVE]
    blocks = [header(f"Approved in advance ({len(active)})" if active else "Approved in advance")]
    if not active:
        blocks.append(section(plain(NONE)))
    shown = [*active, *ended][:ROWS]
    for grant in shown:
        blocks.extend(_row(grant, look))
    if len(shown) < len(grants):
        blocks.append(context(plain(f"… and {len(grants) - len(shown)} more of the last day.")))
    return named(blocks, "grants")


def _row(grant: Grant, look: Look) -> Iterator[Block]:
    agent, tool = one_line(grant.requester.name, look.key, 60), one_line(grant.tool, look.key, 60)
    pattern = clip(" · ".join(clauses(grant.arguments, grant.loose, look)), ROW)
    active = grant.standing(look.now) is Standing.ACTIVE
    end = button("Revoke", ids.REVOKE, grant.id, "danger") if active else None
    yield section(plain(f"{agent} may call {tool}\n{pattern}" if active else f"{agent}, {tool}\n{pattern}"), end)
    by = one_line(look.names.get(grant.by, grant.by_name), look.key, 60)
    yield context(
        mrkdwn(f"*{grant.used} of {grant.most}* used"), plain(f"Granted by {by}"), mrkdwn(_until(grant, look))
    )


def _until(grant: Grant, look: Look) -> str:
    standing = grant.standing(look.now)
    if standing is Standing.ACTIVE:
        return f"Until {moment(grant.expires_at)}"
    if standing is Standing.REVOKED:
        return f":no_entry: {_ender(grant, look)}"
    if standing is Standing.EXPIRED:
        return f":clock1: Expired {moment(grant.expires_at)}"
    return ":white_check_mark: Used up"
