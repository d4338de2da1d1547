"""Views: triggers work once and for three seconds, the stack holds three, hashes guard updates, values survive them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.sandbox.raw_socket import raw_socket
from tests.sandbox.stock_app import actions, button, field, in_socket_mode, modal, plain, stock_app, text_input
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROOM = "C0APPROVALS"
FORM = modal(field("note", text_input(initial_value="as it was")), callback_id="form")


class Bench:
    """A stock app that keeps the last trigger and every payload, and answers submissions as the test says."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.payloads: list[Json] = []
        self.answer: Json = {}
        self.app: Any = stock_app(sandbox)
        self.app.use(self._keep)
        for kind in (self.app.action("go"), self.app.action("value"), self.app.view_closed("form")):
            kind(self._ack)
        self.app.view("form")(self._submitted)

    async def _keep(self, body: Json, next: Callable[[], Any]) -> None:
        self.payloads.append(body)
        await next()

    async def _ack(self, ack: Any) -> None:
        await ack()

    async def _submitted(self, ack: Any) -> None:
        await ack(**self.answer)

    async def trigger(self) -> str:
        """Click a button in a message; the trigger that the app gets."""
        message = await self.sandbox.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]})
        assert (await self.sandbox.people.press("U0ANA", ROOM, message["ts"], "go"))["ok"]
        return str(self.payloads[-1]["trigger_id"])

    async def inner_trigger(self, view_id: str) -> str:
        """Click a button inside a modal."""
        await self.sandbox.people.click("U0ANA", view_id=view_id, block_id="buttons", action_id="go")
        return str(self.payloads[-1]["trigger_id"])

    async def open(self, view: Json) -> Json:
        answer = await self.sandbox.api("views.open", {"trigger_id": await self.trigger(), "view": view})
        assert answer["ok"], answer
        return dict(answer["view"])

    async def error(self, method: str, **arguments: Any) -> str:
        return str((await self.sandbox.api(method, arguments)).get("error", "none"))

    async def top(self) -> Json:
        return dict((await self.sandbox.people.views("U0ANA"))[-1])


@asynccontextmanager
async def on_bench(sandbox: SandboxProcess) -> AsyncIterator[Bench]:
    bench = Bench(sandbox)
    async with in_socket_mode(sandbox, bench.app):
        yield bench


@pytest.fixture
async def bench(fresh: SandboxProcess) -> AsyncIterator[Bench]:
    async with on_bench(fresh) as bench:
        yield bench


async def test_a_trigger_works_once(bench: Bench) -> None:
    trigger = await bench.trigger()
    assert await bench.error("views.open", trigger_id=trigger, view=FORM) == "none"
    assert await bench.error("views.open", trigger_id=trigger, view=FORM) == "exchanged_trigger_id"
    assert await bench.error("views.open", trigger_id="1.2.three", view=FORM) == "invalid_trigger_id"


async def test_a_trigger_works_for_three_seconds(bench: Bench) -> None:
    trigger = await bench.trigger()
    await bench.sandbox.control.advance(3.1)
    assert await bench.error("views.open", trigger_id=trigger, view=FORM) == "expired_trigger_id"


async def test_an_invalid_view_says_where_and_leaves_the_trigger_unused(bench: Bench) -> None:
    view = modal({"type": "header", "text": plain("h" * 151)})
    trigger = await bench.trigger()
    answer = await bench.sandbox.api("views.open", {"trigger_id": trigger, "view": "nothing"})
    assert answer["error"] == "invalid_arguments"
    answer = await bench.sandbox.api("views.open", {"trigger_id": trigger, "view": view})
    assert answer["error"] == "invalid_arguments"
    (line,) = answer["response_metadata"]["messages"]
    assert line == "[ERROR] must be less than 151 characters [json-pointer:/view/blocks/0/text/text]"
    text = {"type": "section", "text": plain("x" * 3000)}
    large = await bench.error("views.open", trigger_id=await bench.trigger(), view=modal(*[text] * 90))
    assert large == "view_too_large"


