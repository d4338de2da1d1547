"""How log lines are written: one event a line on stderr, as text or JSON. Bodies and tokens are never among them."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(form: str) -> None:
    """``form`` is ``text`` or ``json``. The libraries' own loggers speak up from WARNING."""
    shape: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
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
