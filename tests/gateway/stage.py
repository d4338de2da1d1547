"""Where the tests of the whole gateway play: a sandbox, a serving process, an agent, and the people who click."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.house_policy import KINDS, NAMED, channel_of, policy_of
from tests.sandbox_process import SandboxProcess, until
from tests.serve_process import Agent, ServeProcess

Json = dict[str, Any]

PEOPLE = ("U0ANA", "U0BEN", "U0FAY", "U0FRED", "U0SAM", "U0NEWT", "U0GUS", "U0EXT", "U0SIGNOFF")
REFUND_SCHEMA = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "title": "Order"},
        "amount": {"type": "number", "title": "Amount", "exclusiveMinimum": 0, "maximum": 500},
        "reason": {"type": "string", "title": "Reason"},
    },
    "required": ["order_id", "amount", "reason"],
    "additionalProperties": False,
}
REFUND = {"order_id": "HG-1042", "amount": 140, "reason": "Arrived cracked"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A request's card as one person sees it."""

    request_id: str
    channel: str
    message: Json

    @property
    def ts(self) -> str:
        """Where it stands in the channel."""
        return str(self.message["ts"])

    @property
    def words(self) -> str:
        """All of its texts, to be searched."""
        return json.dumps(self.message, ensure_ascii=False)

    @property
    def buttons(self) -> dict[str, str]:
        """The buttons by `action_id`, with their values."""
        rows = [block["elements"] for block in self.message["blocks"] if block["type"] == "actions"]
        return {button["action_id"]: button["value"] for row in rows for button in row if button["type"] == "button"}

    def place(self, action_id: str) -> dict[str, str]:
        """Where the button with this `action_id` is, for a click without another look at the channel."""
        rows = [block for block in self.message["blocks"] if block["type"] == "actions"]
        holds = next(row for row in rows if action_id in [button["action_id"] for button in row["elements"]])
        return {"block_id": str(holds["block_id"]), "action_id": action_id}


@dataclass(kw_only=True, slots=True)
class Stage:
    """One sandbox with one gateway; every request gets a lane of its own for as long as there are some."""

    sandbox: SandboxProcess
    serve: ServeProcess
    agent: Agent
    lanes: int
    used: int = 0
    where: dict[str, str] = field(default_factory=dict)

    @property
    def people(self) -> Any:
        """What people can do."""
        return self.sandbox.people

    @property
    def control(self) -> Any:
        """What a test turns and reads."""
        return self.sandbox.control

    async def ask(
        self, kind: str, arguments: Mapping[str, Any] = REFUND, *, by: Agent | None = None, **rest: Any
    ) -> Json:
        """Have a call of the tool `KIND_N` judged, N being the next lane; the request as the API shows it."""
        lane = self.lane()
        answer = await (by or self.agent).submit(f"{kind}_{lane}", arguments, **rest)
        assert answer.status == 201, answer
        self.where[answer.body["id"]] = channel_of(lane)
        return answer.body

    def lane(self) -> int:
        """The next lane."""
        lane, self.used = self.used % self.lanes, self.used + 1
        return lane

    async def request(self, request_id: str) -> Json:
        """The request as its agent reads it now."""
        return (await self.agent.read(request_id)).body

    async def settled(self, request_id: str, seconds: int = 10) -> Json:
        """The request when it is decided, by the API's own long poll."""
        body = (await self.agent.read(request_id, wait=seconds)).body
        assert body["state"] != "pending", body
        return body

    async def cards(self, request_id: str, person: str = "U0ANA", channel: str = "") -> list[Card]:
        """All cards of the request in its channel, or in `channel`."""
        place = channel or self.where[request_id]
        found = await self.people.history(person, place)
        return [Card(request_id=request_id, channel=place, message=each) for each in found if _shows(each, request_id)]

    async def card(self, request_id: str, person: str = "U0ANA", channel: str = "", within: float = 30.0) -> Card:
        """The card, as soon as it is there."""

        async def posted() -> list[Card]:
            return await self.cards(request_id, person, channel)

        found: list[Card] = await until(posted, within)
        return found[0]

    async def card_naming(self, words: str, lane: int = 0) -> Card:
        """The card of the one request of an agent elsewhere that says ``words``, as soon as it stands in the lane."""

        async def asked() -> list[tuple[Any, ...]]:
            return self.serve.rows("SELECT id FROM requests WHERE document LIKE ?", f'%"{words}"%')

        ((request_id,),) = await until(asked)
        self.where[request_id] = channel_of(lane)
        return await self.card(request_id)

    async def card_saying(self, request_id: str, words: str, person: str = "U0ANA", channel: str = "") -> Card:
        """The card, as soon as it says `words`."""

        async def says() -> list[Card]:
            return [card for card in await self.cards(request_id, person, channel) if words in card.words]

        try:
            found: list[Card] = await until(says)
        except TimeoutError:
            standing = [card.words for card in await self.cards(request_id, person, channel)]
            raise AssertionError(f"no card says {words!r}: {standing}") from None
        return found[0]

    async def press(self, person: str, card: Card, action_id: str) -> Json:
        """Press a button of a card; the sandbox's answer, `ok` when it was acknowledged.

        A card that is brought up to date between the look and the press is looked at again, as a person would.
        """
        for _ in range(3):
            answer = dict(await self.people.press(person, card.channel, card.ts, action_id))
            if answer.get("error") != "unknown_action":
                break
        return answer

    async def modal(self, person: str) -> Json:
        """The form in front of the person, as soon as there is one."""

        async def opened() -> list[Json]:
            return list(await self.people.views(person))

        try:
            return dict((await until(opened, 15.0))[-1])
        except TimeoutError:
            calls = (await self.control.record())[-12:]
            last = [(call["kind"], call.get("method"), call.get("status")) for call in calls]
            raise AssertionError(f"no form is open before {person}; the last calls: {last}") from None

    async def fill(self, person: str, typed: Mapping[str, Any]) -> Json:
        """Type into the form in front of the person, by the fields' labels, and send it."""
        form = await self.modal(person)
        values = {
            block["block_id"]: {block["element"]["action_id"]: typed[block["label"]["text"]]}
            for block in form["view"]["blocks"]
            if block["type"] == "input" and block["label"]["text"] in typed
        }
        assert len(values) == len(typed), form["view"]["blocks"]
        return dict(await self.people.submit(person, form["id"], values))

    async def whispers(self, person: str, channel: str) -> list[str]:
        """What this person alone was told in a channel."""
        return [each["text"] for each in await self.people.history(person, channel) if each.get("ephemeral")]

    async def whisper(self, person: str, channel: str, words: str) -> str:
        """The private answer with these words, as soon as it is there."""

        async def told() -> list[str]:
            return [each for each in await self.whispers(person, channel) if words in each]

        try:
            return str((await until(told, 15.0))[0])
        except TimeoutError:
            raise AssertionError(f"{person} was not told {words!r}: {await self.whispers(person, channel)}") from None

    def journal(self, request_id: str | None = None) -> int:
        """How many lines the journal has, of one request or in all."""
        rows = self.serve.rows("SELECT subject FROM journal")
        return len([subject for (subject,) in rows if request_id in (None, subject)])

    def decisions(self, request_id: str) -> list[tuple[str, list[str]]]:
        """The raw decision rows of a request: verdict and by whom."""
        found = self.serve.rows('SELECT verdict, "by" FROM decisions WHERE request_id = ?', request_id)
        return [(verdict, json.loads(by)) for verdict, by in found]

    def execution(self, request_id: str) -> str | None:
        """The raw state of the execution."""
        found = self.serve.rows("SELECT execution_state FROM requests WHERE id = ?", request_id)
        return found[0][0] if found else None


