"""What is proven of whatever people are shown, whoever's words stand in it: a message, a form, a Home, a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from bot.carrier import WholeFile
from bot.slack.views.blocks import Block
from bot.slack.views.look import Message
from bot.slack.views.modals import (
    notice,
)
from tests.slack.hostile_requests import Arguments
from tests.slack.hostile_words import SECRET_PARTS
from tests.slack.judging import TO_EMOJI, UNSEEN, check_form, check_message, everything, texts

Shown = Message | Block | WholeFile
Place = Callable[[random.Random, Arguments], Iterator[Shown]]

"""Everything that one place shows of a call."""
FORMATTING = ("*Agreed*", "_by_", "~Ana~", "`ok`", "```", ":white_check_mark: Approved", "\n>")


def check(shown: Shown) -> None:
    """Any workspace takes it, nothing in it is live or invisible, and no secret stands in it."""
    whole: Any
    if isinstance(shown, WholeFile):
        whole, marked = [shown.name, shown.text, shown.comment], [shown.comment]
        assert not UNSEEN.search(TO_EMOJI.sub("", shown.text))
        assert all(line[:2] in ("", "■ ", "  ") for line in shown.text.split("\n")[3:])
    elif isinstance(shown, Message):
        check_message(shown)
        whole = [shown.text, shown.blocks, shown.metadata]
        marked = [shown.text]
    else:
        check_form(shown)
        whole, marked = shown, []
    marked += [text for kind, text in texts(whole) if kind == "mrkdwn"]
    for text in (*everything(whole), str(shown.get("private_metadata", "")) if isinstance(shown, dict) else ""):
        for secret in SECRET_PARTS:
            assert secret not in text, secret
    for text in marked:
        for live in FORMATTING:
            assert live not in text, text


def in_a_message(blocks: list[Block]) -> Message:
    """Blocks that ``/approvals`` answers with."""
    return Message(text="", blocks=tuple(blocks), metadata={})


def in_a_form(sentence: str) -> Block:
    """A sentence (mrkdwn) that a person is told."""
    return notice("Nothing was changed", sentence)
