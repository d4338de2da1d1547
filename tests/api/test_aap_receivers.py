"""AAP's asynchronous mode with the protocol's own receiver: verified first, told once, signed, and only woken by it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from agentapprovalprotocol import (
    Allow,
    AsyncClient,
    AsyncGate,
    Call,
    Deny,
    Pending,
    ProvisionError,
    Receiver,
    Verdict,
    WebhookVerificationFailed,
)
from agentapprovalprotocol.receiver import new_secret
from aiohttp import web

from bot.api.aap.asks import DeliveryBody
from bot.api.aap.receivers import Receivers, Unverified
from bot.api.aap.shows import stamp
from bot.webhooks.deliveries import Deliveries
from bot.webhooks.sender import Sender
from policies.request import State
from policies.review import Verdict as Said
from storage.webhooks import TOPIC
from tests.api.house import Answer, House, open_house, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = Call(key="run-1:call-1", tool="refund", arguments={"amount": 49.9}, resume={"framework": "own", "thread": "t1"})


@dataclass(kw_only=True)
class Post:
    """Where notifications arrive: what came, and what is to be answered instead of the receiver's own answer."""

    url: str
    receiver: Receiver
    came: list[Mapping[str, Any]] = field(default_factory=list)
    instead: Callable[[Mapping[str, Any]], web.Response | None] = lambda message: None
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def take(self, http: web.Request) -> web.Response:
        """One delivery."""
        body = await http.read()
        message = await http.json()
        self.came.append(message)
        if self.meanwhile is not None:
            await self.meanwhile()
        if (answer := self.instead(message)) is not None:
            return answer
        status, said = await self.receiver.handle(dict(http.headers), body)
        return web.Response(status=status, body=said)

    @property
    def resolved(self) -> list[Mapping[str, Any]]:
        """The notifications among what came."""
        return [each for each in self.came if each["type"] == "request.resolved"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One running API whose webhooks are delivered, at the machine's time: the receiver looks at its own clock."""
    async with open_house(tmp_path_factory.mktemp("receivers")) as opened:
        opened.clock.now = datetime.now(UTC)
        running = asyncio.create_task(Deliveries(opened.store, opened.sender, opened.waiting, opened.clock).run())
        yield opened
        running.cancel()
        await asyncio.wait({running})


@asynccontextmanager
async def post(**more: Any) -> AsyncIterator[Post]:
    """A receiver on this machine."""
    box = Post(url="", receiver=Receiver(**{"resumers": {}, **more}))
    app = web.Application()
    app.router.add_post("/aap/events", box.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    box.url = f"http://127.0.0.1:{runner.addresses[0][1]}/aap/events"
    try:
        yield box
    finally:
        await asyncio.gather(*box.receiver._tasks)  # what it wakes runs on after its answer
        if box.receiver.client is not None:
            await box.receiver.client.aclose()
        await runner.cleanup()


async def provisioned(house: House, box: Post, name: str) -> str:
    """The agent's token, by the receiver's own way to ask for it."""
    fleet = await house.key(f"fleet-{name}", kind="provisioner")
    found = await box.receiver.provision(
        provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url, instance_name=name
    )
    assert found.instance_name == f"fleet-{name}.{name}"
    return found.token


@asynccontextmanager
async def gate_of(house: House, token: str) -> AsyncIterator[AsyncGate]:
    """The protocol's own gate, which pauses instead of waiting."""
    client = AsyncClient(house.address("/aap"), token, retry_budget=1.0)
    try:
        yield AsyncGate(client, mode="async")
    finally:
        await client.aclose()


def own(verdict: Verdict) -> str:
    """The gateway's own id of what was asked."""
    return f"req_{uuid.UUID(verdict.request_id).hex}"


async def refused(house: House, url: str, **changes: Any) -> Answer:
    """What becomes of an instance with such a delivery."""
    fleet = await house.key(f"fleet-{uuid.uuid4().hex[:8]}", kind="provisioner")
    delivery = {"type": "webhook", "url": url, "registration_id": str(uuid.uuid4()), "signing_secret": new_secret()}
    headers = {"Idempotency-Key": "k"}
    sent = {"delivery": {**delivery, **changes}}
    answer = await house.call("POST", "/aap/v1/instances", key=fleet, json=sent, headers=headers)
    assert delivery["signing_secret"] not in str(answer.body)
    return answer


async def test_a_paused_run_is_woken_by_the_decision_and_the_gate_asks_again(house: House) -> None:
    woken: list[Mapping[str, Any]] = []
    async with post(resumers={"own": lambda handle, request: woken.append(handle)}) as box:
        async with gate_of(house, await provisioned(house, box, "woken")) as gate:
            paused = await gate.check(CALL)
            assert isinstance(paused, Pending)
            request = await house.gateway.review(own(paused), house.person("U0ANA"), Said.APPROVE, 1)
            await until(lambda: bool(woken))
            assert isinstance(await gate.check(CALL), Allow)
        assert woken == [{"framework": "own", "thread": "t1"}]
        (told,) = box.resolved
        assert (told["request_id"], told["instance_id"]) == (paused.request_id, box.receiver.instance_id)
        assert request.decision is not None
        assert told["created_at"] == stamp(request.decision.at)
        assert uuid.UUID(told["id"]).version == 4
        assert set(told) == {"id", "type", "instance_id", "request_id", "created_at"}


async def test_of_each_request_one_notification_comes_whatever_becomes_of_it(house: House) -> None:
    async with post() as box:
        token = await provisioned(house, box, "each")
        async with gate_of(house, token) as gate:
            calls = [Call(key=f"run-2:{n}", tool=tool, arguments={"n": n}) for n, tool in enumerate(TOOLS)]
            verdicts = [await gate.check(call) for call in calls]
            assert [type(verdict) for verdict in verdicts] == [Allow, Deny, Pending, Pending, Pending]
            await gate.client.cancel(str(verdicts[2].request_id))
        ana, ben = house.person("U0ANA"), house.person("U0BEN")
        await house.gateway.review(own(verdicts[3]), ana, Said.MODIFY, 1, arguments={"n": 30})
        await house.gateway.review(own(verdicts[4]), ana, Said.APPROVE, 1)
        await house.gateway.stop(own(verdicts[4]), ben)
        native = await house.call("POST", "/v1/requests", key=token, json={"tool": "read_x", "arguments": {}})
        assert native.status == 201
        while await house.store.next_delivery() is not None:
            await asyncio.sleep(0.01)
        assert sorted(each["request_id"] for each in box.resolved) == sorted(str(each.request_id) for each in verdicts)


TOOLS = ("read_file", "drop_database", "refund", "refund", "refund")


async def test_a_receiver_that_failed_is_told_later_under_the_same_id(house: House) -> None:
    async with post() as box:
        box.instead = lambda message: web.Response(status=503) if len(box.resolved) == 1 else None
        async with gate_of(house, await provisioned(house, box, "later")) as gate:
            await gate.check(Call(key="run-3:1", tool="read_file", arguments={}))
        await until(lambda: len(box.resolved) == 1)
        while (due := await house.store.next_delivery()) is None or due <= house.clock():
            await asyncio.sleep(0.01)
        house.clock.move(timedelta(seconds=20))
        house.waiting.wake((TOPIC,))
        await until(lambda: len(box.resolved) == 2)
        house.clock.move(-timedelta(seconds=20))
        assert box.resolved[0] == box.resolved[1]


async def test_without_the_challenge_there_is_no_instance_and_no_key(house: House) -> None:
    before = len(await house.store.keys())
    async with post(secret=new_secret(), registration_id=str(uuid.uuid4())) as box:
        answers: dict[str, web.Response | dict[str, Any] | int | None] = {
            "what the receiver says to a secret that it doesn't know": None,
            "a bare 200": web.Response(text="{}"),
            "another challenge": web.json_response({"challenge": str(uuid.uuid4())}),
            "more than the challenge": {"and": 1},
            "202 with the challenge": 202,
            "204": web.Response(status=204),
            "a redirect": web.Response(status=307, headers={"Location": box.url}),
            "no JSON": web.Response(text="{"),
        }
        for number, (name, said) in enumerate(answers.items(), 1):
            box.instead = _saying(said)
            answer = await refused(house, box.url)
            assert (answer.status, answer.body["error"]["code"]) == (422, "webhook_verification_failed"), name
            assert answer.body["error"]["type"] == "invalid_request"
            assert len(box.came) == number, name
        fleet = await house.key("fleet-unverified", kind="provisioner")
        box.instead = _saying(web.Response(status=500))
        with pytest.raises(WebhookVerificationFailed):
            await box.receiver.provision(provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url)
        assert len(await house.store.keys()) == before + len(answers) + 1  # the provisioners' alone
        box.instead = lambda message: None
        made = await box.receiver.provision(provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url)
        again = await box.receiver.provision(provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url)
        assert made == again  # the same key after a failure, and after a success without a second challenge
        assert [each["type"] for each in box.came].count("webhook.verification") == len(answers) + 2


def _saying(said: web.Response | dict[str, Any] | int | None) -> Callable[[Mapping[str, Any]], web.Response | None]:
    def say(message: Mapping[str, Any]) -> web.Response | None:
        right = {"challenge": message["challenge"]}
        if isinstance(said, dict):
            return web.json_response({**right, **said})
        return web.json_response(right, status=said) if isinstance(said, int) else said

    return say


async def test_a_provisioner_that_is_revoked_while_a_receiver_answers_makes_nothing(house: House) -> None:
    async with post() as box:
        fleet = await house.key("fleet-late", kind="provisioner")
        box.meanwhile = lambda: house.store.revoke_key("fleet-late", house.clock())
        with pytest.raises(ProvisionError) as refused:
            await box.receiver.provision(provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url)
        assert (refused.value.status, refused.value.code) == (401, "key_revoked")
        assert not any(key.agent.startswith("fleet-late.") for key in await house.store.keys())


async def test_what_may_not_be_reached_or_is_no_receiver_is_refused_before_anything_is_sent(house: House) -> None:
    for url in (
        "http://10.0.0.1/x",
        "https://169.254.169.254/x",
        "https://[::ffff:10.0.0.1]/",
        "https://u:p@a.example/",
    ):
        answer = await refused(house, url)
        assert (answer.status, answer.body["error"]["code"]) == (400, "invalid_webhook_url"), url
    socket = await refused(house, "https://a.example/", type="socket")
    assert (socket.status, socket.body["error"]["code"]) == (400, "unsupported_delivery_type")
    for changes in ({"signing_secret": "whsec_c2hvcnQ="}, {"registration_id": "1"}, {"more": 1}):
        assert (await refused(house, "https://a.example/", **changes)).body["error"]["code"] == "invalid"


async def test_where_a_name_is_inside_the_house_is_not_told(house: House) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    receivers = Receivers(sender=Sender(lookup=inside))
    wanted = {"registration_id": str(uuid.uuid4()), "signing_secret": new_secret()}
    delivery = DeliveryBody(type="webhook", url="https://vault.internal/x", **wanted)
    with pytest.raises(Unverified, match="at no public address") as refused:
        await receivers.verified(delivery, f"key_{uuid.uuid4().hex}", house.clock())
    receivers.sender.close()
    assert "10.1.2.3" not in refused.value.words


async def test_a_deleted_instance_is_told_nothing_of_what_ends_with_it(house: House) -> None:
    async with post() as box, post() as other:
        fleet = await house.key("fleet-gone", kind="provisioner")
        made = await box.receiver.provision(provider_url=house.address("/aap"), provisioner_token=fleet, url=box.url)
        address = f"/aap/v1/instances/{made.instance_id}"
        shown = await house.call("GET", address, key=fleet)
        assert shown.body["delivery"] == {"type": "webhook", "url": box.url, "registration_id": made.registration_id}
        async with gate_of(house, made.token) as gate:
            paused = await gate.check(CALL)
        assert (await house.call("DELETE", address, key=fleet)).status == 204
        assert (await house.gateway.request(own(paused))).state is State.WITHDRAWN
        async with gate_of(house, await provisioned(house, other, "stays")) as gate:
            await gate.check(Call(key="run-4:1", tool="read_file", arguments={}))
        await until(lambda: bool(other.resolved))
        assert box.resolved == []
