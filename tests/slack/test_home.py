"""The App Home in the local workspace: whose work it shows, how one finds something in it, and that it stays true."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.slack import ids
from tests.sandbox_process import until
from tests.slack.house import House, said


async def shown(home: House, person: str, *words: str, without: str = "") -> dict[str, Any]:
    """The person's Home as soon as it says all of ``words`` and not ``without``."""
    newest: list[Any] = [None]

    async def there() -> dict[str, Any] | None:
        view = newest[0] = await home.sandbox.people.home(person)
        found = view is not None and all(one in said(view) for one in words)
        return view if found and (not without or without not in said(view)) else None

    try:
        found: dict[str, Any] = await until(there, 12.0)
    except TimeoutError:
        raise AssertionError(f"Home doesn't say {words} without {without!r}: {newest[0]}") from None
    return found


async def use(home: House, person: str, view: dict[str, Any], action_id: str, **more: Any) -> None:
    """Use a field or the first button with this action in the Home."""
    for block in view["blocks"]:
        for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if element and element.get("action_id") == action_id and (element["type"] != "button" or not more):
                told = {"view_id": view["id"], "block_id": block["block_id"], "action_id": action_id}
                assert (await home.sandbox.people.click(person, **told, **more))["ok"]
                return
    raise LookupError(action_id)


async def test_a_home_shows_its_persons_work_lets_find_it_and_stays_true_by_itself(home: House) -> None:
    people = home.sandbox.people
    first = await home.ask()
    await people.open_home("U0ANA")
    await people.open_home("U0FRED")
    view = await shown(home, "U0ANA", "1 waiting for you", first.id[:12])
    assert first.id[:12] not in said(await shown(home, "U0FRED", "You are up to date"))

    large = await home.ask({"order_id": "HG-7", "amount": 350, "reason": "Lost"})
    view = await shown(home, "U0ANA", "2 waiting for you", "❗", large.id[:12])
    await use(home, "U0ANA", view, ids.HOME_SEARCH, selected="hg-1042")
    view = await shown(home, "U0ANA", "Found (1)", first.id[:12], without=large.id[:12])
    await use(home, "U0ANA", view, ids.HOME_SHOW, selected="rule:large")
    view = await shown(home, "U0ANA", "Nothing here fits", without=first.id[:12])
    await use(home, "U0ANA", view, ids.HOME_RESET)
    view = await shown(home, "U0ANA", first.id[:12], large.id[:12])

    assert (await people.command("U0BEN", "C0GENERAL", f"/approvals reject {first.id} no"))["ok"]
    await shown(home, "U0ANA", "1 waiting for you", "was rejected by Ben Okafor", "Recently decided")
    told = await shown(home, "U0FRED", "You are up to date")
    assert "Ben Okafor" not in said(told)


def audited(view: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The Home without the rows of other requests."""
    rows = [one for one in view["blocks"] if one.get("accessory", {}).get("value", "").startswith(request_id)]
    return {**view, "blocks": rows}


async def test_what_a_step_brought_and_what_went_ahead_unseen_have_their_sections(home: House) -> None:
    people = home.sandbox.people
    slow, post = await home.ask(tool="slow_refund"), await home.ask({"text": "hi"}, tool="publish_post")
    await people.open_home("U0ANA")
    await shown(home, "U0ANA", "2 waiting for you")
    await people.open_home("U0FAY")
    await shown(home, "U0FAY", "You are up to date")
    home.clock.ahead = timedelta(hours=21)
    await home.serving.gateway.advance(home.clock())
    await people.open_home("U0ANA")  # a Home that nobody used for half an hour is left alone
    view = await shown(home, "U0ANA", "To look at afterwards (1)", post.id[:12])
    await use(home, "U0ANA", audited(view, post.id), ids.VIEW)
    await home.press_in_view("U0ANA", ids.SEEN)
    assert (await home.now(post)).audit == "seen"
    await shown(home, "U0ANA", "Recently decided", without="To look at afterwards (1)")
    await people.open_home("U0FAY")
    view = await shown(home, "U0FAY", "Escalated to you (1)", slow.id[:12])
    await use(home, "U0FAY", view, ids.VIEW)
    assert (await home.submit("U0FAY"))["ok"]
    await shown(home, "U0FAY", "You are up to date", "Recently decided (1)", "you decided *1 request*")
    newt = await people.open_home("U0NEWT")
    assert newt["ok"]
    assert "was approved by" in said(await shown(home, "U0NEWT", "Recently decided"))
