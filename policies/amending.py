"""Small changes to a policy's text that leave everything else byte for byte as its author wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from policies.document import Path, Sheet
from policies.errors import Invalid


@dataclass(frozen=True, kw_only=True, slots=True)
class Amendment:
    """Put ``words`` in place of the text from ``start`` to ``end``."""

    start: int
    end: int
    words: str


def amended(text: str, amendments: list[Amendment]) -> str:
    """``text`` with all of them made, those in one place in their order. They must not overlap."""
    last_first = sorted(enumerate(amendments), key=lambda each: (each[1].start, each[0]), reverse=True)
    for _, each in last_first:
        text = text[: each.start] + each.words + text[each.end :]
    return text


def difference(before: str, after: str, *, source: str) -> str:
    """What changed, as a unified diff that ``patch`` applies; ``source`` is what it calls the file."""
    lines = unified_diff(before.splitlines(True), after.splitlines(True), fromfile=source, tofile=source)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def put(sheet: Sheet, path: Path, key: str, value: str, *, after: str) -> Amendment:
    """Set ``key`` of the mapping at ``path`` to ``value``; a new key stands after the key ``after``."""
    mapping = _mapping(sheet, path)
    known = sheet.values.get((*path, key))
    if known is not None:
        return Amendment(start=known.start_mark.index, end=known.end_mark.index, words=value)
    before = sheet.values[(*path, after)]
    if mapping.flow_style:
        return Amendment(start=before.end_mark.index, end=before.end_mark.index, words=f", {key}: {value}")
    column = sheet.keys[(*path, after)].start_mark.column
    return _new_line(sheet, before, f"{' ' * column}{key}: {value}")


def drop(sheet: Sheet, path: Path, key: str) -> Amendment:
    """Remove ``key`` with its value from the mapping at ``path``. Not the first key of it: that one names it."""
    mapping = _mapping(sheet, path)
    pairs = [(name.value, value) for name, value in mapping.value]
    index = [name for name, _ in pairs].index(key)
    if index == 0:
        raise Invalid(f"{key} is the first key here")
    if mapping.flow_style:
        return Amendment(start=pairs[index - 1][1].end_mark.index, end=pairs[index][1].end_mark.index, words="")
    start = sheet.text.rfind("\n", 0, sheet.keys[(*path, key)].start_mark.index) + 1
    return Amendment(start=start, end=_next_line(sheet, pairs[index][1]), words="")


def append(sheet: Sheet, key: str, entry: str) -> Amendment:
    """Add ``entry`` to the list or mapping at the top-level ``key``, which is made where there is none."""
    node = sheet.values.get((key,))
    listed = key == "rules"
    if not isinstance(node, MappingNode | SequenceNode):
        block, end = f"{key}:\n  {'- ' if listed else ''}{entry}", len(sheet.text)
        return Amendment(start=end, end=end, words=f"{block}\n" if sheet.text.endswith("\n") else f"\n{block}")
    if node.flow_style:
        end = node.end_mark.index - 1
        return Amendment(start=end, end=end, words=f", {entry}" if node.value else entry)
    indent = " " * node.start_mark.column
    return _new_line(sheet, node, f"{indent}{'- ' if listed else ''}{entry}")


def _mapping(sheet: Sheet, path: Path) -> MappingNode:
    node = sheet.values[path]
    if not isinstance(node, MappingNode):
        raise Invalid("there is no mapping here")
    return node


def _new_line(sheet: Sheet, after: Node, line: str) -> Amendment:
    start = _next_line(sheet, after)
    gap = "" if sheet.text[start - 1] == "\n" else "\n"
    return Amendment(start=start, end=start, words=f"{gap}{line}\n")


def _next_line(sheet: Sheet, node: Node) -> int:
    """Where the line after the node's last one begins, or the text ends."""
    end = _end(node)
    if sheet.text[end - 1] == "\n":  # a block scalar reaches up to the next line
        return end
    found = sheet.text.find("\n", end)
    return found + 1 if found >= 0 else len(sheet.text)


def _end(node: Node) -> int:
    """Where the node's own text ends: a block's mark stands behind the comments and blank lines after it."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)
