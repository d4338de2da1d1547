"""What conditions may call beyond CEL's own: money, domains of e-mail addresses, business hours.

Each is total: it answers or it fails, and a condition that fails holds the call for people. What could be read in two
ways fails. They are checked at load like the rest of CEL: how many arguments, of which types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cel_expr_python import cel

_AMOUNT = re.compile(r"-?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?")
_TWO_WAYS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
_DIGITS = 15
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_OPENS, _CLOSES = 9, 17
_FRIDAY = 4


def money(amount: str) -> float:
    """The number that ``amount`` writes: ``1200``, ``1200.5``, ``1,200.00``; without a currency, which it can't weigh.

    Raises ``ValueError`` for anything else; ``1.200`` (is it 1200?), ``1,20`` and more digits than a double holds too.
    """
    if not _AMOUNT.fullmatch(amount) or _TWO_WAYS.fullmatch(amount) or sum(map(str.isdigit, amount)) > _DIGITS:
        raise ValueError("money reads numbers such as 1200 or 1,200.00, without a currency")
    return float(amount.replace(",", ""))


@lru_cache(maxsize=1_024)  # every rule of a policy asks for those of the same few addresses
def domain(address: str) -> str:
    """The domain of one plain e-mail address, in lower case. Raises ``ValueError`` for names, lists, and non-ASCII."""
    mailbox, _, host = address.rpartition("@")
    if not _MAILBOX.fullmatch(mailbox) or not _DOMAIN.fullmatch(host) or len(host) > 253:
        raise ValueError("domain reads one plain address such as ana@example.com")
    return host.lower()


def domains(addresses: Sequence[Any] | str) -> list[str]:
    """The domains of a list of addresses, or of a single one, each once. Raises ``ValueError`` as ``domain`` does."""
    several = [addresses] if isinstance(addresses, str) else addresses
    if not all(isinstance(address, str) for address in several):
        raise ValueError("domains reads a list of plain addresses")
    return list(dict.fromkeys(domain(address) for address in several))


def outside(addresses: Sequence[Any] | str, known: Sequence[str]) -> bool:
    """Is any address of a domain that ``known`` doesn't list? A subdomain counts only where it is listed itself."""
    listed = {name.removeprefix("@").lower() for name in known}
    if not all(_DOMAIN.fullmatch(name) for name in listed):
        raise ValueError("outside needs a list of domains such as ['example.com']")
    return not listed.issuperset(domains(addresses))


def business_hours(now: datetime, zone: str, opens: int = _OPENS, closes: int = _CLOSES) -> bool:
    """Monday to Friday, from ``opens`` o'clock until before ``closes`` in that zone. Holidays are unknown to it."""
    if not 0 <= opens < closes <= 24:
        raise ValueError("business_hours needs hours such as 9, 17")
    there = now.astimezone(ZoneInfo(zone))
    return there.weekday() <= _FRIDAY and opens <= there.hour < closes


def _same(amount: float) -> float:
    return amount


def declared() -> list[cel.FunctionDecl]:
    """The functions as the engine takes them. ``money`` gives a number of either kind, for both compare with both."""
    text, number, hours = cel.Type.STRING, cel.Type.DYN, cel.Type.INT
    many, texts, flag = cel.Type.List(cel.Type.DYN), cel.Type.List(text), cel.Type.BOOL
    clock = [cel.Type.TIMESTAMP, text]
    return [
        _function("money", number, ([cel.Type.INT], _same), ([cel.Type.DOUBLE], _same), ([text], money)),
        _function("domain", text, ([text], domain)),
        _function("domains", texts, ([many], domains), ([text], domains)),
        _function("outside", flag, ([many, texts], outside), ([text, texts], outside)),
        _function("business_hours", flag, (clock, business_hours), ([*clock, hours, hours], business_hours)),
    ]


FUNCTIONS = ("money", "domain", "domains", "outside", "business_hours")
"""The names of ``declared``."""


def _function(name: str, returns: cel.Type, *overloads: tuple[list[cel.Type], Any]) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name,
        [
            cel.Overload(f"{name}_{index}", return_type=returns, parameters=takes, is_member=False, impl=runs)
            for index, (takes, runs) in enumerate(overloads)
        ],
    )
