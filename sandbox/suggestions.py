"""Menus that the app fills: somebody types, the app is asked, and only what it offers can be chosen."""

from typing import Any

from sandbox.elements import GROUP, PLAIN_OPTION
from sandbox.forms import EXTERNAL
from sandbox.json_types import Json
from sandbox.parts import Sandbox
from sandbox.people import People, element_of
from sandbox.schema import array, record
from sandbox.tickets import Refused

_LEAST = 3
"""Characters before the app is asked, where the menu does not say."""
_OFFER = {
    "options": record({"options": array(PLAIN_OPTION, least=0, most=100)}),
    "option_groups": record({"option_groups": array(GROUP, least=0, most=100)}),
}


async def suggest(sandbox: Sandbox, person: str, body: Json) -> Json:
    """Ask the app for options. Answers `{ok, options?, option_groups?, error?}`; none for too few characters.

    The body names a message (`channel`, `ts`) or a view (`view_id`), then `block_id`, `action_id` and `value`.
    """
    block_id, action_id, value = (str(body.get(name, "")) for name in ("block_id", "action_id", "value"))
    blocks, place, keep = _place(sandbox, person, body)
    _, element = element_of(person, blocks, block_id, action_id)
    if element["type"] not in EXTERNAL:
        raise Refused("unknown_action", words="this element has no options to ask for")
    if len(value) < element.get("min_query_length", _LEAST):
        return {"ok": True, "options": []}
    asked = sandbox.payloads.suggestion(person, place, block_id, action_id, value)
    reply = await sandbox.delivery.interaction(asked)
    if reply.error:
        return {"ok": False, "error": reply.error}
    offer = _checked(reply.body)
    if offer is None:
        return {"ok": False, "error": "app_error"}
    first = [element["initial_option"]] if "initial_option" in element else []
    chosen = [*element.get("initial_options", []), *first]
    keep(block_id, action_id, [*_flat(offer), *chosen])
    return {"ok": True, **offer}


def _place(sandbox: Sandbox, person: str, body: Json) -> tuple[list[Json], Json, Any]:
    people = People(sandbox)
    if body.get("view_id"):
        view = people.view(person, str(body["view_id"]))

        def keep_in_view(block_id: str, action_id: str, options: list[Json]) -> None:
            view.offered[block_id, action_id] = options

        return view.definition["blocks"], sandbox.payloads.in_view(view), keep_in_view
    channel, message = people.message(person, str(body.get("channel", "")), str(body.get("ts", "")))

    def keep_in_message(block_id: str, action_id: str, options: list[Json]) -> None:
        message.offered[person, block_id, action_id] = options

    return message.blocks or [], sandbox.payloads.in_message(channel, message), keep_in_message


def _checked(body: Any) -> Json | None:
    for name, check in _OFFER.items():
        if isinstance(body, dict) and name in body and not list(check(body, "")):
            return body
    return None


def _flat(offer: Json) -> list[Json]:
    groups = offer.get("option_groups") or [{"options": offer.get("options", [])}]
    return [option for group in groups for option in group["options"]]
