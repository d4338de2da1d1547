"""The forms of whole requests that people have before them: once such a request is settled, its forms say so.

While it is pending a form is left alone, whatever changes: what a person is about to approve must not become something
else under their finger. A form that can't be drawn anew is told when it is sent, as one is that nobody remembers.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.logs import get_logger
from bot.slack import ids
from bot.slack.memo import Memo
from bot.slack.views.blocks import Block
from policies.errors import SignoffError
from storage.store import Changed

log = get_logger("signoff.slack")

MOST = 500
"""Forms that are remembered; nobody tells when one is closed."""
PAUSE = 1.0
"""Seconds between a decision and the look at its forms, so that the form that decided is closed by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenForm:
    """A form of a whole request: ``view_hash`` is Slack's mark of what it showed last."""

    view_id: str
    view_hash: str
    user_id: str
    memo: Memo


class OpenForms:
    """Remembers forms by their ids. Only for one event loop."""

    def __init__(self, *, pause: float = PAUSE) -> None:
        self._pause = pause
        self._forms: OrderedDict[str, OpenForm] = OrderedDict()
        self._settled: set[str] = set()
        self._news = asyncio.Event()

    def shown(self, user_id: str, view: Block, answer: Mapping[str, Any]) -> None:
        """Slack took ``view`` and answered so."""
        told = answer.get("view") or {}
        view_id, memo = str(told.get("id") or ""), _memo(view)
        self.closed(view_id)
        if memo is None or not view_id:
            return
        view_hash = str(told.get("hash") or "")
        self._forms[view_id] = OpenForm(view_id=view_id, view_hash=view_hash, user_id=user_id, memo=memo)
        while len(self._forms) > MOST:
            self._forms.popitem(last=False)

    def closed(self, view_id: str) -> None:
        """The form is sent, or gone."""
        self._forms.pop(view_id, None)

    def changed(self, changes: Sequence[Changed]) -> None:
        """Note what was committed: cheap, since it is on every change's way."""
        if self._forms:
            self._settled.update(change.after.id for change in changes if change.after.settled)
            self._news.set()

    async def keep(self, redraw: Callable[[OpenForm], Awaitable[None]]) -> None:
        """Draw the forms of settled requests anew for as long as the gateway runs."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._pause)
            self._news.clear()
            settled, self._settled = self._settled, set()
            for form in [one for one in self._forms.values() if one.memo.request_id in settled]:
                await self._quietly(redraw, form)

    async def _quietly(self, redraw: Callable[[OpenForm], Awaitable[None]], form: OpenForm) -> None:
        """One that can't be drawn (it may be closed) holds up no other, and isn't tried again."""
        try:
            await redraw(form)
        except SignoffError as error:
            log.debug("a form is not drawn anew", user=form.user_id, why=error.words)
            self.closed(form.view_id)
        except Exception:  # the gateway ends where this ends, and no form is worth that
            log.exception("a form could not be drawn anew", user=form.user_id)
            self.closed(form.view_id)


def _memo(view: Block) -> Memo | None:
    """What the form of a whole request remembers; None for every other form."""
    if view.get("callback_id") != ids.VIEW_FORM:
        return None
    try:
        return Memo.model_validate_json(view.get("private_metadata") or "{}")
    except ValidationError:
        return None
