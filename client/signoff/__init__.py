"""Ask people before an agent acts: the client of the Signoff gateway. Whatever goes wrong, nothing runs unapproved."""

from signoff.async_client import AsyncSignoff
from signoff.client import Signoff
from signoff.decorator import needs_approval
from signoff.errors import (
    AlreadyRan,
    Expired,
    Interrupted,
    NotApproved,
    Refused,
    Rejected,
    SignoffError,
    StillPending,
    Unreachable,
    Withdrawn,
)
from signoff.models import Answer, Change, Choice, Group, Inquiry, Request
from signoff.permit import AsyncPermit, Permit

__all__ = [
    "AlreadyRan",
    "Answer",
    "AsyncPermit",
    "AsyncSignoff",
    "Change",
    "Choice",
    "Expired",
    "Group",
    "Inquiry",
    "Interrupted",
    "NotApproved",
    "Permit",
    "Refused",
    "Rejected",
    "Request",
    "Signoff",
    "SignoffError",
    "StillPending",
    "Unreachable",
    "Withdrawn",
    "needs_approval",
]