async def test_the_id_stays_over_updates_and_an_old_hash_conflicts(bench: Bench) -> None:
    view = await bench.open(FORM)
    newer = await bench.sandbox.api("views.update", {"view_id": view["id"], "hash": view["hash"], "view": FORM})
    assert newer["view"]["id"] == view["id"]
    assert newer["view"]["hash"] != view["hash"]
    arguments = {"view_id": view["id"], "hash": view["hash"], "view": FORM}
    assert await bench.error("views.update", **arguments) == "hash_conflict"
    assert await bench.error("views.update", view_id="V0NONE", view=FORM) == "not_found"


async def test_a_view_is_found_by_its_external_id_which_is_unique(bench: Bench) -> None:
    view = await bench.open({**FORM, "external_id": "request-1"})
    assert (
        await bench.error("views.update", external_id="request-1", view={**FORM, "external_id": "request-1"}) == "none"
    )
    home = {"type": "home", "blocks": [], "external_id": "request-1"}
    assert await bench.error("views.publish", user_id="U0BEN", view=home) == "duplicate_external_id"
    assert (await bench.top())["id"] == view["id"]


async def test_what_was_typed_survives_an_update_where_the_ids_stay(bench: Bench) -> None:
    view = await bench.open(modal(field("note", text_input()), actions(button("go")), callback_id="form"))
    place = {"view_id": view["id"], "block_id": "buttons", "action_id": "go"}
    await bench.sandbox.people.click("U0ANA", **place, values={"note": {"value": "typed"}})
    clicked = bench.payloads[-1]
    assert clicked["view"]["state"]["values"]["note"]["value"]["value"] == "typed"
    assert clicked["view"]["hash"] == view["hash"]
    assert "message" not in clicked
    same = modal(field("note", text_input(initial_value="fresh")), field("other", text_input(initial_value="new")))
    await bench.sandbox.api("views.update", {"view_id": view["id"], "view": same})
    values = (await bench.top())["view"]["state"]["values"]
    assert (values["note"]["value"]["value"], values["other"]["value"]["value"]) == ("typed", "new")
    renamed = modal(field("note2", text_input(initial_value="fresh")))
    await bench.sandbox.api("views.update", {"view_id": view["id"], "view": renamed})
    assert (await bench.top())["view"]["state"]["values"]["note2"]["value"]["value"] == "fresh"


async def test_an_input_sends_an_action_only_when_it_dispatches(bench: Bench) -> None:
    quiet, loud = field("quiet", text_input()), field("loud", text_input(), dispatch_action=True)
    view = await bench.open(modal(quiet, loud, callback_id="form"))
    place = {"view_id": view["id"], "action_id": "value", "selected": "typed"}
    assert (await bench.sandbox.people.click("U0ANA", **place, block_id="quiet"))["error"] == "unknown_action"
    assert (await bench.sandbox.people.click("U0ANA", **place, block_id="loud"))["ok"]
    (action,) = bench.payloads[-1]["actions"]
    assert (action["type"], action["value"], action["block_id"]) == ("plain_text_input", "typed", "loud")


