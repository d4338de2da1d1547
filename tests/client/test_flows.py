"""What the client makes of answers, whatever they are: only an approved request whose claim was granted may run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff import Signoff
from signoff.errors import Refused, SignoffError, Unreachable
from signoff.flows import Consult, Flow, Pause, Reply, Send, Step, Talk
from signoff.models import Request
from signoff.permit import Permit

STATES = ("pending", "approved", "rejected", "expired", "withdrawn", "answered", "blessed")
T = TypeVar("T")
EXECUTIONS = (None, "unclaimed", "claimed", "succeeded", "failed", "unknown", "lapsed", "revoked", "dreamt")


def shown(state: str = "approved", execution: str | None = "unclaimed", **more: Any) -> dict[str, Any]:
    """A request as a gateway answers it."""
    now = "2026-11-23T12:00:00Z"
    return {
        "id": "req_1",
        "state": state,
        "checkpoint": {"kind": "hard", "rule": "refunds", "reason": "always"},
        "tool": "refund",
        "arguments": {"amount": 140},
        "proposed_arguments": {"amount": 140},
        "revision": 1,
        "digest": "sha256:1",
        "requester": "shop",
        "created_at": now,
        "execution": None if execution is None else {"state": execution, "at": now},
        **more,
    }


def answer(status: int, body: Any) -> Reply:
    return Reply(status=status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@dataclass
class World:
    """Plays a flow against given replies; time passes by its pauses."""

    replies: Iterator[Reply]
    now: float = 0.0
    sent: list[Step] = field(default_factory=list)
    got: list[Reply] = field(default_factory=list)

    def play(self, flow: Flow[T]) -> T:
        step = next(flow)
        try:
            while True:
                self.sent.append(step)
                step = flow.send(self._reply(step))
        except StopIteration as end:
            found: T = end.value
            return found

    def _reply(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            self.now += step.seconds
            return Reply(status=0)
        if isinstance(step, Consult):
            return Reply(status=200, body=b"because")
        self.now += step.hold
        self.got.append(next(self.replies, Reply(status=0, failure="nobody there")))
        return self.got[-1]


def permit(world: World) -> Request:
    """The whole way from the asking to the permit."""
    talk = Talk(patience=20, clock=lambda: world.now)

    def way() -> Flow[Request]:
        asked = yield from talk.submit({"tool": "refund", "arguments": {"amount": 140}}, "key")
        settled = yield from talk.settle(asked, 600)
        return (yield from talk.permit(settled, "claim key"))

    return world.play(way())


REQUESTS = st.builds(
    shown,
    st.sampled_from(["approved"] * 6 + list(STATES)),
    st.sampled_from(["unclaimed", "claimed"] * 4 + list(EXECUTIONS)),
    digest=st.sampled_from(["sha256:1"] * 4 + ["sha256:2"]),
    tool=st.sampled_from(["refund"] * 4 + ["refund_all", None]),
)
GOOD = st.builds(answer, st.just(200), REQUESTS)
BAD = st.builds(
    answer,
    st.sampled_from([0, 200, 201, 302, 400, 401, 404, 409, 422, 429, 500, 503]),
    REQUESTS | st.sampled_from([b"", b"<html>", b"null", b"[]", b'{"state": "approved"}', b"\xff"]),
)


@given(st.lists(GOOD | GOOD | BAD, min_size=2, max_size=5))
def test_whatever_is_answered_only_a_granted_claim_of_what_was_approved_may_run(replies: list[Reply]) -> None:
    world = World(iter(replies))
    try:
        found = permit(world)
    except SignoffError:
        found = None
    sends = [step for step in world.sent if isinstance(step, Send)]
    claims = [place for place, send in enumerate(sends) if send.path.endswith("/claim")]
    if claims:
        before = json.loads(world.got[claims[0] - 1].body)
        assert (before["state"], before["execution"]["state"]) == ("approved", "unclaimed")
        assert all(sends[place].body == {"digest": before["digest"]} for place in claims)
    if found is not None:
        granted = world.got[-1]
        assert (granted.status, json.loads(granted.body)["execution"]["state"]) == (200, "claimed")
        assert (found.state, found.tool, found.digest) == ("approved", before["tool"], before["digest"])


@pytest.mark.parametrize(
    ("place", "other"),
    [(0, {"tool": "wipe"}), (0, {"proposed_arguments": {"amount": 9_000}}), (1, {"id": "req_2"}), (2, {"id": "req_2"})],
)
def test_an_answer_about_another_call_lets_nothing_run(place: int, other: dict[str, Any]) -> None:
    replies = [shown("pending", None), shown(), shown(execution="claimed")]
    assert permit(World(iter([answer(200, one) for one in replies]))).arguments == {"amount": 140}
    replies[place:] = [{**one, **other} for one in replies[place:]]
    with pytest.raises(SignoffError):
        permit(World(iter([answer(200, one) for one in replies])))


def test_it_asks_again_with_the_same_key_until_its_patience_is_over() -> None:
    world = World(iter(()))
    with pytest.raises(Unreachable, match=r"for 20 seconds \(nobody there\); nothing ran"):
        permit(world)
    sends = [step for step in world.sent if isinstance(step, Send)]
    assert len(sends) > 5
    assert {send.key for send in sends} == {"key"}
    assert world.now == pytest.approx(20)


def test_it_comes_again_when_the_gateway_says() -> None:
    world = World(
        iter([Reply(status=429, retry_after=7), answer(201, shown()), answer(200, shown(execution="claimed"))])
    )
    assert permit(world).arguments == {"amount": 140}
    assert [step.seconds for step in world.sent if isinstance(step, Pause)] == [7]


def test_a_budget_that_is_used_up_for_longer_than_its_patience_is_told_at_once() -> None:
    problem = {"code": "cooling_off", "detail": "Nothing new goes to people before 10:45 UTC."}
    world = World(iter([replace(answer(429, problem), retry_after=21)]))
    with pytest.raises(Refused, match="Nothing new goes to people before 10:45 UTC") as error:
        permit(world)
    assert (error.value.code, world.now) == ("cooling_off", 0)


def test_a_refusal_says_what_is_wrong_and_where() -> None:
    problem = {"code": "invalid", "detail": "The body is wrong.", "errors": [{"where": "/tool", "words": "no spaces"}]}
    with pytest.raises(Refused, match=r"The body is wrong\.\n  /tool: no spaces") as error:
        permit(World(iter([answer(422, problem)])))
    assert (error.value.status, error.value.code, error.value.errors) == (422, "invalid", (("/tool", "no spaces"),))


def test_what_people_ask_is_answered_once_and_the_wait_goes_on() -> None:
    asked = {"id": "inq_1", "by": "U0ANA", "name": "Ana", "text": "Why?", "answer": None}
    told = {**asked, "answer": "because"}
    decision = {"verdict": "rejected", "by": ["U0ANA"], "at": "2026-11-23T12:00:00Z"}
    replies = [
        answer(201, shown("pending", None)),
        answer(200, shown("pending", None, inquiries=[asked])),
        answer(200, shown("pending", None, inquiries=[told])),
        answer(200, shown("pending", None, inquiries=[told])),
        answer(200, shown("rejected", None, decision=decision)),
    ]
    world = World(iter(replies))
    with pytest.raises(SignoffError, match="U0ANA rejected refund"):
        permit(world)
    sent = [step for step in world.sent if isinstance(step, Send) and step.path.endswith("/answers")]
    assert [send.body for send in sent] == [{"inquiry": "inq_1", "text": "because"}]


def test_an_agent_s_own_requests_are_read_page_by_page_down_to_a_moment() -> None:
    def page(cursor: str | None, *hours: int) -> Reply:
        made = [shown(id=f"req_{hour}", created_at=f"2026-11-23T{hour:02}:00:00Z") for hour in hours]
        return answer(200, {"requests": made, "cursor": cursor})

    talk = Talk(patience=0, clock=lambda: 0.0)
    world = World(iter([page("older", 12, 11), page("oldest", 10, 9), page(None, 8)]))
    since = datetime(2026, 11, 23, 10, tzinfo=UTC)
    found = world.play(talk.requests(("approved", "expired"), ("unclaimed",), since))
    assert [one.id for one in found] == ["req_12", "req_11", "req_10"]
    first, second = (step for step in world.sent if isinstance(step, Send))
    assert first.path == "/v1/requests?state=approved%2Cexpired&execution=unclaimed&limit=200"
    assert second.path == f"{first.path}&cursor=older"
    assert len(World(iter([page("older", 12), page(None, 8)])).play(talk.requests((), (), None))) == 2


class Deaf(Signoff):
    """A client whose gateway hears no report at first; ``told`` is what reached it, or would have."""

    def __init__(self) -> None:
        super().__init__("http://localhost:1", "key")
        self.told: list[bool] = []

    def report(self, request: Request, *, succeeded: bool, **more: Any) -> Request:
        self.told.append(succeeded)
        if len(self.told) == 1:
            raise Unreachable("nobody there")
        return request


@pytest.mark.parametrize("well", [True, False])
def test_a_report_that_got_lost_makes_no_failure_of_the_call_and_no_success(well: bool) -> None:
    request = Request.model_validate_json(json.dumps(shown(execution="claimed")))
    with Deaf() as client, pytest.raises(Unreachable), Permit(client, request) as permit:
        permit.succeeded({"paid": True}) if well else permit.failed("no such order")
    assert client.told == [well]
    with Deaf() as client, Permit(client, request) as permit:
        permit.ended(None if well else "no such order")
    assert client.told == [well]
