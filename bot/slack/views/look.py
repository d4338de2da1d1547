"""What a view needs to know besides the request: who people are, and the key of the redaction's hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.slack.views.blocks import Block
from policies.request import Request

_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How a request is shown at ``now`` (UTC).

    ``names`` maps user ids to the names people go by, ``members`` the names of reviewers' groups to user ids (e-mail
    addresses and user groups resolved; empty where Slack could not be asked). ``outsiders`` says of user ids what they
    are, such as "a guest"; ``away`` holds those who are out of office. ``key`` makes the short hashes of redacted
    secrets.
    """

    key: bytes
    now: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outsiders: Mapping[str, str] = field(default_factory=dict)
    away: frozenset[str] = frozenset()

    def name(self, who: str, request: Request | None = None) -> str:
        """What the person ``who`` is called: as Slack says, as they were called when reviewing, or the id itself."""
        said = {review.by: review.name for review in request.reviews} if request else {}
        return self.names.get(who) or said.get(who) or who


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One Slack message: ``text`` for notifications, ``blocks`` to look at, ``metadata`` with ids only.

    ``cut`` says that something of the request isn't shown in it, so that nobody may approve from it.
    """

    text: str
    blocks: tuple[Block, ...]
    metadata: Mapping[str, object]
    cut: bool = False


def mention(user_id: str) -> str:
    """The mention of a person, or nothing where ``user_id`` isn't the id of one."""
    return f"<@{user_id}>" if _PERSON.fullmatch(user_id) else ""


def moment(at: datetime) -> str:
    """``at`` in the reader's own time zone (Slack renders it), with UTC for those who can't."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
