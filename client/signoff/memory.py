"""What one short-lived hook process leaves to the next: which request belongs to which call. Ids only, no contents."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """One small file for each name, readable by this user alone."""

    folder: Path

    @classmethod
    def default(cls) -> Memory:
        """In ``XDG_STATE_HOME``, or ``~/.local/state``."""
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return cls(folder=Path(home) / "signoff")

    def keep(self, name: str, request_id: str) -> None:
        """Remember a request's id under ``name``; written whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.folder / f"{name}.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
            written.write(request_id)
        fresh.replace(self.folder / name)

    def recall(self, name: str) -> str | None:
        """The id kept under ``name``."""
        try:
            return (self.folder / name).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def forget(self, name: str) -> None:
        """Drop it."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()


def prompted(tool_use_id: str) -> str:
    """The name under which an approved permission prompt is kept."""
    return hashlib.sha256(f"prompt {tool_use_id}".encode()).hexdigest()
