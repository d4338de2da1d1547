"""The agent runner's messages: each posted once, its later words put in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.carrier import CLOCKS_DIFFER, Carrier, Posted, Rejected, is_person, raise_if_curable
from bot.logs import get_logger
from bot.pacing import Pace, Urgency
from policies.agent_run import AgentRun
from policies.effects import Post
from storage.store import Owed, Store

log = get_logger("signoff.courier")

UNREACHABLE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "thread_not_found",
    }
)
"""Refusals that are about the place: a run whose thread is lost goes on as direct messages to its starter."""


class RunMessages:
    """Posts what the runner says. ``clock`` gives UTC time."""

    def __init__(self, store: Store, carrier: Carrier, clock: Callable[[], datetime], pace: Pace) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._pace = pace

    async def post(self, owed: Owed, effect: Post) -> None:
        """Post what a run says, or put it in the place of what it said there before."""
        run = await self._store.run(effect.run_id)
        if run is None:
            await self._store.done((owed.id,))
            return
        known = await self._store.run_message(run.id, effect.key)
        posted = await self._found_of_run(owed, run) if known is None else None
        if posted is None:
            await self._pace.turn(None if known else run.channel, Urgency.NEW)
            posted = await self._update_or_post(owed, effect, run, known)
        if posted is None:
            await self._store.change_run(run.id, lambda lost: (replace(lost, channel=lost.owner, thread_ts=None), ()))
            await self.post(owed, effect)
            return
        opens = run.thread_ts is None and known is None
        if opens and posted.channel != run.channel:
            await self._store.change_run(run.id, lambda opened: (replace(opened, channel=posted.channel), ()))
        await self._store.run_posted(owed.id, run.id, effect.key, posted.channel, posted.ts, opens_thread=opens)

    async def _found_of_run(self, owed: Owed, run: AgentRun) -> Posted | None:
        """The message that an uncertain attempt posted, where the channel's history may be read."""
        if owed.started_at is None:
            return None
        since = owed.started_at - CLOCKS_DIFFER
        found = await self._carrier.find_posted((owed.id,), run.channel, since, thread_ts=run.thread_ts)
        return found.get(owed.id)

    async def _update_or_post(
        self, owed: Owed, effect: Post, run: AgentRun, known: tuple[str, str] | None
    ) -> Posted | None:
        """Where the message stands now; None where its place is lost and its starter can still be told directly."""
        if known is not None:
            try:
                there = replace(run, channel=known[0])
                return await self._pace.keep(None, self._carrier.post_run(effect, there, known[1], owed.id))
            except Rejected as rejected:
                raise_if_curable(rejected)
                log.warning("a run's message can't be updated", run=run.id, error=rejected.error)
        here = replace(effect, channel=run.channel, thread_ts=run.thread_ts)
        await self._store.begin((owed.id,), self._clock())
        try:
            return await self._pace.keep(run.channel, self._carrier.post_run(here, run, None, owed.id))
        except Rejected as rejected:
            if rejected.error not in UNREACHABLE or is_person(run.channel):
                raise
            log.warning("a run goes on in direct messages", run=run.id, error=rejected.error)
            return None
