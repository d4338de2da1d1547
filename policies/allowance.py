"""What an agent's key may do: ask, act, or only read; of any tool, or of some.

A key that is kept apart for each part of an agent can do less harm when it is lost: the part that meets the model asks,
another one runs what was approved. No key, whatever its scopes, decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from policies.errors import NotAllowed


class Scope(StrEnum):
    """One kind of thing that a key may do with its agent's requests."""

    ASK = "ask"
    """Submit requests, answer what people ask about them, take them back."""
    ACT = "act"
    """Claim what was approved, report how it went, give it back."""
    READ = "read"
    """Look at them. Every key may."""


EVERYTHING = (Scope.ASK, Scope.ACT, Scope.READ)


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What one key may do. ``tools`` are names or patterns; none for any tool. ``agent`` is whose key it is."""

    agent: str
    may: Sequence[Scope] = EVERYTHING
    tools: Sequence[str] = ()

    @property
    def unlimited(self) -> bool:
        """May it do all that any agent's key may?"""
        return not self.tools and {Scope.ASK, Scope.ACT} <= set(self.may)

    def check(self, *scopes: Scope) -> None:
        """Raise ``NotAllowed`` unless it may do at least one of ``scopes``."""
        if Scope.READ in scopes or any(scope in self.may for scope in scopes):
            return
        verbs = " or ".join(scope.value for scope in scopes)
        own = " and ".join(scope.value for scope in EVERYTHING if scope in self.may or scope is Scope.READ)
        raise NotAllowed(
            f"This key may {own}, not {verbs}. Use the key of {self.agent} that may, or make one: "
            f"`signoff keys create NAME --agent {self.agent} --may {scopes[0].value}`.",
            code="key_scope",
        )

    def check_tool(self, tool: str) -> None:
        """Raise ``NotAllowed`` where the key isn't for calls of ``tool``. A question alone (no tool) is for any key."""
        if not self.tools or not tool or any(fnmatchcase(tool, pattern) for pattern in self.tools):
            return
        raise NotAllowed(
            f"This key is only for {', '.join(self.tools)}, not for {tool}. Use the key of {self.agent} that is, or "
            f"make one: `signoff keys create NAME --agent {self.agent} --tools PATTERN`.",
            code="key_tool",
        )

    def check_everything(self) -> None:
        """Raise ``NotAllowed`` where the key is limited in any way: for what knows nothing of limits."""
        if not self.unlimited:
            raise NotAllowed(
                f"This needs a key of {self.agent} without limits (neither --may nor --tools); this one has some.",
                code="key_scope",
            )
