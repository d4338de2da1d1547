"""Reading the stored past: the requests since some time, and the policies that they were judged by. Never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.errors import Faulty
from policies.loader import load
from policies.policy import Policy
from policies.replay import lookback
from policies.request import Request
from storage.store import Store

PAGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """The requests since ``since`` and those a little before, that count as recent; their policies by digest."""

    since: datetime
    requests: tuple[Request, ...]
    earlier: Mapping[str, Policy]


async def read_past(store: Store, policy: Policy, since: datetime) -> Past:
    """Page through the store, newest first, until everything is there that ``policy`` looks at."""
    oldest = since - lookback(policy)
    requests: list[Request] = []
    cursor: str | None = None
    while True:
        page = await store.requests(cursor=cursor, limit=PAGE)
        wanted = [request for request in page.requests if request.created_at >= oldest]
        requests += wanted
        cursor = page.cursor
        if cursor is None or len(wanted) < len(page.requests):
            break
    return Past(since=since, requests=tuple(requests), earlier=await _policies(store, requests))


async def _policies(store: Store, requests: list[Request]) -> dict[str, Policy]:
    """The policies of modified requests, as far as they are stored and this version still reads them."""
    found: dict[str, Policy] = {}
    for digest in {request.policy_digest for request in requests if request.modified}:
        text = await store.policy_text(digest)
        try:
            if text is not None:
                found[digest] = load(text, source=f"stored policy {digest[:12]}")
        except Faulty:
            continue
    return found
