"""Which new cards share a message: as many as would have to wait, whatever the reason that they have to."""

from __future__ import annotations

from bot.batches import Batches
from bot.pacing import POST_BURST, Pace
from policies.effects import PostCard
from tests.bot.courier_house import Post
from tests.storage.samples import opened


async def shared(post: Post, cards: int, turns: int, least: int = 4) -> int:
    """How many of so many waiting cards go out in the first message, which took the last of ``turns``."""
    for n in range(cards):
        await post.store.add(
            opened(f"req_{n}", created_at=post.time(), effects=(PostCard(request_id=f"req_{n}", to="#approvals"),))
        )
    pace = Pace(post.time.now, post.time.sleep)
    for _ in range(turns):
        await pace.turn("#approvals")
    first, *waiting = await post.store.owed(post.time())
    return 1 + len(await Batches(post.store, pace, least).companions(first, waiting))


async def test_what_the_channel_takes_at_once_goes_alone(post: Post) -> None:
    assert await shared(post, cards=4, turns=1) == 1


async def test_where_slack_answers_slowly_a_place_is_always_free_and_the_others_share_a_message_all_the_same(
    post: Post,
) -> None:
    assert POST_BURST > 1
    assert await shared(post, cards=30, turns=1) == 10


async def test_fewer_than_asked_for_have_a_card_each_and_as_many_share_one(post: Post) -> None:
    assert await shared(post, cards=6, turns=POST_BURST, least=7) == 1


async def test_without_batches_each_has_a_card_however_many_wait(post: Post) -> None:
    assert await shared(post, cards=12, turns=POST_BURST, least=0) == 1
