"""How log lines are written: one event a line on stderr, as text or JSON. Bodies and tokens are never among them."""

from __future__ import annotations

import logging
import sys
from typing import Any


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


def set_up_logs(form: str) -> None:
    """``form`` is ``text`` or ``json``. The libraries' own loggers speak up from WARNING."""
    shape = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shape,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Bolt warns at every start that it won't use SLACK_BOT_TOKEN by itself; that is meant so.
    logging.getLogger("slack_bolt.AsyncApp").setLevel(logging.ERROR)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
