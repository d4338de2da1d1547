"""Small constructors for Block Kit. Texts from outside go through ``plain`` or ``preformatted``, never ``mrkdwn``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]

CHUNK = 3_000
"""Escaped characters in one piece of preformatted text; longer texts become several pieces."""

_COST = {"&": 5, "<": 4, ">": 4}


def plain(text: str) -> Block:
    """Text in which nothing is live: no emoji names, no links, no mentions."""
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> Block:
    """Signoff's own sentence; whatever stands in it must have been escaped."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text)}


def section(text: Block, accessory: Block | None = None) -> Block:
    return {"type": "section", "text": text, **({"accessory": accessory} if accessory else {})}


def fields(texts: Sequence[str]) -> Block:
    """Up to ten short plain texts, side by side."""
    return {"type": "section", "fields": [plain(text) for text in texts]}


def context(*elements: Block) -> Block:
    return {"type": "context", "elements": list(elements)}


def divider() -> Block:
    return {"type": "divider"}


def actions(buttons: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(label: str, action_id: str, value: str, style: str | None = None) -> Block:
    shown = {"type": "button", "text": plain(label), "action_id": action_id, "value": value}
    return {**shown, "style": style} if style else shown


def menu(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """A "⋯" that opens a menu of at most five options, each a label and its value."""
    offered = [{"text": plain(label), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": action_id, "options": offered}


def titled(title: str, text: str) -> Block:
    """A bold title over preformatted text; inert, whatever the text holds."""
    bold = {"type": "text", "text": title, "style": {"bold": True}}
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [bold]}, *(map(_preformatted, pieces(text)))],
    }


def quoted(title: str, text: str) -> Block:
    """A bold title over people's words, quoted; as inert as ``titled``."""
    bold = {"type": "text", "text": title, "style": {"bold": True}}
    words = [{"type": "rich_text_quote", "elements": [{"type": "text", "text": piece}]} for piece in pieces(text)]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [bold]}, *words]}


def preformatted(text: str) -> Block:
    """Preformatted text alone."""
    return {"type": "rich_text", "elements": [_preformatted(piece) for piece in pieces(text)]}


def _preformatted(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}


def pieces(text: str, size: int = CHUNK) -> list[str]:
    """``text`` in pieces of at most ``size`` escaped characters; at least one, since Slack refuses empty elements."""
    found, start, cost = [], 0, 0
    for place, character in enumerate(text):
        weight = _COST.get(character, 1 if character <= "\uffff" else 2)
        if cost + weight > size:
            found.append(text[start:place])
            start, cost = place, 0
        cost += weight
    return [*found, text[start:] or " "]


def entry(label: str, block_id: str, element: Mapping[str, Any], *, hint: str = "", optional: bool = False) -> Block:
    """An input block; ``label`` and ``hint`` are plain text."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": dict(element),
        "optional": optional,
    }
    return {**block, "hint": plain(hint)} if hint else block


def named(blocks: Iterable[Block], suffix: str) -> list[Block]:
    """The blocks, each with an id of its own: Slack wants new ids whenever a message changes."""
    return [{**block, "block_id": block.get("block_id", f"b{number}.{suffix}")} for number, block in enumerate(blocks)]
