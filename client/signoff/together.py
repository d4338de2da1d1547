"""Calls that are asked about together: each is decided alone, and one long poll waits for all of them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from signoff.connection import Connection
from signoff.flows import POLL, Consult, Flow, Send, Talk, read_as, refusal
from signoff.models import Group, Inquiry, Request

MOST = 50
"""Calls of one group, the most that the gateway takes; more are asked about in several."""


def asking_all(connection: Connection, calls: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Each call as the API takes it, with its idempotency key, in groups that have the same names in every life."""
    asked = [connection.asking(call.get("key"), **{k: v for k, v in call.items() if k != "key"}) for call in calls]
    found = []
    for first in range(0, len(asked), MOST):
        some = asked[first : first + MOST]
        group = {"id": _name([key for _, key in some]), "size": len(some)}
        found += [({"group": group, **body} if len(some) > 1 else body, key) for body, key in some]
    return found


def together(size: int) -> dict[str, Any]:
    """The words that tell of so many calls that they are asked about together; none where nothing is to tell."""
    return {"group": {"id": f"g{secrets.token_hex(16)}", "size": size}} if 1 < size <= MOST else {}


def _name(keys: Sequence[str]) -> str:
    return "g" + hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]


def look_at(talk: Talk, group_id: str, **query: int) -> Flow[Group]:
    """How a group stands; with ``wait`` once there is news of it, or so many seconds later."""
    path = f"/v1/groups/{quote(group_id, safe='')}" + (f"?{urlencode(query)}" if query else "")
    reply = yield from talk.exchange(Send(method="GET", path=path, hold=query.get("wait", 0)))
    if reply.status >= 400:
        raise refusal(reply)
    return read_as(Group, reply)


def settle_all(talk: Talk, requests: Sequence[Request], seconds: float | None) -> Flow[list[Request]]:
    """Wait until all are settled, answering what people ask; how they stand then, or after ``seconds``."""
    all_of_them, until = Waited(requests=list(requests)), None if seconds is None else talk.clock() + seconds
    while all_of_them.pending:
        asked = all_of_them.next_asked()
        if asked is not None:
            yield from _answer(talk, all_of_them, *asked)
            continue
        left = float(POLL) if until is None else until - talk.clock()
        if left <= 0:
            break
        yield from all_of_them.news(talk, left)
    return all_of_them.requests


@dataclass(kw_only=True, slots=True)
class Waited:
    """Requests that are waited for, what is known of their groups, and the questions that nobody here answers."""

    requests: list[Request]
    known: dict[str, Group] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)

    @property
    def pending(self) -> list[Request]:
        """Those that wait for people still."""
        return [one for one in self.requests if one.pending]

    def next_asked(self) -> tuple[Request, Inquiry] | None:
        """What people asked about one of them and nobody answered."""
        for one in self.pending:
            for inquiry in one.inquiries:
                if inquiry.answer is None and inquiry.id not in self.passed_over:
                    return one, inquiry
        return None

    def news(self, talk: Talk, seconds: float) -> Flow[None]:
        """Wait for the first that is pending, with all of its group."""
        first = self.pending[0]
        if first.group is None:
            self.put([(yield from talk.news(first, seconds))])
            return
        query = {"wait": max(1, min(POLL, int(seconds)))}
        before = self.known.get(first.group.id)
        if before is not None:
            asked = sum(len(one.inquiries) for one in before.requests)
            query |= {"settled": before.settled, "inquiry": asked}
        else:
            query = {"wait": 0}
        found = yield from look_at(talk, first.group.id, **query)
        self.known[first.group.id] = found
        self.put(found.requests)

    def put(self, found: Sequence[Request]) -> None:
        """Take what stands now for what stood before."""
        newer = {one.id: one for one in found}
        self.requests = [newer.get(one.id, one) for one in self.requests]


def _answer(talk: Talk, waited: Waited, request: Request, inquiry: Inquiry) -> Flow[None]:
    waited.passed_over.add(inquiry.id)
    text = (yield Consult(request=request, inquiry=inquiry)).body.decode()
    if text:
        waited.put([(yield from talk.reply(request, inquiry.id, text))])
