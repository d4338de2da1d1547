"""What no agent can do to the gateway by its calls: change the policy, or make the others wait."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.judgement import Facts, explain
from policies.request import Submission, ToolCall
from tests.api.house import MAIL, PAYMENT, POLICY, House, open_house
from tests.heartbeat import heartbeat
from tests.policies.test_hostile import ARGUMENTS, STALL, TRUE_OR_REFUSED

PROBES: tuple[Mapping[str, Any], ...] = (MAIL, PAYMENT, {"tool": "read_x"}, {"tool": "drop_database"}, {"tool": "new"})
LOOSER = POLICY.replace("checkpoint: deny", "checkpoint: allow").replace("checkpoint: hard", "checkpoint: allow")

TOOLS = st.sampled_from(["execute_payment", "drop_database", "read_x", "send_email", "policy", "signoff", "*", "new"])
WORDS = st.sampled_from(["", "allow", LOOSER, "rules: []", "version: 1", "../policy.yml", "U0ANA"]) | st.text(
    max_size=9
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**6) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
CALLS = st.fixed_dictionaries(
    {"tool": TOOLS, "arguments": st.dictionaries(WORDS, JSON, max_size=3)},
    optional={
        "confidence": st.floats(0, 1),
        "context": WORDS,
        "on_behalf_of": WORDS,
        "reason": WORDS,
        "policy": JSON,
        "rules": JSON,
        "checkpoint": st.sampled_from(["allow", {"kind": "allow"}]),
        "run": WORDS,
    },
)
PLACES = st.sampled_from(["claim", "report", "review", "approve", "policy", ""])
STEPS = st.one_of(
    st.tuples(st.just("POST"), st.just("/v1/requests"), CALLS),
    st.tuples(st.sampled_from(["POST", "PUT", "DELETE", "PATCH"]), PLACES, JSON),
    st.tuples(
        st.sampled_from(["PUT", "POST", "PATCH", "DELETE"]),
        st.sampled_from(["/v1/policy", "/v1/rules", "/policy", "/policy.yml", "/v1/keys"]),
        st.just({"policy": LOOSER}),
    ),
)


async def verdicts(house: House) -> list[Any]:
    """What the gateway answers to the probes over HTTP: the whole checkpoint, and how the request stands."""
    asked = [await house.ask(probe, arguments=probe.get("arguments", {})) for probe in PROBES]
    for each in asked:
        await house.call("DELETE", f"/v1/requests/{each['id']}")
    return [(each["checkpoint"], each["state"]) for each in asked]


def in_full(house: House) -> list[Any]:
    """What the policy in force says to the probes, rule by rule."""
    facts = Facts(agent="key:mailer", now=house.clock(), recent={})
    calls = [ToolCall(tool=probe["tool"], arguments=probe.get("arguments", {})) for probe in PROBES]
    return [explain(house.gateway.shelf.current, Submission(call=call), facts) for call in calls]


async def act(house: House, steps: list[tuple[str, str, Any]]) -> None:
    """Do all ``steps`` as the agent; those without a path of their own at the request that was made last."""
    last = "none"
    for method, place, body in steps:
        path = place if place.startswith("/") else f"/v1/requests/{last}/{place}".rstrip("/")
        answer = await house.call(method, path, json=body)
        assert answer.status < 500, (method, path, body, answer)
        last = answer.body["id"] if answer.status in (200, 201) and "id" in answer.body else last


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, max_size=14))
def test_no_sequence_of_an_agents_calls_changes_the_policy(steps: list[tuple[str, str, Any]]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as directory:
            async with open_house(Path(directory)) as house:
                digest = house.gateway.shelf.current.digest
                before, whole = await verdicts(house), in_full(house)
                await act(house, steps)
                assert await verdicts(house) == before
                assert in_full(house) == whole
                assert house.gateway.shelf.current.digest == digest
                assert await house.store.policy_text(digest) == POLICY

    asyncio.run(play())


HOSTILE = "\n".join(
    [
        "version: 1",
        "rules:",
        *(
            f"  - {{name: rule {number}, match: t, when: {json.dumps(text)}, checkpoint: deny}}"
            for number, text in enumerate(TRUE_OR_REFUSED * 3)
        ),
        "",
    ]
)


async def test_the_loop_never_stands_still_for_hostile_calls_under_a_hostile_policy(tmp_path: Path) -> None:
    stood: dict[str, float] = {}
    async with open_house(tmp_path, HOSTILE) as house:
        for name, arguments in ARGUMENTS.items():
            call = {"tool": "t", "arguments": arguments, "context": "c" * 4_000}
            async with heartbeat() as turns:
                answers = await asyncio.gather(*(house.call("POST", "/v1/requests", json=call) for _ in range(3)))
            assert {(answer.status, answer.body["state"]) for answer in answers} == {(201, "rejected")}
            stood[name] = max(turns)
    assert max(stood.values()) < STALL, stood
