"""A real gateway tells a real receiver, also one that was killed between the decision and the delivery."""

import asyncio
import json
import socket
from datetime import UTC, datetime

import pytest

from bot.api.auth import mint
from policies.webhook import Webhook
from signoff.webhooks import read
from storage.store import Key, Store, workspaces
from tests.api.house import until as until_true
from tests.bot.webhook_house import receiving
from tests.gateway.stage import staged
from tests.serve_process import Agent, ServeProcess

pytestmark = pytest.mark.process


async def agent_with_webhook(serve: ServeProcess, url: str, secret: str) -> Agent:
    """An agent whose key has a webhook, stored as `signoff keys create --webhook` does."""
    key, hashed = mint("agent")
    database, now = serve.env["DATABASE_URL"], datetime.now(UTC)
    store = await Store.open(database, workspace_id=workspaces(database)[0])
    try:
        made = Key(id="key_hooked", name="hooked", owner=None, kind="agent", created_at=now)
        hook = Webhook(id="hook_1", key_id=made.id, url=url, secret=secret, created_at=now)
        await store.add_key(made, hashed, webhook=hook)
    finally:
        await store.close()
    return serve.agent_with(key)


async def test_a_decision_is_told_even_if_the_gateway_was_killed_before_it_could() -> None:
    secret = "whsec_c2lnbm9mZi1zaWduaW5nLXNlY3JldC0wMDAwMDAwMDE="
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with staged(lanes=1, env={"SIGNOFF_WEBHOOK_NETWORKS": "127.0.0.0/8"}) as stage:
        agent = await agent_with_webhook(stage.serve, f"http://127.0.0.1:{port}/hook", secret)
        asked = await stage.ask("hard", by=agent)
        card = await stage.card(asked["id"])
        assert (await stage.press("U0ANA", card, "signoff.approve"))["ok"]
        await until_true(lambda: stage.decisions(asked["id"]) != [])
        await stage.serve.kill9()  # nobody listened at the port so far
        ((body, started),) = stage.serve.rows("SELECT body, attempts FROM deliveries")
        assert (json.loads(body)["data"]["request_id"], started <= 1) == (asked["id"], True)
        async with receiving(port) as receiver:
            await stage.serve.restart()
            await until_true(lambda: receiver.got != [])
            await asyncio.sleep(0)
        news = read(receiver.got[0].headers, receiver.got[0].body, secret)
        assert (news.type, news.request_id) == ("request.settled", asked["id"])
        assert stage.serve.rows("SELECT count(*) FROM deliveries") in ([(0,)], [(1,)])
