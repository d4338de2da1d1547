"""A policy's YAML text as plain data that remembers where each thing stands, so that every fault can point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.errors import Fault, Faulty

LARGEST = 256 * 1024
"""Bytes of UTF-8 that a policy may have."""

Path = tuple[str | int, ...]

_CORE = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_BRACKET = re.compile(r"[\[\]{}]")
_DEEPEST = 100
_NESTED = "The policy is nested too deeply; it needs no more than a handful of brackets within each other."
_TEXT_TAGS = {_CORE + kind for kind in ("str", "float", "timestamp", "int", "value")}


@dataclass(kw_only=True, slots=True)
class Sheet:
    """One policy text while it is read: its data, the place of each value and key, and the faults found so far."""

    source: str
    text: str
    data: Any = None
    faults: list[Fault] = field(default_factory=list)
    values: dict[Path, Node] = field(default_factory=dict)
    keys: dict[Path, Node] = field(default_factory=dict)

    def fault(self, path: Path, words: str, *, key: bool = False) -> None:
        """Note what is wrong at ``path``, or with its key; an unknown path points at the nearest thing around it."""
        places = self.keys if key and path in self.keys else self.values
        while path and path not in places:
            path, places = path[:-1], self.values
        node = places.get(path)
        self.faults.append(Fault(where=self.where(node.start_mark if node else None), words=words))

    def fault_within(self, path: Path, inner: str, words: str) -> None:
        """Note what is wrong at ``inner`` (``line:column``) inside the text at ``path``."""
        node, (line, column) = self.values[path], (int(part) for part in inner.split(":"))
        if line > 1 or node.start_mark.line != node.end_mark.line:
            return self.fault(path, f"line {line}, column {column} of this text: {words}")
        quote = 1 if getattr(node, "style", None) in ("'", '"') else 0
        where = self._clamp(node.start_mark.line + 1, node.start_mark.column + quote + column)
        return self.faults.append(Fault(where=where, words=words))

    def where(self, mark: Any) -> str:
        """``file:line:col`` of a parser's mark, from 1, always inside the text."""
        return self._clamp(mark.line + 1, mark.column + 1) if mark is not None else f"{self.source}:1:1"

    def _clamp(self, line: int, column: int) -> str:
        lines = self.text.split("\n")
        line = max(1, min(line, len(lines)))
        return f"{self.source}:{line}:{max(1, min(column, len(lines[line - 1]) + 1))}"


def read_sheet(text: str, *, source: str) -> Sheet:
    """``text`` as data with places. Raises ``Faulty`` where it isn't YAML at all; lesser faults are in the sheet."""
    sheet = Sheet(source=source, text=text)
    if len(text.encode(errors="replace")) > LARGEST:
        words = f"The policy is larger than {LARGEST // 1024} kB; remove what isn't needed."
        raise Faulty((Fault(where=f"{source}:1:1", words=words),))
    if too_deep := _too_deep(sheet):
        raise Faulty((Fault(where=too_deep, words=_NESTED),))
    root = _compose(sheet)
    if root is None:
        raise Faulty((Fault(where=f"{source}:1:1", words="The policy is empty; begin it with version: 1"),))
    sheet.data = _Reading(sheet).value((), root)
    return sheet


def _too_deep(sheet: Sheet) -> str | None:
    """Where a line opens more brackets than any policy needs: the parser takes seconds to find out."""
    for number, line in enumerate(sheet.text.split("\n"), start=1):
        depth = 0
        for bracket in _BRACKET.finditer(line) if line.count("[") + line.count("{") > _DEEPEST else ():
            depth += 1 if bracket[0] in "[{" else -1
            if depth > _DEEPEST:
                return f"{sheet.source}:{number}:{bracket.start() + 1}"
    return None


