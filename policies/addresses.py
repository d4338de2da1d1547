"""Which addresses of the internet a webhook may be sent to: only public ones, and those that the operator names.

Whoever chooses a webhook's URL (or answers for its name in the DNS) chooses where this machine connects to. So what is
not certainly a public host is refused: this machine, its neighbours, the cloud's metadata services, and every way to
write such an address in another form. The lists are our own, from IANA's registries of special purpose addresses, so
that they don't change with the version of Python; what Python knows besides is refused as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SPECIAL_4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; some clouds' metadata
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # Azure's own services, though the address is a public one
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
GLOBAL_6 = IPv6Network("2000::/3")
"""The only part of IPv6 from which public addresses are given out; everything outside of it is special."""
SPECIAL_6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols; Teredo carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
NEVER = tuple(ip_network(each) for each in ("0.0.0.0/32", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"))
"""No host at all, or many: refused even where the operator's networks hold them."""


def read_address(text: str) -> Address | None:
    """The address that ``text`` (without brackets) is, an IPv4 address inside ``::ffff:…`` as itself; None for a name.

    An address with a zone (``%eth0``) is link-local: it is read without it.
    """
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def may_reach(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """May a webhook be sent to this address? ``allowed`` are the operator's networks, for receivers in the house."""
    if any(_within(address, network) for network in NEVER):
        return False
    return is_public(address) or any(_within(address, network) for network in allowed)


def is_public(address: Address) -> bool:
    """Is it certainly an address of some host on the internet?"""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_4)
    return address in GLOBAL_6 and not any(address in network for network in SPECIAL_6)


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, separated by commas. Raises ``ValueError`` with words for whoever wrote them."""
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ip_network(each))
        except ValueError:
            raise ValueError(f"{each!r} is no network; write 10.1.0.0/16 or 127.0.0.0/8, separated by commas") from None
    return tuple(found)
