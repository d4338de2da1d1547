"""What a person types, as Slack hands it on: escaped text, and the rich text block that it becomes."""

import re
import secrets

from sandbox.json_types import Json

_CONTROL = re.compile(
    r"<(?:@[UW]\w+|#C\w+(?:\|[^<>]*)?|!(?:here|channel|everyone|subteam\^S\w+)|(?:https?://|mailto:)[^<>\s]+)>"
)


def escaped(text: str) -> str:
    """The text with &, < and > as entities, except where they make a mention or a link."""
    pieces = _pieces(text)
    return "".join(piece if control else _entities(piece) for piece, control in pieces)


def typed(text: str) -> Json:
    """The rich text block that Slack's client makes of typed text; mentions are elements of their own."""
    elements = [_element(piece) if control else {"type": "text", "text": piece} for piece, control in _pieces(text)]
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": secrets.token_urlsafe(4)[:5], "elements": [section]}


def _pieces(text: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    end = 0
    for match in _CONTROL.finditer(text):
        found += [(text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [(piece, control) for piece, control in [*found, (text[end:], False)] if piece]


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _element(control: str) -> Json:
    kind, inner = control[1], control[2:-1]
    if kind == "@":
        return {"type": "user", "user_id": inner}
    if kind == "#":
        return {"type": "channel", "channel_id": inner.partition("|")[0]}
    if kind == "!" and inner.startswith("subteam^"):
        return {"type": "usergroup", "usergroup_id": inner.removeprefix("subteam^")}
    if kind == "!":
        return {"type": "broadcast", "range": inner}
    return {"type": "link", "url": control[1:-1]}
