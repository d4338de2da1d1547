"""Calls of real tools: the schemas as they are published, with arguments that fit them, drawn from one seed each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from policies.arguments import intake
from policies.changes import ABSENT, Found
from policies.errors import Invalid
from policies.schema_work import reference_target
from policies.tool_schema import check_schema, validate

FOLDER = Path(__file__).resolve().parents[1] / "policies" / "real_schemas"
REFUSED = "api-aws-lambda/lambda_CreateFunction"
"""The one whose schema no call may bring: a pattern of it looks behind."""

TEXTS = ["Ana", "two words", "HG-1042", " space around ", "Grüße, 東京", "first line\nsecond line", "*b* <@U1> `x`"]
RARE_TEXTS = ["", "long words " * 30, "a\r\nb", "🎉" * 40, "key: value", "{}", "null", "x" * 3_500]
WRITTEN = {
    "date": ["2026-12-01"],
    "date-time": ["2026-12-01T14:30:00Z", "2026-12-01T14:30:59+05:30", "2026-12-01T14:30:00.25Z"],
    "email": ["ana@harbour.example"],
    "uri": ["https://harbour.example/a?b=c", "urn:isbn:1"],
    "uuid": ["3fa85f64-5717-4562-b3fc-2c963f66afa6"],
    "json": ['{"a": 1}'],
    "byte": ["aGVsbG8="],
    "decimal": ["12.50"],
}
_HEXADECIMAL = re.compile(r"\^([A-Z]{2})\[0-9a-fA-F\]\{32\}\$")
_DEEPEST = 7
Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RealCall:
    """A call of the tool `name` with its schema."""

    name: str
    schema: Schema
    arguments: dict[str, Any]


@cache
def schemas() -> dict[str, Schema]:
    """All schemas by their source and tool, as in ``mcp-git/git_commit``; the refused one is not among them."""
    found = {
        f"{path.stem}/{tool}": schema
        for path in sorted(FOLDER.glob("*.json"))
        for tool, schema in json.loads(path.read_text(encoding="utf-8")).items()
    }
    return {name: check_schema(schema) for name, schema in found.items() if name != REFUSED}


def refused() -> Schema:
    """The schema that is published so and can't be used so."""
    source, _, tool = REFUSED.partition("/")
    found: Schema = json.loads((FOLDER / f"{source}.json").read_text(encoding="utf-8"))[tool]
    return found


def call(name: str, seed: int) -> RealCall:
    """A call with arguments of this seed, or of the next that gives such as fit."""
    schema = schemas()[name]
    drawn = (_Drawing(schema=schema, chance=Random(f"{name} {one}")).whole() for one in range(seed, seed + 500))
    return RealCall(name=name, schema=schema, arguments=next(one for one in drawn if _fits(schema, one)))


def _fits(schema: Schema, arguments: Any) -> bool:
    try:
        return validate(schema, intake(arguments)) == ()
    except Invalid:
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawing:
    """One drawing of arguments: each thing that may be missing is there by chance, less often the deeper it is."""

    schema: Schema
    chance: Random

    def whole(self) -> Any:
        often = self.chance.choice([0.05, 0.3, 0.6, 1.0])
        return self.object(self.together(self.schema), often, 0)

    def value(self, part: Any, often: float, depth: int) -> Found:
        if not isinstance(part, dict) or depth > _DEEPEST:
            return self.chance.choice(["anything", 1, {"a": [1.5, None]}]) if depth <= _DEEPEST else ABSENT
        part = self.together(part)
        if "const" in part:
            return part["const"]
        if part.get("enum"):
            return self.chance.choice(part["enum"])
        kind = part.get("type") or ("object" if "properties" in part else "any")
        if isinstance(kind, list):
            kind = self.chance.choice(kind)
        return self.of_kind(kind, part, often, depth)

    def of_kind(self, kind: str, part: Schema, often: float, depth: int) -> Any:
        match kind:
            case "object":
                return self.object(part, often, depth)
            case "array":
                return self.array(part, often, depth)
            case "string":
                return self.text(part)
            case "integer" | "number":
                return self.number(part, whole=kind == "integer")
            case "boolean":
                return self.chance.random() < 0.5
            case "null":
                return None
        return self.chance.choice(["anything", 2, True, None, {"deep": ["x"]}])

    def object(self, part: Schema, often: float, depth: int) -> Any:
        needed = part.get("required", [])
        made = {}
        for name, one in part.get("properties", {}).items():
            if name in needed or self.chance.random() < often / (1 + depth / 2):
                made[name] = self.value(one, often, depth + 1)
        others = part.get("additionalProperties")
        if isinstance(others, dict) or (not part.get("properties") and others is not False):
            for name in self.chance.sample(
                ["team", "app.example/name", "X-Trace", "note 2"], self.chance.randint(0, 3)
            ):
                made[name] = self.value(others if isinstance(others, dict) else {"type": "string"}, often, depth + 1)
        return {name: one for name, one in made.items() if one is not ABSENT}

    def array(self, part: Schema, often: float, depth: int) -> list[Any]:
        least = part.get("minItems", 0)
        many = max(least, min(self.chance.choice([0, 1, 1, 2, 3]), part.get("maxItems", 9)))
        drawn = [self.value(part.get("items", {}), often, depth + 1) for _ in range(many)]
        unique = {json.dumps(one, sort_keys=True): one for one in drawn if one is not ABSENT}
        return list(unique.values())

    def text(self, part: Schema) -> str:
        if found := _HEXADECIMAL.fullmatch(part.get("pattern", "")):
            return found[1] + "0123456789abcdef" * 2
        written = WRITTEN.get(part.get("format", ""))
        rare = self.chance.random() < 0.15
        text: str = self.chance.choice(written or (RARE_TEXTS if rare else TEXTS))
        return text.ljust(part.get("minLength", 0), "x")[: part.get("maxLength")]

    def number(self, part: Schema, *, whole: bool) -> int | float:
        least = part.get("exclusiveMinimum", part.get("minimum", -2))
        most = part.get("exclusiveMaximum", part.get("maximum", least + 10**6))
        middle = self.chance.choice([least, most, least + (most - least) / 3, least + 1])
        return int(middle) if whole or self.chance.random() < 0.5 else round(float(middle), 3)

    def together(self, part: Schema) -> Schema:
        """`part` with its references followed, the parts of its ``allOf`` and one of its forms, as far as a call is
        drawn from them.
        """
        part = self.resolved(part)
        forms = [self.chance.choice(part[word]) for word in ("anyOf", "oneOf") if part.get(word)]
        for one in [*part.get("allOf", []), *forms]:
            more = self.together(one)
            named = {**part.get("properties", {}), **more.get("properties", {})}
            needed = [*part.get("required", []), *more.get("required", [])]
            part = {**part, **more, **({"properties": named, "required": needed} if named or needed else {})}
        return part

    def resolved(self, part: Any) -> Schema:
        while "$ref" in part:
            part = {**reference_target(self.schema, part["$ref"]), **_without(part, "$ref")}
        return part


def _without(part: Schema, word: str) -> Schema:
    return {name: value for name, value in part.items() if name != word}
