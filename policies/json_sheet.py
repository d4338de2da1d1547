"""YAML that means JSON: numbers, null and all, each value with its place. What JSON can't hold is a fault."""

from __future__ import annotations

import math
import re
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.document import LARGEST, Path, Sheet, read_sheet
from policies.errors import Fault, Faulty

_CORE = "tag:yaml.org,2002:"
_TEXTS = {_CORE + kind for kind in ("str", "timestamp", "value")}
_BLANK = re.compile(r"\s*(#.*|---|\.\.\.)?")


def read_json_sheet(text: str, *, source: str, empty: str) -> Sheet:
    """``text`` as JSON values with places; lesser faults are in the sheet.

    Raises ``Faulty`` where it isn't YAML at all, and with the words ``empty`` where nothing stands in it.
    """
    if len(text.encode(errors="replace")) > LARGEST:
        words = f"This file is larger than {LARGEST // 1024} kB; split it into several."
        raise Faulty((Fault(where=f"{source}:1:1", words=words),))
    if all(_BLANK.fullmatch(line) for line in text.splitlines()):
        raise Faulty((Fault(where=f"{source}:1:1", words=empty),))
    sheet = read_sheet(text, source=source)
    sheet.faults.clear()  # a policy has no null and no fractions; JSON has
    sheet.data = _value(sheet, (), sheet.values[()])
    return sheet


def _value(sheet: Sheet, path: Path, node: Node) -> Any:
    if node.anchor is not None:
        sheet.fault(path, "Anchors and aliases are not accepted; write the value out.")
        return {} if isinstance(node, MappingNode) else [] if isinstance(node, SequenceNode) else ""
    if isinstance(node, MappingNode):
        return _mapping(sheet, path, node)
    if isinstance(node, SequenceNode):
        return [_value(sheet, (*path, index), item) for index, item in enumerate(node.value)]
    return _scalar(sheet, path, node) if isinstance(node, ScalarNode) else None


def _mapping(sheet: Sheet, path: Path, node: MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode) or key.tag != _CORE + "str":
            where = sheet.where(key.start_mark)
            sheet.faults.append(Fault(where=where, words="A key must be a plain text; put it in quotes."))
        elif key.value in found:
            words = f"{key.value} stands here twice; keep one."
            sheet.faults.append(Fault(where=sheet.where(key.start_mark), words=words))
        else:
            found[key.value] = _value(sheet, (*path, key.value), value)
    return found


def _scalar(sheet: Sheet, path: Path, node: ScalarNode) -> str | int | float | bool | None:
    text = str(node.value).replace("\a", "") if node.style == ">" else str(node.value)  # the parser marks folds by \a
    kind = str(node.tag).removeprefix(_CORE)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if kind == "float" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", text):
        number = float(text)
        if math.isfinite(number):
            return number
    if node.tag not in _TEXTS:
        sheet.fault(path, f"JSON has no such value; write a plain number, or put {text[:40]!r} in quotes.")
    return text
