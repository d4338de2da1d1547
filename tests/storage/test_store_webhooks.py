"""What the store promises about webhooks: whose they are, what they are owed, what is kept and what forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.errors import Conflict, NotFound
from policies.webhook import Webhook
from storage.columns import EPOCH
from storage.store import Key, Store
from tests.storage.samples import NOW, decided, opened

KEY = Key(id="k1", name="till", owner=None, kind="agent", created_at=NOW)
HOOK = Webhook(id="hook1", key_id="k1", url="https://hooks.example.com/1", secret="whsec_AAAA", created_at=NOW)
DAY = timedelta(days=1)


async def owed(store: Store, webhook_id: str = "hook1") -> list[tuple[str, str]]:
    """The type and the request of each message that is due."""
    return [(each.type, each.request_id) for each in await store.deliveries(webhook_id, NOW + DAY, limit=50)]


async def test_a_webhook_comes_and_goes_with_its_key(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    (endpoint,) = await store.endpoints()
    assert (endpoint.webhook, endpoint.name, endpoint.waiting, endpoint.failed) == (HOOK, "till", 0, 0)
    assert "whsec" not in repr(endpoint)
    with pytest.raises(Conflict):
        await store.add_key(replace(KEY, id="k2", name="other"), "hash2", webhook=replace(HOOK, id="hook3"))
    assert [key.name for key in await store.keys()] == ["till"]
    await store.revoke_key("till", NOW)
    assert await store.endpoints() == ()


async def test_the_news_of_an_agents_requests_go_to_all_its_standing_keys(
    store: Store, topics: list[frozenset[str]]
) -> None:
    await store.add_key(replace(KEY, expires_at=NOW + DAY), "hash1", webhook=HOOK)
    second = replace(HOOK, id="hook2", key_id="k2")
    await store.add_key(replace(KEY, id="k2", name="till-runner", agent="till"), "hash2", webhook=second)
    await store.add_key(
        replace(KEY, id="k3", name="other", agent="other"), "hash3", webhook=replace(HOOK, id="hook3", key_id="k3")
    )
    await store.add(opened("r1"))
    assert not await owed(store)
    await store.change("r1", decided())
    assert "webhooks" in topics[-1]
    assert [await owed(store, hook) for hook in ("hook1", "hook2", "hook3")] == [
        [("request.settled", "r1")],
        [("request.settled", "r1")],
        [],
    ]
    await store.add(opened("r2"))
    await store.change("r2", decided(now=NOW + DAY))  # the first key has expired by then
    assert [len(await owed(store, hook)) for hook in ("hook1", "hook2")] == [1, 2]


async def test_what_is_due_is_found_and_what_failed_waits(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    assert await store.next_delivery() is None
    for name in ("r1", "r2"):
        await store.add(opened(name))
        await store.change(name, decided())
    assert await store.next_delivery() == EPOCH
    assert [hook.id for hook in await store.due_webhooks(NOW)] == ["hook1"]
    first, second = await store.deliveries("hook1", NOW, limit=2)
    assert [each.request_id for each in await store.deliveries("hook1", NOW, limit=1)] == ["r1"]
    await store.not_delivered(first, NOW + DAY, "it answered 500", NOW)
    (hook,) = await store.due_webhooks(NOW)
    assert (hook.failing_since, hook.error) == (NOW, "it answered 500")
    await store.not_delivered(second, NOW + DAY, "it answered 502", NOW + timedelta(hours=1))
    assert await store.due_webhooks(NOW) == ()
    assert await store.next_delivery() == NOW + DAY
    (endpoint,) = await store.endpoints()
    assert (endpoint.webhook.failing_since, endpoint.webhook.error) == (NOW, "it answered 502")
    assert (endpoint.waiting, endpoint.next_at) == (2, NOW + DAY)
    assert await store.delivered(first)
    assert not await store.delivered(first)
    assert await store.next_delivery() == EPOCH


async def test_what_was_given_up_stays_until_it_is_sent_again_or_purged(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    for name in ("r1", "r2"):
        await store.add(opened(name))
        await store.change(name, decided())
    for each in await store.deliveries("hook1", NOW, limit=2):
        await store.not_delivered(each, None, "it answered 500", NOW)
    assert await owed(store) == []
    assert [each.request_id for each in await store.given_up("hook1", limit=5)] == ["r2", "r1"]
    newest = (await store.given_up("hook1", limit=1))[0]
    assert await store.redrive_message(newest.message_id) == 1
    assert await store.redrive_message(newest.message_id) == 0
    assert await owed(store) == [("request.settled", "r2")]
    assert [each.attempts for each in await store.deliveries("hook1", NOW, limit=1)] == [0]
    assert await store.redrive_webhook("hook1") == 1
    assert len(await owed(store)) == 2
    await store.purge(NOW, NOW)
    assert len(await owed(store)) == 2
    await store.purge(NOW + DAY, NOW + DAY)
    assert await owed(store) == []


async def test_a_disabled_webhook_is_owed_nothing_more(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    await store.add(opened("r1"))
    await store.change("r1", decided())
    assert await store.disable_webhook("hook1", "gone") == 1
    await store.add(opened("r2"))
    await store.change("r2", decided())
    (endpoint,) = await store.endpoints()
    assert (endpoint.webhook.disabled, endpoint.waiting, endpoint.failed) == ("gone", 0, 1)
    assert await store.next_delivery() is None
    assert await store.redrive_webhook("hook1") == 1
    assert [hook.disabled for hook in await store.due_webhooks(NOW)] == [None]


async def test_what_is_sent_again_is_sent_as_if_its_receiver_had_never_failed(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    for name in ("r1", "r2"):
        await store.add(opened(name))
        await store.change(name, decided())
    first, second = await store.deliveries("hook1", NOW, limit=2)
    for redriven in (store.redrive_message(second.message_id), store.redrive_webhook("hook1")):
        await store.not_delivered(first, NOW + DAY, "it answered 500", NOW - 6 * DAY)
        await store.disable_webhook("hook1", "it failed for 5 days")
        assert await redriven >= 1
        (hook,) = await store.due_webhooks(NOW)
        assert (hook.disabled, hook.failing_since, hook.error) == (None, None, None)
    await store.disable_webhook("hook1", "gone")
    await store.revoke_key("till", NOW)
    assert await store.redrive_message(second.message_id) == 0, "nothing is sent for an ended key"


async def test_a_webhook_that_is_removed_takes_along_what_it_was_owed(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    await store.add(opened("r1"))
    await store.change("r1", decided())
    await store.remove_webhook(HOOK, NOW)
    assert (await store.endpoints(), await owed(store)) == ((), [])
    with pytest.raises(NotFound):
        await store.remove_webhook(HOOK, NOW)
    with pytest.raises(NotFound):
        await store.renew_webhook(HOOK, "whsec_BBBB", until=NOW, now=NOW)


async def test_a_webhook_takes_the_place_of_the_one_before_and_the_journal_says_who_is_told_since_when(
    store: Store,
) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    await store.add(opened("r1"))
    await store.change("r1", decided())
    other = replace(HOOK, id="hook2", url="https://elsewhere.example.com/secret", created_at=NOW + DAY)
    await store.set_webhook(other)
    assert [each.webhook for each in await store.endpoints()] == [other]
    assert (await owed(store), await owed(store, "hook2")) == ([], [])
    await store.renew_webhook(other, "whsec_BBBB", until=NOW + 3 * DAY, now=NOW + 2 * DAY)
    await store.remove_webhook(other, NOW + 3 * DAY)
    lines = [line for line in await store.journal() if line.subject == "k1"]
    assert [(line.what, (line.at - NOW) // DAY, line.detail["webhook"]) for line in lines] == [
        ("provisioned", 0, "hooks.example.com"),
        ("webhook_set", 1, "elsewhere.example.com"),
        ("webhook_rotated", 2, "elsewhere.example.com"),
        ("webhook_removed", 3, "elsewhere.example.com"),
    ]


async def test_a_purge_forgets_the_webhooks_of_revoked_keys(store: Store) -> None:
    await store.add_key(KEY, "hash1", webhook=HOOK)
    await store.add(opened("r1"))
    await store.change("r1", decided())
    await store.revoke_key("till", NOW)
    assert await store.due_webhooks(NOW) == ()
    await store.purge(NOW - DAY, NOW)
    with pytest.raises(NotFound):
        await store.remove_webhook(HOOK, NOW)


def test_two_secrets_sign_until_the_former_one_ends() -> None:
    both = replace(HOOK, former_secret="whsec_OLD", former_until=NOW + DAY)
    assert both.secrets(NOW) == ("whsec_AAAA", "whsec_OLD")
    assert both.secrets(NOW + DAY) == ("whsec_AAAA",)
    assert HOOK.secrets(NOW) == ("whsec_AAAA",)
