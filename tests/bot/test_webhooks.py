"""Webhooks: signed as the standard says, told once it is committed, tried for days, never sent inside."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web

from bot.api.examples import news
from bot.api.news import NewsOut, webhooks
from bot.auditor import Auditor
from bot.webhooks.sender import LOOKUPS, Answer, NotSent, Sender, _only, _Pinned
from bot.webhooks.signing import new_secret, signed
from policies.errors import Invalid
from policies.events import Inquired, Withdrawn
from policies.lifecycle import apply
from policies.review import Verdict
from policies.webhook import MEANINGS, NEWS, PAUSES
from signoff.webhooks import Forged, read
from storage import requests
from storage.transaction import Transaction
from tests.api.house import until
from tests.bot.webhook_house import LOOPBACK, READ, HookHouse, Receiver, hook_house, receiving


@pytest.fixture
async def hooks(tmp_path: Path) -> AsyncIterator[HookHouse]:
    """A house with deliveries that can be started."""
    async with hook_house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    async with receiving() as started:
        yield started


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """The types and requests that came."""
    bodies = [json.loads(got.body) for got in receiver.got]
    return [(body["type"], body["data"]["request_id"]) for body in bodies]


async def approve(hooks: HookHouse, request_id: str, revision: int = 1, **more: Any) -> None:
    verdict = Verdict.MODIFY if more else Verdict.APPROVE
    await hooks.house.gateway.review(request_id, hooks.house.person("U0ANA"), verdict, revision, **more)


# ---- what is told


async def test_each_piece_of_news_is_told_by_ids_alone_and_nothing_else_is(
    hooks: HookHouse, receiver: Receiver
) -> None:
    await hooks.hook(receiver.url)
    house = hooks.house
    async with hooks.delivering():
        asked = await house.ask(reason="private words")
        person = house.person("U0ANA")
        inquired = Inquired(person=person, inquiry_id="inq_1", text="Why?")
        await house.store.change(asked["id"], lambda standing: apply(standing, inquired, house.clock()))
        await approve(hooks, asked["id"], arguments={"to": ["eva@example.com"], "subject": "Hello"})
        house.clock.move(timedelta(days=2))
        await house.gateway.advance(house.clock())
        allowed = await house.ask(READ)
        await house.call("DELETE", f"/v1/requests/{allowed['id']}")
        await house.ask(READ)
        await house.call("POST", "/v1/requests", json=READ, key=house.other_agent)
        await hooks.tried(receiver, 7)
    first, later = asked["id"], [pair for pair in told(receiver) if pair[1] != asked["id"]]
    news = ["request.inquiry", "request.revised", "request.settled", "request.lapsed"]
    assert sorted(kind for kind, request_id in told(receiver) if request_id == first) == sorted(news)
    assert sorted(later)[0] == ("request.revoked", allowed["id"])
    assert [kind for kind, _ in later].count("request.settled") == 2
    for got in receiver.got:
        assert NewsOut.model_validate_json(got.body).type in MEANINGS
        assert b"private" not in got.body
        assert b"example.com" not in got.body
    assert await hooks.waits() == (0, 0)


async def test_the_reference_library_verifies_each_signature_and_ours_reads_it(
    hooks: HookHouse, receiver: Receiver
) -> None:
    hook = await hooks.hook(receiver.url)
    hooks.house.clock.now = datetime.now(UTC)
    async with hooks.delivering():
        asked = await hooks.house.ask(READ)
        await hooks.tried(receiver, 1)
        former, fresh = hook.secret, new_secret()
        await hooks.house.store.renew_webhook(
            hook, fresh, until=hooks.house.clock() + timedelta(hours=1), now=hooks.house.clock()
        )
        await hooks.house.ask(READ)
        await hooks.tried(receiver, 2)
        hooks.house.clock.move(timedelta(hours=1))
        await hooks.house.ask(READ)
        await hooks.tried(receiver, 3)
    one, both, new = receiver.got
    for got, secrets in ((one, [former]), (both, [former, fresh])):
        for secret in secrets:
            assert standardwebhooks.Webhook(secret).verify(got.body, got.headers) == json.loads(got.body)
    told_of = read(one.headers, one.body, former)
    assert (told_of.id, told_of.type, told_of.request_id) == (one.id, "request.settled", asked["id"])
    assert (told_of.revision, told_of.at.tzinfo) == (1, UTC)
    assert len(new.headers["webhook-signature"].split()) == 1
    later = time.time() + 3600
    assert read(new.headers, new.body, [former, fresh], now=later).type == "request.settled"
    with pytest.raises(Forged, match="No signature fits"):
        read(new.headers, new.body, former, now=later)


def test_a_forged_or_an_old_message_is_no_news() -> None:
    secret, now = new_secret(), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    body = b'{"type":"request.settled","timestamp":"2026-11-23T09:00:00.000Z","data":{"request_id":"req_1"}}'
    headers = {**signed("msg_1", now, body, [secret]), "Content-Type": "application/json"}
    at = now.timestamp()
    assert read({name.upper(): each for name, each in headers.items()}, body.decode(), secret, now=at).id == "msg_1"
    strange = standardwebhooks.Webhook(secret).sign("msg_1", now, body.decode().replace("req_1", "req_2"))
    for change in (
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(at) + 1)},
        {"webhook-signature": strange},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1a,AAAA v2,BBBB \u00fc"},
        {"webhook-signature": ""},
        *({name: "\udcff"} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")),  # a raw byte
    ):
        with pytest.raises(Forged):
            read({**headers, **change}, body, secret, now=at)
    for name in signed("msg_1", now, body, [secret]):
        with pytest.raises(Forged, match="is missing"):
            read({each: value for each, value in headers.items() if each != name}, body, secret, now=at)
    with pytest.raises(Forged):
        read(headers, body.replace(b"req_1", b"req_2"), secret, now=at)
    with pytest.raises(Forged):
        read(headers, body, new_secret(), now=at)
    for apart in (301, -301):
        with pytest.raises(Forged, match="too far off"):
            read(headers, body, secret, now=at + apart)
    with pytest.raises(Forged, match="can't be read"):
        read(signed("msg_1", now, b"[]", [secret]), b"[]", secret, now=at)
    for empty in ("", "whsec_", "whsec_\u00fc"):
        with pytest.raises(ValueError, match="isn't one"):
            read(headers, body, empty, now=at)


async def test_every_type_is_described_and_shown_as_it_is_sent() -> None:
    described = webhooks(news())
    assert list(described) == list(MEANINGS) == list(NEWS.values())
    for kind, told_of in described.items():
        example = told_of["post"]["requestBody"]["content"]["application/json"]["example"]
        assert NewsOut.model_validate(example).type == kind


# ---- how long it is tried


async def test_a_receiver_that_is_down_is_tried_for_days_by_the_schedule_and_then_given_up(
    hooks: HookHouse, receiver: Receiver
) -> None:
    hook = await hooks.hook(receiver.url)
    receiver.always = 503
    async with hooks.delivering():
        asked = await hooks.house.ask(READ)
        for number, pause in enumerate((*PAUSES, timedelta()), start=1):
            await hooks.tried(receiver, number)
            hooks.look()
            await asyncio.sleep(0)
            if pause:
                assert (await hooks.house.store.next_delivery()) == hooks.house.clock() + pause
            hooks.house.clock.move(pause)
            hooks.look()
        assert await hooks.waits() == (0, 1)
        assert len({got.id for got in receiver.got}) == 1
        assert len(receiver.got) == len(PAUSES) + 1
        (given_up,) = await hooks.house.store.given_up(hook.id, limit=5)
        assert (given_up.request_id, given_up.error) == (asked["id"], "it answered 503")
        receiver.always = 204
        assert await hooks.house.store.redrive_message("msg_other") == 0
        assert await hooks.house.store.redrive_message(given_up.message_id) == 1
        await hooks.tried(receiver, len(PAUSES) + 2)
        assert receiver.got[-1].id == receiver.got[0].id
        assert await hooks.waits() == (0, 0)


async def test_the_first_success_brings_all_that_waited_for_days(hooks: HookHouse, receiver: Receiver) -> None:
    await hooks.hook(receiver.url)
    receiver.always = 500
    async with hooks.delivering():
        for _ in range(3):
            await hooks.house.ask(READ)
        for number, pause in enumerate(PAUSES[:3], start=1):
            await hooks.tried(receiver, 3 * number)
            hooks.house.clock.move(pause)
            hooks.look()
        await hooks.tried(receiver, 12)
        assert await hooks.waits() == (3, 0)
        receiver.always = 204
        await hooks.house.ask(READ)  # its first attempt comes hours before the next one of the others
        await hooks.tried(receiver, 16)
        assert await hooks.waits() == (0, 0)
        (endpoint,) = await hooks.house.store.endpoints()
        assert (endpoint.webhook.failing_since, endpoint.webhook.error) == (None, None)


async def test_the_jitter_and_the_receivers_own_wish_only_make_a_pause_longer(
    hooks: HookHouse, receiver: Receiver
) -> None:
    async def busy(http: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "90"})

    async def forever(http: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "9999999"})

    await hooks.hook(receiver.url)
    receiver.answers = [500, busy, forever]
    async with hooks.delivering(chance=1.0):
        await hooks.house.ask(READ)
        for number, pause in enumerate((timedelta(seconds=6), timedelta(seconds=360), timedelta(hours=24)), start=1):
            await hooks.tried(receiver, number)
            assert await hooks.house.store.next_delivery() == hooks.house.clock() + pause
            hooks.house.clock.move(pause)
            hooks.look()


async def test_what_was_committed_before_a_crash_is_delivered_by_the_next_gateway(
    hooks: HookHouse, receiver: Receiver
) -> None:
    await hooks.hook(receiver.url)
    asked = await hooks.house.ask(READ)  # nobody delivers yet
    assert await hooks.waits() == (1, 0)
    async with hooks.delivering():
        await hooks.tried(receiver, 1)
    assert told(receiver) == [("request.settled", asked["id"])]


async def test_nothing_is_owed_for_what_was_rolled_back(hooks: HookHouse, receiver: Receiver) -> None:
    await hooks.hook(receiver.url)
    asked = await hooks.house.ask()

    def withdraw_and_fail(transaction: Transaction) -> None:
        requests.change(asked["id"], lambda standing: apply(standing, Withdrawn(), hooks.house.clock()), transaction)
        raise Invalid("the disk failed after all")

    with pytest.raises(Invalid):
        await hooks.house.store._write(withdraw_and_fail)
    assert await hooks.waits() == (0, 0)
    await hooks.house.call("DELETE", f"/v1/requests/{asked['id']}")
    assert await hooks.waits() == (1, 0)


# ---- receivers that do as they like


async def test_a_receiver_that_is_gone_is_disabled_until_somebody_redrives(
    hooks: HookHouse, receiver: Receiver
) -> None:
    hook = await hooks.hook(receiver.url)
    receiver.always = 410
    async with hooks.delivering():
        await hooks.house.ask(READ)
        await hooks.tried(receiver, 1)
        await hooks.house.ask(READ)
        assert await hooks.waits() == (0, 1)
        (endpoint,) = await hooks.house.store.endpoints()
        assert endpoint.webhook.disabled == "it answered 410: gone"
        assert (len(receiver.got), b'signoff_webhooks_total{outcome="disabled"} 1.0' in hooks.house.metrics.text()) == (
            1,
            True,
        )
        receiver.always = 200
        assert await hooks.house.store.redrive_webhook(hook.id) == 1
        await hooks.tried(receiver, 2)
        await hooks.house.ask(READ)
        await hooks.tried(receiver, 3)
        assert await hooks.waits() == (0, 0)


async def figures_of(hooks: HookHouse) -> list[str]:
    """What a scrape of the metrics reads."""
    house = hooks.house
    return (await Auditor(house.gateway, house.clock, house.metrics).figures()).decode().splitlines()


async def test_a_receiver_that_fails_is_told_of_after_an_hour_and_left_alone_after_five_days(
    hooks: HookHouse, receiver: Receiver
) -> None:
    await hooks.hook(receiver.url)
    receiver.always = 500
    async with hooks.delivering():
        await hooks.house.ask(READ)
        await hooks.tried(receiver, 1)
        for apart, number in ((timedelta(minutes=59), 0), (timedelta(hours=1), 1)):
            hooks.house.clock.now += apart
            assert f'signoff_troubles{{kind="webhook"}} {number}.0' in await figures_of(hooks)
            hooks.house.clock.now -= apart
        hooks.house.clock.move(timedelta(days=5))
        hooks.look()
        await hooks.tried(receiver, 2)
        (endpoint,) = await hooks.house.store.endpoints()
        assert endpoint.webhook.disabled == "it failed for 5 days: it answered 500"
        assert await hooks.waits() == (0, 1)


async def test_one_failure_long_after_another_one_ends_nothing(hooks: HookHouse, receiver: Receiver) -> None:
    """In between nothing was owed to it, so it can't have been failing all the time."""
    await hooks.hook(receiver.url)
    receiver.answers = [500] * (len(PAUSES) + 2)
    async with hooks.delivering():
        await hooks.house.ask(READ)
        for number, pause in enumerate(PAUSES, 1):
            await hooks.tried(receiver, number)
            hooks.house.clock.move(pause)
            hooks.look()
        await hooks.tried(receiver, len(PAUSES) + 1)
        assert await hooks.waits() == (0, 1)
        hooks.house.clock.move(timedelta(days=20))
        await hooks.house.ask(READ)
        await hooks.tried(receiver, len(PAUSES) + 2)
        (endpoint,) = await hooks.house.store.endpoints()
        assert (endpoint.webhook.disabled, endpoint.webhook.failing_since) == (None, hooks.house.clock())
        hooks.house.clock.move(PAUSES[0])
        hooks.look()
        await hooks.tried(receiver, len(PAUSES) + 3)
        assert await hooks.waits() == (0, 1), "it got through"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_never_followed(hooks: HookHouse, receiver: Receiver, status: int) -> None:
    async with receiving() as elsewhere:

        async def away(http: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": elsewhere.url})

        receiver.answers = [away]
        await hooks.hook(receiver.url)
        async with hooks.delivering():
            await hooks.house.ask(READ)
            await hooks.tried(receiver, 1)
        assert (elsewhere.got, await hooks.waits()) == ([], (1, 0))


async def test_receivers_that_hang_hold_up_nobody_else(hooks: HookHouse, receiver: Receiver) -> None:
    held = asyncio.Event()

    async def hang(http: web.Request) -> web.StreamResponse:
        await held.wait()
        return web.Response()

    async with receiving() as slow:
        slow.answers = [hang] * 8
        await hooks.hook(slow.url)
        await hooks.hook(receiver.url, key="key_other")
        async with hooks.delivering():
            for _ in range(8):
                await hooks.house.ask(READ)
            await until(lambda: len(slow.got) == 4)
            for _ in range(8):
                await hooks.house.call("POST", "/v1/requests", json=READ, key=hooks.house.other_agent)
            await until(lambda: len(receiver.got) == 8)
            assert len(slow.got) == 4
            held.set()
            await until(lambda: len(slow.got) == 8)
            await hooks.quiet()


async def test_an_answer_is_neither_kept_nor_read_to_its_end(receiver: Receiver) -> None:
    written = []

    async def endless(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(http)
        with suppress(ConnectionError):
            while len(written) < 10_000:
                await response.write(b"x" * 65_536)
                written.append(65_536)
        return response

    sender = Sender(LOOPBACK, seconds=5.0)
    for keep in (0, 100):
        receiver.answers = [endless]
        answer = await send(sender, receiver.url, keep=keep)
        assert (answer.status, answer.body) == (200, b"x" * keep)
    assert sum(written) < 20_000_000
    sender.close()


async def test_a_receiver_that_says_nothing_is_given_up_in_time(receiver: Receiver) -> None:
    async def hang(http: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    receiver.answers = [hang]
    sender = Sender(LOOPBACK, seconds=0.1)
    with pytest.raises(NotSent, match=r"no answer within 0\.1 s"):
        await send(sender, receiver.url)
    sender.close()


# ---- where nothing may be sent


async def send(sender: Sender, url: str, *, keep: int = 0) -> Answer:
    now = datetime.now(UTC)
    return await sender.send(url, b"{}", message_id="msg_1", keys=[new_secret()], now=now, keep=keep)


class Names:
    """A name server that answers with the next list each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


INSIDE = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "64:ff9b::7f00:1"]


@pytest.mark.parametrize("address", INSIDE)
async def test_no_connection_is_made_to_an_address_inside(
    receiver: Receiver, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", lambda *place: made.append(place))
    port = receiver.url.split(":")[2].split("/")[0]
    host = f"[{address}]" if ":" in address else address
    for sender in (Sender(), Sender(lookup=Names([address])), Sender(lookup=Names(["1.1.1.1", address]))):
        for url in (f"https://{host}:{port}/", f"http://{host}:{port}/", f"https://hooks.example.com:{port}/"):
            if sender._lookup == sender._look_up and "example" in url:
                continue
            with pytest.raises(NotSent, match="not a public address"):
                await send(sender, url)
        sender.close()
    assert (made, receiver.got) == ([], [])


async def test_the_connection_goes_to_the_very_address_that_was_looked_at(receiver: Receiver) -> None:
    """A name that answers another address a moment later (DNS rebinding) is asked once only."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    sender = Sender(LOOPBACK, lookup=names)
    url = receiver.url.replace("127.0.0.1", "hooks.example.com")
    assert (await send(sender, url)).status == 204
    assert names.asked == ["hooks.example.com"]
    assert receiver.got[0].headers["host"].startswith("hooks.example.com:")
    sender.close()


async def test_a_name_that_no_name_server_answers_for_holds_up_no_other(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, asked = threading.Event(), list[str]()

    def slowly(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        if host == "dead.example.com":
            answered.wait(20)
            raise socket.gaierror("no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("bot.webhooks.sender.socket.getaddrinfo", slowly)
    hasty, sender = Sender(LOOPBACK, seconds=0.02), Sender(LOOPBACK, seconds=5)
    monkeypatch.setattr(sender, "_threads", hasty._threads)
    monkeypatch.setattr(sender, "_lookups", hasty._lookups)
    for _ in range(LOOKUPS + 1):
        with pytest.raises(NotSent, match="no answer within"):
            await send(hasty, "http://dead.example.com:2000/")
    living = receiver.url.replace("127.0.0.1", "hooks.example.com")
    assert (await send(sender, living)).status == 204
    answered.set()
    assert asked == ["dead.example.com", "hooks.example.com"]
    await until(lambda: not sender._lookups)
    with pytest.raises(NotSent, match="can't be looked up"):
        await send(sender, "http://dead.example.com:2000/")
    hasty.close()


async def test_the_last_look_is_at_the_sockets_own_address() -> None:
    make = _only(["93.184.215.14"])
    for place in ("127.0.0.1", "93.184.215.15", "::ffff:127.0.0.1"):
        with pytest.raises(OSError, match="another address"):
            make((socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 443)))
    make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))).close()
    pinned = _Pinned("hooks.example.com", ["93.184.215.14"])
    with pytest.raises(OSError, match="another host"):
        await pinned.resolve("metadata.internal", 80)


async def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        sender = Sender(LOOPBACK)
        assert (await send(sender, receiver.url)).status == 204
        sender.close()
        assert (len(receiver.got), proxy.got) == (1, [])


async def test_a_receiver_must_show_a_certificate_of_the_very_name_that_somebody_trusted_vouches_for() -> None:
    pem = Path(__file__).with_name("receiver.pem")
    serves, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(pem))
    serves.load_cert_chain(pem)
    names = Names(["127.0.0.1"])
    knowing, unknowing = Sender(LOOPBACK, lookup=names, tls=trusts), Sender(LOOPBACK, lookup=names)
    async with receiving(tls=serves) as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example.com")
        assert (await send(knowing, url)).status == 204
        for sender, wrong in ((unknowing, url), (knowing, url.replace("hooks", "other")), (knowing, receiver.url)):
            with pytest.raises(NotSent, match="no TLS connection with a certificate that can be verified"):
                await send(sender, wrong)
        assert len(receiver.got) == 1
    knowing.close()
    unknowing.close()


async def test_why_nothing_was_sent_is_told_in_words(receiver: Receiver) -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    sender, lost = Sender(LOOPBACK), Sender(LOOPBACK, lookup=nowhere)
    for url, words in (
        (f"http://127.0.0.1:{closed}/", "no connection"),
        ("https://user@example.com/", "This is no URL"),
        (receiver.url.replace("http:", "https:"), "no TLS connection with a certificate that can be verified"),
    ):
        with pytest.raises(NotSent, match=words):
            await send(sender, url)
    with pytest.raises(NotSent, match="its name can't be looked up"):
        await send(lost, "https://hooks.example.com/")
    sender.close()
    lost.close()
