"""The ids in addresses. What can't be an id reads like an unknown one."""

from __future__ import annotations

import re

from aiohttp import web

from policies.errors import NotFound
from policies.group import GROUP_ID

_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")


def request_id_of(http: web.Request) -> str:
    """The id of a request. Raises ``NotFound``."""
    found = http.match_info["id"]
    if not _ID.fullmatch(found):
        raise NotFound("No such request.")
    return found


def group_id_of(http: web.Request) -> str:
    """The id of a group. Raises ``NotFound``."""
    found = http.match_info["id"]
    if not GROUP_ID.fullmatch(found):
        raise NotFound("No such group.")
    return found