async def test_the_stack_holds_three_and_a_push_needs_a_trigger_from_inside(bench: Bench) -> None:
    layer = modal(actions(button("go")), callback_id="form")
    view = await bench.open(layer)
    assert await bench.error("views.push", trigger_id=await bench.trigger(), view=layer) == "not_found"
    for _ in range(2):
        trigger = await bench.inner_trigger(view["id"])
        pushed = (await bench.sandbox.api("views.push", {"trigger_id": trigger, "view": layer}))["view"]
        assert pushed["previous_view_id"] == view["id"]
        view = pushed
    assert pushed["root_view_id"] == (await bench.sandbox.people.views("U0ANA"))[0]["id"]
    trigger = await bench.inner_trigger(view["id"])
    assert await bench.error("views.push", trigger_id=trigger, view=layer) == "push_limit_reached"


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({}, 1),
        ({"response_action": "clear"}, 0),
        ({"response_action": "update", "view": {**FORM, "callback_id": "next"}}, 2),
        ({"response_action": "push", "view": {**FORM, "callback_id": "next"}}, 3),
    ],
    ids=["close", "clear", "update", "push"],
)
async def test_a_submission_is_answered_by_what_happens_to_the_stack(bench: Bench, answer: Json, left: int) -> None:
    first = await bench.open(modal(actions(button("go")), callback_id="form"))
    trigger = await bench.inner_trigger(first["id"])
    second = (await bench.sandbox.api("views.push", {"trigger_id": trigger, "view": FORM}))["view"]
    bench.answer = answer
    assert (await bench.sandbox.people.submit("U0ANA", second["id"]))["ok"]
    views = await bench.sandbox.people.views("U0ANA")
    assert len(views) == left
    if "view" in answer:
        assert views[-1]["view"]["callback_id"] == "next"
        assert (views[-1]["id"] == second["id"]) is (answer["response_action"] == "update")


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "dance"},
    ],
    ids=["errors for no input", "no errors", "an invalid view", "an unknown word"],
)
async def test_an_answer_that_slack_cannot_follow_leaves_the_modal_open(fresh: SandboxProcess, answer: Json) -> None:
    ts = (await fresh.api("chat.postMessage", {"channel": ROOM, "blocks": [actions(button("go"))]}))["ts"]
    async with raw_socket(fresh) as socket:
        pressing = asyncio.create_task(fresh.people.press("U0ANA", ROOM, ts, "go"))
        clicked = await socket.receive()
        trigger = clicked["payload"]["trigger_id"]
        view = (await fresh.api("views.open", {"trigger_id": trigger, "view": FORM}))["view"]
        await socket.acknowledge(clicked)
        assert (await pressing)["ok"]
        submitting = asyncio.create_task(fresh.people.submit("U0ANA", view["id"]))
        submission = await socket.receive()
        assert submission["accepts_response_payload"] is True
        await socket.acknowledge(submission, answer)
        told = await submitting
    assert (told["ok"], told["error"]) == (False, "app_error")
    assert [entry["id"] for entry in await fresh.people.views("U0ANA")] == [view["id"]]


async def test_required_fields_are_asked_for_before_the_app_hears_of_it(bench: Bench) -> None:
    form = modal(field("must", text_input()), field("may", text_input(), optional=True), callback_id="form")
    view = await bench.open(form)
    before = len(bench.payloads)
    told = await bench.sandbox.people.submit("U0ANA", view["id"])
    assert told == {"ok": False, "errors": {"must": "Please complete this required field."}}
    assert len(bench.payloads) == before
    assert (await bench.sandbox.people.submit("U0ANA", view["id"], {"must": {"value": "x"}}))["ok"]
    values = bench.payloads[-1]["view"]["state"]["values"]
    assert values["may"]["value"] == {"type": "plain_text_input", "value": None}


async def test_values_for_fields_that_are_not_there_are_refused(bench: Bench) -> None:
    view = await bench.open(FORM)
    told = await bench.sandbox.people.submit("U0ANA", view["id"], {"nowhere": {"value": "x"}})
    assert told["error"] == "invalid_value"


async def test_closing_tells_the_app_only_where_it_asked(bench: Bench) -> None:
    view = await bench.open(FORM)
    await bench.sandbox.people.close("U0ANA", view["id"])
    assert bench.payloads[-1]["type"] == "block_actions"
    view = await bench.open({**FORM, "notify_on_close": True, "private_metadata": "r1"})
    await bench.sandbox.people.close("U0ANA", view["id"], clear=True)
    closed = bench.payloads[-1]
    assert (closed["type"], closed["is_cleared"], closed["view"]["private_metadata"]) == ("view_closed", True, "r1")
    assert await bench.sandbox.people.views("U0ANA") == []


async def test_a_modal_is_its_persons_alone(bench: Bench) -> None:
    view = await bench.open(FORM)
    assert await bench.sandbox.people.views("U0BEN") == []
    assert (await bench.sandbox.people.submit("U0BEN", view["id"]))["error"] == "not_found"


async def test_home_keeps_its_id_and_guards_its_hash(bench: Bench) -> None:
    home = {"type": "home", "blocks": [actions(button("go"))]}
    first = (await bench.sandbox.api("views.publish", {"user_id": "U0ANA", "view": home}))["view"]
    second = (await bench.sandbox.api("views.publish", {"user_id": "U0ANA", "view": home}))["view"]
    assert (first["id"], first["hash"] == second["hash"]) == (second["id"], False)
    old = {"user_id": "U0ANA", "view": home, "hash": first["hash"]}
    assert await bench.error("views.publish", **old) == "hash_conflict"
    assert await bench.error("views.publish", user_id="U0DEL", view=home) == "user_not_found"
    assert await bench.sandbox.people.home("U0BEN") is None
