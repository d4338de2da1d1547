"""Every ``code`` that a problem document can carry: its status, and what it means to the agent's author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One code: the HTTP status that it always comes with, and one sentence of what it means or what to do."""

    status: int
    words: str


def _codes(status: int, **words: str) -> dict[str, Code]:
    return {name: Code(status=status, words=said) for name, said in words.items()}


CODES: Mapping[str, Code] = {
    **_codes(400, malformed="The body isn't JSON that every reader understands alike; say each key once."),
    **_codes(
        401,
        no_key="No key was sent, or more than one `Authorization` header.",
        key_unknown="This isn't a key of this gateway.",
        key_revoked="The key was revoked.",
        key_expired="The key has expired.",
        key_rotated="The secret was replaced by a new one, and its time is over.",
    ),
    **_codes(
        403,
        wrong_kind_of_key="A key of another kind than is needed: an operator's instead of an agent's, say.",
        key_scope="This key of the agent may not do that (`signoff keys create --may`).",
        key_tool="This key of the agent isn't for that tool (`signoff keys create --tools`).",
    ),
    **_codes(
        404,
        not_found="No such thing, or not this key's: the answer is the same.",
        no_such_address="No such address.",
    ),
    **_codes(405, method_not_allowed="The address doesn't take this method; `Allow` names those it takes."),
    **_codes(408, body_too_slow="The body didn't arrive within 30 seconds."),
    **_codes(
        409,
        idempotency_conflict="The same `Idempotency-Key` came with another body before.",
        group_conflict="The group was begun with another size.",
        group_full="The group has all of its calls already.",
        not_approved="Still pending, or settled in another way: there is nothing to claim.",
        digest_mismatch="The digest isn't the one that was approved; read the request again.",
        already_claimed="Claimed before: it runs once only.",
        already_reported="Another outcome was reported before; the first one stands.",
        already_answered="Another answer was given before; the first one stands.",
        already_settled="The request is over; nothing was changed.",
        call_unclaimed="Nothing was claimed yet, so there is nothing to report.",
        call_lapsed="The permit ran out before it was claimed.",
        call_revoked="The permit was taken back before it was claimed.",
        call_purged="The call's contents were blanked (`signoff purge`) since it ended.",
    ),
    **_codes(413, body_too_large="The body is larger than 256 KiB."),
    **_codes(
        422,
        invalid="A member or parameter is missing, unknown or out of bounds; `errors` holds each place.",
        arguments_invalid="The arguments don't fit the `schema` that came with them.",
        too_large="Arguments, schema or result are larger than 64 kB.",
        too_deep="Arguments are nested deeper than 64 levels.",
        idempotency_key_invalid="The `Idempotency-Key` isn't one header of 1 to 255 printable ASCII characters.",
    ),
    **_codes(
        429,
        rate_limited="A budget of this agent is used up; nothing was stored.",
        cooling_off="People rejected this agent several times in a row; it pauses.",
        rejected_before="People rejected this very call a short while ago.",
    ),
    **_codes(500, internal="A defect of Signoff; its log tells more under the reference. Nothing was approved."),
    **_codes(
        503,
        unavailable="Signoff can't answer safely now. Nothing was approved.",
        not_ready="Slack isn't connected, or the database doesn't answer; `errors` says which.",
        restarting="The gateway is stopping; ask again.",
        storage_busy="Another program holds the database.",
        storage_closed="The gateway is stopping.",
        storage_overloaded="Too many changes wait for the disk.",
        storage_full="The disk is full.",
        storage_failed="The disk or the database failed.",
        storage_readonly="The database can't be written.",
        storage_unreachable="The database can't be opened.",
        storage_corrupt="The database is damaged.",
    ),
}

KEY = ("no_key", "key_unknown", "key_revoked", "key_expired", "key_rotated", "wrong_kind_of_key")
"""What any key can be refused for."""
LIMITED = ("key_scope", "key_tool")
"""What an agent's key can be refused for where it may do a part only."""
BODY = ("malformed", "body_too_slow", "body_too_large", "invalid")
"""What any body can be refused for."""
STORED = tuple(name for name, code in CODES.items() if code.status == 503 and name not in ("not_ready", "restarting"))
"""What whatever reads or writes the database can be refused for."""
