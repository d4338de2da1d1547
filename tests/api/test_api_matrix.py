"""Every route with every kind of key: the exact status and code; and that none of them decides anything."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.api.auth import mint
from bot.api.operations import Operation, described
from policies.allowance import Scope
from tests.api.house import MAIL, House, open_house
from tests.api.token_matrix import DECIDING, MISSING, ON_ONE, REFUSED, ROWS, Answered, Row

pytestmark = pytest.mark.asyncio(loop_scope="module")

Header = list[tuple[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refused(house: House) -> Mapping[str, Header]:
    """The headers of each key that opens nothing."""
    whole, unknown = f"Bearer {house.agent}", mint("agent")[0]
    expired, revoked, replaced = [await house.key(name, days=1) for name in ("expired", "revoked", "replaced")]
    now, soon = house.clock(), timedelta(minutes=1)
    await house.store.revoke_key("revoked", now)
    await house.store.rotate_key("replaced", mint("agent")[1], now=now, until=now + soon, expires_at=None)
    house.clock.move(timedelta(days=1))
    house.agent, house.other_agent = await house.key("mailer-2", owner="U0OWNER"), await house.key("other-2")
    await house.ask(dict(MAIL), group={"id": "g", "size": 1})
    return {
        "none": [],
        "two headers": [("Authorization", whole), ("Authorization", f"Bearer {house.other_agent}")],
        "the same twice": [("Authorization", whole), ("Authorization", whole)],
        "another scheme": [("Authorization", f"Basic {house.agent}")],
        "no secret": [("Authorization", "Bearer")],
        "not ASCII": [("Authorization", "Bearer ü")],
        "one character short": [("Authorization", whole[:-1])],
        "one character more": [("Authorization", f"{whole}0")],
        "unknown": [("Authorization", f"Bearer {unknown}")],
        "revoked": [("Authorization", f"Bearer {revoked}")],
        "expired": [("Authorization", f"Bearer {expired}")],
        "replaced": [("Authorization", f"Bearer {replaced}")],
    }


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Fresh pending requests of the agent's own: one by each of the ways to ask."""

    id: str
    aap: str


async def asked(house: House) -> Asked:
    named = {"Idempotency-Key": str(uuid.uuid4())}
    aap = await house.call("POST", "/aap/v1/requests", json={**MAIL, "timeout": "10m"}, headers=named)
    return Asked(id=(await house.ask())["id"], aap=aap.body["id"])


async def read(house: House, pending: Asked) -> list[Any]:
    """How they stand."""
    paths = (f"/v1/requests/{pending.id}", f"/aap/v1/requests/{pending.aap}")
    return [(await house.call("GET", path)).body for path in paths]


async def sent(house: House, row: Row, pending: Asked, headers: Header) -> Answered:
    """What the route answers to these headers."""
    address = house.address(row.path.format(id=pending.id, aap=pending.aap))
    named = [*headers, ("Idempotency-Key", str(uuid.uuid4()))]
    async with house.session.request(row.method, address, json=row.body, headers=named) as answer:
        if answer.status < 400:
            return answer.status, ""
        assert ("WWW-Authenticate" in answer.headers) == (answer.status == 401)
        if row.method == "HEAD":
            return answer.status, "wrong_kind_of_key"
        problem = await answer.json(content_type=None)
        return answer.status, problem.get("error", problem)["code"]


def routes_of(house: House) -> dict[tuple[str, str], Operation | None]:
    return {
        (route.method, route.resource.canonical): described(route.handler)
        for route in house.runner.app.router.routes()
        if route.resource is not None
    }


async def test_every_route_stands_in_the_table(house: House) -> None:
    assert {row.route for row in ROWS} == set(routes_of(house))


async def test_what_the_table_says_of_keys_is_what_the_document_says(house: House) -> None:
    operations = routes_of(house)
    for row in ROWS:
        operation = operations[row.route]
        assert operation is not None, row.route
        assert (operation.key or "none") == row.needs, row.route


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_key_that_opens_nothing_is_told_why_on_every_route(
    house: House, refused: Mapping[str, Header], kind: str
) -> None:
    pending = await asked(house)
    before = await read(house, pending)
    for row in ROWS:
        expected = row.own if row.needs == "none" or row.denies else REFUSED[kind]
        if row.method == "HEAD":
            expected = (expected[0], "wrong_kind_of_key" if expected[1] else "")
        assert await sent(house, row, pending, refused[kind]) == expected, row.route
    assert await read(house, pending) == before


