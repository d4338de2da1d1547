"""Who is out of office, as people's own status in Slack says it: by its emoji or its words.

It only ever asks others as well: whoever is away and decides all the same counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from policies.people import Absence

AWAY_EMOJI = frozenset(
    {
        "airplane",
        "airplane_departure",
        "baby",
        "baby_bottle",
        "beach_with_umbrella",
        "camping",
        "desert_island",
        "face_with_head_bandage",
        "face_with_thermometer",
        "hospital",
        "island",
        "luggage",
        "mask",
        "nauseated_face",
        "no_entry",
        "no_entry_sign",
        "palm_tree",
        "sneezing_face",
        "umbrella_on_ground",
    }
)
_AWAY = re.compile(
    r"\b(out of (the )?office|ooo|pto|away|absent|vacation\w*|holidays?|days? off|sick|sabbatical"
    r"|(on|parental|maternity|paternity|annual|medical|family) leave"
    r"|urlaub|abwesend|krank\w*|elternzeit|mutterschutz|ferien|vacances|congé|absente|vacaciones|ferie)\b",
    re.IGNORECASE,
)
_NOT_AWAY = re.compile(r"\b(back from|zurück aus|not (away|sick|out)|before|until my|planning)\b", re.IGNORECASE)


def absence(emoji: str, text: str, expiration: int, now: datetime) -> Absence | None:
    """What a status says: ``expiration`` in epoch seconds, 0 for one that stays. None where the person is here.

    A status that is over says nothing; words such as "back from vacation" beat the emoji.
    """
    if 0 < expiration <= now.timestamp():
        return None
    name = emoji.strip(":").partition("::")[0]
    if _NOT_AWAY.search(text) or not (name in AWAY_EMOJI or _AWAY.search(text)):
        return None
    return Absence(until=_moment(expiration))


def _moment(expiration: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(expiration, UTC) if expiration > 0 else None
    except (OverflowError, OSError, ValueError):  # a time that no calendar has: as good as none
        return None
