"""A whole gateway beside the local Slack workspace, for tests in which people press real buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.bootstrap import Serving, serving
from bot.settings import Settings
from bot.slack import ids
from policies.loader import load
from policies.request import Request, Requester, Submission, ToolCall
from tests.sandbox_process import SandboxProcess, until
from tests.slack.samples import REFUND, SCHEMA

POLICY = """
version: 1
digest: off
reviewers:
  support: {channel: "#approvals", users: [U0ANA, ben@example.com]}
  finance: {channel: "#finance-approvals", usergroups: [S0FINANCE]}
ladders:
  standard:
    - {after: 2h, then: expire}
  slow:
    - {after: 90m, remind: true}
    - {after: 20h, add: finance}
    - {after: 30h, then: expire}
  pause:
    - {after: 2m, then: proceed}
agents: {start: [support]}
rules:
  - {name: posts, match: publish_post, checkpoint: soft, reviewers: support, ladder: pause}
  - {name: pairs, match: pair_up, checkpoint: hard, reviewers: support, quorum: 2}
  - {name: payments, match: execute_payment, checkpoint: manual, confirm: args.payee, reviewers: finance, quorum: 1}
  - {name: large, match: issue_refund, when: args.amount > 300, checkpoint: manual, reviewers: support, quorum: 1}
  - {name: never, match: issue_refund, when: args.amount > 400, checkpoint: deny}
  - {name: slow, match: "slow_*", checkpoint: hard, reviewers: support, ladder: slow}
default: {checkpoint: hard, reviewers: support, ladder: standard}
"""


@dataclass(slots=True)
class MovableClock:
    """The time of day, and what the test added to it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, kw_only=True)
class House:
    """A running gateway and its workspace. The approvals channel is C0APPROVALS."""

    sandbox: SandboxProcess
    serving: Serving
    clock: MovableClock

    async def ask(
        self, arguments: Mapping[str, Any] = REFUND, *, tool: str = "issue_refund", owner: str = "U0NEWT", **words: Any
    ) -> Request:
        """A stored request for which a card was posted."""
        schema = words.pop("schema", SCHEMA if arguments is REFUND else None)
        call = ToolCall(tool=tool, arguments=dict(arguments), schema=schema)
        requester = Requester(id="key:shop", name="Shop agent", owner=owner)
        added = await self.serving.gateway.submit(Submission(call=call, **words), requester)
        await until(lambda: self.serving.store.copies(added.request.id))
        return added.request

    async def now(self, request: Request) -> Request:
        """The request as it stands."""
        return await self.serving.gateway.request(request.id)

    async def place(self, request: Request) -> tuple[str, str]:
        """Where its first card stands, one in a channel before any direct message: channel and ts."""
        copies = await self.serving.store.copies(request.id)
        copy = next((each for each in copies if not each.private), copies[0])
        return copy.channel, copy.ts

    async def press(self, person: str, request: Request, action_id: str, selected: str | None = None) -> dict[str, Any]:
        """Press a button of the request's first card; once more where the card was drawn anew in that very moment."""
        for _ in range(3):
            pressed = await self.sandbox.people.press(person, *await self.place(request), action_id, selected)
            if pressed.get("error") != "unknown_action":
                break
        return pressed

    async def choose(self, person: str, request: Request, verb: str) -> dict[str, Any]:
        """Choose from the card's menu."""
        return await self.press(person, request, ids.MORE, ids.option(verb, ids.target(f"{request.id}:1")))

    async def press_in_view(self, person: str, action_id: str) -> dict[str, Any]:
        """Press a button of the form in front."""
        front = (await self.sandbox.people.views(person))[-1]
        for block in front["view"]["blocks"]:
            if any(element.get("action_id") == action_id for element in block.get("elements", ())):
                return await self.sandbox.people.click(
                    person, view_id=front["id"], block_id=block["block_id"], action_id=action_id
                )
        raise LookupError(f"no {action_id} in the form")

    async def submit(self, person: str, **entered: Any) -> dict[str, Any]:
        """Send the form in front; names are block ids (``field_0`` for ``field:0``)."""
        front = (await self.sandbox.people.views(person))[-1]
        values = {name.replace("field_", "field:"): {"value": value} for name, value in entered.items()}
        return await self.sandbox.people.submit(person, front["id"], values)

    async def front(self, person: str) -> dict[str, Any]:
        """The form in front; raises LookupError where there is none."""
        views = await self.sandbox.people.views(person)
        if not views:
            raise LookupError("no form is open")
        view: dict[str, Any] = views[-1]["view"]
        return view

    async def whispered(self, person: str, channel: str = "C0APPROVALS") -> str:
        """The newest message that only this person sees, once there is one."""

        async def found() -> str | None:
            seen = [one for one in await self.sandbox.people.history(person, channel) if one.get("ephemeral")]
            return said(seen[-1]) if seen else None

        return str(await until(found))

    async def shown(self, request: Request) -> None:
        """Wait until the first card shows the request as it stands."""

        async def current() -> bool:
            standing = await self.now(request)
            return all(copy.shown_version >= standing.version for copy in await self.serving.store.copies(request.id))

        await until(current)

    async def card(self, request: Request) -> dict[str, Any]:
        """The card's message as Ana sees it."""
        channel, ts = await self.place(request)
        return next(one for one in await self.sandbox.people.history("U0ANA", channel) if one["ts"] == ts)

    async def card_says(self, request: Request, words: str) -> None:
        """Wait until the card says ``words``. Raises TimeoutError."""

        async def found() -> bool:
            channel, ts = await self.place(request)
            seen = await self.sandbox.people.history("U0ANA", channel)
            return any(words in said(one) for one in seen if one["ts"] == ts)

        await until(found)


def said(message: Mapping[str, Any]) -> str:
    """All texts of a message in one."""
    return f"{message.get('text', '')}\n{message.get('blocks', '')}"


@asynccontextmanager
async def house(
    sandbox: SandboxProcess,
    directory: Path,
    *,
    http: bool = False,
    policy: str = POLICY,
    environment: str = "",
    batch_from: int = 0,
) -> AsyncIterator[House]:
    """A fresh gateway, which stands in ``environment``, on a workspace that was started over.

    Each request has a card of its own, unless ``batch_from`` says otherwise.
    """
    await sandbox.control.reset()
    clock = MovableClock()
    told = {**sandbox.env(http=http), "DATABASE_URL": f"sqlite:///{directory}/signoff.db", "PORT": "0"}
    told |= {"SIGNOFF_ENVIRONMENT": environment, "SIGNOFF_BATCH_FROM": str(batch_from)}
    settings = Settings.model_validate({name.lower(): value for name, value in told.items()})
    async with serving(settings, load(policy, source="policy.yml"), clock=clock) as running:
        if http:
            await sandbox.control.app(mode="http", request_url=f"{running.url}/slack/events")
        else:
            await sandbox.control.connected()
        yield House(sandbox=sandbox, serving=running, clock=clock)
