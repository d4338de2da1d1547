"""Who may do what with which key; foreign ids read like unknown ones; nothing over HTTP decides."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.api.auth import Doorkeeper, hashed, mint
from policies.allowance import Scope
from policies.errors import NotAllowed
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


MAY = {
    Scope.ASK: {"submit", "answers", "withdraw"},
    Scope.ACT: {"claim", "report", "withdraw"},
    Scope.READ: set[str](),
}


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_does_what_its_scopes_say_with_its_agents_requests(house: House, scope: Scope) -> None:
    key = await house.key("part", owner="U0OWNER", agent="mailer", may=(scope, Scope.READ))
    asked = await house.ask()
    address = f"/v1/requests/{asked['id']}"
    for path in (address, f"{address}?wait=0", "/v1/requests"):
        assert (await house.call("GET", path, key=key)).status == 200
    calls = {
        "submit": ("POST", "/v1/requests", MAIL),
        "claim": ("POST", f"{address}/claim", {"digest": asked["digest"]}),
        "report": ("POST", f"{address}/report", {"status": "failed"}),
        "answers": ("POST", f"{address}/answers", {"inquiry": "inq_1", "text": "Yes"}),
        "withdraw": ("DELETE", address, None),
    }
    for name, (method, path, body) in calls.items():
        answer = await house.call(method, path, json=body, key=key)
        if name in MAY[scope]:
            assert answer.status != 403, name
            continue
        assert (answer.status, answer.body["code"]) == (403, "key_scope"), name
        assert "signoff keys create NAME --agent mailer --may" in answer.body["detail"]


async def test_one_program_asks_and_another_one_runs_what_was_approved(house: House) -> None:
    asker = await house.key("mailer-model", owner="U0OWNER", agent="mailer", may=(Scope.ASK, Scope.READ))
    runner = await house.key("mailer-runner", owner="U0OWNER", agent="mailer", may=(Scope.ACT, Scope.READ))
    asked = await house.call("POST", "/v1/requests", json={"tool": "read_mail", "arguments": {}}, key=asker)
    assert asked.body["requester"] == "mailer"
    waiting = await house.call("GET", "/v1/requests?execution=unclaimed", key=runner)
    assert [one["id"] for one in waiting.body["requests"]] == [asked.body["id"]]
    address, digest = f"/v1/requests/{asked.body['id']}", {"digest": asked.body["digest"]}
    assert (await house.call("POST", f"{address}/claim", json=digest, key=asker)).status == 403
    assert (await house.call("POST", f"{address}/claim", json=digest, key=runner)).status == 200
    assert (await house.call("POST", f"{address}/report", json={"status": "succeeded"}, key=runner)).status == 200


async def test_a_key_for_some_tools_asks_and_acts_with_no_others(house: House) -> None:
    key = await house.key("reader", owner="U0OWNER", agent="mailer", tools=("read_*", "git.commit"))
    for tool, status in (("read_mail", 201), ("git.commit", 201), ("git.commit_all", 403), ("send_email", 403)):
        answer = await house.call("POST", "/v1/requests", json={"tool": tool, "arguments": {}}, key=key)
        assert answer.status == status, tool
        assert status == 201 or answer.body["code"] == "key_tool"
    foreign = await house.ask({"tool": "send_email", "arguments": {}})
    for method, act, body in (
        ("POST", "/claim", {"digest": foreign["digest"]}),
        ("POST", "/report", {"status": "failed"}),
        ("POST", "/answers", {"inquiry": "inq_1", "text": "Yes"}),
        ("DELETE", "", None),
    ):
        answer = await house.call(method, f"/v1/requests/{foreign['id']}{act}", json=body, key=key)
        assert (answer.status, answer.body["code"]) == (403, "key_tool"), act
    question = {"question": {"text": "Which of the two?"}}
    assert (await house.call("POST", "/v1/requests", json=question, key=key)).status == 201


async def test_a_rotated_key_opens_with_both_secrets_until_the_old_one_ends(house: House) -> None:
    asked = await house.ask()
    fresh, fresh_hash = mint("agent")
    until = house.clock() + timedelta(hours=24)
    await house.store.rotate_key("mailer", fresh_hash, now=house.clock(), until=until, expires_at=None)
    for secret in (house.agent, fresh):
        assert (await house.call("GET", f"/v1/requests/{asked['id']}", key=secret)).body == asked
    house.clock.move(timedelta(hours=24))
    old = await house.call("GET", f"/v1/requests/{asked['id']}")
    assert (old.status, old.body["code"]) == (401, "key_rotated")
    assert (await house.call("GET", f"/v1/requests/{asked['id']}", key=fresh)).status == 200


async def test_a_route_that_knows_nothing_of_limits_lets_limited_keys_only_read(house: House) -> None:
    for name, limits in (("a", {"may": (Scope.ASK, Scope.READ)}), ("b", {"tools": ("read_*",)}), ("c", {})):
        secret = await house.key(name, **limits)  # type: ignore[arg-type]
        for method, free in (("GET", True), ("POST", not limits), ("DELETE", not limits)):
            http = make_mocked_request(method, "/", headers={"Authorization": f"Bearer {secret}"})
            asking = Doorkeeper(store=house.store, clock=house.clock).requester(http)
            if free:
                assert (await asking).id == f"key:{name}"
            else:
                with pytest.raises(NotAllowed):
                    await asking


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
