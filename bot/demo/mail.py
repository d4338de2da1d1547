"""Harbour Goods' mail: real messages, written as .eml files that any mail program opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

_SENDER = "Harbour Goods <shop@harbour.example.com>"


def write_mail(folder: Path, number: int, to: Sequence[str], subject: str, body: str) -> Path:
    """Write `<folder>/<number>.eml`. Raises ValueError for a header that would break the message apart."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _SENDER
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{folder.name}-{number}@harbour.example.com>"
    message.set_content(body)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:04}.eml"
    path.write_bytes(message.as_bytes())
    return path
