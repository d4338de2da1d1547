"""A kept workspace is there again after a restart; a file that is no workspace stops the start with words."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.sandbox_process import ROOT, SandboxProcess, until


async def test_what_was_said_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "harbour.json"
    async with SandboxProcess("--keep", str(file)) as first:
        await first.control.app(scopes=["chat:write", "files:write"])
        metadata = {"event_type": "card", "event_payload": {"id": "r1"}}
        card = await first.api("chat.postMessage", {"channel": "C0GENERAL", "text": "card", "metadata": metadata})
        await first.people.say("U0BEN", "C0GENERAL", "a reply", card["ts"])
        await first.control.person("U0ANA", title="Captain")
        await first.control.advance(3600)
        view = {"type": "home", "blocks": [{"type": "divider", "block_id": "line"}]}
        home = (await first.api("views.publish", {"user_id": "U0ANA", "view": view}))["view"]
        await _share(first, b"hello")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with SandboxProcess("--keep", str(file)) as second:
        seen = await second.people.history("U0ANA", "C0GENERAL")
        assert [message["text"] for message in seen] == ["card", ""]
        assert seen[0]["metadata"] == metadata
        assert (await second.people.history("U0ANA", "C0GENERAL", card["ts"]))[1]["text"] == "a reply"
        assert (await second.people.workspace("U0ANA"))["me"]["title"] == "Captain"
        kept = await second.people.home("U0ANA")
        assert kept is not None
        assert (kept["id"], kept["blocks"]) == (home["id"], view["blocks"])
        newest = await second.api("chat.postMessage", {"channel": "C0GENERAL", "text": "later"})
        assert float(newest["ts"]) > float(seen[-1]["ts"]), "the clock goes on where it stood"
        assert (await second.api("chat.update", {"channel": "C0GENERAL", "ts": card["ts"], "text": "changed"}))["ok"]
        link = seen[1]["files"][0]["url_private"]
        assert link.startswith(second.url)
        async with aiohttp.ClientSession() as session, session.get(link) as response:
            assert await response.read() == b"hello"


async def _share(sandbox: SandboxProcess, content: bytes) -> None:
    announced = await sandbox.api("files.getUploadURLExternal", {"filename": "a.txt", "length": len(content)})
    async with aiohttp.ClientSession() as session, session.post(announced["upload_url"], data=content) as response:
        assert response.status == 200
    shared = {"files": [{"id": announced["file_id"]}], "channel_id": "C0GENERAL"}
    assert (await sandbox.api("files.completeUploadExternal", shared))["ok"]


async def test_it_is_written_while_it_runs_not_only_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "harbour.json"
    async with SandboxProcess("--keep", str(file)) as sandbox:
        await sandbox.people.say("U0BEN", "C0GENERAL", "before the crash")

        async def written() -> bool:
            return "before the crash" in file.read_text()

        await until(written)
        os.kill(sandbox.pid, signal.SIGKILL)
    async with SandboxProcess("--keep", str(file)) as again:
        assert [message["text"] for message in await again.people.history("U0ANA", "C0GENERAL")] == ["before the crash"]


def _refused(*arguments: str) -> str:
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


def test_a_file_that_is_no_kept_workspace_stops_the_start_and_stays_as_it_is(tmp_path: Path) -> None:
    for content in ("not json", json.dumps({"version": 99}), json.dumps({"version": 1})):
        file = tmp_path / "other.json"
        file.write_text(content)
        assert "move it away to start anew" in _refused("--keep", str(file))
        assert file.read_text() == content


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    assert "nowhere" in _refused("--keep", str(tmp_path / "nowhere" / "harbour.json"))
