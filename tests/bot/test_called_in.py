"""Whom somebody asks to decide is told once, also by a courier that comes after a crash; never of what is over."""

from __future__ import annotations

from policies.events import Delegated
from policies.people import Person, Standing
from tests.bot.courier_house import Post, checkpoint


async def ask(post: Post, request_id: str, to: str) -> None:
    """Ana asks somebody to decide."""
    ana, other = (
        Person(id=who, name=name, standing=Standing.MEMBER, looked_up_at=post.time())
        for who, name in (("U0ANA", "Ana Reyes"), (to, "Somebody Else"))
    )
    await post.change(request_id, Delegated(person=ana, to=other, note="please"))


async def threads(post: Post, request_id: str) -> dict[str, list[str]]:
    """What stands in the thread of each copy, by whom it was posted to."""
    found = {}
    for copy in await post.store.copies(request_id):
        seen = await post.sandbox.people.history(copy.to if copy.private else "U0ANA", copy.channel, copy.ts)
        found[copy.to] = [one["text"] for one in seen if one["ts"] != copy.ts]
    return found


async def test_a_successor_tells_whom_a_killed_courier_did_not(post: Post) -> None:
    await post.ask("req_1")
    post.serve()
    await post.drained_in_time()
    await post.kill()
    await ask(post, "req_1", "U0SAM")
    post.serve()
    await post.drained_in_time()
    told = await threads(post, "req_1")
    assert told["U0SAM"] == []
    (said,) = told["#approvals"]
    assert said.startswith("<@U0SAM> Ana Reyes asks you to decide this")
    assert "Ana Reyes asked Somebody Else to decide this" in str(await post.dm("U0SAM"))


async def test_whoever_has_the_card_already_is_told_in_its_thread_and_nobody_else_is(post: Post) -> None:
    await post.ask("req_1", checkpoint(None))
    post.serve()
    await post.drained_in_time()
    await ask(post, "req_1", "U0BEN")
    await post.drained_in_time()
    told = await threads(post, "req_1")
    assert [len(told["U0ANA"]), len(told["U0BEN"])] == [0, 1]
    assert len(await post.dm("U0BEN")) == 1, "the card comes once"


async def test_nobody_is_called_to_what_was_decided_meanwhile(post: Post) -> None:
    await post.ask("req_1")
    post.serve()
    await post.drained_in_time()
    await post.kill()
    await ask(post, "req_1", "U0SAM")
    await post.approve("req_1")
    post.serve()
    await post.drained_in_time()
    assert await threads(post, "req_1") == {"#approvals": []}
