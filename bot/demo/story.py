"""``signoff demo --auto``: six errands, played by the demo's people through real interactions, each checked at its end.

The judge of what really happened is the company's own record of effects, not what the gateway says of itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.agent.transcript import words_of
from bot.bootstrap import Serving
from bot.demo.workspace import NotSeen, People
from policies.agent_run import AgentRun, RunState
from policies.request import RUNNER, ExecutionState, Request, State

STARTER = "U0NEWT"
AGENTS, GENERAL, APPROVALS, FINANCE = "C0AGENTS", "C0GENERAL", "C0APPROVALS", "C0FINANCE"
ANA, BEN, FAY, FRED, SAM = "U0ANA", "U0BEN", "U0FAY", "U0FRED", "U0SAM"


class NotAsItShould(Exception):
    """An errand ended otherwise than it must; ``str(error)`` says how."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How one act ended: its name, whether that is right, and what happened in a sentence."""

    name: str
    right: bool
    words: str


def _must(condition: object, words: str) -> None:
    if not condition:
        raise NotAsItShould(words)


class Stage:
    """What the acts have in hand: the gateway, the people, and the company's record of effects."""

    def __init__(self, served: Serving, people: People, company: Path) -> None:
        self._store = served.store
        self.people = people
        self._effects = company / "effects.jsonl"

    async def errand(self, text: str, channel: str = AGENTS) -> AgentRun:
        """Nia gives the agent an errand; its run as soon as it has begun."""
        await self.people.command(STARTER, channel, f"/agent {text}")

        async def begun() -> AgentRun | None:
            return next((run for run in await self._store.runs(None) if run.errand == text), None)

        return await self.people.until(begun, f"the run for {text!r}")

    async def asked(self, run: AgentRun, tool: str, nth: int = 0) -> Request:
        """The request for the ``nth`` call of ``tool`` in ``run``, as soon as it was made."""

        async def made() -> Request | None:
            page = await self._store.requests(requester=RUNNER, limit=200)
            calls = [each for each in reversed(page.requests) if each.run == run.id and each.call.tool == tool]
            return calls[nth] if len(calls) > nth else None

        return await self.people.until(made, f"a call of {tool}")

    async def over(self, request: Request) -> Request:
        """The request once it was decided and, if approved, its call has run."""

        async def ended() -> Request | None:
            now = await self._store.request(request.id)
            if now is None or not now.settled:
                return None
            under_way = (ExecutionState.UNCLAIMED, ExecutionState.CLAIMED)
            return None if now.execution and now.execution.state in under_way else now

        return await self.people.until(ended, f"the end of {request.call.tool}")

    async def last_words(self, run: AgentRun) -> str:
        """Everything the agent said in its thread, once the run is done."""

        async def said() -> str | None:
            now = await self._store.run(run.id)
            if now is None or now.state is RunState.ACTIVE or now.thread_ts is None:
                return None
            thread = await self.people.history(STARTER, now.channel, now.thread_ts)
            everything = json.dumps([message.get("blocks", message["text"]) for message in thread], ensure_ascii=False)
            last = json.dumps(words_of(now.transcript[-1]), ensure_ascii=False)[1:-1]
            return everything if last in everything else None

        return await self.people.until(said, "the agent's last words")

    def effects(self, tool: str) -> list[dict[str, Any]]:
        """The arguments of each call of ``tool`` that really happened in the company, in order."""
        if not self._effects.exists():
            return []
        lines = [json.loads(line) for line in self._effects.read_text(encoding="utf-8").splitlines()]
        return [line["arguments"] for line in lines if line["tool"] == tool]

    async def approve(self, person: str, channel: str, request: Request) -> None:
        """Press Approve on the card."""
        card = await self.people.card(person, channel, request.id)
        await self.people.press(person, channel, card, "signoff.approve")


async def approved(stage: Stage) -> str:
    """An approved call runs once, unchanged."""
    run = await stage.errand("Tell Wren Ashdown that her storm kettle is packed.", GENERAL)
    request = await stage.asked(run, "send_email")
    await stage.approve(BEN, APPROVALS, request)
    request = await stage.over(request)
    ran = [mail for mail in stage.effects("send_email") if mail == dict(request.proposed)]
    _must(request.state is State.APPROVED and len(ran) == 1, f"the mail ran {len(ran)} times")
    await stage.last_words(run)
    return "Ben pressed Approve: the mail to Wren went out once, as proposed."


async def modified(stage: Stage) -> str:
    """A modified call runs with the reviewer's arguments, and the agent goes on from them."""
    run = await stage.errand("The lamp of order HG-1042 arrived cracked: refund Mara Holm and let her know.")
    request = await stage.asked(run, "issue_refund")
    card = await stage.people.card(ANA, APPROVALS, request.id)
    await stage.people.press(ANA, APPROVALS, card, "signoff.modify")
    faults = await stage.people.submit(ANA, await stage.people.form(ANA), {"amount": "40"})
    _must(not faults, f"the form refused 40: {faults}")
    request = await stage.over(request)
    amounts = [refund["amount"] for refund in stage.effects("issue_refund")]
    _must(amounts == [40], f"refunds that ran: {amounts}, not the modified 40 alone")
    mail = await stage.asked(run, "send_email")
    await stage.approve(BEN, APPROVALS, mail)
    words = await stage.last_words(run)
    _must("40.00 EUR" in words, "the agent did not go on with the modified amount")
    return "Ana changed 140.00 to 40: 40.00 EUR was refunded, once, and the agent's mail names that amount."


