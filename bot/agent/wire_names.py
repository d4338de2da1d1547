"""Tools as the Messages API takes them: their names there have up to 64 letters, digits, _ and -, and no dots.

Everywhere else a tool is called what the policy calls it (``git.git_commit``); only what is sent to the model, and what
comes back from it, says ``git__git_commit``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.agent.transcript import Message, blocks_of

_FIT = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST = 64
_MARK = 8


def wire_name(name: str) -> str:
    """What the model calls the tool ``name``: itself where it fits; shortened, it ends with a mark of the whole."""
    if _FIT.fullmatch(name):
        return name
    spelt = name.replace(".", "__", 1)
    if _FIT.fullmatch(spelt):
        return spelt
    mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK]
    return f"{_UNFIT.sub('_', spelt)[: _LONGEST - _MARK - 1]}_{mark}"


def for_the_api(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` as the API takes it: alternatives at its top are refused there, and checked here all the same."""
    return {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf", "allOf")}


def for_the_model(transcript: Sequence[Message]) -> list[Message]:
    """``transcript`` with the tools called what the model calls them."""
    return [_renamed(message, wire_name) for message in transcript]


def from_the_model(message: Message, names: Mapping[str, str]) -> Message:
    """The model's message with the tools called by their own ``names``, which are kept by what the model calls them."""
    return _renamed(message, lambda name: names.get(name, name))


def _renamed(message: Message, called: Callable[[str], str]) -> Message:
    content = [
        {**block, "name": called(block["name"])} if block.get("type") == "tool_use" else block
        for block in blocks_of(message)
    ]
    return {**message, "content": content}
