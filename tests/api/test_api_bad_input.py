"""What is wrong with a body is said at its place, in words that tell what to send instead."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.house import MAIL, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One API for all of these tests: what is refused leaves nothing behind."""
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


BODIES: list[tuple[bytes | dict[str, Any], int, str, str, str]] = [
    # the body, the status, the code, the first place, some of its words
    (b"", 400, "malformed", "", "empty"),
    (b"{", 400, "malformed", "", "not JSON"),
    (b'{"tool":"a","tool":"b","arguments":{}}', 400, "malformed", "", "twice"),
    (b'{"tool":"a","arguments":{"x":{"y":1,"y":2}}}', 400, "malformed", "", "twice"),
    (b'{"tool":"a","arguments":{"x":NaN}}', 400, "malformed", "", "NaN"),
    (b'{"tool":"a","arguments":{"x":1e999}}', 400, "malformed", "", "string"),
    (b'{"tool":"a","arguments":{"x":9007199254740993}}', 400, "malformed", "", "string"),
    (b'{"tool":"a","arguments":{"x":"\\u0000"}}', 400, "malformed", "/arguments/x", "NUL"),
    (b'{"tool":"a","arguments":{"x":"\\ud800"}}', 400, "malformed", "/arguments/x", "surrogate"),
    (b'{"tool":"\xff","arguments":{}}', 400, "malformed", "", "UTF-8"),
    (b"[" * 100_000, 400, "malformed", "", "deep"),
    (b"[]", 422, "invalid", "", "JSON object"),
    (b"null", 422, "invalid", "", "JSON object"),
    ({"arguments": {}}, 422, "invalid", "/tool", "missing"),
    ({"tool": "a"}, 422, "invalid", "/arguments", "missing"),
    ({"tool": "", "arguments": {}}, 422, "invalid", "/tool", "name"),
    ({"tool": "send email", "arguments": {}}, 422, "invalid", "/tool", "without spaces"),
    ({"tool": "send\u200bemail", "arguments": {}}, 422, "invalid", "/tool", "invisible"),
    ({"tool": "send\u3164email", "arguments": {}}, 422, "invalid", "/tool", "invisible"),
    ({"tool": "send\ufe0femail", "arguments": {}}, 422, "invalid", "/tool", "invisible"),
    ({"tool": "a" * 201, "arguments": {}}, 422, "invalid", "/tool", "200"),
    ({"tool": 1, "arguments": {}}, 422, "invalid", "/tool", "text"),
    ({"tool": "a", "arguments": []}, 422, "invalid", "/arguments", "JSON object"),
    ({"tool": "a", "arguments": "{}"}, 422, "invalid", "/arguments", "JSON object"),
    ({"tool": "a", "arguments": {"x": "y" * 66_000}}, 422, "too_large", "/arguments", "64 kB"),
    ({"tool": "a", "arguments": {}, "argument": {}}, 422, "invalid", "/argument", "did you mean arguments?"),
    ({"tool": "a", "arguments": {}, "shema": {}}, 422, "invalid", "/shema", "did you mean schema?"),
    ({"tool": "a", "arguments": {}, "json_schema": {}}, 422, "invalid", "/json_schema", "did you mean schema?"),
    ({"tool": "a", "arguments": {}, "zzz": 1}, 422, "invalid", "/zzz", "known are tool, arguments, schema"),
    ({"tool": "a", "arguments": {}, "question": {}}, 422, "invalid", "/question/text", "missing"),
    ({"tool": "a", "arguments": {}, "question": {"text": " "}}, 422, "invalid", "/question/text", "must"),
    ({"question": {"text": "?", "choices": []}}, 422, "invalid", "/question/choices", "1"),
    ({"question": {"text": "?", "free_text": False}}, 422, "invalid", "/question", "nobody could answer"),
    ({"question": {"text": "?"}, "arguments": {}}, 422, "invalid", "/arguments", "no tool"),
    (
        {"question": {"text": "?", "choices": [{"id": "a", "label": "A"}, {"id": "a", "label": "B"}]}},
        422,
        "invalid",
        "/question/choices/1/id",
        "twice",
    ),
    (
        {"question": {"text": "?", "choices": [{"id": "a", "label": "A", "arguments": {}}]}},
        422,
        "invalid",
        "/question/choices/0/arguments",
        "no call to change",
    ),
    (
        {"question": {"text": "?", "choices": [{"id": "a", "label": "A"}], "free_text": False, "best_guess": "b"}},
        422,
        "invalid",
        "/question/best_guess",
        "id of a choice",
    ),
    (
        {
            "tool": "a",
            "arguments": {"n": 1},
            "schema": {"properties": {"n": {"type": "integer"}}},
            "question": {"text": "?", "choices": [{"id": "a", "label": "A", "arguments": {"n": "x"}}]},
        },
        422,
        "arguments_invalid",
        "/question/choices/0/arguments/n",
        "whole number",
    ),
    (
        {
            "tool": "a",
            "arguments": {},
            "question": {"text": "?", "choices": [{"id": "a", "label": "A", "arguments": {"n": "x" * 66_000}}]},
        },
        422,
        "too_large",
        "/question/choices/0/arguments",
        "64 kB",
    ),
    ({"tool": "a", "arguments": {}, "group": {"id": "g"}}, 422, "invalid", "/group/size", "missing"),
    ({"tool": "a", "arguments": {}, "group": {"id": "g", "size": 51}}, 422, "invalid", "/group/size", "at most 50"),
    ({"tool": "a", "arguments": {}, "group": {"id": "../x", "size": 2}}, 422, "invalid", "/group/id", "letters"),
    ({"tool": "a", "arguments": {}, "confidence": 1.1}, 422, "invalid", "/confidence", "at most 1"),
    ({"tool": "a", "arguments": {}, "confidence": True}, 422, "invalid", "/confidence", "number"),
    ({"tool": "a", "arguments": {}, "confidence": "0.5"}, 422, "invalid", "/confidence", "number"),
    ({"tool": "a", "arguments": {}, "context": {}}, 422, "invalid", "/context", "text"),
    ({"tool": "a", "arguments": {}, "expires_in": 0}, 422, "invalid", "/expires_in", "second"),
    ({"tool": "a", "arguments": {}, "expires_in": "soon"}, 422, "invalid", "/expires_in", "10m"),
    ({"tool": "a", "arguments": {}, "expires_in": 1.5}, 422, "invalid", "/expires_in", "whole"),
    ({"tool": "a", "arguments": {}, "on_behalf_of": ""}, 422, "invalid", "/on_behalf_of", "at least 1"),
    ({"tool": "a", "arguments": {}, "schema": {"type": "strin"}}, 422, "invalid", "/schema/type", "object"),
    (
        {"tool": "a", "arguments": {}, "schema": {"properties": {"x": {"$ref": "http://127.0.0.1/x"}}}},
        422,
        "invalid",
        "/schema/properties/x/$ref",
        "$defs",
    ),
    (
        {"tool": "a", "arguments": {"amount": 900}, "schema": {"properties": {"amount": {"maximum": 500}}}},
        422,
        "arguments_invalid",
        "/arguments/amount",
        "at most 500",
    ),
]


