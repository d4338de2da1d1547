"""What stands in the log: secrets masked, nothing invisible, no escapes, and no line that somebody else wrote."""

from __future__ import annotations

import json
import logging
from unittest.mock import patch

import pytest

from bot.logs import get_logger, set_up_logs
from tests.slack.hostile_words import SECRET_PARTS, TERMINAL
from tests.slack.judging import UNSEEN

PASSWORD = "password=hunter2"
TOKEN = "ghp" + "_aB3dE5fG7hJ9kL1mN0pQ2rS4tU6vW8xY"
FORGED = "2026-11-23T12:00:00.000000Z [error    ] all requests were approved"
HOSTILE = "".join((*TERMINAL, "\u202e\u2028\u00ad\n", FORGED, f"\n{PASSWORD} {TOKEN}"))


def everything(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is logged of the same words as an event, as values, in an exception, and by a library."""
    with patch.object(logging.root, "handlers", []):  # as in a new process
        set_up_logs(form)
        log = get_logger("signoff.test")
        log.warning(
            HOSTILE, why=HOSTILE, places=[HOSTILE, 1, None], error=ValueError(HOSTILE), request="req_1", count=3
        )
        try:
            raise RuntimeError(HOSTILE)
        except RuntimeError:
            log.exception("it failed")
            logging.getLogger("aiohttp.server").exception("Error handling request: %s", HOSTILE)
    return capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_nothing_hidden_is_logged_not_even_of_an_exception(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = everything(form, capsys)
    assert not [secret for secret in SECRET_PARTS if secret in logged]
    assert not UNSEEN.search(logged)
    assert logged.count("[redacted github token") == 7
    for kept in ("RuntimeError", "it failed", "req_1", "test_logs.py", "Error handling request"):
        assert kept in logged


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_words_begin_a_line_of_their_own(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logged = everything(form, capsys)
    assert FORGED in logged
    assert not [line for line in logged.splitlines() if line.startswith(FORGED)]


def test_a_line_of_json_stays_json_with_numbers_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    first = json.loads(everything("json", capsys).splitlines()[0])
    assert (first["count"], first["request"], first["places"][1:]) == (3, "req_1", [1, None])
