"""What an MCP tool answered, as the JSON that the runner stores and the model reads. A stranger's words throughout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mcp_types as types


def result_of(answer: types.CallToolResult) -> Any:
    """The answer's text; beside it what it holds as data, where the text doesn't say the same already."""
    text, data = text_of(answer), answer.structured_content
    if not data or _says(text, data):
        return text
    return {"text": text, "data": data} if text else data


def text_of(answer: types.CallToolResult) -> str:
    """All parts of the answer as text. What isn't text (a picture, sound) is named and left out."""
    return "\n".join(_part(part) for part in answer.content)


def _says(text: str, data: dict[str, Any]) -> bool:
    if data == {"result": text}:  # how servers wrap a plain text
        return True
    try:
        return bool(json.loads(text) in (data, data.get("result")))
    except ValueError:
        return False


def _part(part: types.ContentBlock) -> str:
    if part.type == "text":
        return part.text
    if part.type == "resource":
        return getattr(part.resource, "text", None) or f"[{part.resource.uri}: no text, left out]"
    if part.type == "resource_link":
        return f"[{part.name}: {part.uri}]"
    return f"[{part.mime_type}, {len(part.data) * 3 // 4} bytes: left out]"
