"""What every view must pass before anybody could see it: the workspace's rules and the SDK's."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex
from slack_sdk.models.blocks import Block

from bot import slack
from bot.slack.views.look import Message
from policies.visible import escaped_length
from sandbox.blocks import check_blocks
from sandbox.views import check_view, is_too_large

GOLDEN = Path(__file__).parent / "golden"
UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}--[\n\t]]", regex.V1)
OURS = regex.compile(r"<@[UW][A-Z0-9]+>|<!date\^\d+\^\{date_short_pretty\} at \{time\}\|[-0-9: ]+ UTC>")
EMOJI = regex.compile(r":[^\s:]+:")
OUR_EMOJI = frozenset(
    name for file in Path(slack.__file__).parent.rglob("*.py") for name in re.findall(r":[a-z0-9_]+:", file.read_text())
)
"""Whatever stands in the programs themselves."""
TO_EMOJI = regex.compile(r"(?<=\p{Extended_Pictographic})\ufe0f")


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in blocks: its type (``plain_text``, ``mrkdwn``, ``text``) and what it says."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield str(value.get("type")), value["text"]
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def everything(value: Any) -> Iterator[str]:
    """Every text in a message or view, also what no one reads: values, ids, metadata, what a field starts with."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "private_metadata":  # Signoff's own memory, with the reader's own words at most
                yield from everything(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from everything(inner)


def check_message(message: Message) -> None:
    """A message that any workspace takes."""
    blocks = list(message.blocks)
    assert check_blocks(blocks, "message") == []
    assert 0 < len(blocks) <= 45
    assert sum(escaped_length(text) for _, text in texts(blocks)) <= 9_000
    assert len(message.text) <= 1_000
    assert len(json.dumps(message.metadata)) < 1_000
    _check_texts([*texts(blocks), ("mrkdwn", message.text)])
    _check_unseen([message.text, blocks, message.metadata])
    _check_by_sdk(blocks)


def check_form(view: dict[str, Any]) -> None:
    """A modal or Home that any workspace takes."""
    assert check_view(view, view["type"]) == []
    assert not is_too_large(view)
    _check_texts(texts(view["blocks"]))
    _check_unseen(view)
    _check_by_sdk(view["blocks"])


def _check_texts(found: Any) -> None:
    for kind, text in found:
        if kind == "mrkdwn":
            bare = OURS.sub("", text)
            assert not set("<>") & set(bare), text
            assert set(EMOJI.findall(bare)) <= OUR_EMOJI, text


def _check_unseen(value: Any) -> None:
    for text in everything(value):
        assert not UNSEEN.search(TO_EMOJI.sub("", text.replace("\r\n", "\n"))), text  # a field starts with lines


def _check_by_sdk(blocks: list[dict[str, Any]]) -> None:
    for parsed in Block.parse_all(blocks):
        assert parsed is not None, "slack_sdk knows every block"
        parsed.validate_json()


def compare(name: str, value: Any) -> None:
    """``value`` is what the golden file says; with WRITE_GOLDEN=1 in the environment the file is written anew."""
    path = GOLDEN / f"{name}.json"
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("WRITE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