def _shows(message: Json, request_id: str) -> bool:
    """Is this the request's card? Known by its metadata, or, since answers by response URL drop it, by its buttons."""
    metadata = message.get("metadata") or {}
    by_metadata = metadata.get("event_type") == "signoff_request" and (
        metadata["event_payload"].get("request_id") == request_id
    )
    return by_metadata or f'"{request_id}:' in json.dumps(message.get("blocks") or [])


@asynccontextmanager
async def staged(
    *,
    lanes: int = 12,
    crowd: tuple[str, ...] = (),
    own: tuple[str, ...] = (),
    kinds: tuple[str, ...] = KINDS,
    http: bool = False,
    stories: Path | None = None,
    env: Mapping[str, str] | None = None,
    policy: str | None = None,
) -> AsyncIterator[Stage]:
    """A sandbox with the lanes' channels, a gateway with the lanes' policy, and the agent `tester`.

    `crowd` are further members of the workspace, all of them reviewers in each lane, `own` one of each lane's own;
    `kinds` are the tools that each lane has; `stories` are the model's, `env` the gateway's. Each request has a card of
    its own, however many come at once, unless `env` says otherwise.
    """
    text = policy or policy_of(lanes, named=", ".join([NAMED, *crowd]), own=own, kinds=kinds)
    async with SandboxProcess(*(("--stories", str(stories)) if stories else ())) as sandbox:
        for person in (*crowd, *own):
            await sandbox.control.person(person, real_name=f"Crowd {person}")
        for lane in range(lanes):
            members = [*PEOPLE, *crowd, *own[lane : lane + 1]]
            await sandbox.control.channel(channel_of(lane), name=f"lane-{lane}", members=members)
        told = {"SIGNOFF_BATCH_FROM": "0", **(env or {})}
        async with ServeProcess(sandbox, http=http, policy=text, env=told) as serve:
            agent = await serve.agent("tester")
            yield Stage(sandbox=sandbox, serve=serve, agent=agent, lanes=lanes)
