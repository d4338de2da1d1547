"""What a call does, in a few plain words: the catalogue's title with the call's arguments, or the tool's own name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bot.slack.views.look import Look
from bot.slack.views.text import formed, one_line
from policies.redaction import redact
from policies.rendering import Rendering, Style, filled, named_in, read_rendering, rendering
from policies.request import Request
from policies.visible import in_quotes

TOOL = 60
VALUE = 48
LONGEST = 110
_BARE = re.compile(r"[A-Za-z0-9@#._:/+%€$£,-]+( (?=[A-Z]{3}$))?[A-Z]*")


def chosen(request: Request) -> Mapping[str, Rendering]:
    """How the policy wants the call's arguments shown, as it stood when the request was opened."""
    return {name: read_rendering(words) for name, words in request.checkpoint.show}


def headline(request: Request, look: Look) -> str:
    """The call in at most ``LONGEST`` characters, plain text: "Refund 140.00 EUR for HG-1042", or the tool's name.

    What the agent wrote stands in quotation marks unless it is one plain word, so that it can't go on with the
    sentence in Signoff's voice.
    """
    title = request.checkpoint.title
    said = filled(title, _values(request, look, named_in(title))) if title and request.purged_at is None else None
    return said if said is not None and len(said) <= LONGEST else one_line(request.call.tool, look.key, TOOL)


def _values(request: Request, look: Look, names: Sequence[str]) -> Mapping[str, str]:
    forms, given = chosen(request), request.call.arguments
    wanted = {name: given[name] for name in names if name in given}
    arguments = cast(dict[str, Any], redact(wanted, key=look.key).value)
    values = {}
    for name, value in arguments.items():
        form = rendering(name, given.get(name), request.call.schema, forms)
        text = ", ".join(map(str, value)) if _is_row(value) else formed(value, form)
        text = text.split("\n")[0] if form.style is Style.LINK else text
        line = one_line(text, look.key, VALUE)
        values[name] = line if _BARE.fullmatch(line) else in_quotes(line)
    return values


def _is_row(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, (str, int)) for one in value)
