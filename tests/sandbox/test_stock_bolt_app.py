"""A stock Bolt app works against the sandbox as it does against Slack, in Socket Mode and over signed HTTP."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.sandbox.stock_app import actions, button, field, in_socket_mode, modal, over_http, stock_app, text_input
from tests.sandbox_process import SandboxProcess, until

Carrier = Callable[..., AbstractAsyncContextManager[Any]]
BOTH = pytest.mark.parametrize("carrier", [in_socket_mode, over_http], ids=["socket", "http"])


async def post_button(sandbox: SandboxProcess, *elements: dict[str, Any], channel: str = "C0APPROVALS") -> str:
    answer = await sandbox.api("chat.postMessage", {"channel": channel, "text": "card", "blocks": [actions(*elements)]})
    assert answer["ok"], answer
    return str(answer["ts"])


@BOTH
async def test_a_click_reaches_the_app_and_its_answer_is_seen(fresh: SandboxProcess, carrier: Carrier) -> None:
    app, seen = stock_app(fresh), []

    @app.action("approve")
    async def approve(ack: Any, body: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        seen.append(body)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Approved")
        await respond("Thank you")

    ts = await post_button(fresh, button("approve", value="r1"))
    async with carrier(fresh, app):
        assert await fresh.people.press("U0ANA", "C0APPROVALS", ts, "approve") == {"ok": True}
        await until(lambda: _has(fresh, "U0ANA", "Thank you"))
    (body,) = seen
    assert body["user"] == {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0SANDBOX"}
    assert body["container"] == {
        "type": "message", "message_ts": ts, "channel_id": "C0APPROVALS", "is_ephemeral": False
    }  # fmt: skip
    assert body["actions"][0]["value"] == "r1"
    assert body["actions"][0]["block_id"] == "buttons"
    assert body["message"]["blocks"][0]["block_id"] == "buttons"
    assert body["channel"] == {"id": "C0APPROVALS", "name": "approvals"}
    assert body["api_app_id"] == "A0SIGNOFF"
    card = next(message for message in await fresh.people.history("U0ANA", "C0APPROVALS") if message["ts"] == ts)
    assert (card["text"], "blocks" in card) == ("Approved", False)
    assert not await _has(fresh, "U0BEN", "Thank you"), "an answer is ephemeral unless it says otherwise"


async def _has(sandbox: SandboxProcess, person: str, text: str) -> bool:
    return any(message["text"] == text for message in await sandbox.people.history(person, "C0APPROVALS"))


@BOTH
async def test_a_modal_returns_untouched_initial_values_and_shows_the_apps_errors(
    fresh: SandboxProcess, carrier: Carrier
) -> None:
    app, seen = stock_app(fresh), []
    form = modal(
        field("note", text_input(multiline=True, initial_value="first\nsecond")),
        field("amount", {"type": "number_input", "is_decimal_allowed": True, "initial_value": "1.50"}),
        callback_id="edit",
        private_metadata="r1",
    )

    @app.action("modify")
    async def modify(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form)

    @app.view("edit")
    async def edited(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        value = body["view"]["state"]["values"]["amount"]["value"]["value"]
        await (ack(response_action="errors", errors={"amount": "Too much."}) if value == "900" else ack())

    ts = await post_button(fresh, button("modify"))
    async with carrier(fresh, app):
        await fresh.people.press("U0ANA", "C0APPROVALS", ts, "modify")
        (view,) = await until(lambda: fresh.people.views("U0ANA"))
        wrong = await fresh.people.submit("U0ANA", view["id"], {"amount": {"value": "900"}})
        assert wrong == {"ok": False, "response_action": "errors", "errors": {"amount": "Too much."}}
        assert (await fresh.people.views("U0ANA"))[0]["errors"] == {"amount": "Too much."}
        assert (await fresh.people.submit("U0ANA", view["id"], {"amount": {"value": "2"}}))["ok"]
        assert await fresh.people.views("U0ANA") == []
    values = seen[-1]["view"]["state"]["values"]
    assert values["note"]["value"] == {"type": "plain_text_input", "value": "first\nsecond"}
    assert values["amount"]["value"] == {"type": "number_input", "value": "2"}
    assert seen[-1]["view"]["private_metadata"] == "r1"
    assert seen[-1]["response_urls"] == []


@BOTH
async def test_a_slash_command_answers_only_who_typed_it(fresh: SandboxProcess, carrier: Carrier) -> None:
    app, seen = stock_app(fresh), []

    @app.command("/approvals")
    async def approvals(ack: Any, command: dict[str, Any]) -> None:
        seen.append(command)
        await ack("Nothing waits for you.")

    async with carrier(fresh, app):
        assert await fresh.people.command("U0BEN", "C0APPROVALS", "/approvals mine") == {"ok": True}
        assert (await fresh.people.command("U0BEN", "C0APPROVALS", "/nothing"))["error"] == "unknown_command"
    assert seen[0]["text"] == "mine"
    assert seen[0]["user_id"] == "U0BEN"
    said = (await fresh.people.history("U0BEN", "C0APPROVALS"))[-1]
    assert (said["text"], said["ephemeral"]) == ("Nothing waits for you.", True)
    assert await fresh.people.history("U0ANA", "C0APPROVALS") == []


@BOTH
async def test_mentions_messages_and_home_reach_the_app(fresh: SandboxProcess, carrier: Carrier) -> None:
    app: Any = stock_app(fresh)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @app.event("app_mention")  # type: ignore[untyped-decorator]
    async def mention(event: dict[str, Any], say: Any) -> None:
        await say(text="On it", thread_ts=event["ts"])
        await heard.put(event)

    @app.event("message")  # type: ignore[untyped-decorator]
    async def message(event: dict[str, Any]) -> None:
        await heard.put(event)

    @app.event("app_home_opened")  # type: ignore[untyped-decorator]
    async def home(event: dict[str, Any], client: Any) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [actions(button("go"))]})
        await heard.put(event)

    async with carrier(fresh, app):
        said = await fresh.people.say("U0NEWT", "C0AGENTS", "<@U0SIGNOFF> tidy up")
        event = await asyncio.wait_for(heard.get(), 5)
        assert (event["type"], event["ts"], event["channel"]) == ("app_mention", said["ts"], "C0AGENTS")
        thread = await fresh.people.history("U0NEWT", "C0AGENTS", said["ts"])
        assert [entry["text"] for entry in thread] == ["<@U0SIGNOFF> tidy up", "On it"]
        assert thread[0]["reply_count"] == 1
        await fresh.people.say("U0NEWT", "D0NEWT", "hello")
        event = await asyncio.wait_for(heard.get(), 5)
        assert (event["type"], event["channel_type"], event["user"]) == ("message", "im", "U0NEWT")
        await fresh.people.open_home("U0NEWT")
        event = await asyncio.wait_for(heard.get(), 5)
        assert (event["tab"], event["channel"]) == ("home", "D0NEWT")
    view = await fresh.people.home("U0NEWT")
    assert view is not None
    assert view["type"] == "home"


@BOTH
async def test_a_home_button_carries_its_view_as_container(fresh: SandboxProcess, carrier: Carrier) -> None:
    app, seen = stock_app(fresh), []
    home = {"type": "home", "blocks": [actions(button("go"))], "private_metadata": "m"}
    view = (await fresh.api("views.publish", {"user_id": "U0ANA", "view": home}))["view"]

    @app.action("go")
    async def go(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        seen.append(body)

    async with carrier(fresh, app):
        clicked = await fresh.people.click("U0ANA", view_id=view["id"], block_id="buttons", action_id="go")
    assert clicked == {"ok": True}
    assert seen[0]["container"] == {"type": "view", "view_id": view["id"]}
    assert seen[0]["view"]["hash"] == view["hash"]
    assert seen[0]["view"]["state"] == {"values": {}}
    assert "response_url" not in seen[0]


async def test_a_person_sees_an_error_when_the_app_does_not_answer(sandbox: SandboxProcess) -> None:
    ts = await post_button(sandbox, button("nobody"))
    answer = await sandbox.people.press("U0ANA", "C0APPROVALS", ts, "nobody")
    assert answer == {"ok": False, "error": "no_connection"}
