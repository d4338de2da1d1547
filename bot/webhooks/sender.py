"""One signed POST to one receiver, which may be anywhere but inside the house.

The host is looked up once, every address of it is checked, and the connection is made to one of those very addresses:
the last look is at the socket's own, so that neither a second answer of the DNS nor another way to write an address
leads elsewhere. No proxy, no redirect, no cookie; of the answer only the status counts.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.webhooks.signing import signed
from policies.addresses import Address, Network, read_address
from policies.errors import Invalid
from policies.webhook_url import Target, check_reach, read_url

SECONDS = 10.0
"""For all of one attempt, the look-up of the name included."""
LOOKUPS = 8
"""Names that are looked up at once: a name server that doesn't answer holds up no other thread of the gateway."""
AGENT = "Signoff-Webhooks/1"

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises ``OSError``."""


class NotSent(Exception):
    """No answer came; ``words`` say why, fit for the operator."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How a receiver answered: its status, the beginning of its body if that was asked for, its wish for a pause."""

    status: int
    body: bytes = b""
    retry_after: timedelta = timedelta()


class Sender:
    """Sends to public addresses, and to those in ``allowed``. Close it after the last use.

    ``tls`` says which certificates are trusted; by default those that the machine trusts (or ``SSL_CERT_FILE``).
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        lookup: Lookup | None = None,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = tuple(allowed)
        self._threads = ThreadPoolExecutor(max_workers=LOOKUPS, thread_name_prefix="signoff-lookup")
        self._lookups: dict[tuple[str, int], asyncio.Future[list[str]]] = {}
        self._lookup = lookup or self._look_up
        self._seconds = seconds
        self._tls = tls

    def close(self) -> None:
        """Let go of the threads; a look-up under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(self, url: str) -> None:
        """Raise ``Invalid`` for a URL to which nothing is sent, as far as it shows without looking up its host."""
        target = read_url(url)
        if target.literal is not None:
            check_reach(target, [target.literal], self._allowed)

    async def send(
        self, url: str, body: bytes, *, message_id: str, keys: Iterable[str], now: datetime, keep: int = 0
    ) -> Answer:
        """POST ``body`` (JSON), signed by ``keys``; up to ``keep`` bytes of the answer are read. Raises ``NotSent``."""
        headers = {"Content-Type": "application/json", "User-Agent": AGENT, **signed(message_id, now, body, keys)}
        try:
            async with asyncio.timeout(self._seconds):
                target = read_url(url)
                return await self._post(target, await self._checked(target), body, headers, keep)
        except Invalid as error:
            raise NotSent(error.words) from error
        except TimeoutError as error:
            raise NotSent(f"no answer within {self._seconds:g} s") from error
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as error:
            raise NotSent(_why(error)) from error

    async def _checked(self, target: Target) -> Sequence[str]:
        """The addresses of the target's host, if every one of them may be reached."""
        found = [target.host] if target.literal is not None else await self._lookup(target.host, target.port)
        check_reach(target, [address for each in found if (address := read_address(each))], self._allowed)
        return found

    async def _post(
        self, target: Target, addresses: Sequence[str], body: bytes, headers: dict[str, str], keep: int
    ) -> Answer:
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(target.host, addresses),
            use_dns_cache=False,
            force_close=True,
            socket_factory=_only(addresses),
            ssl=self._tls or True,
        )
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(
                connector=connector, cookie_jar=jar, trust_env=False, auto_decompress=False
            ) as session,
            session.post(URL(target.url, encoded=True), data=body, headers=headers, allow_redirects=False) as answer,
        ):
            kept = await _beginning(answer.content, keep)
            return Answer(status=answer.status, body=kept, retry_after=_pause(answer.headers.get("Retry-After", "")))

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        """One thread for one name, however many ask for it and give up: a dead one would take them all, one by one."""
        under_way = self._lookups.get((host, port))
        if under_way is None:
            loop = asyncio.get_running_loop()
            under_way = loop.run_in_executor(self._threads, _addresses, host, port)
            self._lookups[host, port] = under_way
            under_way.add_done_callback(lambda ended: self._looked_up(host, port, ended))
        return tuple(dict.fromkeys(await asyncio.shield(under_way)))

    def _looked_up(self, host: str, port: int, ended: asyncio.Future[list[str]]) -> None:
        del self._lookups[host, port]
        if not ended.cancelled():
            ended.exception()  # perhaps nobody waits for it any more


def _addresses(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Pinned(AbstractResolver):
    """Gives the addresses that were checked, for the one host that they are of."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host.casefold() != self._host:
            raise OSError("another host than the one that was looked up")
        return [self._result(address, port) for address in self._addresses]

    def _result(self, address: str, port: int) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return ResolveResult(hostname=self._host, host=address, port=port, family=family, proto=0, flags=flags)

    async def close(self) -> None:
        """Nothing is held."""


def _only(addresses: Sequence[str]) -> Callable[[Any], socket.socket]:
    """Makes sockets for ``addresses`` alone: the last look, at what will really be connected to."""
    checked: set[Address | None] = {read_address(each) for each in addresses}

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, place = info
        if read_address(str(place[0])) not in checked:
            raise OSError("another address than those that were checked")
        return socket.socket(family, kind, proto)

    return make


async def _beginning(content: aiohttp.StreamReader, most: int) -> bytes:
    found = b""
    while len(found) < most and (part := await content.read(most - len(found))):
        found += part
    return found


def _pause(sent: str) -> timedelta:
    """``Retry-After`` in seconds; a date is rare enough to be passed over."""
    return timedelta(seconds=int(sent)) if sent.isascii() and sent.isdigit() and len(sent) < 8 else timedelta()


def _why(error: Exception) -> str:
    """Without what the receiver said: that could be anything."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "no TLS connection with a certificate that can be verified"
    if isinstance(error, socket.gaierror):
        return "its name can't be looked up"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror or type(error.os_error).__name__})"
    return f"no answer ({type(error).__name__})"
