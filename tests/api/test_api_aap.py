"""The Agent Approval Protocol at ``/aap``: its own client, its strictness, its errors, and the one record behind it."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from agentapprovalprotocol import Allow, AsyncClient, AsyncGate, Call, ConflictError, CredentialRefused, Deny, NotFound
from agentapprovalprotocol._wire import loads, matches, parse_request

from bot.api.auth import derive
from bot.crowding import AT_ONCE
from policies.allowance import Scope
from policies.errors import NotAllowed
from policies.request import State
from policies.review import Verdict
from tests.api.house import MAIL, Answer, House, open_house, until

BODY: Mapping[str, Any] = {
    "tool": "refund",
    "server": "stripe",
    "arguments": {"amount": 49.90, "order": "A-1", "lines": [1, None, {"ü": True}]},
    "timeout": "10m",
    "agent_reasoning": "It arrived broken.",
    "context": {"call_id": "run-1:call-1", "framework": "langgraph", "resume": {"thread_id": "t1", "at": None}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One running API for the whole module; each test makes requests of its own."""
    directory: Path = tmp_path_factory.mktemp("aap")
    async with open_house(directory) as opened:
        yield opened


@pytest.fixture
def real_time(module_house: House) -> Iterator[None]:
    """The gateway's clock as the protocol's client has it, which looks at its own."""
    before, module_house.clock.now = module_house.clock.now, datetime.now(UTC)
    yield
    module_house.clock.now = before


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def house(module_house: House) -> House:
    """The module's house."""
    return module_house


async def ask(house: House, *, key: str | None = None, **changes: Any) -> Answer:
    """One submission, as raw HTTP."""
    sent = {name: value for name, value in {**BODY, **changes}.items() if value is not ...}
    return await house.call(
        "POST", "/aap/v1/requests", json=sent, headers={"Idempotency-Key": key or str(uuid.uuid4())}
    )


def own(answer: Answer) -> str:
    """The gateway's own id of what was asked."""
    return f"req_{uuid.UUID(answer.body['id']).hex}"


async def approve(house: House, request_id: str, note: str | None = None) -> None:
    await house.gateway.review(request_id, house.person("U0ANA"), Verdict.APPROVE, 1, note=note)


async def approved(house: House, note: str | None = None, **changes: Any) -> Answer:
    """What was asked, as it reads once it is approved."""
    asked = await ask(house, **changes)
    await approve(house, own(asked), note)
    return await read(house, asked)


async def read(house: House, asked: Answer, wait: str = "") -> Answer:
    """The request as AAP shows it, through the strict parser of the protocol's own client."""
    answer = await house.call("GET", f"/aap/v1/requests/{asked.body['id']}{wait}")
    assert answer.status == 200, answer.body
    assert matches(parse_request(loads(json.dumps(answer.body))), loads(json.dumps(dict(BODY))))
    return answer


async def act(house: House, asked: Answer, what: str, body: Any = None, *, key: str | None = None) -> Answer:
    """``consume`` or ``outcome``."""
    headers = {"Idempotency-Key": key} if key else {}
    sent = {} if body is None else {"json": body}
    return await house.call("POST", f"/aap/v1/requests/{asked.body['id']}/{what}", headers=headers, **sent)


@asynccontextmanager
async def client(house: House, key: str = "") -> AsyncIterator[AsyncClient]:
    """The protocol's own client."""
    opened = AsyncClient(house.address("/aap"), key or house.agent, retry_budget=1.0)
    try:
        yield opened
    finally:
        await opened.aclose()


def faulted(answer: Answer, status: int, kind: str, code: str) -> None:
    """Is it this error, in the protocol's shape and no other?"""
    assert (answer.status, answer.body["error"]["type"], answer.body["error"]["code"]) == (status, kind, code)
    assert set(answer.body) == {"error"}
    assert set(answer.body["error"]) <= {"type", "code", "message", "param", "request_id"}
    assert answer.body["error"]["request_id"] == answer.headers["X-Request-ID"]
    assert answer.body["error"]["message"]


async def test_what_was_sent_comes_back_with_the_state_of_the_protocol(house: House) -> None:
    asked = await ask(house)
    assert asked.status == 201
    assert uuid.UUID(asked.headers["X-Request-ID"])
    assert uuid.UUID(asked.body["id"]).version == 4
    assert {name: asked.body[name] for name in BODY} == BODY
    assert asked.body["status"] == "pending"
    assert asked.body["created_at"] == "2026-11-23T09:00:00.000Z"
    assert asked.body["deadline_at"] == "2026-11-23T09:10:00.000Z"
    assert set(asked.body) == {*BODY, "id", "status", "created_at", "deadline_at"}


