"""What people say to Signoff: slash commands, mentions and direct messages, and opening the Home."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, payloads
from bot.slack.desk import Desk
from bot.slack.memo import Memo
from bot.slack.payloads import Command, Mention
from bot.slack.views.home import HELP, listing, unknown_word
from bot.slack.views.look import moment
from bot.slack.views.modals import view_form
from policies.duration import parse_duration
from policies.errors import Refused, SignoffError
from policies.people import Person

log = get_logger("signoff.slack")

EMPTY_ERRAND = "Say what the agent should do, such as */agent refund order HG-1042*."
STARTED = "The agent is at work; its messages come in a thread here."
MENTION_HELP = "Tell me what to do after my name, or use */approvals* to see what waits for you."
LONGEST_ERRAND = 4_000

Answer = dict[str, Any]


class Talk:
    """Answers commands and events, each by one method that Bolt calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def approvals(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """``/approvals [mine|all|grants|ID|snooze ID 1h|help]``: what waits for the person; only they see it."""
        await ack(**await self._answered(body, self._approvals))

    async def agent(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """``/agent <task>``: start the agent; the run's messages follow in the channel."""
        await ack(**await self._answered(body, self._agent))

    async def mention(self, body: dict[str, Any]) -> None:
        """A mention or a direct message starts the agent in that thread."""
        try:
            said = payloads.mention(body)
        except SignoffError:
            return
        if await self._desk.gateway.store.first_sight(said.event_id, self._desk.gateway.clock()):
            await self._start(said)

    async def message(self, body: dict[str, Any]) -> None:
        """A message: only those that are sent to Signoff directly concern it."""
        if payloads.is_direct(body):
            await self.mention(body)

    async def home_opened(self, body: dict[str, Any]) -> None:
        """Show the person's Home."""
        opened = payloads.home_opened(body)
        if opened is not None:
            self._desk.afterwards.start(self._desk.show_home(opened.user_id))

    async def _answered(self, body: dict[str, Any], answer: Any) -> Answer:
        try:
            command = payloads.command(body)
            person = await self._desk.directory.person(command.user_id)
            said: Answer = await answer(command, person)
            return said
        except SignoffError as error:
            return {"text": answers.sentence(error, self._desk.looks.at_once())}
        except Exception:
            log.exception("a command failed")
            return {"text": answers.UNEXPECTED}

    async def _approvals(self, command: Command, person: Person) -> Answer:
        word = command.text.split(maxsplit=1)[0] if command.text else ""
        if word.startswith("req_"):
            return await self._open(command, word, person)
        if word == "snooze":
            return await self._snooze(command, person)
        if word == "help":
            return {"text": HELP}
        if word == "grants":
            return await self._grants(person)
        if word not in ("", "mine", "all"):
            return {"text": unknown_word(word, self._desk.looks.at_once())}
        return await self._listed(word, person)

    async def _listed(self, word: str, person: Person) -> Answer:
        waiting = await self._desk.gateway.reviewable(person) if word != "mine" else ()
        mine = await self._desk.gateway.mine(person) if word else ()
        look = self._desk.looks.at_once((*waiting, *mine))
        blocks = listing("Waiting for you", waiting, look, "Nothing waits for you.") if word != "mine" else []
        if word:
            blocks += listing(
                "Asked on your behalf", mine, look, "No agent waits for an answer on your behalf.", "mine"
            )
        counted = len({request.id for request in (*waiting, *mine)})
        return {"text": f"{counted} waiting" if counted else "Nothing waits for you.", "blocks": blocks}

    async def _grants(self, person: Person) -> Answer:
        message = await self._desk.grants_of(person)
        return {"text": message.text, "blocks": list(message.blocks)}

    async def _open(self, command: Command, request_id: str, person: Person) -> Answer:
        request = await self._desk.gateway.visible(request_id, person)
        memo = Memo(r=request.id, v=request.revision)
        await self._desk.open(command.trigger_id, view_form(request, self._desk.looks.at_once((request,)), memo))
        return {}

    async def _snooze(self, command: Command, person: Person) -> Answer:
        _, request_id, span = [*command.text.split(), "", ""][:3]
        if len(command.text.split()) != 3 or not request_id.startswith("req_"):
            return {"text": HELP}
        await self._desk.gateway.visible(request_id, person)
        ahead = timedelta(0) if span == "now" else parse_duration(span)
        request = await self._desk.gateway.snooze(request_id, person, self._desk.gateway.clock() + ahead)
        until = f"put off until {moment(request.snoozed.until)}" if request.snoozed else "sent when they are due again"
        return {"text": f"Reminders are {until}."}

    async def _agent(self, command: Command, person: Person) -> Answer:
        if not command.text:
            return {"text": EMPTY_ERRAND}
        await self._desk.gateway.start_run(person, command.channel, None, _errand(command.text))
        return {"text": STARTED}

    async def _start(self, said: Mention) -> None:
        try:
            if not said.text:
                self._whisper(said, MENTION_HELP)
                return
            person = await self._desk.directory.person(said.user_id)
            await self._desk.gateway.start_run(person, said.channel, said.thread_ts, _errand(said.text))
        except SignoffError as error:
            self._whisper(said, answers.sentence(error, self._desk.looks.at_once()))

    def _whisper(self, said: Mention, words: str) -> None:
        post = self._desk.client.chat_postEphemeral
        self._desk.afterwards.start(post(channel=said.channel, user=said.user_id, thread_ts=said.thread_ts, text=words))


def _errand(text: str) -> str:
    if len(text) > LONGEST_ERRAND:
        raise Refused(f"That is too long for one errand; use at most {LONGEST_ERRAND:,} characters.")
    return text