async def test_each_route_answers_its_own_agent_another_one_and_keys_of_other_kinds(
    house: House, refused: Mapping[str, Header]
) -> None:
    fleet, boss = await house.key("fleet", kind="provisioner"), await house.key("boss", kind="operator")
    keys = {"provisioner": fleet, "operator": boss, "other": house.other_agent, "own": house.agent}
    for row in ROWS:
        pending = await asked(house)
        for whose, key in keys.items():
            answered = await sent(house, row, pending, [("Authorization", f"Bearer {key}")])
            assert answered == getattr(row, whose), (row.route, whose)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_with_one_scope_does_what_the_document_says_and_nothing_else(
    house: House, refused: Mapping[str, Header], scope: Scope
) -> None:
    key = await house.key(f"only-{scope.value}", agent="mailer-2", owner="U0OWNER", may=(scope,))
    operations = routes_of(house)
    for row in ROWS:
        operation = operations[row.route]
        if row.needs != "agent" or row.denies or operation is None:
            continue
        answered = await sent(house, row, await asked(house), [("Authorization", f"Bearer {key}")])
        may = Scope.READ in operation.scopes or scope in operation.scopes
        assert answered == (row.own if may else (403, "key_scope")), row.route


async def test_a_key_is_looked_at_before_the_body(house: House, refused: Mapping[str, Header]) -> None:
    for row in ROWS:
        if row.body is None or row.denies:
            continue
        address = house.address(row.path.format(id="req_0", aap=uuid.uuid4()))
        for kind, headers in refused.items():
            async with house.session.request(row.method, address, data=b"{", headers=headers) as answer:
                problem = await answer.json(content_type=None)
            assert (answer.status, problem.get("error", problem)["code"]) == REFUSED[kind], (row.route, kind)


@pytest.mark.parametrize("tools", [(), ("send_*",), ("read_*",)])
async def test_a_foreign_id_reads_byte_for_byte_like_an_unknown_one(
    house: House, refused: Mapping[str, Header], tools: tuple[str, ...]
) -> None:
    pending = await asked(house)
    key = await house.key(f"other for {tools}", agent="other-2", tools=tools)
    headers = [("Authorization", f"Bearer {key}"), ("Idempotency-Key", "a")]
    reading = [row for row in ON_ONE if row.method == "GET" and row.needs == "agent" and "?" not in row.path]
    waiting = [replace(row, path=f"{row.path}?wait=1") for row in reading]
    for row in (*(row for row in ON_ONE if row.other == MISSING), *waiting):
        row = replace(row, path=row.path.replace("wait=1", "wait=1s")) if "{aap}" in row.path else row
        own = "g" if "/groups/" in row.path else pending.aap if "{aap}" in row.path else pending.id
        first, *others = [
            await raw(house, row, name, headers)
            for name in (own, f"req_{'0' * 32}", str(uuid.uuid4()), "a" * 300, "~", "%00")
        ]
        assert first[0] == 404, row.route
        assert all(other == first for other in others), row.route


async def raw(house: House, row: Row, name: str, headers: Header) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that a client sees of an answer but its date and, with AAP, the exchange's own id."""
    path = row.path.replace("/groups/g", f"/groups/{name}").replace("{id}", name).replace("{aap}", name)
    async with house.session.request(row.method, house.address(path), json=row.body, headers=headers) as answer:
        body, exchange = await answer.read(), answer.headers.get("X-Request-ID", "none")
    told = sorted(pair for pair in answer.headers.items() if pair[0] not in ("Date", "X-Request-ID"))
    return answer.status, body.replace(exchange.encode(), b""), told


async def test_no_address_and_no_method_decides_anything(house: House, refused: Mapping[str, Header]) -> None:
    pending = await asked(house)
    address, aap = f"/v1/requests/{pending.id}", f"/aap/v1/requests/{pending.aap}"
    before = await read(house, pending)
    keys = (house.agent, await house.key("chief", kind="operator"))
    for method, act, key in itertools.product(("POST", "PUT", "PATCH"), DECIDING, keys):
        for path in (f"{address}/{act}", f"{aap}/{act}", f"/v1/requests/{act}"):
            answer = await house.call(method, path, json={"verdict": "approve", "state": "approved"}, key=key)
            assert answer.status in (404, 405), (method, path)
    for method, path in itertools.product(("PUT", "PATCH", "POST"), (address, aap)):
        assert (await house.call(method, path, json={"state": "approved"})).status == 405
    assert await read(house, pending) == before


async def test_every_route_that_changes_something_calls_a_step_of_the_agents_side(house: House) -> None:
    changing = {operation.id for (method, _), operation in routes_of(house).items() if operation and method != "GET"}
    assert changing - {"health", "readiness", "metrics", "openapi", "docs"} == {
        "submit_request",
        "claim_request",
        "report_request",
        "answer_inquiry",
        "withdraw_request",
        "claude_code_hook",
        *("aap_submit", "aap_consume", "aap_outcome", "aap_cancel"),
        *("aap_provision", "aap_delete_instance"),
    }


async def test_a_body_cannot_bring_its_own_state_or_requester(house: House) -> None:
    for name in ("state", "decision", "requester", "checkpoint", "id", "policy", "owner", "reviews"):
        answer = await house.call("POST", "/v1/requests", json={**MAIL, name: "approved"})
        assert (answer.status, answer.body["errors"][0]["where"]) == (422, f"/{name}")
