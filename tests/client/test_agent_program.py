"""The program ``signoff-agent``: what it proves, and what it writes into settings."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from signoff import installing, proving
from signoff.agent import main


def test_the_gate_is_proven_shut(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(proving.ANSWERS) + 5
    assert [line for line in told[:-1] if not line.startswith("blocked")] == []


def test_it_blocks_also_where_nobody_can_be_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr("sys.stderr", full)
        monkeypatch.setattr("sys.stdin", io.StringIO("no event"))
        assert main(["hook", "claude-code"]) == 2
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()


@pytest.mark.parametrize("words", [["hook", "claude-code", "--deadline", "inf"], ["proxy", "--", "server"]])
def test_what_would_open_the_gate_is_bad_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err.splitlines()[-1].startswith(("signoff-agent hook: error", "signoff-agent proxy: error"))
    )


class TestInstall:
    def test_it_shows_what_it_writes_and_keeps_the_rest(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = tmp_path / ".claude" / "settings.json"
        settings.parent.mkdir()
        before = {"model": "opus", "hooks": {"PreToolUse": [{"matcher": "Edit", "hooks": []}]}}
        settings.write_text(json.dumps(before, indent=2))
        words = ["install", "claude-code", "--settings", str(settings), "--yes"]
        assert main(words) == 0
        written = json.loads(settings.read_text())
        assert written["model"] == "opus"
        theirs, ours = written["hooks"]["PreToolUse"]
        assert theirs == {"matcher": "Edit", "hooks": []}
        assert ours["hooks"][0]["command"].endswith("hook claude-code || exit 2")
        assert ours["hooks"][0]["timeout"] == installing.TIMEOUT
        assert set(written["hooks"]) == set(installing.EVENTS)
        assert '+            "command": ' in capsys.readouterr().out
        assert main([*words, "--defer"]) == 0
        assert len(json.loads(settings.read_text())["hooks"]["PreToolUse"]) == 2, "its own earlier hook is replaced"
        assert main([*words, "--defer"]) == 0
        assert "has the hook already" in capsys.readouterr().out

    def test_the_address_is_second_best_and_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = tmp_path / "settings.json"
        words = ["install", "claude-code", "--settings", str(settings), "--yes"]
        assert main(words) == 0
        monkeypatch.setenv("SIGNOFF_URL", "https://signoff.example.com/")
        monkeypatch.setenv("SIGNOFF_KEY", "so_agent_secret")
        assert main([*words, "--http"]) == 0
        assert "an HTTP hook does not hold" in capsys.readouterr().err
        (group,) = json.loads(settings.read_text())["hooks"]["PreToolUse"]
        (hook,) = group["hooks"]
        assert (hook["type"], hook["url"]) == ("http", "https://signoff.example.com/v1/hooks/claude-code")
        assert "so_agent_secret" not in settings.read_text()
        monkeypatch.setenv("SIGNOFF_URL", "http://signoff.example.com")
        assert main([*words, "--http"]) == 2
        assert main([*words, "--http", "--defer"]) == 2

    def test_without_a_yes_and_where_it_can_t_be_read_nothing_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = tmp_path / "settings.json"
        monkeypatch.setattr("builtins.input", lambda _: "")
        assert main(["install", "claude-code", "--settings", str(settings)]) == 1
        assert not settings.exists()
        for broken in ("{,", "[]", '{"hooks": []}', '{"hooks": {"PreToolUse": {}}}'):
            settings.write_text(broken)
            assert main(["install", "claude-code", "--settings", str(settings), "--yes"]) == 1
            assert settings.read_text() == broken
        assert "Nothing was written" in capsys.readouterr().err
