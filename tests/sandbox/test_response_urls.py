"""A response_url answers ephemerally unless told otherwise, five times, for thirty minutes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.sandbox.stock_app import actions, button, in_socket_mode, stock_app
from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"


@asynccontextmanager
async def clicked(sandbox: SandboxProcess, *, ephemeral: bool = False) -> AsyncIterator[tuple[str, str]]:
    """The ts of a message whose button was pressed, and the response_url that the app got."""
    app: Any = stock_app(sandbox)
    urls: list[str] = []

    @app.action("go")  # type: ignore[untyped-decorator]
    async def go(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        assert ("message" in body) is not body["container"]["is_ephemeral"]
        urls.append(body["response_url"])

    content = {"channel": ROOM, "text": "card", "blocks": [actions(button("go"))]}
    if ephemeral:
        ts = (await sandbox.api("chat.postEphemeral", {**content, "user": "U0ANA"}))["message_ts"]
    else:
        ts = (await sandbox.api("chat.postMessage", content))["ts"]
    async with in_socket_mode(sandbox, app):
        await sandbox.people.press("U0ANA", ROOM, ts, "go")
        yield ts, urls[0]


async def texts(sandbox: SandboxProcess, person: str) -> list[str]:
    return [message["text"] for message in await sandbox.people.history(person, ROOM)]


async def test_an_answer_is_ephemeral_unless_it_says_in_channel(fresh: SandboxProcess) -> None:
    async with clicked(fresh) as (_, url):
        await AsyncWebhookClient(url).send(text="for you")
        await AsyncWebhookClient(url).send(text="for all", response_type="in_channel")
    assert await texts(fresh, "U0ANA") == ["card", "for you", "for all"]
    assert await texts(fresh, "U0BEN") == ["card", "for all"]


async def test_it_works_five_times(fresh: SandboxProcess) -> None:
    async with clicked(fresh) as (_, url):
        webhook = AsyncWebhookClient(url)
        assert [(await webhook.send(text=f"{count}")).status_code for count in range(6)] == [200] * 5 + [404]
    assert len(await texts(fresh, "U0ANA")) == 6


async def test_it_works_for_thirty_minutes(fresh: SandboxProcess) -> None:
    async with clicked(fresh) as (_, url):
        await fresh.control.advance(30 * 60 - 5)
        assert (await AsyncWebhookClient(url).send(text="late")).status_code == 200
        await fresh.control.advance(10)
        answer = await AsyncWebhookClient(url).send(text="too late")
        assert (answer.status_code, "expired_url" in str(answer.body)) == (404, True)


async def test_it_replaces_and_deletes_the_message_that_was_clicked(fresh: SandboxProcess) -> None:
    async with clicked(fresh) as (_, url):
        await AsyncWebhookClient(url).send(text="decided", replace_original=True)
        assert await texts(fresh, "U0BEN") == ["decided"]
        await AsyncWebhookClient(url).send(delete_original=True)
        assert await texts(fresh, "U0BEN") == []


async def test_only_it_can_change_an_ephemeral_message_which_stays_ephemeral(fresh: SandboxProcess) -> None:
    async with clicked(fresh, ephemeral=True) as (_, url):
        await AsyncWebhookClient(url).send(text="changed", replace_original=True, response_type="in_channel")
    assert await texts(fresh, "U0ANA") == ["changed"]
    assert await texts(fresh, "U0BEN") == []


async def test_what_slack_would_refuse_is_refused(fresh: SandboxProcess) -> None:
    async with clicked(fresh) as (_, url), aiohttp.ClientSession() as session:
        for body in (b"no json", b'{"blocks": [{"type": "nothing"}]}', b"{}"):
            async with session.post(url, data=body) as response:
                assert response.status == 400
        async with session.post(f"{fresh.url}/response/unknown", json={"text": "x"}) as response:
            assert response.status == 404
