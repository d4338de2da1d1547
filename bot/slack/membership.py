"""Who is in a private channel, for a policy that names its members as reviewers.

Nobody counts unless Slack says that the channel is private and not shared with another organisation: anybody can walk
into a public one, and the other organisation lets in whom it likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.accounts import Wire

PAGE = 1_000
MOST_PAGES = 20
PUBLIC = "it is public, so anybody could join it"


class _Channel(Wire):
    is_private: bool
    is_ext_shared: bool
    is_pending_ext_shared: bool = False
    is_shared: bool = False
    is_org_shared: bool = False
    is_im: bool = False
    is_mpim: bool = False
    is_archived: bool = False

    @property
    def why_not(self) -> str:
        """Why its members can't be reviewers; empty where they can."""
        if self.is_ext_shared or self.is_pending_ext_shared or (self.is_shared and not self.is_org_shared):
            return "it is shared with another organisation"
        if not self.is_private:
            return PUBLIC
        if self.is_im or self.is_mpim:
            return "it is a conversation, not a channel"
        return "it is archived" if self.is_archived else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """The ids of a channel's members; none of them, and ``why_not`` in words, where they can't be reviewers."""

    ids: frozenset[str] = frozenset()
    why_not: str = ""


def keeps_to_itself(told: AsyncSlackResponse) -> bool:
    """Does ``conversations.info`` say that the channel is a private one of this workspace alone?"""
    try:
        return not _Channel.model_validate(told.get("channel")).why_not
    except ValidationError:
        return False


async def ask_membership(client: AsyncWebClient, channel: str) -> Membership:
    """Ask Slack. Raises ``SlackApiError`` and what the client raises where it gives no answer that would stay."""
    try:
        told = await client.conversations_info(channel=channel)
        why_not = _Channel.model_validate(told.get("channel")).why_not
        return Membership(why_not=why_not) if why_not else Membership(ids=await _members(client, channel))
    except SlackApiError as error:
        why_not = _unseen(error)
        if not why_not:
            raise
        return Membership(why_not=why_not)
    except (ValidationError, _Unreadable):
        return Membership(why_not="Slack doesn't say clearly what kind of channel it is, or who is in it")


def _unseen(error: SlackApiError) -> str:
    """What a refusal says that is about the channel or the app, and stays until somebody mends it; else nothing."""
    match error.response.get("error"):
        case "channel_not_found" | "not_in_channel":
            return "Signoff isn't in it; /invite @Signoff there"
        case "missing_scope" if "groups:read" in str(error.response.get("needed")):
            return "the app lacks the scope groups:read; add it and reinstall the app"
        case "missing_scope":
            return PUBLIC  # private ones need no other scope
        case _:
            return ""


class _Unreadable(Exception):
    """Slack's list of members isn't one."""


async def _members(client: AsyncWebClient, channel: str) -> frozenset[str]:
    """Everybody in the channel. A list that doesn't end is none at all."""
    found: set[str] = set()
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.conversations_members(channel=channel, limit=PAGE, cursor=cursor)
        members: Any = page.get("members")
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise _Unreadable
        found.update(members)
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return frozenset(found)
    raise _Unreadable
