"""What a card can't show stands as a file in its thread: once a revision, where it may be read, never at its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.slack.delivery import Files
from policies.events import Edit, Reviewed
from policies.people import Person, Standing
from policies.request import Request, ToolCall
from policies.review import Verdict
from tests.bot.courier_house import Post, checkpoint
from tests.storage.samples import opened

LONG = {"path": "/srv", "script": "echo fine & <true>\n" * 700 + "rm -rf /srv"}
ROOM = "C0APPROVALS"


async def ask(post: Post, request_id: str, arguments: dict[str, Any] = LONG) -> None:
    """Store a request that is to be announced in ``#approvals``."""
    call = ToolCall(tool="run", arguments=arguments)
    await post.store.add(opened(request_id, created_at=post.time(), checkpoint=checkpoint(), call=call))


async def edit(post: Post, request_id: str, arguments: dict[str, Any]) -> Request:
    """Ana changes the call, which then still waits for a second approval."""
    ana = Person(id="U0ANA", name="Ana Reyes", standing=Standing.MEMBER, looked_up_at=post.time())
    change = Edit(arguments=arguments, checkpoint=replace(checkpoint(), quorum=2))
    return await post.change(request_id, Reviewed(person=ana, verdict=Verdict.MODIFY, revision=1, edit=change))


async def files(post: Post, request_id: str) -> list[dict[str, Any]]:
    """The files in the threads of the request's copies."""
    places = [(copy.channel, copy.ts) for copy in await post.store.copies(request_id)]
    seen = [one for place in places for one in await post.sandbox.people.history("U0ANA", *place)]
    return [file for message in seen for file in message.get("files") or ()]


async def text_of(file: dict[str, Any]) -> str:
    async with aiohttp.ClientSession() as session, session.get(file["url_private"]) as response:
        return await response.text()


@pytest.fixture
async def private(post: Post) -> Post:
    """A post office whose ``#approvals`` is a private channel."""
    await post.sandbox.control.channel(ROOM, kind="private")
    return post


async def test_the_whole_call_comes_to_the_thread_of_a_cut_card_and_to_no_other(private: Post) -> None:
    await ask(private, "req_long0123456789")
    await ask(private, "req_short", {"path": "/srv"})
    private.serve()
    await private.drained_in_time()
    (file,) = await files(private, "req_long0123456789")
    assert file["name"] == "req_long0123-r1.txt"
    text = await text_of(file)
    assert "".join(f"  {line}\n" for line in str(LONG["script"]).split("\n")) in text
    assert "\n■ path\n  /srv\n" in text
    assert await files(private, "req_short") == []
    (said,) = await _replies(private, "req_long0123456789")
    assert "Decide in *View all*" in said["text"]


async def _replies(post: Post, request_id: str) -> list[dict[str, Any]]:
    (copy,) = await post.store.copies(request_id)
    return [one for one in await post.sandbox.people.history("U0ANA", copy.channel, copy.ts) if one["ts"] != copy.ts]


async def test_a_public_channel_gets_no_file_unless_the_operator_says_so(post: Post) -> None:
    expected: dict[Files, int] = {"private": 0, "off": 0, "all": 1}
    for where, count in expected.items():
        post.carrier._files = where
        await ask(post, f"req_{where}")
        post.serve()
        await post.drained_in_time()
        await post.kill()
        assert len(await files(post, f"req_{where}")) == count
    assert len(await post.cards()) == len(expected)


async def test_each_revision_comes_once(private: Post) -> None:
    await ask(private, "req_1")
    private.serve()
    await private.drained_in_time()
    await edit(private, "req_1", {**LONG, "path": "/tmp"})
    await private.drained_in_time()
    await private.pass_time(120)
    await private.kill()
    private.serve()
    await private.drained_in_time()
    names = [file["name"] for file in await files(private, "req_1")]
    assert names == ["req_1-r1.txt", "req_1-r2.txt"]


async def test_an_upload_that_fails_is_repeated_once_it_is_known_that_it_failed(private: Post) -> None:
    faults: list[dict[str, Any]] = [
        {"method": "files.getUploadURLExternal", "status": 503},
        {"method": "upload", "status": 500},
        {"method": "files.completeUploadExternal", "status": 500, "effect": "before"},
        {"method": "files.completeUploadExternal", "status": 500, "effect": "after"},
        {"method": "files.completeUploadExternal", "reset": True, "effect": "after"},
    ]
    for number, fault in enumerate(faults):
        await private.sandbox.control.faults({"times": 1, **fault})
        await ask(private, f"req_{number}")
        private.serve()
        await private.drained_in_time()
        await private.kill()
        assert [file["name"] for file in await files(private, f"req_{number}")] == [f"req_{number}-r1.txt"], fault
    assert len(await private.cards()) == len(faults)


async def test_where_slack_takes_no_file_the_card_stands_and_nothing_is_owed(private: Post) -> None:
    private.serve()
    for number, error in enumerate(("file_uploads_disabled", "missing_scope"), 1):
        await private.sandbox.control.faults({"method": "files.getUploadURLExternal", "times": 9, "error": error})
        await ask(private, f"req_{error}")
        await private.drained_in_time()
        assert await files(private, f"req_{error}") == []
        assert len(await private.cards()) == number
        assert len(await private.sandbox.control.calls("files.getUploadURLExternal")) == number


async def test_a_courier_killed_while_it_attaches_leaves_one_file_to_its_successor(private: Post) -> None:
    fault = {"method": "files.completeUploadExternal", "times": 1, "effect": "after", "delay": 1.0}
    await private.sandbox.control.faults(fault)
    await ask(private, "req_1")
    private.serve()

    async def there() -> bool:
        return bool(await files(private, "req_1"))

    await private.once(there)
    await private.kill()
    private.serve()
    await private.drained_in_time()
    assert len(await files(private, "req_1")) == 1


async def test_what_was_decided_meanwhile_gets_no_file(private: Post) -> None:
    fault = {"method": "files.getUploadURLExternal", "times": 1, "status": 503}
    await private.sandbox.control.faults(fault)
    await ask(private, "req_1")
    private.serve()
    await private.once(lambda: private.sandbox.control.calls("files.getUploadURLExternal"))
    await private.approve("req_1")
    await private.drained_in_time()
    assert await files(private, "req_1") == []
