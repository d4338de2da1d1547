"""The API's description as one page to read: plain HTML without a script, made of the OpenAPI document.

Everything that stands in it comes from the document and is escaped; its style stands in it too, and the policy that
goes with it (``CSP``) lets the browser fetch and run nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from bot.api.kinds import kind_of
from bot.api.schemas import Document, without_null

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For the header ``Content-Security-Policy``: this style and nothing else."""

HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
    "<style>{style}</style></head>\n<body>"
)


MUST, MAY = ' <span class="must">required</span>', ' <span class="may">not always there</span>'


def page_of(document: Document) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    title = f"{info['title']}: the HTTP API"
    parts = [
        HEAD.format(title=escape(title), style=STYLE),
        f"<header><h1>{escape(title)}</h1>",
        f'<p class="quiet">Version {escape(info["version"])} · for programs: '
        '<a href="openapi.json">openapi.json</a> (OpenAPI 3.1)</p>',
        f"{prose(info['description'])}</header>",
        _contents(document),
        "<main>",
        *(_tag(document, tag) for tag in document["tags"]),
        _webhooks(document),
        _shapes(document),
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def prose(text: str) -> str:
    """The little Markdown that descriptions hold as HTML: paragraphs, ``code``, strong and emphasised words."""
    return "".join(f"<p>{_words(part)}</p>" for part in re.split(r"\n\s*\n", text.strip()))


def _words(text: str) -> str:
    found = escape(" ".join(text.split()))
    pieces = re.split(r"(`[^`]+`)", found)
    return "".join(f"<code>{piece[1:-1]}</code>" if piece.startswith("`") else _stressed(piece) for piece in pieces)


def _stressed(text: str) -> str:
    strong = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", strong)


def _operations(document: Document, tag: str) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if tag in told["tags"]:
                yield method, path, told


def _verb(method: str) -> str:
    return f'<span class="verb {method}">{method.upper()}</span>'


def _contents(document: Document) -> str:
    groups = []
    for tag in document["tags"]:
        links = "".join(
            f'<li><a href="#{escape(told["operationId"])}">{_verb(method)}{escape(told["summary"])}</a></li>'
            for method, _, told in _operations(document, tag["name"])
        )
        groups.append(f"<b>{_title(tag)}</b><ul>{links}</ul>")
    groups.append('<b>Webhooks</b><ul><li><a href="#webhooks">What is sent to a key’s URL</a></li></ul>')
    shapes = '<b>Shapes</b><ul><li><a href="#shapes">Bodies and answers</a></li></ul>'
    return f'<nav aria-label="Contents">{"".join(groups)}{shapes}</nav>'


def _webhooks(document: Document) -> str:
    """What the gateway sends: its types, and one of them as it comes."""
    told = [(name, each["post"]) for name, each in document["webhooks"].items()]
    rows = _table(
        f"<tr><td><code>{escape(name)}</code></td><td>{_words(post['summary'])}</td></tr>" for name, post in told
    )
    sent = told[0][1]
    example = json.dumps(sent["requestBody"]["content"]["application/json"]["example"], indent=2)
    return (
        f'<section><h2 id="webhooks">Webhooks</h2>{prose(sent["description"])}{rows}'
        f"{_section('For example', f'<pre>{escape(example)}</pre>')}</section>"
    )


def _tag(document: Document, tag: Document) -> str:
    told = "".join(_operation(document, *each) for each in _operations(document, tag["name"]))
    name = escape(tag["name"])
    return f'<section><h2 id="tag-{name}">{_title(tag)}</h2>{prose(tag["description"])}{told}</section>'


def _title(tag: Document) -> str:
    """The tag's name; what is short is an abbreviation."""
    name = escape(tag["name"])
    return name.upper() if len(name) < 4 else name.capitalize()


def _operation(document: Document, method: str, path: str, told: Document) -> str:
    parts = [
        f'<article id="{escape(told["operationId"])}"><header><h3>{escape(told["summary"])}</h3>',
        f'<div class="line">{_verb(method)}<code>{escape(path)}</code><span class="quiet">{_key(told)}</span></div>',
        "</header><div>",
        prose(told["description"]) if "description" in told else "",
        _section("Parameters", _parameters(document, told)),
        *_body(document, told),
        _section("For example", f"<pre>{escape(curl(method, path, told))}</pre>"),
        _section("Answers", "".join(_answers(document, told))),
        "</div></article>",
    ]
    return "".join(parts)


def _section(title: str, inside: str) -> str:
    return f"<h4>{title}</h4>{inside}" if inside else ""


def _key(told: Document) -> str:
    found = [(name.removesuffix("_key"), scopes) for each in told["security"] for name, scopes in each.items()]
    scopes = " or ".join(scope for _, some in found for scope in some)
    return f"{found[0][0]}'s key{f' that may {scopes}' if scopes else ''}" if found else "no key"


def _parameters(document: Document, told: Document) -> str:
    rows = (
        _row(
            each["name"],
            kind_of(each["schema"]),
            MUST if each["required"] else "",
            each.get("description", ""),
            each["in"],
        )
        for each in told.get("parameters", ())
    )
    return _table(rows)


def _body(document: Document, told: Document) -> Iterator[str]:
    if "requestBody" not in told:
        return
    for kind in _kinds(told["requestBody"]["content"]["application/json"]["schema"]):
        name = kind["$ref"].rpartition("/")[2]
        yield _section(f"Body: {_link(name)}", members(document["components"]["schemas"][name]))


def _kinds(schema: Document) -> list[Document]:
    found: list[Document] = schema.get("anyOf", [schema])
    return found


def members(shape: Document) -> str:
    """The members of an object's schema as a table: which of a body must be sent, which of an answer may be missing."""
    required, sent = shape.get("required", ()), shape.get("additionalProperties") is False
    rows = []
    for name, schema in shape.get("properties", {}).items():
        always = name in required
        mark = MUST if sent and always else "" if sent or always else MAY
        kind = kind_of(schema if always else without_null(schema))
        rows.append(_row(name, kind, mark, schema.get("description", "")))
    return _table(rows)


def _row(name: str, kind: str, mark: str, words: str, place: str = "") -> str:
    where = f"in the {place} · " if place else ""
    return (
        f'<tr><td><code>{escape(name)}</code>{mark}<span class="kind">{where}{kind}</span></td>'
        f"<td>{_words(words)}</td></tr>"
    )


def _table(rows: Iterable[str]) -> str:
    inside = "".join(rows)
    return f"<table><tbody>{inside}</tbody></table>" if inside else ""


def _answers(document: Document, told: Document) -> Iterator[str]:
    for status, answer in told["responses"].items():
        if int(status) >= 400:
            continue
        media, content = next(iter(answer.get("content", {"": {"schema": {}}}).items()))
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        line = f'<span class="status">{status}</span> {escape(answer["description"])} {_link(name) or escape(media)}'
        example = _example(content)
        shown = f"<pre>{escape(_json(example))}</pre>" if example is not None else ""
        yield f"<details><summary>{line}</summary>{shown}</details>" if shown else f"<p>{line}</p>"
    yield _problems(document, told)


def _problems(document: Document, told: Document) -> str:
    rows = [
        f'<tr><td><span class="status">{status}</span></td><td>{_listed(answer["description"])}</td></tr>'
        for status, answer in told["responses"].items()
        if int(status) >= 400
    ]
    if not rows:
        return ""
    return f"<details><summary>What can go wrong</summary>{_table(rows)}</details>"


def _listed(text: str) -> str:
    """Codes with their meanings, each in a line of its own."""
    return "<br>".join(_words(part) for part in re.split(r" (?=`\w+`: )", text))


def _example(content: Document) -> Any:
    if "example" in content:
        return content["example"]
    return next((each["value"] for each in content.get("examples", {}).values() if "value" in each), None)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def curl(method: str, path: str, told: Document) -> str:
    """A command that makes this call."""
    address = re.sub(r"\{(\w+)\}", lambda found: "$" + found[1].upper(), path)
    words = [f'curl -s "$SIGNOFF{address}"']
    words[0] += f" -X {method.upper()}" if method not in ("get", "post") else ""
    if told["security"]:
        words.append('-H "Authorization: Bearer $KEY"')
    if any(each["name"] == "Idempotency-Key" for each in told.get("parameters", ())):
        words.append('-H "Idempotency-Key: order-1042"')
    if "requestBody" in told:
        example = _example(told["requestBody"]["content"]["application/json"])
        words.append(f"-d {shlex.quote(json.dumps(example, ensure_ascii=False))}")
    return " \\\n  ".join(words)


def _link(name: str) -> str:
    return f'<a href="#shape-{escape(name)}">{escape(name)}</a>' if name else ""


def _shapes(document: Document) -> str:
    told = "".join(
        f'<article id="shape-{escape(name)}"><header><h3>{escape(name)}</h3></header><div>'
        f"{prose(shape.get('description', ''))}{members(shape) or prose(_values(shape))}</div></article>"
        for name, shape in document["components"]["schemas"].items()
    )
    return f'<section><h2 id="shapes">Bodies and answers</h2>{told}</section>'


def _values(shape: Document) -> str:
    return ", ".join(f"`{value}`" for value in shape.get("enum", ()))