async def test_it_is_the_gateways_own_request_under_the_name_that_the_policy_knows(house: House) -> None:
    asked = await ask(house)
    native = (await house.call("GET", f"/v1/requests/{own(asked)}")).body
    assert (native["tool"], native["arguments"]) == ("stripe.refund", BODY["arguments"])
    assert native["deadline_at"] == "2026-11-23T09:10:00Z"  # sooner than the policy's two hours
    assert (await house.gateway.request(own(asked))).reason == "It arrived broken."


async def test_an_approval_is_consumed_once_and_reported_once(house: House) -> None:
    asked = await approved(house, "fine")
    assert asked.body["decision"] == {
        "status": "approved",
        "decided_at": "2026-11-23T09:00:00.000Z",
        "expires_at": "2026-11-23T09:15:00.000Z",
        "note": "fine (U0Ana)",
    }
    faulted(await act(house, asked, "outcome", {"status": "succeeded"}), 409, "conflict", "not_consumed")
    faulted(await act(house, asked, "consume"), 400, "invalid_request", "missing_idempotency_key")
    taken = await act(house, asked, "consume", key="one")
    assert (taken.status, taken.body["consumption"]) == (200, {"consumed_at": "2026-11-23T09:00:00.000Z"})
    assert (await act(house, asked, "consume", {}, key="one")).body == taken.body
    faulted(await act(house, asked, "consume", key="two"), 409, "conflict", "already_consumed")
    told = await act(house, asked, "outcome", {"status": "succeeded", "note": "paid"})
    assert told.body["consumption"]["outcome"] == {
        "status": "succeeded",
        "reported_at": "2026-11-23T09:00:00.000Z",
        "note": "paid",
    }
    assert (await act(house, asked, "outcome", {"status": "succeeded", "note": "paid"})).body == told.body
    for other in ({"status": "failed", "note": "paid"}, {"status": "succeeded"}, {"status": "succeeded", "note": "no"}):
        faulted(await act(house, asked, "outcome", other), 409, "conflict", "outcome_conflict")
    assert (await read(house, asked)).body == told.body
    native = (await house.call("GET", f"/v1/requests/{own(asked)}")).body
    assert (native["execution"]["state"], native["execution"]["note"]) == ("succeeded", "paid")


