"""The text of an expression, looked at before and after the engine compiles it: literals, and calls that need them.

The engine checks types; it doesn't know that a duration, a time zone or a pattern is wrong before a call meets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from policies.duration import parse_duration
from policies.errors import Fault, Invalid

COUNTS = ("recent.count", "recent.tool_count")
"""Maps from a duration, as the policy writes it, to how much the agent asked for: of any tool, of this one."""

_RAW = r"(?:[rR][bB]?|[bB][rR])(?:\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"[^\"\n]*\"|'[^'\n]*')"
_COOKED = r"[bB]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
_OPAQUE = re.compile(rf"//[^\n]*|(?<![A-Za-z0-9_]){_RAW}|{_COOKED}", re.DOTALL)
_COUNT = re.compile(r"\brecent\s*\.\s*(count|tool_count)\b\s*(\()?")
_ZONED = re.compile(r"\.\s*get[A-Z][A-Za-z]+\s*\(|\bbusiness_hours\s*\(\s*now\s*,")
_MATCHES = re.compile(r"(\.\s*)?\bmatches\s*\(")
_OFFSET = re.compile(r"[+-]?[0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A text literal of an expression: where it starts, and what the file says there, quotes and prefix included."""

    start: int
    written: str

    @property
    def plain(self) -> str:
        """Its words, where it has no escapes."""
        return self.written.lstrip("rRbB").strip("'\"")


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """``text``, and ``bare``: the same length, with what stands in quotes and comments blanked, quotes alone kept."""

    text: str
    bare: str
    literals: tuple[Span, ...]

    def literal(self, start: int) -> Span | None:
        """The literal that is the whole argument from ``start`` on."""
        found = next((one for one in self.literals if one.start >= start), None)
        if found is None or self.bare[start : found.start].strip():
            return None
        return found if re.match(r"\s*[,)]", self.bare[found.start + len(found.written) :]) else None

    def place(self, at: int) -> str:
        """``line:column`` of a character, from 1."""
        before = self.text[:at]
        return f"{before.count(chr(10)) + 1}:{at - before.rfind(chr(10))}"


def read(text: str) -> Expression:
    """Look at ``text``. Never fails: what is no CEL is the engine's to refuse."""
    literals = []

    def blank(found: re.Match[str]) -> str:
        if found[0].startswith("//"):
            return " " * len(found[0])
        literals.append(Span(start=found.start(), written=found[0]))
        return "'" * len(found[0])

    bare = _OPAQUE.sub(blank, text)
    return Expression(text=text, bare=bare, literals=tuple(literals))


def counted(expression: Expression) -> tuple[str, frozenset[str], tuple[Fault, ...]]:
    """The text with ``recent.count("10m")`` as the engine reads it, ``recent.count["10m"]``; the counts; the faults.

    A count is known before the condition is looked at, so its duration stands in the policy, in quotes. Each is named
    ``recent.count(10m)``.
    """
    letters, names, faults = list(expression.text), set(), []
    for call in _COUNT.finditer(expression.bare):
        literal = expression.literal(call.end()) if call[2] else None
        words = _unfit(parse_duration, literal.plain) if literal else "write the duration in quotes"
        end = literal.start + len(literal.written) if literal else 0
        closing = re.match(r"\s*(\))", expression.bare[end:])
        if literal is None or words or closing is None:
            words = f"recent.{call[1]}: {words or 'it takes one duration'}, such as recent.{call[1]}('10m')"
            faults.append(Fault(where=expression.place(call.end()), words=words))
            continue
        letters[call.start(2)], letters[end + closing.start(1)] = "[", "]"
        names.add(f"recent.{call[1]}({literal.plain})")
    return "".join(letters), frozenset(names), tuple(faults)


def zone_faults(expression: Expression) -> Iterator[Fault]:
    """Time zones in quotes that nobody knows."""
    for call in _ZONED.finditer(expression.bare):
        literal = expression.literal(call.end())
        if literal and not _OFFSET.fullmatch(literal.plain) and _unfit(ZoneInfo, literal.plain):
            words = f"there is no time zone {literal.plain[:40]!r}; write one such as 'Europe/Berlin' or 'UTC'"
            yield Fault(where=expression.place(literal.start), words=words)


def patterns(expression: Expression) -> Iterator[tuple[int, Span | None]]:
    """Where each call of ``matches`` takes its pattern, and the literal there, if it is one and the call a method."""
    for call in _MATCHES.finditer(expression.bare):
        yield call.end(), expression.literal(call.end()) if call[1] else None


def _unfit(read_it: Callable[[str], object], written: str) -> str | None:
    try:
        read_it(written)
    except Invalid as error:
        return error.words.rstrip(".")
    except (KeyError, ValueError, OSError):  # what ZoneInfo raises for a name that is no zone
        return "unknown"
    return None
