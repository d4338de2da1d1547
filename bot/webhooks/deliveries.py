"""Delivers what webhooks are owed: what is stored is sent, and stays stored until it got through.

A few messages at once are on their way to each endpoint (one while it fails), so that a slow or dead receiver holds up
nobody else. What is to be sent is known from the rows alone: after a crash the next gateway goes on from them. It may
come twice (its ``webhook-id`` tells) and out of turn; it never comes before what it tells of was committed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.logs import get_logger
from bot.metrics import Metrics
from bot.waiting import Waiting, changed_within
from bot.webhooks.sender import Answer, NotSent, Sender
from policies.errors import SignoffError
from policies.webhook import TOO_LONG, Webhook, fails_too_long, next_attempt
from storage.store import Delivery, Store
from storage.webhooks import TOPIC

log = get_logger("signoff.webhooks")

IDLE = 5.0
"""Seconds after which is looked even though nobody rang: a command beside ``serve`` may have put something there."""
WIDTH = 4
"""Messages that are on their way to one endpoint at once."""
PLACES = 64
"""Messages that are on their way at once in all."""
GONE = 410


class Deliveries:
    """Delivers until it is cancelled. ``clock`` gives UTC time, ``chance`` numbers from 0 to 1 for the jitter."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        waiting: Waiting,
        clock: Callable[[], datetime],
        *,
        metrics: Metrics | None = None,
        chance: Callable[[], float] = random.random,
        places: int = PLACES,
    ) -> None:
        self._store = store
        self._sender = sender
        self._waiting = waiting
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._chance = chance
        self._places = asyncio.Semaphore(places)
        self._under_way: dict[str, set[int]] = {}

    @property
    def busy(self) -> bool:
        """Is anything on its way?"""
        return bool(self._under_way)

    async def run(self) -> None:
        """Send whatever is owed, woken by the store's signal."""
        async with asyncio.TaskGroup() as attempts:
            with self._waiting.watch(TOPIC) as rung:
                while True:
                    await changed_within(rung, await self._look(attempts))

    async def _look(self, attempts: asyncio.TaskGroup) -> float:
        """Send to each endpoint what there is room for; how many seconds to wait unless somebody rings."""
        now = self._clock()
        try:
            for webhook in await self._store.due_webhooks(now):
                for delivery in await self._next(webhook, now):
                    self._under_way.setdefault(webhook.id, set()).add(delivery.id)
                    attempts.create_task(self._deliver(webhook, delivery))
            due = await self._store.next_delivery()
        except SignoffError as error:
            log.warning("webhooks can't be read", why=error.words)
            return 1.0
        if due is None or due <= now:
            return IDLE  # what is due is on its way or waits for what is, and each rings at its end
        return min(IDLE, (due - now).total_seconds())

    async def _next(self, webhook: Webhook, now: datetime) -> tuple[Delivery, ...]:
        """What is to be sent to this endpoint beside what is on its way."""
        before = frozenset(self._under_way.get(webhook.id, ()))  # what ends during the look is read as still owed
        room = (WIDTH if webhook.failing_since is None else 1) - len(before)
        if room <= 0:
            return ()
        due = await self._store.deliveries(webhook.id, now, limit=room + len(before))
        return tuple(each for each in due if each.id not in before)[:room]

    async def _deliver(self, webhook: Webhook, delivery: Delivery) -> None:
        """One attempt, and what comes of it."""
        try:
            await self._attempt(webhook, delivery)
        except SignoffError as error:
            log.warning("webhooks can't be written", why=error.words)
            await asyncio.sleep(1.0)
        except Exception:
            log.exception("a webhook fell over", webhook=webhook.id)
            await asyncio.sleep(1.0)
        finally:
            self._under_way[webhook.id].discard(delivery.id)
            if not self._under_way[webhook.id]:
                del self._under_way[webhook.id]
            self._waiting.wake((TOPIC,))

    async def _attempt(self, webhook: Webhook, delivery: Delivery) -> None:
        try:
            async with self._places:
                answer = await self._send(webhook, delivery)
        except NotSent as error:
            await self._missed(webhook, delivery, error.words)
            return
        if 200 <= answer.status < 300:
            await self._got_through(webhook, delivery)
        elif answer.status == GONE:
            await self._end(webhook, "it answered 410: gone")
        else:
            await self._missed(webhook, delivery, f"it answered {answer.status}", answer.retry_after)

    async def _send(self, webhook: Webhook, delivery: Delivery) -> Answer:
        now = self._clock()
        keys = webhook.secrets(now)
        body = delivery.body.encode()
        return await self._sender.send(webhook.url, body, message_id=delivery.message_id, keys=keys, now=now)

    async def _got_through(self, webhook: Webhook, delivery: Delivery) -> None:
        self._metrics.webhook("delivered")
        if await self._store.delivered(delivery):
            log.info("a webhook's receiver answers again", webhook=webhook.id, host=_host(webhook))

    async def _missed(self, webhook: Webhook, delivery: Delivery, why: str, asked: timedelta = timedelta()) -> None:
        now = self._clock()
        again_at = next_attempt(delivery.attempts + 1, now, self._chance(), asked)
        since = await self._store.not_delivered(delivery, again_at, why, now)
        self._metrics.webhook("retried" if again_at else "failed")
        if again_at is None:
            log.error("a webhook message is given up", webhook=webhook.id, host=_host(webhook), why=why)
        elif since == now:
            log.warning("a webhook's receiver fails; tried again", webhook=webhook.id, host=_host(webhook), why=why)
        if fails_too_long(replace(webhook, failing_since=since), now):
            await self._end(webhook, f"it failed for {TOO_LONG.days} days: {why}")

    async def _end(self, webhook: Webhook, why: str) -> None:
        """Its receiver says that it is gone for good, or looks like it."""
        self._metrics.webhook("disabled")
        lost = await self._store.disable_webhook(webhook.id, why)
        log.error("a webhook is disabled", webhook=webhook.id, host=_host(webhook), why=why, messages=lost)


def _host(webhook: Webhook) -> str:
    """For the log: the rest of a URL may be a secret."""
    return urlsplit(webhook.url).hostname or ""