async def test_of_twenty_that_consume_at_once_one_does(house: House) -> None:
    asked = await approved(house)
    answers = await asyncio.gather(*(act(house, asked, "consume", key=f"k{each}") for each in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19


async def test_a_call_that_people_changed_is_denied_with_the_edit_and_nothing_can_run_it(house: House) -> None:
    asked = await ask(house)
    edited = {**BODY["arguments"], "amount": 20}
    await house.gateway.review(own(asked), house.person("U0ANA"), Verdict.MODIFY, 1, arguments=edited, note="Half.")
    shown = (await read(house, asked)).body
    assert (shown["status"], shown["arguments"]) == ("denied", BODY["arguments"])
    assert json.dumps(edited, ensure_ascii=False) in shown["decision"]["note"]
    assert "Half. (U0Ana)" in shown["decision"]["note"]
    assert set(shown["decision"]) == {"status", "decided_at", "note"}
    faulted(await act(house, asked, "consume", key="k"), 409, "conflict", "not_approved")
    native = (await house.call("GET", f"/v1/requests/{own(asked)}")).body
    assert (native["state"], native["modified"], native["execution"]["state"]) == ("approved", True, "revoked")
    claimed = await house.call("POST", f"/v1/requests/{own(asked)}/claim", json={"digest": native["digest"]})
    assert (claimed.status, claimed.body["code"]) == (409, "call_revoked")
    again = await ask(house, arguments=edited)
    assert (again.status, again.body["status"]) == (201, "pending")


async def test_an_edit_that_comes_back_to_the_same_values_is_an_approval(house: House) -> None:
    asked = await ask(house, arguments={"amount": 5})
    same = {"amount": 5.0}
    await house.gateway.review(own(asked), house.person("U0ANA"), Verdict.MODIFY, 1, arguments=same)
    assert (await house.call("GET", f"/aap/v1/requests/{asked.body['id']}")).body["status"] == "approved"
    assert (await act(house, asked, "consume", key="k")).status == 200


async def test_a_rejection_carries_the_reviewers_words(house: House) -> None:
    asked = await ask(house)
    await house.gateway.review(own(asked), house.person("U0ANA"), Verdict.REJECT, 1, note="Wrong order")
    shown = (await read(house, asked)).body
    assert (shown["status"], shown["decision"]["note"]) == ("denied", "Wrong order (U0Ana)")
    faulted(await act(house, asked, "consume", key="k"), 409, "conflict", "not_approved")
    faulted(await act(house, asked, "outcome", {"status": "failed"}), 409, "conflict", "not_consumed")


async def test_what_the_policy_allows_and_refuses_is_decided_at_once(house: House) -> None:
    let = await ask(house, tool="read_file", server=...)
    assert (let.status, let.body["status"]) == (201, "approved")
    assert parse_request(loads(json.dumps(let.body))).decision is not None
    refused = await ask(house, tool="drop_database", server=...)
    assert refused.body["status"] == "denied"
    assert refused.body["decision"]["note"].startswith("The policy refuses this call")


async def test_a_cancelled_request_stays_cancelled_and_a_decided_one_stays_decided(house: House) -> None:
    asked = await ask(house)
    address = f"/aap/v1/requests/{asked.body['id']}"
    gone = await house.call("DELETE", address)
    assert (gone.status, gone.body["status"], gone.body["decision"]["status"]) == (200, "cancelled", "cancelled")
    assert (await house.call("DELETE", address)).body == gone.body == (await read(house, asked)).body
    decided = await approved(house)
    faulted(await house.call("DELETE", f"/aap/v1/requests/{decided.body['id']}"), 409, "conflict", "already_terminal")
    assert (await act(house, decided, "consume", key="k")).status == 200


async def test_what_a_person_stops_after_the_approval_is_denied(house: House) -> None:
    asked = await approved(house)
    await house.gateway.stop(own(asked), house.person("U0BEN"), "Not today")
    shown = (await read(house, asked)).body
    assert shown["status"] == "denied"
    assert shown["decision"]["note"].endswith("Not today")
    faulted(await act(house, asked, "consume", key="k"), 409, "conflict", "not_approved")


async def test_a_long_poll_ends_with_the_decision(house: House) -> None:
    asked = await ask(house)
    waiting = asyncio.create_task(read(house, asked, "?wait=25s"))
    await asyncio.sleep(0)
    await approve(house, own(asked))
    async with asyncio.timeout(10):
        assert (await waiting).body["status"] == "approved"
    faulted(await house.call("GET", f"/aap/v1/requests/{asked.body['id']}?wait=25"), 400, "invalid_request", "invalid")


async def test_the_same_again_is_the_same_request_and_another_body_is_a_conflict(house: House) -> None:
    first, again = await ask(house, key="a"), await ask(house, key="a")
    assert (first.status, again.status, first.body) == (201, 200, again.body)
    faulted(await ask(house, key="a", agent_reasoning="Other"), 409, "conflict", "idempotency_conflict")
    missing = await house.call("POST", "/aap/v1/requests", json=dict(BODY))
    faulted(missing, 400, "invalid_request", "missing_idempotency_key")


HOSTILE: Mapping[str, Any] = {
    "a field that isn't the protocol's": {**BODY, "schema": {}},
    "a null": {**BODY, "server": None},
    "no timeout": {name: value for name, value in BODY.items() if name != "timeout"},
    "a timeout without a unit": {**BODY, "timeout": "10"},
    "an endless timeout": {**BODY, "timeout": "1" + "0" * 40 + "h"},
    "a timeout of another form": {**BODY, "timeout": "1h30m"},
    "an empty tool": {**BODY, "tool": ""},
    "a tool with an invisible character": {**BODY, "tool": "re\u200bfund"},
    "a tool too long together with its server": {**BODY, "tool": "t" * 150, "server": "s" * 150},
    "arguments that are a list": {**BODY, "arguments": [1]},
    "an integer that not every reader keeps": {**BODY, "arguments": {"id": 2**53}},
    "text that isn't text": b'{"tool": "t", "arguments": {"a": "\\ud800"}, "timeout": "1m"}',
    "a number with too many digits": b'{"tool": "t", "arguments": {"a": 0.1000000000000000000001}, "timeout": "1m"}',
    "a number too small": b'{"tool": "t", "arguments": {"a": 1e-99999999999999999999}, "timeout": "1m"}',
    "a key that stands twice": b'{"tool": "t", "arguments": {"a": 1, "a": 2}, "timeout": "1m"}',
    "a context beyond its bounds": {**BODY, "context": {"a": "x" * 70_000}},
    "a list": [BODY],
    "nothing": b"",
}


async def test_hostile_bodies_are_refused_in_the_protocols_shape_and_ask_nobody(house: House) -> None:
    before = len((await house.call("GET", "/v1/requests?limit=200")).body["requests"])
    for name, sent in HOSTILE.items():
        data = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = await house.call("POST", "/aap/v1/requests", data=data, headers=headers)
        assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_request"), (name, answer.body)
        faulted(answer, 400, "invalid_request", answer.body["error"]["code"])
    assert len((await house.call("GET", "/v1/requests?limit=200")).body["requests"]) == before


async def test_every_error_below_the_protocols_base_has_its_shape(house: House) -> None:
    asked = await ask(house)
    address = f"/aap/v1/requests/{asked.body['id']}"
    faulted(await house.call("GET", "/aap/v1/elsewhere"), 404, "not_found", "no_such_address")
    faulted(await house.call("PUT", address), 405, "invalid_request", "method_not_allowed")
    faulted(await house.call("GET", address, key=""), 401, "authentication", "no_key")
    operator = await house.key("scraper", kind="operator")
    faulted(await house.call("GET", address, key=operator), 403, "authorization", "wrong_kind_of_key")
    foreign = await house.call("GET", address, key=house.other_agent)
    unknown = await house.call("GET", f"/aap/v1/requests/{uuid.uuid4()}")
    for each in (foreign, unknown, await house.call("GET", "/aap/v1/requests/req_1")):
        faulted(each, 404, "not_found", "not_found")
        assert each.body["error"]["message"] == unknown.body["error"]["message"]
    big = {**BODY, "arguments": {"a": "x" * 300_000}}
    faulted(await ask(house, arguments=big["arguments"]), 413, "invalid_request", "body_too_large")


async def test_a_key_does_here_what_its_scopes_and_tools_say(house: House) -> None:
    asked = await approved(house)
    asks = await house.key("asks-only", agent="mailer", owner="U0OWNER", may=(Scope.ASK, Scope.READ))
    elsewhere = await house.key("elsewhere", agent="mailer", owner="U0OWNER", tools=("git.*",))
    address, headers = f"/aap/v1/requests/{asked.body['id']}", {"Idempotency-Key": "k"}
    for key, code in ((asks, "key_scope"), (elsewhere, "key_tool")):
        taken = await house.call("POST", f"{address}/consume", key=key, headers=headers)
        faulted(taken, 403, "authorization", code)
    submitted = await house.call("POST", "/aap/v1/requests", key=elsewhere, headers=headers, json=dict(BODY))
    faulted(submitted, 403, "authorization", "key_tool")
    assert (await house.call("GET", address, key=elsewhere)).status == 200
    assert (await act(house, asked, "consume", key="k")).status == 200


async def test_a_request_of_the_gateways_own_api_is_unknown_here(house: House) -> None:
    native = await house.ask()
    address = f"/aap/v1/requests/{uuid.UUID(native['id'].removeprefix('req_'))}"
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/consume")):
        answer = await house.call(method, address + path, headers={"Idempotency-Key": "k"})
        faulted(answer, 404, "not_found", "not_found")
    assert (await house.call("GET", f"/v1/requests/{native['id']}")).body["state"] == "pending"


async def test_an_approval_that_nobody_used_in_time_stays_one_and_lets_nothing_run(house: House) -> None:
    asked = await approved(house)
    house.clock.move(timedelta(minutes=20))
    try:
        await house.gateway.advance(house.clock())
        assert (await read(house, asked)).body == asked.body
        faulted(await act(house, asked, "consume", key="k"), 409, "conflict", "approval_expired")
    finally:
        house.clock.move(-timedelta(minutes=20))


async def test_silence_until_the_deadline_is_an_expiry(house: House) -> None:
    asked = await ask(house)
    house.clock.move(timedelta(minutes=10))
    try:
        await house.gateway.advance(house.clock())
        shown = (await read(house, asked)).body
        assert (shown["status"], shown["decision"]["decided_at"]) == ("expired", asked.body["deadline_at"])
        faulted(await act(house, asked, "consume", key="k"), 409, "conflict", "not_approved")
    finally:
        house.clock.move(-timedelta(minutes=10))


async def test_the_protocols_own_gate_runs_what_was_approved_and_nothing_else(house: House, real_time: None) -> None:
    call = Call(key="run-7:call-1", tool="refund", arguments={"amount": 49.9}, server="stripe", reasoning="Broken.")
    async with client(house) as aap:
        gate = AsyncGate(aap, context={"framework": "own"})
        checking = asyncio.create_task(gate.check(call))
        await approve(house, await _opened(house, "run-7:call-1"))
        verdict = await checking
        assert isinstance(verdict, Allow)
        assert await verdict.report("succeeded", "paid")
        again = await gate.check(call)  # its agent was restarted, and asks for the same call once more
        assert isinstance(again, Deny)
        assert again.status == "consumed"


async def test_the_protocols_own_client_understands_every_refusal(house: House) -> None:
    async with client(house) as aap, client(house, house.other_agent) as stranger:
        asked = await aap.create(dict(BODY), str(uuid.uuid4()))
        with pytest.raises(ConflictError) as refused:
            await aap.consume(asked.id, "k")
        assert refused.value.code == "not_approved"
        with pytest.raises(NotFound):
            await stranger.get(asked.id)
        assert (await aap.cancel(asked.id)).status == "cancelled"
    async with client(house, "so_agent_" + "x" * 43) as unknown:
        with pytest.raises(CredentialRefused):
            await unknown.get(asked.id)


async def _opened(house: House, call_id: str) -> str:
    """The id of the request that came with this call id, as soon as it is there."""
    async with asyncio.timeout(10):
        while True:
            for request in (await house.store.requests(limit=50)).requests:
                if request.dialect and request.dialect.sent["context"].get("call_id") == call_id:
                    return request.id
            await asyncio.sleep(0.01)


# ---- instances


async def provision(house: House, fleet: str, body: Any = None, *, key: str | None = None) -> Answer:
    """One instance, as raw HTTP."""
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return await house.call("POST", "/aap/v1/instances", key=fleet, json=body or {}, headers=headers)


async def test_an_instance_is_an_agents_key_that_asks_as_any_other(house: House) -> None:
    fleet = await house.key("fleet", kind="provisioner", owner="U0ANA")
    made = await provision(house, fleet, {"instance_name": "Codex (Chris's laptop)"}, key="one")
    assert made.status == 201
    assert made.body["instance"]["name"] == "fleet.codex-chris-s-laptop"
    assert uuid.UUID(made.body["instance"]["id"]).version == 4
    assert set(made.body) == {"instance", "credential"}
    async with client(house, made.body["credential"]["token"]) as aap:
        asked = await aap.create(dict(BODY), "k")
    request_id = f"req_{uuid.UUID(asked.id).hex}"
    assert (await house.gateway.request(request_id)).requester.id == "key:fleet.codex-chris-s-laptop"
    with pytest.raises(NotAllowed):  # the provisioner's owner answers for its agents, so they don't approve
        await approve(house, request_id)


async def test_the_same_provisioning_again_shows_the_same_credential(house: House) -> None:
    fleet, other = await house.key("fleet-2", kind="provisioner"), await house.key("fleet-3", kind="provisioner")
    made, again = await provision(house, fleet, key="one"), await provision(house, fleet, key="one")
    assert (made.status, again.status, made.body) == (201, 200, again.body)
    faulted(await provision(house, fleet, {"instance_name": "x"}, key="one"), 409, "conflict", "idempotency_conflict")
    assert (await provision(house, other, key="one")).body["credential"] != made.body["credential"]
    assert derive(fleet, made.body["instance"]["id"], "") != made.body["credential"]["token"]  # a secret isn't enough
    answers = await asyncio.gather(*(provision(house, fleet, key="many") for _ in range(8)))
    assert sorted(each.status for each in answers) == [200] * 7 + [201]
    named = [await provision(house, fleet, {"instance_name": "twin"}) for _ in range(2)]
    first, second = (each.body["instance"]["name"] for each in named)
    assert first == "fleet-2.twin"
    assert re.fullmatch(r"fleet-2\.twin-[0-9a-f]{8}", second)
    nested = await provision(house, fleet, {"instance_name": "prod.x"})
    assert nested.body["instance"]["name"] == "fleet-2.prod-x", "what fleet-2.prod makes is called fleet-2.prod.…"


async def test_a_deleted_instance_is_gone_with_all_that_it_asked_for(house: House) -> None:
    fleet, other = await house.key("fleet-4", kind="provisioner"), await house.key("fleet-5", kind="provisioner")
    made = await provision(house, fleet, key="one")
    token, address = made.body["credential"]["token"], f"/aap/v1/instances/{made.body['instance']['id']}"
    assert (await house.call("GET", address, key=fleet)).body == made.body["instance"]
    async with client(house, token) as aap:
        asked = await aap.create(dict(BODY), "k")
        for stranger in (other,):
            faulted(await house.call("GET", address, key=stranger), 404, "not_found", "not_found")
            faulted(await house.call("DELETE", address, key=stranger), 404, "not_found", "not_found")
        for agent in (token, house.agent):
            faulted(await house.call("DELETE", address, key=agent), 403, "authorization", "wrong_kind_of_key")
        for _ in range(2):
            async with house.session.delete(
                house.address(address), headers={"Authorization": f"Bearer {fleet}"}
            ) as gone:
                assert (gone.status, await gone.read()) == (204, b"")
                assert uuid.UUID(gone.headers["X-Request-ID"])
        with pytest.raises(CredentialRefused):
            await aap.get(asked.id)
    assert (await house.gateway.request(f"req_{uuid.UUID(asked.id).hex}")).state is State.WITHDRAWN
    faulted(await house.call("GET", address, key=fleet), 404, "not_found", "not_found")
    faulted(await provision(house, fleet, key="one"), 409, "conflict", "instance_deleted")
    subject = f"key_{uuid.UUID(made.body['instance']['id']).hex}"
    lines = [line for line in await house.store.journal() if line.subject == subject]
    assert [(line.what, line.actor) for line in lines] == [("provisioned", "key:fleet-4"), ("retired", "key:fleet-4")]


async def test_what_waits_for_its_turn_while_its_instance_is_deleted_is_taken_back(house: House) -> None:
    fleet = await house.key("fleet-7", kind="provisioner")
    made = await provision(house, fleet)
    token, agent = made.body["credential"]["token"], f"key:{made.body['instance']['name']}"
    crowding = house.gateway.budgets.crowding
    crowding.refused(agent)  # from now on its calls come one after the other
    async with AsyncExitStack() as places:
        for _ in range(AT_ONCE):
            await places.enter_async_context(crowding.place(agent))
        asking = [
            asyncio.create_task(ask_with(house, token)),
            asyncio.create_task(house.call("POST", "/v1/requests", key=token, json=dict(MAIL))),
        ]
        await until(lambda: len(crowding._places[agent]._waiters or ()) == len(asking))
        headers = {"Authorization": f"Bearer {fleet}"}
        address = house.address(f"/aap/v1/instances/{made.body['instance']['id']}")
        async with house.session.delete(address, headers=headers) as gone:
            assert gone.status == 204
    assert [(await each).status for each in asking] == [401, 401]
    stored = (await house.store.requests(requester=agent)).requests
    assert [request.state for request in stored] == [State.WITHDRAWN] * 2


async def test_a_provisioner_asks_for_nothing_and_makes_not_too_many(house: House) -> None:
    fleet = await house.key("fleet-6", kind="provisioner")
    faulted(await ask_with(house, fleet), 403, "authorization", "wrong_kind_of_key")
    assert (await house.call("GET", "/v1/requests", key=fleet)).status == 403
    assert (await house.call("GET", "/metrics", key=fleet)).status == 403
    faulted(await provision(house, house.agent), 403, "authorization", "wrong_kind_of_key")
    answers = [await provision(house, fleet) for _ in range(31)]
    assert [answer.status for answer in answers] == [201] * 30 + [429]
    faulted(answers[-1], 429, "rate_limit", "rate_limited")
    assert answers[-1].headers["Retry-After"] == "60"


async def ask_with(house: House, key: str) -> Answer:
    """A submission with another key."""
    return await house.call("POST", "/aap/v1/requests", key=key, json=dict(BODY), headers={"Idempotency-Key": "k"})