async def rejected(stage: Stage) -> str:
    """A rejected call doesn't run, and the agent hears the reviewer's words."""
    run = await stage.errand("Answer Ines Duarte's complaint about her late parcel.", GENERAL)
    request = await stage.asked(run, "send_email")
    card = await stage.people.card(ANA, APPROVALS, request.id)
    await stage.people.press(ANA, APPROVALS, card, "signoff.reject")
    await stage.people.submit(ANA, await stage.people.form(ANA), {"Why": "Apologise first; she is right."})
    await stage.over(request)
    again = await stage.asked(run, "send_email", nth=1)
    await stage.approve(ANA, APPROVALS, again)
    words = await stage.last_words(run)
    _must(dict(request.proposed) not in stage.effects("send_email"), "the rejected mail was sent")
    _must(dict(again.proposed) in stage.effects("send_email"), "the second try was not sent")
    _must("Apologise first; she is right." in words, "the agent did not hear the reviewer's words")
    return "Ana rejected the first mail with a reason: it never left; the agent rewrote it, and that one was approved."


async def expired(stage: Stage) -> str:
    """Nobody answers: seniors are told, then it expires, and nothing happens."""
    run = await stage.errand("Clean up the customer list and remove the old test account.", GENERAL)
    request = await stage.over(await stage.asked(run, "delete_customer"))
    _must(request.state is State.EXPIRED, f"it ended {request.state.value}, not expired")
    _must([group.name for group in request.joined] == ["seniors"], "the seniors did not join")
    told = [message for message in await stage.people.direct_messages(SAM) if request.id in json.dumps(message)]
    _must(told, "Sam, a senior reviewer, was not told")
    _must(not stage.effects("delete_customer"), "a customer was deleted though nobody approved it")
    words = await stage.last_words(run)
    _must("Nobody answered" in words, "the agent took silence for something else")
    return (
        "Nobody answered: Sam was asked as a senior, then it expired; no customer was deleted, and the agent says so."
    )


async def went_ahead(stage: Stage) -> str:
    """A soft checkpoint goes ahead when nobody stops it in time, and stands as an open audit item."""
    run = await stage.errand("Publish the winter opening hours on the news page.")
    request = await stage.over(await stage.asked(run, "publish_post"))
    decision = request.decision
    _must(decision and decision.by == ("silence",) and request.audit == "open", "it was not silence that let it go")
    early = decision is None or request.delivered_at is None or decision.at < request.delivered_at
    _must(not early, "it went ahead before anybody could see it")
    _must(len(stage.effects("publish_post")) == 1, "the post is not on the page once")
    await stage.last_words(run)
    return "Nobody stopped the news post in the time its card gave: it went ahead, and waits to be looked at."


async def typed(stage: Stage) -> str:
    """A manual checkpoint asks two people for its phrase, typed exactly."""
    run = await stage.errand("Pay the November freight invoice of Nordkai Shipping, 4,200.00 EUR.")
    request = await stage.asked(run, "execute_payment")
    card = await stage.people.card(FAY, FINANCE, request.id)
    await stage.people.press(FAY, FINANCE, card, "signoff.approve")
    form = await stage.people.form(FAY)
    faults = await stage.people.submit(FAY, form, {"Type": "Nordkai"})
    _must(faults, "a wrong phrase was taken")
    await stage.people.submit(FAY, form, {"Type": "Nordkai Shipping"})
    _must(not stage.effects("execute_payment"), "one person alone released the payment")
    card = await stage.people.card(FRED, FINANCE, request.id)
    await stage.people.press(FRED, FINANCE, card, "signoff.approve")
    await stage.people.submit(FRED, await stage.people.form(FRED), {"Type": "Nordkai Shipping"})
    request = await stage.over(request)
    _must(stage.effects("execute_payment") == [dict(request.proposed)], "the payment did not run once as approved")
    await stage.last_words(run)
    return "Fay mistyped the payee and was stopped; she and Fred then typed it: 4,200.00 EUR was paid, once."


ACTS: dict[str, Callable[[Stage], Awaitable[str]]] = {
    "approved": approved,
    "modified": modified,
    "rejected": rejected,
    "escalated, expired": expired,
    "soft, went ahead": went_ahead,
    "manual, typed": typed,
}


async def tell(stage: Stage) -> list[Ending]:
    """Play all acts side by side; how each ended, in their order."""
    return list(await asyncio.gather(*(_end(stage, name, act) for name, act in ACTS.items())))


async def _end(stage: Stage, name: str, act: Callable[[Stage], Awaitable[str]]) -> Ending:
    try:
        return Ending(name=name, right=True, words=await act(stage))
    except (NotAsItShould, NotSeen) as wrong:
        return Ending(name=name, right=False, words=str(wrong))
