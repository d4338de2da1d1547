"""Addresses of receivers: one narrow way to write them, so that no two programs can read two hosts in one URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.addresses import Address, Network, may_reach, read_address
from policies.errors import Invalid

LONGEST = 2000
PORTS = {"https": 443, "http": 80}
FREE_PORTS = range(1024, 65536)
"""Besides the scheme's own port: below live the mail, the shells and the name servers of the house."""

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:/[!#-\[\]-~]*)?)",
    re.ASCII,
)
_LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?", re.ASCII)
_NUMBER = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a webhook goes: ``host`` is a name in small letters, or an address without brackets (``literal`` then)."""

    url: str
    scheme: str
    host: str
    port: int
    literal: Address | None


def read_url(url: str) -> Target:
    """The receiver that ``url`` names. Raises ``Invalid`` with what to write instead."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or "#" in found["rest"]:
        raise Invalid(
            "This is no URL that webhooks can go to: write https://host/path, without user, password and fragment; "
            "a name with other letters than a-z in its xn--… form."
        )
    scheme, host = found["scheme"], found["host"].casefold().strip("[]")
    literal = read_address(host)
    if literal is None and not _is_name(host):
        raise Invalid(
            f"{host!r} is no host: write a full name such as hooks.example.com, or an address in its one form."
        )
    port = int(found["port"] or PORTS[scheme])
    if port != PORTS[scheme] and port not in FREE_PORTS:
        raise Invalid(f"Port {port} is not for webhooks: use {PORTS[scheme]}, or one from 1024 on.")
    return Target(url=url, scheme=scheme, host=host, port=port, literal=literal)


def _is_name(host: str) -> bool:
    """A name of the DNS: its last label is no number, or some resolvers would read an address in ``2130706433``."""
    labels = host.split(".")
    return all(_LABEL.fullmatch(label) for label in labels) and _NUMBER.fullmatch(labels[-1]) is None


def check_reach(target: Target, addresses: Sequence[Address], allowed: Sequence[Network]) -> None:
    """Raise ``Invalid`` unless each of the host's ``addresses`` may be reached; without TLS only on this machine."""
    if not addresses:
        raise Invalid(f"{target.host} has no address.")
    for address in addresses:
        if not may_reach(address, allowed):
            named = f"{target.host} is at {address}, which" if target.literal is None else f"{address}"
            raise Invalid(
                f"{named} is not a public address. If that receiver is in your house, "
                f"name its network in SIGNOFF_WEBHOOK_NETWORKS.",
                code="address_refused",
            )
        if target.scheme == "http" and not address.is_loopback:
            raise Invalid("Webhooks go by https; http is for a receiver on this machine.", code="address_refused")
