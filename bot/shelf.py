"""The policy in force, and the earlier ones that open requests are still judged by, found by digest."""

from __future__ import annotations

import asyncio
from datetime import datetime

from policies.differences import differences
from policies.effects import Entry
from policies.errors import Unavailable
from policies.granting import revoke
from policies.loader import load
from policies.policy import Policy
from storage.store import Store


class PolicyShelf:
    """``current`` judges new calls; ``by_digest`` gives the policy that a request was opened under."""

    def __init__(self, store: Store, current: Policy) -> None:
        self._store = store
        self.current = current
        self._known = {current.digest: current}

    async def keep(self, now: datetime) -> None:
        """Store the current policy's text, so that requests opened under it can be judged after a change."""
        policy = self.current
        await self._store.keep_policy(policy.digest, policy.text)
        detail = {"source": policy.source, "rules": len(policy.rules)}
        await self._store.note(Entry(what="policy", actor="serve", at=now, subject=policy.digest, detail=detail))
        await self._end_other_grants(now)

    async def replace(self, policy: Policy, actor: str, now: datetime) -> None:
        """Put ``policy`` in force for new calls, and write into the journal who changed what.

        Requests that are open keep the policy they were opened under.
        """
        detail = {"source": policy.source, "before": self.current.digest, **differences(self.current, policy)}
        await self._store.keep_policy(policy.digest, policy.text)
        await self._store.note(Entry(what="policy", actor=actor, at=now, subject=policy.digest, detail=detail))
        self._known[policy.digest] = policy
        self.current = policy
        await self._end_other_grants(now)

    async def _end_other_grants(self, now: datetime) -> None:
        """What was granted under another policy ends for good: going back to that policy brings nothing back."""
        await self._store.end_grants_of_other_policies(
            self.current.digest, now, lambda standing: revoke(standing, "policy", now)
        )

    async def by_digest(self, digest: str) -> Policy:
        """The policy with this digest. Raises ``Unavailable`` where its text is gone: then no edit is judged."""
        if digest not in self._known:
            text = await self._store.policy_text(digest)
            if text is None:
                raise Unavailable("The policy of this request is no longer stored, so an edit can't be judged.")
            self._known[digest] = await asyncio.to_thread(load, text, source=f"stored policy {digest[:12]}")
        return self._known[digest]
