"""What a message may hold: text, blocks, attachments and metadata, checked, with Slack's names for errors."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox import limits
from sandbox.blocks import check_blocks, text_length
from sandbox.json_types import Json
from sandbox.normal import normal_blocks
from sandbox.tickets import Refused
from sandbox.web_call import Call

_UNSHOWN = "This content can't be displayed."
"""The text that Slack gives a message with blocks and no text of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """Checked content. None means: the call did not say."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None

    @property
    def fallback(self) -> str:
        """The message's text, also when only blocks were sent."""
        return self.text if self.text is not None else _UNSHOWN


def read_content(call: Call) -> Content:
    """The content of a call. Raises Refused with Slack's name for what is wrong with it."""
    text = call.arguments.get("text")
    return Content(
        text=None if text is None else str(text),
        blocks=checked_blocks(call.object("blocks", "invalid_blocks_format")),
        attachments=_attachments(call.object("attachments", "invalid_attachments")),
        metadata=_metadata(call.object("metadata", "invalid_metadata_format")),
    )


def checked_blocks(blocks: Any) -> list[Json] | None:
    """Blocks for a message. Raises Refused("invalid_blocks") with a line for each fault, or `msg_blocks_too_long`."""
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    faults = check_blocks(blocks, "message")
    if faults:
        raise Refused("invalid_blocks", response_metadata={"messages": [fault.as_slack() for fault in faults]})
    if text_length(blocks) > limits.BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")
    return normal_blocks(blocks)


def _attachments(attachments: Any) -> list[Json] | None:
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(entry, dict) for entry in attachments):
        raise Refused("invalid_attachments")
    if len(attachments) > limits.ATTACHMENTS:
        raise Refused("too_many_attachments")
    return attachments


def _metadata(metadata: Any) -> Json | None:
    if metadata is None:
        return None
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    payload = metadata["event_payload"]
    if not isinstance(metadata["event_type"], str) or not isinstance(payload, dict) or _depth(payload) > 3:
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > limits.METADATA_BYTES:
        raise Refused("metadata_too_large")
    return metadata


def _depth(value: Any) -> int:
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if entries is None else 1 + max(map(_depth, entries), default=0)
