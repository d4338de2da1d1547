"""One call of the Web API: its arguments, however they were sent, and who calls."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.json_types import Json
from sandbox.members import Channel
from sandbox.parts import Sandbox
from sandbox.tickets import Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A method's name, its arguments, and the sandbox it acts on."""

    method: str
    arguments: Json
    sandbox: Sandbox

    def needs(self, *scopes: str) -> None:
        """Raises Refused("missing_scope") unless the bot's token has one of these scopes."""
        provided = self.sandbox.workspace.app.scopes
        if not set(scopes) & set(provided):
            raise Refused("missing_scope", needed=scopes[0], provided=",".join(provided))

    def needs_team(self) -> None:
        """Lists are one team's: an app of a whole organisation has to say whose. Raises Refused("missing_argument")."""
        if self.sandbox.workspace.app.is_enterprise_install and self.text("team_id") != self.team_id:
            raise Refused("team_not_found" if self.text("team_id") else "missing_argument")

    @property
    def team_id(self) -> str:
        """The id of the one team there is."""
        return str(self.sandbox.workspace.team["id"])

    def text(self, name: str, default: str = "") -> str:
        """An argument as a string."""
        value = self.arguments.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """A string argument that must be there. Raises Refused("invalid_arguments")."""
        if not (value := self.text(name)):
            raise Refused(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean argument; forms send 1, 0, true and false."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        """A whole number. Raises Refused("invalid_arguments") for anything else."""
        try:
            return int(self.arguments.get(name, default))
        except (TypeError, ValueError):
            raise Refused("invalid_arguments") from None

    def object(self, name: str, refusal: str) -> Any:
        """A JSON argument, which forms send as a string. Raises Refused(refusal) when it cannot be read."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(refusal) from None

    def channel(self, name: str = "channel") -> Channel:
        """The channel that an id names. Raises Refused("channel_not_found")."""
        found = self.sandbox.workspace.channels.get(self.text(name))
        if found is None or (found.kind != "channel" and self.sandbox.workspace.app.bot_user not in found.members):
            raise Refused("channel_not_found")
        return found

    def page(self, items: list[Any], default: int = 100) -> tuple[list[Any], Json]:
        """A page of a list by `limit` and `cursor`, and the `response_metadata` that leads to the next."""
        cursor = self.text("cursor")
        if cursor and not (cursor.startswith("next:") and cursor[5:].isdigit()):
            raise Refused("invalid_cursor")
        start, limit = int(cursor[5:] or 0) if cursor else 0, self.number("limit", default) or default
        if not 1 <= limit <= 1000:
            raise Refused("invalid_limit")
        following = f"next:{start + limit}" if start + limit < len(items) else ""
        return items[start : start + limit], {"next_cursor": following}


async def read_arguments(request: web.Request) -> Json:
    """The arguments from the query, a form or a JSON body. Raises Refused for a body that is not what it says."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        found.update(_json_object(await request.read()))
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        found.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    elif request.can_read_body and await request.read():
        raise Refused("invalid_post_type")
    return found


def _json_object(body: bytes) -> Json:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(found, dict):
        raise Refused("json_not_object")
    return {name: value for name, value in found.items() if value is not None}
