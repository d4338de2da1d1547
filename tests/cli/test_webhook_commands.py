"""``signoff webhooks``: what an operator does by hand."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.commands import hooks
from bot.commands.doctor import examine
from bot.commands.keys import Asked, create_key, list_keys
from bot.settings import Settings
from policies.checkpoint import Checkpoint, Kind
from policies.errors import Invalid, SignoffError
from policies.lifecycle import open_request
from policies.request import Requester, Submission
from storage.store import Store
from tests.bot.webhook_house import receiving
from tests.cli.test_commands import has_served
from tests.storage.samples import request


async def owe_and_give_up(folder: Path) -> None:
    """One settled request of the agent `bot` whose message was given up."""
    store = await Store.open(f"sqlite:///{folder / 'signoff.db'}", workspace_id="T1")
    now = datetime.now(UTC)
    allowed = open_request(
        Submission(call=request().call),
        Checkpoint(kind=Kind.ALLOW, rule="r", reason="because"),
        request_id="req_1",
        workspace_id="T1",
        requester=Requester(id="key:bot", name="bot"),
        policy_digest="p",
        now=now,
    )
    await store.add(allowed)
    (webhook,) = await store.due_webhooks(now)
    (delivery,) = await store.deliveries(webhook.id, now, limit=5)
    await store.not_delivered(delivery, None, "it answered 500", now)
    await store.close()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the database of a gateway that has served; commands run in it, and may reach this machine."""
    has_served(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("SLACK_", "SIGNOFF_", "DATABASE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIGNOFF_WEBHOOK_NETWORKS", "127.0.0.0/8")
    return tmp_path


async def test_a_webhook_is_given_listed_tried_redriven_and_taken(
    served: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def said(command: Coroutine[Any, Any, None]) -> tuple[str, str]:
        capsys.readouterr()
        await command
        return capsys.readouterr()

    async with receiving() as receiver:
        key, told = await said(create_key(Asked(name="bot", webhook=receiver.url)))
        assert key.startswith("so_agent_")
        assert key.count("\n") == 1
        assert "signing secret, shown only now too: whsec_" in told
        assert await said(hooks.try_webhook("bot")) == ("bot: it answered 204.\n", "")
        receiver.always = 500
        with pytest.raises(SignoffError, match="it answered 500; only 2xx is taken for success"):
            await hooks.try_webhook("bot")
        await owe_and_give_up(served)
        listed, _ = await said(hooks.list_webhooks())
        first, second = listed.splitlines()
        assert first.startswith("bot\thook_")
        assert first.endswith("UTC: it answered 500\twaiting 0\tfailed 1")
        message = second.split("\t")[1]
        assert second.split("\t")[2:4] == ["request.settled", "req_1"]
        assert "whsec_" not in listed
        with pytest.raises(Invalid):
            await examine()
        assert "warn webhook of bot: 1 message was given up; `signoff webhooks redrive bot`" in capsys.readouterr()[0]
        told, _ = await said(hooks.redrive(message))
        assert told == "1 message goes out again, with what still waited.\n"
        assert (await said(hooks.redrive("bot")))[0].startswith("0 messages go out again")
        assert (await said(hooks.redrive(None)))[0].startswith("0 messages go out again")
        secret, told = await said(hooks.rotate_webhook("bot", "24h"))
        assert secret.startswith("whsec_")
        assert "signed with the old one too" in told
        fresh, _ = await said(hooks.set_webhook("bot", "https://hooks.example.com/bot"))
        assert fresh.startswith("whsec_")
        assert fresh != secret
        assert "any more" in (await said(hooks.rotate_webhook("bot", "0")))[1]
        assert "webhook https://hooks.example.com/bot" in (await said(list_keys()))[0]
        assert (await said(hooks.remove_webhook("bot")))[0] == "bot has no webhook any more.\n"
        assert (await said(hooks.list_webhooks()))[0] == ""


async def test_what_is_wrong_with_a_webhook_is_said(served: Path) -> None:
    def made(url: str, *, operator: bool = False) -> Coroutine[Any, Any, None]:
        return create_key(Asked(name="bot", webhook=url, operator=operator))

    for command, part in (
        (made("https://169.254.169.254/x"), "^169.254.169.254 is not a public address"),
        (made("http://10.0.0.1/x"), "not a public address"),
        (made("https://me:pass@hooks.example.com/"), "no URL that webhooks can go"),
        (made("https://hooks.example.com/", operator=True), "leave --agent"),
        (hooks.set_webhook("nobody", "https://hooks.example.com/x"), "no active agent's key named nobody"),
        (hooks.remove_webhook("nobody"), "No active key named nobody has a webhook"),
        (hooks.redrive("msg_1"), "nor a message msg_1 that was given up"),
    ):
        with pytest.raises(SignoffError, match=part):
            await command
    settings = Settings(_env_file=None, signoff_webhook_networks="")  # type: ignore[call-arg]
    with pytest.raises(Invalid, match="Webhooks go by https"):
        hooks.new_webhook("key_1", "http://hooks.example.com/x", settings, datetime.now(UTC))
