"""What the Home's own buttons and fields do: choose what it shows, search, turn pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.slack import ids
from bot.slack.desk import Desk
from bot.slack.home_memo import HomeMemo
from bot.slack.payloads import Click
from policies.errors import Invalid


class AtHome:
    """Answers clicks in a Home."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.acts: Mapping[str, Callable[[Click], Awaitable[None]]] = {
            ids.HOME_SHOW: self._choose,
            ids.HOME_SEARCH: self._search,
            ids.HOME_PREVIOUS: self._turn,
            ids.HOME_NEXT: self._turn,
            ids.HOME_RESET: self._reset,
        }

    async def _choose(self, click: Click) -> None:
        memo = _memo(click).shown(click.value)
        self._show(click, memo if click.block_id.startswith("filter.") else memo.turned())

    async def _search(self, click: Click) -> None:
        self._show(click, _memo(click).sought(click.value))

    async def _turn(self, click: Click) -> None:
        if not (click.value.isascii() and click.value.isdigit() and len(click.value) < 4):
            raise Invalid("This button belongs to another version of Signoff. Open Home again.")
        self._show(click, _memo(click).model_copy(update={"page": int(click.value)}))

    async def _reset(self, click: Click) -> None:
        self._show(click, HomeMemo(n=_memo(click).turn + 1))

    def _show(self, click: Click, memo: HomeMemo) -> None:
        self._desk.homes.use(click.user_id, memo)
        self._desk.afterwards.start(self._desk.show_home(click.user_id))


def _memo(click: Click) -> HomeMemo:
    return HomeMemo.read(click.home_state or "")