def _compose(sheet: Sheet) -> Node | None:
    try:
        node: Node | None = YAML(typ="rt", pure=True).compose(sheet.text)
    except MarkedYAMLError as error:
        raise Faulty((_syntax_fault(sheet, error),)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        nested = isinstance(error, RecursionError)
        words = _NESTED if nested else f"This is no YAML text: {str(error).splitlines()[0]}."
        raise Faulty((Fault(where=f"{sheet.source}:1:1", words=words),)) from None
    return node


def _syntax_fault(sheet: Sheet, error: MarkedYAMLError) -> Fault:
    alias = "alias" in str(error.context)
    mark = error.context_mark if alias else error.problem_mark or error.context_mark
    if "flow" in str(error.context) and (swallowed := _swallowed(sheet, error)):
        return Fault(where=swallowed, words="From # on this is a comment; put a value that begins with # in quotes.")
    return Fault(where=sheet.where(mark), words=_advise(str(error.problem or error.context), _rest(sheet.text, mark)))


def _swallowed(sheet: Sheet, error: MarkedYAMLError) -> str | None:
    """Where a value such as #name, without quotes, made the rest of an open bracket's line a comment."""
    if error.context_mark is None:
        return None
    line, text = error.context_mark.line + 1, _rest(sheet.text, error.context_mark)
    found = re.search(r"[:,\[{]\s+(#)\w", text)
    return f"{sheet.source}:{line}:{error.context_mark.column + 1 + found.start(1)}" if found else None


def _rest(text: str, mark: Any) -> str:
    lines = text.split("\n")
    return lines[mark.line][mark.column :] if mark is not None and mark.line < len(lines) else ""


def _advise(problem: str, rest: str) -> str:
    if rest.startswith("\t"):
        return "This line is indented with a tab; YAML wants spaces. Replace the tab by spaces."
    if rest.startswith("@"):
        return "People can't be named by a handle, which they can change: write an id (U…) or an e-mail address."
    if rest.startswith(("*", "&")):
        return (
            f'A text that begins with {rest[0]} needs quotes, such as match: "*"; anchors and aliases are not accepted.'
        )
    if "mapping values" in problem:
        return "A text with ': ' in it needs quotes around it; or the indentation of this line is off."
    if "<block end>" in problem and "scalar" in problem:
        return "The quotes closed before this; put the whole text in single quotes, such as '\"invoice\" in args.note'."
    if "<block end>" in problem:
        return "This line is indented unlike those around it; begin all keys of one entry in the same column."
    if rest.startswith(("]", "}")) or "',' or" in problem:
        return f"This is no YAML: {problem}. A bracket before this isn't closed, or a comma is missing."
    return f"This is no YAML: {problem}. Check quotes, brackets and indentation here."


@dataclass(frozen=True, slots=True)
class _Reading:
    """From nodes to plain data: dict, list, str, int, bool, None. What a policy has no use for is a fault."""

    sheet: Sheet

    def value(self, path: Path, node: Node) -> Any:
        known = node.anchor is not None and any(node is other for other in self.sheet.values.values())
        self.sheet.values[path] = node
        if node.anchor is not None:
            self.sheet.fault(path, "Anchors and aliases are not accepted; write the value out.")
            if known:
                return None
        if isinstance(node, MappingNode):
            return self._mapping(path, node)
        if isinstance(node, SequenceNode):
            return [self.value((*path, index), item) for index, item in enumerate(node.value)]
        return self._scalar(path, node) if isinstance(node, ScalarNode) else None

    def _mapping(self, path: Path, node: MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag != _CORE + "str" or key.anchor is not None:
                where = self.sheet.where(key.start_mark)
                self.sheet.faults.append(Fault(where=where, words="A key must be a plain text; put it in quotes."))
            elif key.value in found:
                first = self.sheet.keys[(*path, key.value)].start_mark.line + 1
                words = f"{key.value} stands here twice, first in line {first}; keep one."
                self.sheet.faults.append(Fault(where=self.sheet.where(key.start_mark), words=words))
            else:
                self.sheet.keys[(*path, key.value)] = key
                found[key.value] = self.value((*path, key.value), value)
        return found

    def _scalar(self, path: Path, node: ScalarNode) -> str | int | bool | None:
        text = str(node.value)
        if node.tag == _CORE + "null":
            words = "Nothing stands here; write a value, in quotes if it begins with #, or drop the key."
            self.sheet.fault(path, words)
            return None
        if node.tag == _CORE + "bool" and text in _BOOLEANS:
            return _BOOLEANS[text]
        if node.tag == _CORE + "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
            return int(text)
        if str(node.tag).startswith("!"):
            words = 'A text that begins with ! needs quotes, such as "!has(args.cc)"; YAML tags are not accepted.'
            self.sheet.fault(path, words)
            return None
        if node.tag not in _TEXT_TAGS:
            self.sheet.fault(path, f"Write true or false, or put {text[:40]!r} in quotes; YAML tags are not accepted.")
        return text
