"""What a view (modal or Home) may look like before it is shown to anybody."""

import json
from typing import Any

from sandbox import limits
from sandbox.blocks import check_blocks
from sandbox.elements import plain
from sandbox.json_types import Json
from sandbox.schema import Check, Fault, boolean, choice, record, string

_SHARED: dict[str, Check] = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}


def _any(value: Any, at: str) -> Any:
    return iter(())


_MODAL = record(
    {"type": choice("modal"), "title": plain(24), "blocks": _any},
    {
        **_SHARED,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = record({"type": choice("home"), "blocks": _any}, _SHARED)


def check_view(view: Any, kind: str, at: str = "/view") -> list[Fault]:
    """Everything that is wrong with a view of this kind (`modal` or `home`)."""
    faults = list((_MODAL if kind == "modal" else _HOME)(view, at))
    if faults:
        return faults
    faults = check_blocks(view["blocks"], "modal" if kind == "modal" else "home", f"{at}/blocks")
    has_input = not faults and any(block["type"] == "input" for block in view["blocks"])
    if kind == "modal" and has_input and "submit" not in view:
        faults.append(Fault(at, "`submit` is required when a view has an input block"))
    return faults


def is_too_large(view: Json) -> bool:
    """Whether the whole view is above the size that Slack keeps."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > limits.VIEW_BYTES
