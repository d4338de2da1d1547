"""What a reviewer entered in the form of a grant, as terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.slack import ids
from bot.slack.payloads import Entered
from bot.slack.views.grant_form import groups
from policies.errors import Invalid
from policies.grant import Terms
from policies.request import Request


def terms_of(request: Request, values: Mapping[str, Entered]) -> Terms:
    """The terms that the form's ``values`` say; boxes of which nothing is said count as ticked.

    Raises ``Invalid`` for what isn't a form's. Whether the policy admits the terms is decided when they are used.
    """
    loose = [
        leaf.pointer
        for block_id, boxes in groups(request).items()
        for place, leaf in boxes.items()
        if place not in _ticked(values.get(block_id), boxes)
    ]
    lasts, most = _number(values.get(ids.LASTS)), _number(values.get(ids.MOST))
    return Terms(loose=tuple(loose), lasts=timedelta(seconds=lasts), most=most)


def _ticked(entered: Entered, boxes: Mapping[str, object]) -> tuple[str, ...]:
    if isinstance(entered, tuple) and set(entered) <= boxes.keys():
        return entered
    if entered is None:
        return tuple(boxes)
    raise Invalid("The form says something that it didn't offer; close it and open it again.")


def _number(entered: Entered) -> int:
    if isinstance(entered, str) and entered.isascii() and entered.isdigit() and len(entered) < 8:
        return int(entered)
    raise Invalid("Choose from the lists; nothing was changed.")
