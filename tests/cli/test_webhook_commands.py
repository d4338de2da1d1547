"""``signoff webhooks``: what an operator does by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.checkpoint import Checkpoint, Kind
from policies.lifecycle import open_request
from policies.request import Requester, Submission
from storage.store import Store
from tests.bot.webhook_house import receiving
from tests.cli.test_commands import has_served, signoff
from tests.storage.samples import request

HERE = {"SIGNOFF_WEBHOOK_NETWORKS": "127.0.0.0/8"}


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


async def test_a_webhook_is_given_listed_tried_redriven_and_taken(tmp_path: Path) -> None:
    async def run(*words: str) -> tuple[int, str, str]:
        said = await asyncio.to_thread(signoff, *words, cwd=tmp_path, **HERE)
        return said.returncode, said.stdout, said.stderr

    await asyncio.to_thread(has_served, tmp_path)
    async with receiving() as receiver:
        _, key, told = await run("keys", "create", "bot", "--webhook", receiver.url)
        assert key.startswith("so_agent_")
        assert key.count("\n") == 1
        assert "signing secret, shown only now too: whsec_" in told
        assert (await run("webhooks", "test", "bot"))[:2] == (0, "bot: it answered 204.\n")
        receiver.always = 500
        code, _, told = await run("webhooks", "test", "bot")
        assert (code, told) == (1, "bot: it answered 500; only 2xx is taken for success.\n")
        await owe_and_give_up(tmp_path)
        _, listed, _ = await run("webhooks", "list")
        first, second = listed.splitlines()
        assert first.startswith("bot\thook_")
        assert first.endswith("UTC: it answered 500\twaiting 0\tfailed 1")
        message = second.split("\t")[1]
        assert second.split("\t")[2:4] == ["request.settled", "req_1"]
        assert "whsec_" not in listed
        assert "1 messages were given up" in (await run("doctor"))[1]
        assert (await run("webhooks", "redrive", message))[1] == "1 message goes out again, with what still waited.\n"
        assert (await run("webhooks", "redrive", "bot"))[1].startswith("0 messages go out again")
        _, secret, told = await run("webhooks", "rotate", "bot")
        assert secret.startswith("whsec_")
        assert "signed with the old one too" in told
        _, fresh, _ = await run("webhooks", "set", "bot", "https://hooks.example.com/bot")
        assert fresh.startswith("whsec_")
        assert fresh != secret
        assert "webhook https://hooks.example.com/bot" in (await run("keys", "list"))[1]
        assert (await run("webhooks", "remove", "bot"))[1] == "bot has no webhook any more.\n"
        assert (await run("webhooks", "list"))[1] == ""


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("keys", "create", "bot", "--webhook", "https://169.254.169.254/x"), "not a public address"),
        (("keys", "create", "bot", "--webhook", "http://hooks.example.com/x"), "Webhooks go by https"),
        (("keys", "create", "bot", "--webhook", "https://me:pass@hooks.example.com/"), "no URL that webhooks can go"),
        (("keys", "create", "bot", "--operator", "--webhook", "https://hooks.example.com/"), "leave --agent"),
        (("webhooks", "set", "nobody", "https://hooks.example.com/x"), "no active agent's key named nobody"),
        (("webhooks", "remove", "nobody"), "No active key named nobody has a webhook"),
        (("webhooks", "redrive", "msg_1"), "no message msg_1 that was given up"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_said_in_one_line(
    words: tuple[str, ...], part: str, tmp_path: Path, served: Path
) -> None:
    said = signoff(*words, cwd=tmp_path, DATABASE_URL=f"sqlite:///{served}/signoff.db")
    assert (said.returncode, said.stdout) == (1, "")
    assert part in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of a gateway that has served."""
    folder = tmp_path_factory.mktemp("served")
    has_served(folder)
    return folder
