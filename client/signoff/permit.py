"""An approved call, to be run now and once: with the arguments that people approved."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any

from signoff.errors import SignoffError
from signoff.models import Change, Request

if TYPE_CHECKING:
    from signoff.async_client import AsyncSignoff
    from signoff.client import Signoff

log = logging.getLogger("signoff")
NOTE = 3_000
"""Characters of a note that the gateway takes."""


class _Permit:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.reported = False
        self._lost: SignoffError | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What to run with: as approved, which may differ from what was proposed."""
        return self.request.arguments

    @property
    def changes(self) -> tuple[Change, ...]:
        """What people changed in what was proposed."""
        return self.request.changes

    def _silent(self, error: BaseException | None) -> bool:
        """Is there nothing to say on leaving? A report that got lost is no failure of the call."""
        return self.reported or (error is not None and (error is self._lost or not isinstance(error, Exception)))

    def _unreported(self, error: SignoffError) -> None:
        """The call has run: that its report got lost must not look like a failure of the call."""
        log.warning("%s ran, but the gateway doesn't know how it went: %s", self.request.tool, error)


class Permit(_Permit):
    """Use it as a context manager: leaving it reports success, an exception failure.

    What interrupts the program (``KeyboardInterrupt``) reports nothing: nobody knows then whether the call ran.
    """

    def __init__(self, client: Signoff, request: Request) -> None:
        super().__init__(request)
        self._client = client

    def succeeded(self, result: Any = None, note: str | None = None) -> None:
        """Report that it ran; ``result`` is any JSON up to 64 kB, shown (redacted) in the card's thread."""
        try:
            self.request = self._client.report(self.request, succeeded=True, note=note, result=result)
        except SignoffError as lost:
            self._lost = lost
            raise
        self.reported = True

    def failed(self, note: str | None = None) -> None:
        """Report that it ran and failed."""
        self.reported = True  # even if this gets lost: leaving must not say that it went well
        self.request = self._client.report(self.request, succeeded=False, note=note)

    def ended(self, failure: str | None = None, result: Any = None, note: str | None = None) -> None:
        """Report its end, with the ``failure`` if it failed. Where the gateway can't be told, it is logged."""
        try:
            self.succeeded(result, note) if failure is None else self.failed(failure[:NOTE])
        except SignoffError as lost:
            self._unreported(lost)
        self.reported = True

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._silent(error):
            self.ended(None if error is None else note_of(error))


class AsyncPermit(_Permit):
    """As ``Permit``, for ``async with``; a cancelled task reports nothing."""

    def __init__(self, client: AsyncSignoff, request: Request) -> None:
        super().__init__(request)
        self._client = client

    async def succeeded(self, result: Any = None, note: str | None = None) -> None:
        """Report that it ran; ``result`` is any JSON up to 64 kB, shown (redacted) in the card's thread."""
        try:
            self.request = await self._client.report(self.request, succeeded=True, note=note, result=result)
        except SignoffError as lost:
            self._lost = lost
            raise
        self.reported = True

    async def failed(self, note: str | None = None) -> None:
        """Report that it ran and failed."""
        self.reported = True  # even if this gets lost: leaving must not say that it went well
        self.request = await self._client.report(self.request, succeeded=False, note=note)

    async def ended(self, failure: str | None = None, result: Any = None, note: str | None = None) -> None:
        """Report its end, with the ``failure`` if it failed. Where the gateway can't be told, it is logged."""
        try:
            await (self.succeeded(result, note) if failure is None else self.failed(failure[:NOTE]))
        except SignoffError as lost:
            self._unreported(lost)
        self.reported = True

    async def __aenter__(self) -> AsyncPermit:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._silent(error):
            await self.ended(None if error is None else note_of(error))


def note_of(error: BaseException) -> str:
    """An exception in a reviewer's words."""
    return f"{type(error).__name__}: {error}"[:NOTE]