@pytest.mark.parametrize(("body", "status", "code", "where", "words"), BODIES)
async def test_a_bad_body_is_refused_at_its_place(
    house: House, body: bytes | dict[str, Any], status: int, code: str, where: str, words: str
) -> None:
    before = (await house.call("GET", "/v1/requests")).body
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await house.call("POST", "/v1/requests", data=data)
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["errors"][0]["where"] == where, answer.body
    assert words in answer.body["errors"][0]["words"], answer.body
    assert (await house.call("GET", "/v1/requests")).body == before


async def test_all_faults_are_named_at_once(house: House) -> None:
    answer = await house.call("POST", "/v1/requests", json={"confidence": 2, "reasn": "", "run": ""})
    assert [fault["where"] for fault in answer.body["errors"]] == [
        "/tool",
        "/arguments",
        "/confidence",
        "/run",
        "/reasn",
    ]


@pytest.mark.parametrize(
    ("act", "body", "where"),
    [
        ("claim", {}, "/digest"),
        ("claim", {"digest": None}, "/digest"),
        ("claim", {"digest": "sha256:0", "force": True}, "/force"),
        ("report", {}, "/status"),
        ("report", {"status": "unknown"}, "/status"),
        ("report", {"status": "succeeded", "note": "x" * 3_001}, "/note"),
    ],
)
async def test_bad_claims_and_reports_change_nothing(house: House, act: str, body: object, where: str) -> None:
    asked = await house.ask({"tool": "read_order", "arguments": {}})
    answer = await house.call("POST", f"/v1/requests/{asked['id']}/{act}", json=body)
    assert (answer.status, answer.body["errors"][0]["where"]) == (422, where)
    assert (await house.call("GET", f"/v1/requests/{asked['id']}")).body == asked


