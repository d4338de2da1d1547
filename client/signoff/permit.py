"""An approved call, to be run now and once: with the arguments that people approved."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any

from signoff.errors import SignoffError
from signoff.models import Change, Request

if TYPE_CHECKING:
    from signoff.client import AsyncSignoff, Signoff

log = logging.getLogger("signoff")
NOTE = 3_000
"""Characters of a note that the gateway takes."""


class _Permit:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.reported = False

    @property
    def arguments(self) -> dict[str, Any]:
        """What to run with: as approved, which may differ from what was proposed."""
        return self.request.arguments

    @property
    def changes(self) -> tuple[Change, ...]:
        """What people changed in what was proposed."""
        return self.request.changes

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
        self.request = self._client.report(self.request, succeeded=True, note=note, result=result)
        self.reported = True

    def failed(self, note: str | None = None) -> None:
        """Report that it ran and failed."""
        self.request = self._client.report(self.request, succeeded=False, note=note)
        self.reported = True

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.reported or (error is not None and not isinstance(error, Exception)):
            return
        try:
            self.succeeded() if error is None else self.failed(note_of(error))
        except SignoffError as lost:
            self._unreported(lost)


class AsyncPermit(_Permit):
    """As ``Permit``, for ``async with``; a cancelled task reports nothing."""

    def __init__(self, client: AsyncSignoff, request: Request) -> None:
        super().__init__(request)
        self._client = client

    async def succeeded(self, result: Any = None, note: str | None = None) -> None:
        """Report that it ran; ``result`` is any JSON up to 64 kB, shown (redacted) in the card's thread."""
        self.request = await self._client.report(self.request, succeeded=True, note=note, result=result)
        self.reported = True

    async def failed(self, note: str | None = None) -> None:
        """Report that it ran and failed."""
        self.request = await self._client.report(self.request, succeeded=False, note=note)
        self.reported = True

    async def __aenter__(self) -> AsyncPermit:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.reported or (error is not None and not isinstance(error, Exception)):
            return
        try:
            await (self.succeeded() if error is None else self.failed(note_of(error)))
        except SignoffError as lost:
            self._unreported(lost)


def note_of(error: BaseException) -> str:
    """An exception in a reviewer's words."""
    return f"{type(error).__name__}: {error}"[:NOTE]
