"""The shortcut in a message's menu: on a card it opens the whole call, for whom it concerns and for nobody else."""

from __future__ import annotations

from typing import Any

from bot.slack import ids
from policies.request import State
from tests.sandbox_process import until
from tests.slack.house import House, said


async def chosen(home: House, person: str, channel: str, ts: str) -> dict[str, Any]:
    """The form that comes when the person chooses the shortcut on this message; it is closed again."""
    assert (await home.sandbox.people.shortcut(person, ids.OPEN, channel, ts))["ok"]
    opened = (await until(lambda: home.sandbox.people.views(person)))[-1]
    await home.sandbox.people.close(person, opened["id"], clear=True)
    view: dict[str, Any] = opened["view"]
    return view


async def test_the_shortcut_opens_the_call_behind_a_card_or_its_thread_and_says_what_is_no_card(home: House) -> None:
    people, request = home.sandbox.people, await home.ask()
    channel, ts = await home.place(request)
    note = await people.say("U0BEN", channel, "What is this about?", ts)
    other = await people.say("U0BEN", channel, "Lunch?")
    for place in (ts, note["ts"]):
        view = await chosen(home, "U0ANA", channel, place)
        assert view["callback_id"] == ids.VIEW_FORM
        assert "HG-1042" in said(view)
    assert "no card of Signoff's" in said(await chosen(home, "U0ANA", channel, other["ts"]))
    refused = await chosen(home, "U0SAM", channel, ts)
    assert "Only its reviewers" in said(refused)
    assert "HG-1042" not in said(refused)
    assert (await people.shortcut("U0ANA", ids.OPEN, channel, ts))["ok"]
    await until(lambda: people.views("U0ANA"))
    assert (await home.submit("U0ANA"))["ok"]
    assert (await home.now(request)).state is State.APPROVED
