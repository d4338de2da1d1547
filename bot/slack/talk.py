"""What people say to Signoff: slash commands, mentions and direct messages, and opening the Home."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck

from bot.logs import get_logger
from bot.slack import answers, payloads
from bot.slack.approvals import Approvals
from bot.slack.desk import Desk
from bot.slack.payloads import Command, Mention
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
        self._approvals = Approvals(desk)

    async def approvals(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """``/approvals``: where work waits for the person; only they see it."""
        await ack(**await self._answered(body, self._approvals.answer))

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
            self._desk.homes.open(opened.user_id)
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
