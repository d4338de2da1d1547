"""Files come in three steps: an address, the bytes, completion; the stock client does them by itself."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox_process import SandboxProcess

ROOM = "C0APPROVALS"


async def test_the_stock_client_uploads_into_a_thread(fresh: SandboxProcess) -> None:
    client = AsyncWebClient(token=fresh.bot_token, base_url=fresh.api_url)
    parent = (await client.chat_postMessage(channel=ROOM, text="card"))["ts"]
    await client.files_upload_v2(
        channel=ROOM, thread_ts=parent, content="long arguments", filename="call.json", initial_comment="All of it"
    )
    _, reply = await fresh.people.history("U0ANA", ROOM, parent)
    assert reply["text"] == "All of it"
    (file,) = reply["files"]
    assert (file["name"], file["size"]) == ("call.json", 14)
    async with aiohttp.ClientSession() as session, session.get(file["url_private"]) as response:
        assert await response.text() == "long arguments"
        assert response.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("content", [b"", b"12345"])
async def test_as_many_bytes_must_come_as_were_announced(fresh: SandboxProcess, content: bytes) -> None:
    found = await fresh.api("files.getUploadURLExternal", {"filename": "a", "length": 4})
    async with aiohttp.ClientSession() as session, session.post(found["upload_url"], data=content) as response:
        assert response.status == 400
    files = [{"id": found["file_id"]}]
    assert (await fresh.api("files.completeUploadExternal", {"files": files}))["error"] == "file_not_found"


async def test_a_file_is_completed_once_and_needs_its_scope(fresh: SandboxProcess) -> None:
    found = await fresh.api("files.getUploadURLExternal", {"filename": "a", "length": 4})
    async with aiohttp.ClientSession() as session, session.post(found["upload_url"], data=b"1234") as response:
        assert await response.text() == "OK - 4"
    files = [{"id": found["file_id"], "title": "A"}]
    assert (await fresh.api("files.completeUploadExternal", {"files": files}))["ok"]
    assert (await fresh.api("files.completeUploadExternal", {"files": files}))["error"] == "file_not_found"
    await fresh.control.app(scopes=["chat:write"])
    refused = await fresh.api("files.getUploadURLExternal", {"filename": "a", "length": 4})
    assert refused["needed"] == "files:write"
