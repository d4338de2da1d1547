"""What keys are made of, what limits they may have, and how their secrets are replaced.

``test_api_matrix.py`` holds every route against every kind of key.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.api.auth import Doorkeeper, hashed, mint
from bot.retiring import take_back
from policies.allowance import Scope
from policies.errors import NotAllowed
from policies.request import State
from policies.review import Verdict
from storage.store import Key, Page
from tests.api.house import MAIL, House


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
    lines = [line for line in await house.store.journal() if line.subject == asked.body["id"]]
    assert [(line.what, line.actor, line.detail.get("key")) for line in lines] == [
        ("opened", "key:mailer", "mailer-model"),
        ("settled", "policy", None),
        ("claimed", "key:mailer", "mailer-runner"),
        ("succeeded", "key:mailer", "mailer-runner"),
    ]


async def test_a_key_that_ends_while_its_claim_arrives_claims_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = await house.key("mailer-runner", owner="U0OWNER", agent="mailer", may=(Scope.ACT,))
    asked = await house.ask({"tool": "read_mail", "arguments": {}})
    call = {"tool": "read_mail", "arguments": {}, "timeout": "10m"}
    by_aap = await house.call("POST", "/aap/v1/requests", json=call, headers={"Idempotency-Key": "k"})

    looking, looked = house.store.key_by_hash, asyncio.Event()

    async def seen(secret_hash: str) -> Key | None:
        found = await looking(secret_hash)
        looked.set()
        return found

    async def slowly(body: bytes, name: str) -> AsyncIterator[bytes]:
        yield body[:1]
        await looked.wait()
        await house.store.revoke_key(name, house.clock())
        yield body[1:]

    monkeypatch.setattr(house.store, "key_by_hash", seen)

    for path, body in (
        (f"/v1/requests/{asked['id']}/claim", json.dumps({"digest": asked["digest"]}).encode()),
        (f"{by_aap.headers['Location']}/consume", b"{}"),
    ):
        looked.clear()
        key = await house.key(name := f"late-{len(body)}", owner="U0OWNER", agent="mailer", may=(Scope.ACT,))
        answer = await house.call("POST", path, data=slowly(body, name), key=key, headers={"Idempotency-Key": "c"})
        assert answer.status == 401, path
        assert (await house.call("POST", path, data=body, key=part, headers={"Idempotency-Key": "c"})).status == 200


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


async def test_what_an_ended_agent_had_asked_is_taken_back_though_one_of_it_is_decided_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [await house.ask(), await house.ask(), await house.ask()]
    listing = house.store.requests

    async def decided_meanwhile(**wanted: Any) -> Page:
        page = await listing(**wanted)
        for each in (one for one in page.requests if one.id == asked[1]["id"] and not one.settled):
            await house.gateway.review(each.id, house.person("U0ANA"), Verdict.REJECT, 1)
        return page

    monkeypatch.setattr(house.store, "requests", decided_meanwhile)
    await take_back(house.store, "mailer", house.clock())
    ended = [(await house.gateway.request(one["id"])).state for one in asked]
    assert ended == [State.WITHDRAWN, State.REJECTED, State.WITHDRAWN]
