"""What a `rich_text` block may hold."""

from sandbox.schema import Check, array, boolean, by_type, choice, integer, record, string

_STYLE = record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "unlink"), boolean))
_STYLED: dict[str, Check] = {"style": _STYLE}
_ID = string(255)


def _part(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record({"type": choice(kind), **required}, {**_STYLED, **(optional or {})})


PARTS: dict[str, Check] = {
    "text": _part("text", {"text": string(40_000)}),
    "link": _part("link", {"url": string(3000)}, {"text": string(40_000, least=0), "unsafe": boolean}),
    "user": _part("user", {"user_id": _ID}),
    "usergroup": _part("usergroup", {"usergroup_id": _ID}),
    "channel": _part("channel", {"channel_id": _ID}),
    "emoji": _part("emoji", {"name": _ID}, {"unicode": _ID, "skin_tone": integer(1, 6)}),
    "broadcast": _part("broadcast", {"range": choice("here", "channel", "everyone")}),
    "color": _part("color", {"value": _ID}),
    "date": _part(
        "date",
        {"timestamp": integer(0, 10**11), "format": string(1000)},
        {"url": string(3000), "fallback": string(1000)},
    ),
}
_PARTS = array(by_type(PARTS), least=0, most=1000)
_CODE_PARTS = array(by_type(PARTS, allowed=("text", "link")), least=0, most=1000)
_BORDER: dict[str, Check] = {"border": integer(0, 1)}
SECTION = record({"type": choice("rich_text_section"), "elements": _PARTS})
PREFORMATTED = record(
    {"type": choice("rich_text_preformatted"), "elements": _CODE_PARTS}, {**_BORDER, "language": string(50)}
)
QUOTE = record({"type": choice("rich_text_quote"), "elements": _PARTS}, _BORDER)
LIST = record(
    {
        "type": choice("rich_text_list"),
        "style": choice("bullet", "ordered"),
        "elements": array(by_type({"rich_text_section": SECTION}), most=1000),
    },
    {"indent": integer(0, 8), "offset": integer(0, 10_000), **_BORDER},
)
CONTAINERS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_preformatted": PREFORMATTED,
    "rich_text_quote": QUOTE,
    "rich_text_list": LIST,
}
RICH_TEXT = record(
    {"type": choice("rich_text"), "elements": array(by_type(CONTAINERS), least=0, most=1000)},
    {"block_id": string(255)},
)
