"""Blocks as Slack hands them back: ids filled in where the app gave none, defaults of text objects spelled out."""

import secrets
from typing import Any

from sandbox.blocks import flat, interactive
from sandbox.json_types import Json


def normal_blocks(blocks: list[Json]) -> list[Json]:
    """A copy of checked blocks, each with a `block_id`, each interactive element with an `action_id`."""
    done = [_spelled_out(block) for block in blocks]
    for block in flat(done):
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in interactive(block):
            element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return done


def _spelled_out(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled_out(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    done = {name: _spelled_out(entry) for name, entry in value.items()}
    if done.get("type") == "plain_text":
        done.setdefault("emoji", True)
    if done.get("type") == "mrkdwn":
        done.setdefault("verbatim", False)
    return done
