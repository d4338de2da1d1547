"""``/approvals`` and what may follow it, answered to the asker alone, with only what they may see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from bot.slack import answers
from bot.slack.attention import Attention
from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.payloads import Command
from bot.slack.views.agents import cooling, resumed
from bot.slack.views.card import card, why_form
from bot.slack.views.delegate_form import delegate_form
from bot.slack.views.figures import PRIVATE, figures
from bot.slack.views.home import HELP, ROWS, history, listing, unknown_word
from bot.slack.views.look import moment
from bot.slack.views.modals import REASON_LENGTH, view_form
from policies.duration import parse_duration
from policies.errors import AlreadySettled, Invalid, NotAllowed
from policies.inbox import RECENT
from policies.people import Person
from policies.request import Request
from policies.review import Verdict

Answer = dict[str, Any]

_MENTION = re.compile(r"<?@?([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>?", re.ASCII)
BY_LIST = "A name alone could be anybody's. Choose the person in the form that is open before you."
NO_ADDRESS = "Nobody in this workspace has that e-mail address; nobody was asked."
ROWS_OF_TWO = 10
"""Requests in each of two lists; a message has room for fifty blocks."""

ID_MISSING = "Say which request: its id, such as */approvals {word} req_1c9f03ab*. Each stands in the list.\n{help}"


class Approvals:
    """Answers the command's words, each by one method."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._attention = Attention(desk)
        self._lists: Mapping[str, Callable[[Person], Awaitable[Answer]]] = {
            "list": partial(self._pending, "list"),
            "mine": partial(self._pending, "mine"),
            "all": partial(self._pending, "all"),
            "grants": self._grants,
            "agents": self._agents,
            "stats": self._stats,
        }
        self._acts: Mapping[str, Callable[[Command, Request, str, Person], Awaitable[Answer]]] = {
            "show": self._show,
            "approve": self._approve,
            "reject": self._reject,
            "snooze": self._snooze,
            "delegate": self._delegate,
            "history": self._history_of,
        }

    async def answer(self, command: Command, person: Person) -> Answer:
        """What the person is told. Raises ``SignoffError`` with words for them."""
        word, _, rest = (command.text or "list").partition(" ")
        given, _, rest = rest.strip().partition(" ")
        rest = rest.strip()
        if word in self._lists and not given:
            return await self._lists[word](person)
        if word == "history" and not given:
            return await self._history(person)
        if word == "digest" and not rest:
            return await self._digest(given, person)
        if word in self._acts:
            return await self._about(word, given, rest, command, person)
        if word == "resume":
            return await self._resume(f"{given} {rest}".strip().strip("`*_<>"), person)
        if word.startswith("req_") and not given:
            return await self._about("show", word, "", command, person)
        if word == "help":
            return {"text": HELP}
        return {"text": unknown_word(word, given, self._desk.looks.at_once())}

    async def _about(self, word: str, given: str, rest: str, command: Command, person: Person) -> Answer:
        if not given:
            return {"text": ID_MISSING.format(word=word, help=HELP)}
        request = await self._desk.gateway.inboxes.find(given.strip("`*_<>…."), person)
        try:
            return await self._acts[word](command, request, rest, person)
        except AlreadySettled as error:
            return {"text": answers.sentence(error, self._desk.looks.at_once((request,)), request)}

    # ---- lists

    async def _pending(self, which: str, person: Person) -> Answer:
        inbox = await self._desk.gateway.inboxes.pending(person)
        served = tuple(request for request in inbox.open if request.serves(person))
        waiting, mine = inbox.wanted if which != "mine" else (), served if which != "list" else ()
        look, rows = self._desk.looks.at_once((*waiting, *mine)), ROWS_OF_TWO if which == "all" else ROWS
        blocks = []
        if which != "mine":
            blocks += listing("Waiting for you", waiting, look, "Nothing waits for you.", rows=rows)
        if which != "list":
            nothing = "No agent waits for an answer on your behalf."
            blocks += listing("Asked on your behalf", mine, look, nothing, "mine", rows=rows, served=True)
        counted = len({request.id for request in (*waiting, *mine)})
        return {"text": f"{counted} waiting" if counted else "Nothing waits for you.", "blocks": blocks}

    async def _grants(self, person: Person) -> Answer:
        message = await self._desk.grants_of(person)
        return {"text": message.text, "blocks": list(message.blocks)}

    async def _agents(self, person: Person) -> Answer:
        found = await self._desk.gateway.budgets.cooling(person)
        return {"text": cooling(found, self._desk.looks.at_once(request for request, _ in found))}

    async def _resume(self, agent: str, person: Person) -> Answer:
        """Let an agent that cools off ask again."""
        if not agent:
            return {"text": "Say which agent: */approvals agents* shows their names."}
        found = await self._desk.gateway.budgets.resume(agent, person)
        return {"text": resumed(found[0], self._desk.looks.at_once(found))}

    async def _stats(self, person: Person) -> Answer:
        return {"text": "\n".join((*figures(await self._desk.gateway.inboxes.numbers(person)), PRIVATE))}

    async def _history(self, person: Person) -> Answer:
        found = await self._desk.gateway.inboxes.decided(person)
        look = self._desk.looks.at_once(found)
        nothing = "Nothing of yours was decided in the last 30 days."
        blocks = listing("Recently decided", found, look, nothing, rows=RECENT)
        return {"text": f"{len(found)} decided", "blocks": blocks}

    async def _digest(self, given: str, person: Person) -> Answer:
        """End the digest of the morning, bring it back, or say how to."""
        rhythm = self._desk.gateway.shelf.current.mornings
        if given not in ("on", "off"):
            return {"text": "Say */approvals digest off* or */approvals digest on*."}
        await self._desk.gateway.inboxes.mute(person, given == "off")
        if given == "off":
            return {"text": "You get no digest any more. */approvals digest on* brings it back."}
        if rhythm is None:
            return {"text": "Noted, but digests are off for everybody here: the policy says `digest: off`."}
        return {"text": f"At {rhythm.at:%H:%M} by your clock, on working days, you are told what waits, if anything."}

    # ---- one request

    async def _show(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        look = self._desk.looks.at_once((request,))
        memo = Memo(r=request.id, v=request.revision)
        view = await asyncio.to_thread(view_form, request, look, memo)
        await self._desk.open(command.trigger_id, view, person.id)
        self._attention.opened(request, command.user_id)
        return {}

    async def _approve(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        """Approve what the answer can show whole and nobody has changed; for everything else open the whole call."""
        if rest:
            raise Invalid("An approval takes no more words than the id. To change the call, press Modify on its card.")
        if not request.settled:
            await self._desk.gateway.editable(request.id, person)
            why = await asyncio.to_thread(why_form, request, self._desk.looks.at_once((request,)))
            if why is not None:
                await self._show(command, request, rest, person)
                return {"text": f"{why} Look at the whole call first: it is open before you."}
            memo = await self._attention.haste(request, person, Memo(r=request.id, v=request.revision))
            if memo is not None:
                return await self._ask_back(command, request, memo)
        approved = await self._desk.gateway.review(request.id, person, Verdict.APPROVE, request.revision)
        return await self._card(approved)

    async def _ask_back(self, command: Command, request: Request, memo: Memo) -> Answer:
        asked = self._attention.told(request, memo)
        await self._desk.open(command.trigger_id, await self._attention.form(request, memo), command.user_id)
        self._attention.opened(request, command.user_id)
        return {"text": f"{asked} Nothing is approved yet: the whole call is open before you."}

    async def _reject(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        if len(rest) > REASON_LENGTH:
            raise Invalid(f"A reason has at most {REASON_LENGTH:,} characters; nothing was rejected.")
        gateway = self._desk.gateway
        rejected = await gateway.review(request.id, person, Verdict.REJECT, request.revision, note=rest or None)
        return await self._card(rejected)

    async def _card(self, request: Request) -> Answer:
        message = await asyncio.to_thread(card, request, self._desk.looks.at_once((request,)))
        return {"text": message.text, "blocks": list(message.blocks)}

    async def _snooze(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        if not rest or " " in rest:
            return {"text": HELP}
        ahead = timedelta(0) if rest == "now" else parse_duration(rest)
        snoozed = await self._desk.gateway.snooze(request.id, person, self._desk.gateway.clock() + ahead)
        until = f"put off until {moment(snoozed.snoozed.until)}" if snoozed.snoozed else "sent when they are due again"
        return {"text": f"Reminders are {until}."}

    async def _delegate(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        """Ask the person named by mention, id or address; by a name alone (or none), open the form to choose from."""
        named, _, note = rest.partition(" ")
        user_id = await self._id_of(named)
        if user_id is None:
            await self._desk.gateway.editable(request.id, person)
            look = self._desk.looks.at_once((request,))
            form = delegate_form(request, person, look, Memo(r=request.id, v=request.revision), note.strip())
            await self._desk.open(command.trigger_id, form, person.id)
            return {"text": BY_LIST} if named else {}
        to = await self._desk.directory.other(user_id)
        asked = await self._desk.gateway.delegate(request.id, person, to, note=note.strip() or None)
        return await self._card(asked)

    async def _id_of(self, named: str) -> str | None:
        if found := _MENTION.fullmatch(named):
            return found[1]
        if "@" not in named[1:]:
            return None
        if user_id := await self._desk.directory.id_of(named):
            return user_id
        raise NotAllowed(NO_ADDRESS)

    async def _history_of(self, command: Command, request: Request, rest: str, person: Person) -> Answer:
        look = self._desk.looks.at_once((request,))
        return {"text": f"What became of {request.id}", "blocks": history(request, look)}
