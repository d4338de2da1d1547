"""One shape for everything that goes wrong, and a log without bodies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.api import problems
from policies import errors
from policies.errors import Fault, OverBudget, SignoffError, Unavailable
from tests.api.house import MAIL, House

SECRET = "the-agents-own-words"


def descendants(kind: type[SignoffError]) -> Iterator[type[SignoffError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


EXPECTED = {
    "SignoffError": 500, "Invalid": 422, "Faulty": 422, "ConditionError": 500, "NotFound": 404, "Unavailable": 503,
    "Refused": 409, "NotAllowed": 403, "PhraseWrong": 409, "Stale": 409, "Conflict": 409, "AlreadySettled": 409,
    "Malformed": 400, "TooLarge": 413, "Unauthenticated": 401, "OverBudget": 429,
}  # fmt: skip


def test_every_class_of_error_has_its_status() -> None:
    ours = [kind for kind in descendants(SignoffError) if kind.__module__ in (errors.__name__, problems.__name__)]
    made = {kind.__name__: problems.status_of(kind.__new__(kind)) for kind in ours}
    assert made == EXPECTED


def test_a_late_act_is_a_conflict_that_says_who_was_faster() -> None:
    late = errors.AlreadySettled("This was approved already.", verdict="approved", by=("U1",), at=datetime.now(UTC))
    assert problems.refusal(late).status == 409


def test_places_are_counted_from_the_whole_body() -> None:
    moved = problems.moved(errors.Faulty((Fault(where="/a", words="x"), Fault(where="", words="y"))), "/arguments")
    assert [fault.where for fault in problems.faults_of(moved)] == ["/arguments/a", "/arguments"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "no_such_address"),
        ("GET", "/v1/", 404, "no_such_address"),
        ("GET", "/v1/requests/", 404, "no_such_address"),
        ("POST", "/v1/requests/x/approve", 404, "no_such_address"),
        ("PUT", "/v1/requests", 405, "method_not_allowed"),
        ("GET", "/v1/requests/x/claim", 405, "method_not_allowed"),
    ],
)
async def test_unknown_addresses_and_methods_are_problems_too(
    house: House, method: str, path: str, status: int, code: str
) -> None:
    answer = await house.call(method, path)
    assert (answer.status, answer.body["code"], answer.body["status"]) == (status, code, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["type"] == f"urn:signoff:problem:{code}"
    assert ("Allow" in answer.headers) == (status == 405)


async def test_health_needs_no_key(house: House) -> None:
    answer = await house.call("GET", "/healthz", key="")
    assert (answer.status, answer.body) == (200, {"status": "ok"})


async def test_readiness_names_what_is_missing(house: House) -> None:
    ready = await house.call("GET", "/readyz", key="")
    assert (ready.status, ready.body) == (200, {"status": "ready"})
    house.missing[:] = ["Slack can't be reached", "the disk is full"]
    answer = await house.call("GET", "/readyz", key="")
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "not_ready", "5")
    assert [fault["words"] for fault in answer.body["errors"]] == ["Slack can't be reached", "the disk is full"]
    assert (await house.call("GET", "/healthz", key="")).status == 200


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OverBudget("Not now; ask again.", budget="cool_off", code="cooling_off", retry_after=17), 429, "cooling_off"),
        (Unavailable("Not now; ask again.", code="storage_full", retry_after=17), 503, "storage_full"),
        (Unavailable("Not now; ask again.", retry_after=17), 503, "unavailable"),
    ],
)
async def test_what_cant_be_answered_now_says_when_to_ask_again(
    house: House, error: Unavailable, status: int, code: str
) -> None:
    house.missing[:] = [error]
    answer = await house.call("GET", "/readyz", key="", described=False)
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (status, code, "17")


async def test_a_defect_is_a_500_that_tells_nothing_but_a_reference(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house.missing[:] = [RuntimeError(SECRET)]
    answer = await house.call("GET", "/readyz", key="")
    assert (answer.status, answer.body["code"]) == (500, "internal")
    logged = capsys.readouterr().out + caplog.text
    assert answer.body["detail"].split()[-1].strip(".") in logged
    assert "RuntimeError" in logged
    assert SECRET not in logged + str(answer.body)


async def test_no_body_is_ever_logged(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for sent in ({**MAIL, "reason": SECRET}, {**MAIL, "confidence": SECRET}, {"tool": SECRET}, [SECRET]):
        await house.call("POST", "/v1/requests", json=sent)
    await house.call("POST", "/v1/requests", data=f'{{"{SECRET}'.encode())
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err + caplog.text


async def test_a_body_that_never_arrives_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.api.bodies.BODY_SECONDS", 0.2)
    host, port = house.runner.addresses[0][:2]
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.agent}\r\nContent-Length: 9\r\n\r\n{{"
    )
    writer.write(head.encode())
    async with asyncio.timeout(20):
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b" 408 " in line
