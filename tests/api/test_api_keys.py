"""Who may do what with which key; foreign ids read like unknown ones; nothing over HTTP decides."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from bot.api.auth import hashed, mint
from tests.api.house import MAIL, Answer, House

ROUTES = [
    ("POST", "/v1/requests", MAIL),
    ("GET", "/v1/requests", None),
    ("GET", "/v1/requests/{id}", None),
    ("GET", "/v1/requests/{id}?wait=1", None),
    ("POST", "/v1/requests/{id}/claim", {"digest": "sha256:0"}),
    ("POST", "/v1/requests/{id}/report", {"status": "succeeded"}),
    ("DELETE", "/v1/requests/{id}", None),
]
ON_ONE = [route for route in ROUTES if "{id}" in route[1]]


def test_a_key_holds_256_random_bits_and_only_its_hash_is_stored() -> None:
    (one, one_hash), (other, _) = mint("agent"), mint("agent")
    assert re.fullmatch(r"so_agent_[0-9A-Za-z]{43}", one)
    assert one != other
    assert one_hash == hashed(one)
    assert re.fullmatch(r"[0-9a-f]{64}", one_hash)
    assert mint("operator")[0].startswith("so_operator_")


async def test_no_secret_lies_in_the_database(house: House, tmp_path: Path) -> None:
    await house.ask()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert hashed(house.agent).encode() in stored
    assert house.agent.encode() not in stored


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("none", 401, "no_key"),
        ("basic", 401, "key_unknown"),
        ("garbage", 401, "key_unknown"),
        ("unknown", 401, "key_unknown"),
        ("revoked", 401, "key_revoked"),
        ("expired", 401, "key_expired"),
        ("two", 401, "no_key"),
        ("operator", 403, "wrong_kind_of_key"),
    ],
)
async def test_only_an_agents_valid_key_opens_a_route(house: House, kind: str, status: int, code: str) -> None:
    asked = await house.ask()
    sent = await carried(house, kind)
    for method, path, body in ROUTES:
        address = house.address(path.format(id=asked["id"]))
        async with house.session.request(method, address, json=body, headers=sent) as answer:
            problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["code"]) == (status, code), (method, path)
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert (await house.call("GET", f"/v1/requests/{asked['id']}")).body == asked


async def carried(house: House, kind: str) -> list[tuple[str, str]]:
    """The headers of a request with a key of this kind."""
    if kind == "two":
        return [("Authorization", f"Bearer {house.agent}"), ("Authorization", f"Bearer {house.agent}")]
    if kind in ("none", "basic", "garbage"):
        return {"none": [], "basic": [("Authorization", "Basic YTpi")], "garbage": [("Authorization", "Bearer ü")]}[
            kind
        ]
    secret = mint("agent")[0]
    if kind != "unknown":
        secret = await house.key(
            kind, kind="operator" if kind == "operator" else "agent", days=0 if kind == "expired" else None
        )
    if kind == "revoked":
        await house.store.revoke_key(kind, house.clock())
    return [("Authorization", f"Bearer {secret}")]


async def test_a_foreign_id_reads_exactly_like_an_unknown_one(house: House) -> None:
    asked = await house.ask()
    for method, path, body in ON_ONE:
        foreign, *unknown = [
            await house.call(method, path.format(id=which), json=body, key=house.other_agent)
            for which in (asked["id"], f"req_{'0' * 32}", "%00", "a" * 300, "~")
        ]
        assert foreign.status == 404, (method, path)
        assert all(seen(answer) == seen(foreign) for answer in unknown), (method, path)
    assert (await house.call("GET", f"/v1/requests/{asked['id']}")).body == asked


def seen(answer: Answer) -> tuple[int, Any, list[tuple[str, str]]]:
    """All that a client sees of an answer but its date."""
    return answer.status, answer.body, sorted(pair for pair in answer.headers.items() if pair[0] != "Date")


async def test_a_list_holds_only_ones_own(house: House) -> None:
    await house.ask()
    assert (await house.call("GET", "/v1/requests", key=house.other_agent)).body == {"requests": [], "cursor": None}


async def test_no_address_decides_anything(house: House) -> None:
    asked = await house.ask()
    operator = await house.key("boss", kind="operator")
    acts = ("approve", "review", "reviews", "reject", "modify", "decide", "stop", "attest")
    for method, act, key in itertools.product(("POST", "PUT", "PATCH"), acts, (house.agent, operator)):
        answer = await house.call(method, f"/v1/requests/{asked['id']}/{act}", json={"verdict": "approve"}, key=key)
        assert answer.status == 404, (method, act)
    answer = await house.call("PATCH", f"/v1/requests/{asked['id']}", json={"state": "approved"})
    assert answer.status == 405
    assert (await house.call("GET", f"/v1/requests/{asked['id']}")).body == asked


async def test_a_body_cannot_bring_its_own_state_or_requester(house: House) -> None:
    for name in ("state", "decision", "requester", "checkpoint", "id", "policy"):
        answer = await house.call("POST", "/v1/requests", json={**MAIL, name: "approved"})
        assert (answer.status, answer.body["errors"][0]["where"]) == (422, f"/{name}")
