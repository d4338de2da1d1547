"""How log lines are written: one event a line on stderr, as text or JSON. Bodies and tokens are never among them.

Whatever stands in a line, an exception's own words too, goes the way of all text that is shown: secrets are masked,
and nothing in it is invisible, moves a terminal's cursor or begins a line of its own.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from policies.redaction import redact_text
from policies.visible import make_visible


def _structlog() -> Any:
    """structlog without rich, which it would import only to draw tracebacks in colour: 4 MB and 60 ms of each start."""
    rich = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog
    finally:
        del sys.modules["rich"]
        if rich is not None:
            sys.modules["rich"] = rich
    return structlog


structlog = _structlog()


def get_logger(name: str) -> Any:
    """A logger of that name; its lines are one event each."""
    return structlog.get_logger(name)


Fit = Callable[[str], str]
TRACES = ("exception", "stack")
"""What has several lines."""


def set_up_logs(form: str) -> None:
    """``form`` is ``text`` or ``json``. The libraries' own loggers speak up from WARNING."""
    fit = fitting(secrets.token_bytes(32))
    shape = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _Fitted(fit),
            shape,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Bolt warns at every start that it won't use SLACK_BOT_TOKEN by itself; that is meant so. It sets its level itself.
    logging.getLogger("slack_bolt.AsyncApp").addFilter(_is_error)
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(_Lines(fit))
    logging.basicConfig(handlers=[libraries], level=logging.WARNING)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def fitting(key: bytes) -> Fit:
    """What makes a text fit for a log. ``key`` makes the hashes of the secrets that are masked."""

    def fit(text: str) -> str:
        return make_visible(redact_text(text, key=key))

    return fit


class _Fitted:
    """Makes every value of an event fit, whatever it is."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value, trace=name in TRACES) for name, value in event.items()}

    def _value(self, value: Any, *, trace: bool = False) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, (list, tuple)):
            return [self._value(one) for one in value]
        fitted = self._fit(value if isinstance(value, str) else repr(value))
        return fitted.replace("\n", "\n  " if trace else "⏎")


class _Lines(logging.Formatter):
    """The libraries' lines: one that has more of them is indented."""

    def __init__(self, fit: Fit) -> None:
        super().__init__("%(asctime)s %(name)s %(levelname)s %(message)s")
        self._fit = fit

    def format(self, record: logging.LogRecord) -> str:
        return self._fit(super().format(record)).replace("\n", "\n  ")
