"""What becomes of a modal after the app has acknowledged its submission: `response_action` and its rules."""

import json
from typing import Any

from sandbox.json_types import Json
from sandbox.open_views import View
from sandbox.parts import Sandbox
from sandbox.tickets import Refused

_FAILED: Json = {"ok": False, "error": "app_error"}


def follow(sandbox: Sandbox, view: View, body: Any) -> Json:
    """Do what the acknowledgement says, and answer what the person gets to see.

    An empty one closes this view; `errors` stay with it; `update`, `push` and `clear` change the stack. What Slack
    could not follow (unknown words, errors for no input block, an invalid view) is the app's error: the modal stays.
    """
    found = _parsed(body)
    if found is None:
        return _FAILED
    action = found.get("response_action")
    if not action:
        sandbox.views.close(view)
        return {"ok": True}
    if action == "errors":
        return _with_errors(view, found.get("errors"))
    if action == "clear":
        sandbox.views.close_all(view.person)
        return {"ok": True, "response_action": "clear"}
    return _with_view(sandbox, view, action, found.get("view"))


def _parsed(body: Any) -> Json | None:
    if not body:
        return {}
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    return body if isinstance(body, dict) else None


def _with_errors(view: View, errors: Any) -> Json:
    inputs = [block["block_id"] for block in view.definition["blocks"] if block["type"] == "input"]
    if not isinstance(errors, dict) or not errors or not set(errors) <= set(inputs):
        return _FAILED
    view.errors = {name: str(words) for name, words in errors.items()}
    return {"ok": False, "response_action": "errors", "errors": view.errors}


def _with_view(sandbox: Sandbox, view: View, action: str, described: Any) -> Json:
    try:
        if action == "update":
            sandbox.views.update(view, described)
        elif action == "push":
            sandbox.views.push(view.person, described)
        else:
            return _FAILED
    except Refused as refused:
        return {**_FAILED, "reason": refused.name, **refused.rest}
    return {"ok": True, "response_action": action}
