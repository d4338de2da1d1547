"""An account as ``users.info`` describes it, and what Signoff makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from policies.absence import absence
from policies.people import Absence, Standing


class Wire(BaseModel):
    """Strict about what is read, tolerant of the rest."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)


class _Profile(Wire):
    real_name: str = ""
    display_name: str = ""
    email: str | None = None
    status_text: str | None = None
    status_emoji: str | None = None
    status_expiration: int | None = None


class User(Wire):
    """The fields of Slack's user object that Signoff reads."""

    id: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,20}$")]
    team_id: str | None = None
    name: str = ""
    real_name: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    is_workflow_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool | None = None
    tz: str | None = None
    profile: _Profile = _Profile()

    @property
    def called(self) -> str:
        """What the person goes by."""
        return self.profile.real_name or self.real_name or self.profile.display_name or self.name or self.id

    def away(self, now: datetime) -> Absence | None:
        """Does the person's status say that they are out of office?"""
        said = self.profile
        return absence(said.status_emoji or "", said.status_text or "", said.status_expiration or 0, now)


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """Enough of a person to show them; no decision rests on it."""

    name: str
    standing: Standing
    away: Absence | None


def standing(user: User, team_id: str) -> Standing:
    """What kind of account this is. Not configurable: only a confirmed, active member of the workspace is a member."""
    if user.deleted:
        return Standing.DEACTIVATED
    if user.is_bot or user.is_app_user or user.is_workflow_bot or user.id == "USLACKBOT":
        return Standing.BOT
    if user.is_stranger or user.team_id != team_id:
        return Standing.STRANGER
    if user.is_restricted or user.is_ultra_restricted or user.is_email_confirmed is False:
        return Standing.GUEST
    return Standing.MEMBER
