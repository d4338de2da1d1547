"""Settings come from the environment and ``.env``; what is wrong is said all at once, with what to do."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bot.settings import Settings, load_settings, require_slack
from policies.errors import Faulty, Invalid


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without anything of ours."""
    for name in [*os.environ]:
        if name.lower() in Settings.model_fields or name.startswith("SIGNOFF_"):
            monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def faults(env_file: Path) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load_settings(env_file)
    return [str(fault) for fault in caught.value.faults]


def test_without_anything_set_there_are_safe_defaults(env_file: Path) -> None:
    settings = load_settings(env_file)
    assert (settings.signoff_host, settings.port, settings.database_url) == ("127.0.0.1", 8080, "sqlite:///signoff.db")
    assert not settings.uses_socket_mode


def test_env_is_read_and_the_environment_goes_before_it(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-file\nPORT=9000\nSIGNOFF_LOG=json\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings(env_file)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-file"
    assert (settings.port, settings.signoff_log) == (9001, "json")


def test_a_name_that_nobody_knows_is_refused_with_the_nearest_one(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_POLCY", "policy.yml")
    env_file.write_text("SIGNOFF_ZZZZZZZZZZZZ=1\n")
    told = faults(env_file)
    assert "did you mean SIGNOFF_POLICY?" in told[0]
    assert "known are SIGNOFF_POLICY, SIGNOFF_ENVIRONMENT" in told[1]


def test_every_fault_is_told_at_once(env_file: Path) -> None:
    env_file.write_text("SIGNOFF_POLCY=x\nPORT=eighty\nSIGNOFF_LOG=loud\n")
    assert [fault.partition(":")[0] for fault in faults(env_file)] == ["SIGNOFF_POLCY", "PORT", "SIGNOFF_LOG"]


def test_an_empty_value_counts_as_not_set(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("SLACK_APP_TOKEN=\nPORT=\n")
    monkeypatch.setenv("SIGNOFF_TOOLS", "")
    settings = load_settings(env_file)
    assert not settings.uses_socket_mode
    assert (settings.port, settings.signoff_tools) == (8080, None)


def test_an_env_file_that_is_no_text_is_refused_in_words(env_file: Path) -> None:
    env_file.write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(Invalid, match="must be a text file in UTF-8"):
        load_settings(env_file)


def test_no_secret_is_shown_by_accident(env_file: Path) -> None:
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-secret\nANTHROPIC_API_KEY=sk-secret\n")
    settings = load_settings(env_file)
    assert not re.search("(xoxb|sk)-secret", f"{settings!r} {settings} {settings.model_dump_json()}")


def test_what_serving_needs_is_named_with_the_place_to_find_it(env_file: Path) -> None:
    with pytest.raises(Invalid, match="OAuth & Permissions"):
        require_slack(load_settings(env_file))
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-1\n")
    with pytest.raises(Invalid, match=r"SLACK_APP_TOKEN .* or SLACK_SIGNING_SECRET"):
        require_slack(load_settings(env_file))
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-1\nSLACK_APP_TOKEN=xapp-1\n")
    require_slack(load_settings(env_file))


def test_the_redaction_key_is_the_apps_own_and_stays(env_file: Path) -> None:
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-1\n")
    one, again = load_settings(env_file).secret_key, load_settings(env_file).secret_key
    env_file.write_text("SLACK_BOT_TOKEN=xoxb-2\n")
    assert one == again != load_settings(env_file).secret_key