@pytest.mark.parametrize(
    ("path", "where", "words"),
    [
        ("/v1/requests/{id}?wait=56", "?wait", "at most 55"),
        ("/v1/requests/{id}?wait=-1", "?wait", "at least 0"),
        ("/v1/requests/{id}?wait=soon", "?wait", "whole number"),
        ("/v1/requests/{id}?wait=1&wait=2", "?wait", "whole number"),
        ("/v1/requests/{id}?wait=nan", "?wait", "whole number"),
        ("/v1/requests/{id}?wiat=25", "?wiat", "did you mean wait?"),
        ("/v1/requests/{id}?revision=0", "?revision", "at least 1"),
        ("/v1/requests?state=done", "?state", "'pending'"),
        ("/v1/requests?execution=ready", "?execution", "'unclaimed'"),
        ("/v1/requests?limit=0", "?limit", "at least 1"),
        ("/v1/requests?limit=201", "?limit", "at most 200"),
        ("/v1/requests?cursor=%27--", "?cursor", "cursor"),
    ],
)
async def test_a_bad_query_is_refused_by_name(house: House, path: str, where: str, words: str) -> None:
    asked = await house.ask()
    answer = await house.call("GET", path.format(id=asked["id"]))
    assert (answer.status, answer.body["errors"][0]["where"]) == (422, where), answer.body
    assert words in answer.body["errors"][0]["words"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ümlaut"])
async def test_an_unusable_idempotency_key_is_refused(house: House, key: str) -> None:
    answer = await house.call("POST", "/v1/requests", json=MAIL, headers={"Idempotency-Key": key})
    assert (answer.status, answer.body["code"]) == (422, "idempotency_key_invalid")


async def chunks(size: int) -> Any:
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_a_megabyte_is_refused_unread(house: House, chunked: bool) -> None:
    data = chunks(1024 * 1024) if chunked else b"x" * 1024 * 1024
    answer = await house.call("POST", "/v1/requests", data=data)
    assert (answer.status, answer.body["code"]) == (413, "body_too_large")


async def test_a_body_that_unfolds_to_a_megabyte_is_refused(house: House) -> None:
    packed = gzip.compress(json.dumps({**MAIL, "context": "x" * 1024 * 1024}).encode())
    answer = await house.call("POST", "/v1/requests", data=packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.body["code"]) == (413, "body_too_large")


async def test_a_body_that_isnt_packed_as_it_says_is_malformed(house: House) -> None:
    answer = await house.call("POST", "/v1/requests", data=b"{}", headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.body["code"]) == (400, "malformed")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["tool", "arguments", "schema", "reason", "confidence", "on_behalf_of", "context", "run", "expires_in", "x"]
BODY = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5) | JSON


@settings(max_examples=120, deadline=None)
@given(body=BODY, likely=st.booleans())
async def test_no_body_makes_the_gateway_stumble(house: House, body: Any, likely: bool) -> None:
    sent = {**MAIL, **body} if likely and isinstance(body, dict) else body
    answer = await house.call("POST", "/v1/requests", data=json.dumps(sent).encode())
    assert answer.status in (201, 400, 422), answer.body
    if answer.status != 201:
        assert set(answer.body) == {"type", "title", "status", "detail", "code", "errors"}
