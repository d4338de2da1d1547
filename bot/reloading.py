"""The policy file, read at the start and again when it changes or SIGHUP comes. A faulty one changes nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from importlib import resources
from pathlib import Path

from bot.logs import get_logger
from bot.metrics import Metrics
from bot.shelf import PolicyShelf
from policies.errors import Faulty, Invalid, SignoffError
from policies.loader import load
from policies.policy import Policy

log = get_logger("signoff.policy")

EACH = 2.0
"""Seconds between two looks at the file's time stamp: editors replace files, which no signal tells."""

Stamp = tuple[int, int, int]


def read_policy(path: Path | None) -> Policy:
    """The policy at ``path``, or the one shipped with Signoff."""
    if path is None:
        text = resources.files("policies").joinpath("default.yml").read_text(encoding="utf-8")
        return load(text, source="default.yml")
    try:
        return load(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise Invalid(f"The policy {path} can't be read: {error.strerror}. Check SIGNOFF_POLICY.") from None
    except UnicodeDecodeError:
        raise Invalid(f"The policy {path} isn't UTF-8 text. Save it as UTF-8.") from None


class PolicyWatch:
    """Puts a changed policy file in force. ``clock`` gives the time for the journal, in UTC."""

    def __init__(
        self, path: Path, shelf: PolicyShelf, clock: Callable[[], datetime], metrics: Metrics | None = None
    ) -> None:
        self._path = path
        self._shelf = shelf
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._read: Stamp | None = _stamp(path)
        self._seen = self._read

    async def look(self) -> None:
        """Read the file again where it is another than the one that was read, and has rested since the last look.

        A file that is still being written could end at a line that makes a looser policy of it.
        """
        stamp = await asyncio.to_thread(_stamp, self._path)
        rested, self._seen = stamp == self._seen, stamp
        if rested and stamp != self._read:
            self._read = stamp
            await self.reload("file change")

    async def reload(self, actor: str) -> None:
        """Put the file's policy in force; where it is faulty, say every fault and keep the one that stands."""
        try:
            before = await asyncio.to_thread(_stamp, self._path)
            policy = await asyncio.to_thread(read_policy, self._path)
            if before != await asyncio.to_thread(_stamp, self._path):
                self._read = None
                return
            if policy.digest != self._shelf.current.digest:
                await self._shelf.replace(policy, actor, self._clock())
                log.info("the policy was changed", actor=actor, digest=policy.digest, rules=len(policy.rules))
            self._metrics.reloaded(ok=True)
            return
        except Faulty as faulty:
            for fault in faulty.faults:
                log.error("the policy file is faulty; the earlier policy stays in force", fault=str(fault))
        except SignoffError as error:
            log.error("the policy file is not read; the earlier policy stays in force", why=error.words)
        except Exception:
            log.exception("the policy file is not read; the earlier policy stays in force")
        self._metrics.reloaded(ok=False)


@asynccontextmanager
async def watching(
    path: Path | None, shelf: PolicyShelf, clock: Callable[[], datetime], metrics: Metrics | None = None
) -> AsyncIterator[None]:
    """Watch ``path`` and SIGHUP for as long as the block lasts; the shipped policy (None) doesn't change."""
    if path is None:
        yield
        return
    watch, loop = PolicyWatch(path, shelf, clock, metrics), asyncio.get_running_loop()
    called = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, called.set)
    looking = asyncio.create_task(_look(watch, called))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(watch: PolicyWatch, called: asyncio.Event) -> None:
    while True:
        try:
            async with asyncio.timeout(EACH):
                await called.wait()
            called.clear()
            await watch.reload("SIGHUP")
        except TimeoutError:
            await watch.look()


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
